"""Bringing a file: what is taken, what is refused right there, and what is listed afterwards."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from bulk import files
from bulk.models import Door, Import, State
from bulk.reading.columns import COLUMNS
from tests.bulk.console.pages import BULK, buttons, fresh, headline, page_of
from tests.bulk.files import SECRET, SIMPLE, carried_on, checked, received
from tests.consoles import Console, read

GOOD = SIMPLE + "press-1;Hall 1\npress-2;\n"
FULL = f"ID;CREDENTIALS\npress-1;{SECRET}\n"


def file_of(text, name="devices.csv"):
    data = text if isinstance(text, bytes) else text.encode()
    return SimpleUploadedFile(name, data, content_type="application/vnd.ms-excel")


def upload(desk, text, name="devices.csv", **how):
    return desk.post(BULK, {"file": file_of(text, name)}, **how)


# --- A file that can be read --------------------------------------------------------------------


def test_file_is_kept_and_looked_through_before_anything_happens(desk, acme):
    response = upload(desk, GOOD)
    one = Import.objects.get()
    assert (response.status_code, response["Location"]) == (302, page_of(one))
    assert (one.tenant, one.state, one.door) == (acme, State.CHECKING, Door.CONSOLE)
    assert (one.file_name, one.created_by_name, one.size) == ("devices.csv", "operator", len(GOOD))
    assert files.open_file(one).read() == GOOD.encode()
    assert headline(desk.get(page_of(one))) == "Looking through the file"
    carried_on(one)
    page = desk.get(page_of(one))
    assert headline(page) == "2 devices can be registered"
    assert buttons(page) == ["Register 2 devices", "Check again", "Discard"]


def test_upload_leads_to_the_page_of_the_file_by_htmx_too(desk):
    response = upload(desk, GOOD, target="upload")
    assert response.status_code == 204
    assert response["HX-Redirect"] == page_of(Import.objects.get())


def test_second_click_brings_the_file_a_second_time_and_registers_nothing(desk):
    upload(desk, GOOD)
    assert upload(desk, GOOD).status_code == 302
    assert set(Import.objects.values_list("state", flat=True)) == {State.CHECKING}
    assert Import.objects.count() == 2


def test_large_file_arrives_as_it_was_sent(desk):
    rows = "".join(f"press-{number:07};Plant/Hall {number % 9}\n" for number in range(150_000))
    upload(desk, SIMPLE + rows)
    one = Import.objects.get()
    assert one.size == len(SIMPLE) + len(rows) > 2 * files.BLOCK
    assert files.open_file(one).read() == (SIMPLE + rows).encode()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Geräte März.csv", "Geräte März.csv"),
        ("no ending", "no ending"),
        ("C:\\Users\\ada\\devices.csv", "devices.csv"),
        ("../../etc/devices.csv", "devices.csv"),
        ("<b>.csv", "<b>.csv"),
        ("x" * 251 + ".csv", "x" * 251 + ".csv"),
    ],
)
def test_file_keeps_its_name(desk, sent, kept):
    body = (
        f'--x\r\nContent-Disposition: form-data; name="file"; filename="{sent}"\r\n\r\n'
        f"{GOOD}\r\n--x--\r\n"
    )
    desk.client.generic("POST", BULK, body.encode(), content_type="multipart/form-data; boundary=x")
    one = Import.objects.get()
    assert one.file_name == kept
    assert read(desk.get(page_of(one))).one("h1").text == kept


@pytest.mark.parametrize(
    ("name", "status"), [("nul\x00.csv", 302), ("lone\ud800.csv", 422)], ids=["NUL", "surrogate"]
)
def test_name_that_no_database_keeps_is_no_accident(desk, name, status):
    body = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n{GOOD}'
    response = desk.client.generic(
        "POST", BULK, f"{body}\r\n--x--\r\n".encode(errors="surrogatepass"),
        content_type="multipart/form-data; boundary=x",
    )  # fmt: skip
    assert response.status_code == status
    assert list(Import.objects.values_list("file_name", flat=True)) == ["nul.csv"][: status == 302]


# --- A file that cannot -------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "upload"], ids=["page", "fragment"])
@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("NAME;PATH\nx;y\n", "line 1, column ID", "There is no column called ID."),
        ("ID;ID\nx;y\n", "line 1, column ID", "is there 2 times"),
        (b"PK\x03\x04" + bytes(50), "line 1", "a workbook or a ZIP archive"),
        ("ID;PATH\n", "line 2", "nothing below the names"),
        (b"ID;PATH\nx;y\n\x00;z\n", "line 3", "a NUL byte"),
    ],
    ids=["no ID", "twice", "workbook", "no rows", "binary"],
)
def test_file_that_cannot_be_read_is_refused_right_there(desk, target, text, place, sentence):
    response = upload(desk, text, target=target)
    assert response.status_code == 422
    page = read(response)
    notice = page.one("section", id="upload").classed("notice-bad")[0]
    assert f"devices.csv cannot be read: {place}." in notice.text
    assert sentence in notice.text
    assert bool(page.all("title")) is (target is None)
    one = Import.objects.get()
    assert one.state == State.REFUSED
    assert not one.file_key
    again = desk.get(page_of(one))
    assert headline(again) == "This file cannot be read"
    assert sentence in read(again).text
    assert buttons(again) == ["Upload the corrected file"]


@pytest.mark.parametrize("target", [None, "upload"], ids=["page", "fragment"])
@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "Choose a file first."),
        ({"file": "ID;PATH\nx;y\n"}, "Choose a file first."),
        ({"another": file_of(GOOD)}, "Choose a file first."),
        ({"file": [file_of(GOOD), file_of(GOOD)]}, "Too many files selected."),
        ({"file": file_of("")}, "File must not be empty, select another one."),
    ],
    ids=["nothing", "no file", "another field", "two", "empty"],
)
def test_what_is_no_file_is_refused_beside_the_field(desk, target, sent, sentence):
    response = desk.post(BULK, sent, target=target)
    assert response.status_code == 422
    assert read(response).one("p", id="file-problem").text == sentence
    assert not Import.objects.exists()


def test_name_that_is_too_long_is_refused(desk):
    body = (
        f'--x\r\nContent-Disposition: form-data; name="file"; filename="{"x" * 256}"\r\n\r\n'
        f"{GOOD}\r\n--x--\r\n"
    )
    response = desk.client.generic(
        "POST", BULK, body.encode(), content_type="multipart/form-data; boundary=x"
    )
    assert response.status_code == 422
    assert read(response).one("p", id="file-problem").text == "The filename is too long."
    assert not Import.objects.exists()


# --- Who may ------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "upload"])
def test_whoever_may_only_look_uploads_nothing(console, target):
    reader = console("acme/reader")
    assert upload(reader, GOOD, target=target).status_code == 403
    page = read(reader.get(BULK))
    assert not page.all("section", id="upload")
    assert not Import.objects.exists()


@pytest.mark.parametrize("login", [None, "acme/operator"])
def test_upload_without_its_token_is_refused(house, login):
    response = upload(Console(login, enforce_csrf_checks=True), GOOD)
    assert response.status_code == 403
    assert not Import.objects.exists()


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_page_is_shown_or_posted(desk, method):
    assert desk.call(method, BULK).status_code == 405


def test_nothing_of_a_refused_file_is_told_to_others(desk, console):
    upload(desk, f"ID;CREDENTIALS;ID\npress-1;{SECRET};x\n")
    one = Import.objects.get()
    assert console("globex/operator").get(page_of(one)).status_code == 404
    assert SECRET not in desk.get(page_of(one)).content.decode()


# --- What there is to start from ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("simple", "Simple bulk registration - template.csv"),
        ("full", "Full bulk registration - template.csv"),
    ],
)
@pytest.mark.parametrize("login", ["acme/operator", "management/operator"])
def test_template_is_read_back_without_a_problem(console, person, house, form, name, login):
    desk = console(login)
    link = read(desk.get(BULK)).one("a", href=f"{BULK}{form}-template/")
    response = desk.get(link["href"])
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    text = response.content.decode("utf-8-sig")
    names = next(csv.reader(io.StringIO(text), delimiter=";"))
    assert ("TENANT" in names) is login.startswith("management")
    upload(desk, response.content, name)
    one = carried_on(Import.objects.get())
    assert (one.form, one.preview["reject"], one.preview["warning_count"]) == (form, 0, 0)
    assert one.preview["create"] == one.preview["rows"] > 1


def test_columns_are_told_from_the_table_that_the_reader_uses(console):
    for login, has_tenant in (("acme/operator", False), ("management/operator", True)):
        table = read(console(login).get(BULK)).classed("column-table")[0].text
        for column in COLUMNS:
            assert (column.meaning in table) is (has_tenant or column.name != "TENANT")


# --- What was brought ---------------------------------------------------------------------------


def listed(response):
    return [each.text for each in read(response).classed("cell-file") if each.tag == "td"]


def test_files_are_listed_newest_first_and_only_ones_own(
    desk, console, acme, globex, operator, globex_operator
):
    for name in ("first.csv", "second.csv"):
        checked(acme, GOOD, operator, file_name=name)
    checked(globex, SIMPLE + "saw-1;\n", globex_operator, file_name="theirs.csv")
    assert listed(desk.get(BULK)) == ["second.csv", "first.csv"]
    assert listed(console("globex/reader").get(BULK)) == ["theirs.csv"]
    assert listed(console("management/administrator").get(BULK)) == []
    row = read(desk.get(BULK)).classed("import-table")[0].one("tbody").all("tr")[0].text
    assert "Ready to register" in row
    assert "operator" in row


def test_file_of_a_client_says_how_it_came(desk, acme, operator):
    received(acme, GOOD, operator, door=Door.API, file_name="")
    row = read(desk.get(BULK)).classed("import-table")[0].one("tbody").text
    assert "by REST" in row


def test_list_is_paged_and_asks_no_more_the_longer_it_is(
    desk, acme, operator, django_assert_max_num_queries
):
    Import.objects.bulk_create(
        Import(tenant=acme, door=Door.CONSOLE, created_by_name="operator",
               file_name=f"file-{number}.csv", state=State.DISCARDED)
        for number in range(120)
    )  # fmt: skip
    with django_assert_max_num_queries(8):
        page = desk.get(BULK)
    seen = listed(page)
    while later := read(page).all("a", rel="next"):
        page = desk.get(later[0]["href"])
        seen += listed(page)
    assert sorted(seen) == sorted(f"file-{number}.csv" for number in range(120))
    assert "120 of 120" in read(page).text


def test_page_opens_whatever_its_address_asks_for(desk):
    for after in ("x", "\x00", "W251bGwsMCwwLHRydWVd", "WzEsMSwxLGZhbHNlXQ"):
        assert desk.get(BULK, {"after": after}).status_code == 200


def test_button_and_link_lead_here(desk, console):
    for login, expected in (("acme/operator", 2), ("acme/reader", 1)):
        page = read(console(login).get("/devices/registration/"))
        assert len(page.all("a", href=BULK)) == expected
    assert "No files yet" in read(desk.get(BULK)).text


def test_import_that_is_still_arriving_can_be_looked_at(desk, acme):
    one = Import.objects.create(
        tenant=acme, door=Door.CONSOLE, created_by_name="operator", created_at=timezone.now()
    )
    assert headline(desk.get(page_of(one))) == "The file is on its way"
    assert fresh(one).state == State.RECEIVING
