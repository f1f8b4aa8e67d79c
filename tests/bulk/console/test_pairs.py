"""IDs with secrets: handed over, looked through, registered; and no secret ever comes back."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from bulk.models import Existing, Import, State
from inventory import device_types
from inventory.device_types import TypeDetails, create_type
from inventory.models import DeviceCredentials, ManagedObject
from registration.lifecycle import Stage
from registration.models import Registration
from tests.bulk.console.pages import BULK, buttons, fresh, headline, numbers, page_of
from tests.bulk.files import carried_on, counts
from tests.consoles import Console, messages_of, read

PAIRS = f"{BULK}pairs/"
CANARY = "canary-S3cret"
FIRST, SECOND = (
    ", ".join(f"d-{number}, {CANARY}-{number}" for number in some) for some in ((1, 2, 3), (4, 5))
)
SAMPLE = f"{FIRST},  \n  \n{SECOND}"
ODD = f"d-1, {CANARY}-1\nd-2\nd-3, {CANARY}-3"
MIXED = f'd-1, {CANARY}-1\nd-2, short\nd 3, {CANARY}-3\n"", {CANARY}-4\n'


@pytest.fixture
def meter(acme, operator):
    """A type of devices with secrets."""
    return create_type(acme, TypeDetails("Meter"), by=operator)


def file_of(text, name="pairs.csv"):
    data = text if isinstance(text, bytes) else text.encode()
    return SimpleUploadedFile(name, data, content_type="text/csv")


def given(desk, device_type, text, *, as_file=False, target=None, **more):
    """Hand a list over; return the answer."""
    how = {"file": file_of(text)} if as_file else {"text": text}
    data = {"device_type": device_type.pk, **how, **more}
    return desk.post(PAIRS, data, target=target)


def checked(desk, device_type, text, **more):
    """Hand a list over and have it looked through; return the import."""
    response = given(desk, device_type, text, **more)
    assert response.status_code == 302, read(response).text
    return carried_on(Import.objects.order_by("created_at").last())


def started(desk, one, **data):
    """Press the button that starts; return the import as it ends."""
    response = desk.post(page_of(one, "start/"), data)
    assert response.status_code == 302, read(response).text
    return carried_on(one)


def logs_in(tenant, device_id, secret):
    login = DeviceCredentials.objects.for_tenant(tenant).get(device_id=device_id)
    return login.check_password(secret)


def everything_kept():
    """Return all that is in the database, as text."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found += [str(row) for row in cursor.fetchall()]
    return "\n".join(found)


# --- From the list to the devices ---------------------------------------------------------------


@pytest.mark.parametrize("as_file", [True, False], ids=["file", "pasted"])
def test_published_sample_gives_five_devices_that_may_talk(desk, acme, meter, as_file):
    one = checked(desk, meter, SAMPLE, as_file=as_file)
    page = desk.get(page_of(one))
    assert headline(page) == "5 devices can be registered"
    assert buttons(page) == ["Register 5 devices", "Check again", "Discard"]
    assert (one.device_type, one.all_or_nothing, one.rows) == (meter, True, 5)
    assert one.file_name == ("pairs.csv" if as_file else "Pasted list")
    assert not ManagedObject.objects.devices().exists()
    one = started(desk, one)
    assert (one.state, counts(one)) == (State.FINISHED, {"created": 5})
    page = desk.get(page_of(one))
    assert headline(page) == "5 pairs are registered"
    facts = read(page).one("dl", id="import-facts").text
    assert "IDs with secrets" in facts
    assert "Meter" in facts
    assert read(page).all("a", href=f"/devices/?device_type={meter.pk}")
    devices = ManagedObject.objects.devices().for_tenant(acme)
    assert set(devices.values_list("device_type", flat=True)) == {meter.pk}
    assert all(logs_in(acme, f"d-{n}", f"{CANARY}-{n}") for n in range(1, 6))


def test_nothing_secret_is_left_anywhere(desk, meter, caplog):
    answers = [given(desk, meter, MIXED, partial="1"), given(desk, meter, ODD)]
    one = carried_on(Import.objects.order_by("created_at").first())
    answers.append(desk.get(page_of(one)))
    one = started(desk, one)
    assert counts(one) == {"created": 1, "failed": 3}
    answers += [desk.get(page_of(one, action)) for action in ("", "rows/", "rejects.csv")]
    answers += [desk.get(BULK), desk.get(PAIRS), desk.get("/audit/")]
    for answer in answers:
        content = answer.getvalue() if answer.streaming else answer.content
        assert CANARY not in content.decode()
    assert CANARY not in everything_kept()
    assert CANARY not in caplog.text
    assert not any(bytes(each.file_key) for each in Import.objects.all())


def test_list_is_all_or_nothing_unless_somebody_ticks_the_box(desk, acme, meter):
    one = checked(desk, meter, MIXED)
    page = desk.get(page_of(one))
    assert headline(page) == "3 pairs have errors, so nothing can be registered"
    assert buttons(page) == [
        "Upload the corrected list", "Store valid pairs, skip the rest", "Check again", "Discard",
    ]  # fmt: skip
    assert desk.post(page_of(one, "start/"), {}).status_code == 409
    assert fresh(one).state == State.READY
    page = desk.post(page_of(one, "skip/"), target="import")
    assert buttons(page)[0] == "Register 1 device"
    one = checked(desk, meter, MIXED, partial="1")
    page = desk.get(page_of(one))
    assert buttons(page)[0] == "Register 1 device"
    assert numbers(page) == {"New": "1", "Update": "0", "Unchanged": "0", "Rejected": "3"}
    one = started(desk, one)
    answer = desk.get(page_of(one, "rejects.csv")).getvalue().decode("utf-8-sig")
    assert [row[:4] for row in csv.reader(io.StringIO(answer))] == [
        ["Pair", "Line", "Device ID", "Code"],
        ["2", "2", "d-2", "secret_too_short"],
        ["3", "3", "", "invalid_device_id"],
        ["4", "4", "", "empty_id"],
    ]
    assert logs_in(acme, "d-1", f"{CANARY}-1")


def test_pairs_that_stand_there_twice(desk, meter):
    text = f"a, {CANARY}, a, {CANARY}, b, {CANARY}1, c, {CANARY}, b, {CANARY}2"
    one = checked(desk, meter, text, partial="1")
    assert numbers(desk.get(page_of(one))) == {
        "New": "2", "Update": "0", "Unchanged": "0", "Repeated": "1", "Rejected": "2",
    }  # fmt: skip
    assert [row["code"] for row in one.preview["problems"]] == ["duplicate_conflict"] * 2
    assert [row["place"] for row in one.preview["problems"]] == ["1", "1"]
    started(desk, one)
    assert set(DeviceCredentials.objects.values_list("device_id", flat=True)) == {"a", "c"}


@pytest.mark.parametrize("target", [None, "import"], ids=["page", "fragment"])
def test_secrets_are_replaced_only_by_somebody_who_says_so(desk, acme, meter, target):
    started(desk, checked(desk, meter, f"a, {CANARY}-1, b, {CANARY}-1"))
    one = checked(desk, meter, f"a, {CANARY}-2, b, {CANARY}-1, c, {CANARY}-1")
    assert "Replace the secret of 1 device" in read(desk.get(page_of(one))).text
    for data, sentence in (
        ({}, "Choose what to do with the devices that are there already."),
        ({"on_existing": Existing.FAIL}, "Choose what to do with the devices"),
        ({"on_existing": Existing.UPDATE}, "Tick the box"),
    ):
        response = desk.post(page_of(one, "start/"), data, target=target)
        assert response.status_code == 422
        assert sentence in read(response).one("p", id="existing-problem").text
    assert fresh(one).state == State.READY
    one = started(desk, one, on_existing=Existing.UPDATE, replace="1")
    assert counts(one) == {"created": 1, "updated": 1, "unchanged": 1}
    assert logs_in(acme, "a", f"{CANARY}-2")
    assert not logs_in(acme, "a", f"{CANARY}-1")


def test_same_list_again_changes_nothing(desk, meter):
    started(desk, checked(desk, meter, SAMPLE))
    page = desk.get(page_of(checked(desk, meter, SAMPLE)))
    assert headline(page) == "There is nothing to register"
    assert buttons(page)[0] == "Upload another list"


def test_existing_devices_can_be_left_or_reported(desk, acme, meter):
    started(desk, checked(desk, meter, f"a, {CANARY}-1"))
    text = f"a, {CANARY}-2, b, {CANARY}-1"
    one = started(desk, checked(desk, meter, text), on_existing=Existing.SKIP)
    assert counts(one) == {"created": 1, "skipped": 1}
    text = f"a, {CANARY}-2, c, {CANARY}-1"
    one = started(desk, checked(desk, meter, text, partial="1"), on_existing=Existing.FAIL)
    assert counts(one) == {"created": 1, "failed": 1}
    assert logs_in(acme, "a", f"{CANARY}-1")


def test_registrations_that_people_decide_about_stand_in_the_way(desk, meter, make_registration):
    for device_id, stage in (("w", Stage.WAITING), ("p", Stage.PENDING), ("b", Stage.BLOCKED)):
        make_registration(device_id, stage=stage)
    one = checked(desk, meter, f"w, {CANARY}, p, {CANARY}, b, {CANARY}", partial="1")
    codes = [row["code"] for row in one.preview["problems"]]
    assert codes == ["registration_pending", "registration_blocked"]
    started(desk, one)
    assert set(Registration.objects.values_list("device_id", flat=True)) == {"p", "b"}


def test_undo_takes_away_what_a_list_made(desk, meter):
    one = started(desk, checked(desk, meter, SAMPLE))
    dialog = read(desk.get(page_of(one, "undo/"))).text
    assert "Of the 5 created devices" in dialog
    desk.post(page_of(one, "undo/"))
    assert counts(carried_on(one)) == {"created": 5, "undone": 5}
    assert not ManagedObject.objects.devices().exists()


def test_batch_stays_readable_when_its_type_is_gone(desk, meter, operator):
    one = started(desk, checked(desk, meter, f"a, {CANARY}"))
    desk.post(page_of(one, "undo/"))
    carried_on(one)
    device_types.delete_type(meter, by=operator)
    page = desk.get(page_of(one))
    assert "deleted since" in read(page).one("dl", id="import-facts").text
    assert desk.get(page_of(one, "rows/")).status_code == 200


# --- What is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "upload-pairs"], ids=["page", "fragment"])
@pytest.mark.parametrize("as_file", [True, False], ids=["file", "pasted"])
@pytest.mark.parametrize(
    ("text", "code", "sentence"),
    [
        (ODD, "odd_field_count", "Line 2 is the only one"),
        (f"ID;CREDENTIALS\na;{CANARY}", "other_form", "the general bulk registration"),
        (f'a,"{CANARY}', "unclosed_quote", "line 1"),
        (f"a,{CANARY}\ud800", "not_utf8", "UTF-8"),
    ],
    ids=["odd", "other form", "quote", "no text"],
)
def test_list_that_makes_no_sense_is_refused_right_there(
    desk, meter, target, as_file, text, code, sentence
):
    if code == "not_utf8":
        text = f"a,{CANARY}".encode() + b"\xff"
        if not as_file:
            return  # what is pasted is text
    response = given(desk, meter, text, target=target, as_file=as_file)
    assert response.status_code == 422
    notice = read(response).one("section", id="upload-pairs").classed("notice-bad")[0]
    assert sentence in notice.text
    assert CANARY not in response.content.decode()
    one = Import.objects.get()
    assert (one.state, one.refusal["code"], bytes(one.file_key)) == (State.REFUSED, code, b"")
    again = desk.get(page_of(one))
    assert headline(again) == "This list cannot be read"
    assert CANARY not in again.content.decode()
    assert desk.get(page_of(one, "rejects.csv")).status_code == 404


@pytest.mark.parametrize("target", [None, "upload-pairs"], ids=["page", "fragment"])
@pytest.mark.parametrize(
    ("sent", "place", "sentence"),
    [
        ({}, "file-problem", "Choose a file, or paste the list."),
        ({"text": " \n"}, "file-problem", "Choose a file, or paste the list."),
        ({"text": SAMPLE, "file": True}, "file-problem", "There is a file and a pasted list."),
        ({"file": False}, "file-problem", "File must not be empty"),
        ({"text": SAMPLE, "device_type": ""}, "type-problem", "Choose the device type"),
        ({"text": SAMPLE, "device_type": "x\x00"}, "type-problem", "Null characters"),
        ({"text": SAMPLE, "device_type": "9" * 40}, "type-problem", "is not there any more"),
        ({"text": SAMPLE, "device_type": "9" * 5_000}, "type-problem", "is not there any more"),
        ({"text": SAMPLE, "device_type": "theirs"}, "type-problem", "is not there any more"),
        ({"text": SAMPLE, "device_type": "temporary_credentials"}, "type-problem", "knock with"),
        ({"text": SAMPLE, "device_type": "certificate"}, "type-problem", "by a certificate"),
    ],
    ids=range(11),
)
def test_what_is_no_list_is_refused_beside_the_field(
    desk, acme, globex, operator, globex_operator, meter, target, sent, place, sentence
):
    theirs = create_type(globex, TypeDetails("Theirs"), by=globex_operator)
    data = {"device_type": meter.pk, **sent}
    if data["device_type"] == "theirs":
        data["device_type"] = theirs.pk
    elif data["device_type"] in {"temporary_credentials", "certificate"}:
        details = TypeDetails("Other", security_option=data["device_type"])
        data["device_type"] = create_type(acme, details, by=operator).pk
    if "file" in data:
        data["file"] = file_of(SAMPLE if data["file"] else "")
    response = desk.post(PAIRS, data, target=target)
    assert response.status_code == 422
    assert sentence in read(response).one("p", id=place).text
    assert CANARY not in response.content.decode()
    assert "Theirs" not in response.content.decode()
    assert not Import.objects.exists()


def test_page_offers_the_types_that_take_secrets(desk, acme, operator, meter):
    details = TypeDetails("Knocker", security_option="temporary_credentials")
    other = create_type(acme, details, by=operator)
    page = read(desk.get(PAIRS, {"device_type": meter.pk}))
    options = page.one("select", id="device-type").all("option")
    assert [each.text for each in options] == ["Choose a device type", "Meter"]
    assert "selected" in options[1].attrs
    # Whoever comes from the page of another type is told at once.
    page = read(desk.get(PAIRS, {"device_type": other.pk}))
    assert "knock with a provisioning key" in page.one("p", id="type-problem").text
    for strange in ("x", "\x00", "9" * 5_000, "-1"):
        assert desk.get(PAIRS, {"device_type": strange}).status_code == 200


def test_second_click_registers_nothing_twice(desk, meter):
    one = checked(desk, meter, SAMPLE)
    started(desk, one)
    response = desk.post(page_of(one, "start/"), {})
    assert response.status_code == 409
    assert "That cannot be done now" in messages_of(response)[0]
    assert counts(fresh(one)) == {"created": 5}


# --- Who may ------------------------------------------------------------------------------------


def test_whoever_may_only_look_hands_nothing_over(console, meter):
    reader = console("acme/reader")
    assert reader.get(PAIRS).status_code == 403
    assert given(reader, meter, SAMPLE, as_file=True).status_code == 403
    assert not read(reader.get("/devices/")).all("a", href=PAIRS)
    assert not Import.objects.exists()


def test_list_of_another_tenant_is_not_there(desk, console, meter):
    one = checked(desk, meter, SAMPLE)
    for action in ("", "start/", "rejects.csv", "rows/"):
        stranger = console("globex/operator")
        call = stranger.post if action == "start/" else stranger.get
        assert call(page_of(one, action)).status_code == 404


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_page_is_shown_or_posted(desk, method):
    assert desk.call(method, PAIRS).status_code == 405


def test_list_without_its_token_is_refused(house, meter):
    response = given(Console("acme/operator", enforce_csrf_checks=True), meter, SAMPLE)
    assert response.status_code == 403
    assert not Import.objects.exists()


def test_template_is_read_back_without_a_problem(desk, meter):
    response = desk.get(f"{BULK}pairs-template/")
    one = checked(desk, meter, response.content.decode())
    assert (one.preview["create"], one.preview["reject"]) == (3, 0)


@pytest.mark.parametrize("place", ["/devices/registration/", "/devices/", BULK])
def test_page_is_found_where_devices_are_registered(desk, place):
    assert read(desk.get(place)).all("a", href=PAIRS)


def test_what_is_too_long_for_a_form_is_said_to_be_so(desk, meter):
    response = given(desk, meter, SAMPLE + " " * 3_000_000)
    assert response.status_code == 400
    assert "Upload a long list as a file" in response.content.decode()
