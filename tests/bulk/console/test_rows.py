"""Rows of an import: the failed ones as a list and as a file, the others by what became of them."""

import csv
import io

import pytest

from bulk.models import Existing
from inventory.models import ManagedObject
from registration.models import Registration
from tests.bulk.console.pages import BULK, page_of
from tests.bulk.files import FULL, SECRET, SIMPLE, checked, received, registered, undone
from tests.consoles import read

FAILING = (
    "ID,CREDENTIALS,NAME,=cmd\n"
    f"bad id,{SECRET},=HYPERLINK(1),x\n"
    f"press-1,{SECRET},Press,y\n"
    "press-2,short,'Quoted,z\n"
)


def file_of(response):
    return b"".join(response.streaming_content).decode("utf-8-sig")


# --- The file of failed rows --------------------------------------------------------------------


def test_failed_rows_come_in_the_form_of_the_file_with_reasons_and_without_secrets(
    desk, acme, operator
):
    one = registered(acme, FAILING, operator)
    link = read(desk.get(page_of(one))).one("a", href=page_of(one, "rejects.csv"))
    response = desk.get(link["href"])
    assert response["Content-Disposition"] == 'attachment; filename="rejects.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    text = file_of(response)
    assert SECRET not in text
    assert "short" not in text
    rows = list(csv.reader(io.StringIO(text), delimiter=","))
    assert rows[0] == ["ID", "CREDENTIALS", "NAME", "'=cmd", "REASON"]
    assert [row[:4] for row in rows[1:]] == [
        ["bad id", "", "'=HYPERLINK(1)", "x"],
        ["press-2", "", "", ""],  # right of a password that is too short may stand the rest of it
    ]
    assert all(row[4] for row in rows[1:])


def test_file_of_failed_rows_is_corrected_and_registered(desk, acme, operator):
    one = registered(acme, FAILING, operator)
    text = file_of(desk.get(page_of(one, "rejects.csv")))
    corrected = text.replace('"bad id",""', f'"press-0","{SECRET}"').replace(
        '"press-2",""', f'"press-2","{SECRET}"'
    )
    done = registered(acme, corrected, operator)
    assert (done.created, done.failed) == (2, 0)
    found = ManagedObject.objects.get(device_id="press-0")
    assert (found.name, found.fragments["=cmd"]) == ("=HYPERLINK(1)", "x")


def test_file_of_many_failed_rows_has_all_of_them(desk, acme, operator):
    rows = "".join(f"bad {number};{SECRET};;;\n" for number in range(1_300))
    one = registered(acme, FULL + rows, operator)
    lines = file_of(desk.get(page_of(one, "rejects.csv"))).splitlines()
    assert len(lines) == 1_301
    assert [line.partition(";")[0] for line in lines[1:3]] == ['"bad 0"', '"bad 1"']


def test_file_that_was_refused_has_no_rows_to_give(desk, acme, operator):

    assert desk.get(page_of(received(acme, "x\n", operator), "rejects.csv")).status_code == 404


@pytest.mark.parametrize("action", ["rejects.csv", "rows/"])
def test_rows_are_only_looked_at(desk, console, acme, operator, action):
    one = registered(acme, FAILING, operator)
    for method in ("post", "put", "delete"):
        assert desk.call(method, page_of(one, action)).status_code == 405
    assert console("acme/reader").get(page_of(one, action)).status_code == 200
    assert console("globex/operator").get(page_of(one, action)).status_code == 404
    assert desk.get(f"{BULK}x/{action}").status_code == 404


# --- The list of failed rows --------------------------------------------------------------------


def failed_lines(response):
    place = read(response).one("div", id="import-problems")
    return [each.text for each in place.classed("cell-line") if each.tag == "td"]


def test_list_of_failed_rows_is_paged(desk, acme, operator, django_assert_max_num_queries):
    rows = "".join(f"bad {number};{SECRET};;;\n" for number in range(120))
    one = registered(acme, FULL + rows, operator)
    page = desk.get(page_of(one))
    seen = failed_lines(page)
    assert len(seen) == 50
    while later := read(page).all("a", rel="next"):
        href = later[0]["href"]
        assert href.startswith(page_of(one))
        assert href.endswith("#import-problems")
        with django_assert_max_num_queries(7):
            page = desk.get(href.partition("#")[0])
        seen += failed_lines(page)
    assert seen == [str(line) for line in range(2, 122)]


def test_only_the_first_failed_rows_are_shown_while_there_may_be_more(desk, acme, operator):
    rows = "".join(f"bad {number};{SECRET};;;\n" for number in range(30))
    one = registered(acme, FULL + rows, operator)
    type(one).objects.filter(pk=one.pk).update(state="running")
    page = desk.get(page_of(one), {"after": "x"})
    assert len(failed_lines(page)) == 10
    assert "These are the first 10" in read(page).text
    assert not read(page).all("a", href=page_of(one, "rejects.csv"))


# --- What became of the others ------------------------------------------------------------------


def shown(response):
    return [[cell.text for cell in row.all("td")] for row in read(response).one("tbody").all("tr")]


def test_rows_lead_to_their_devices(desk, console, acme, operator):
    one = registered(acme, FULL + f"press-1;{SECRET};;Press;\n", operator)
    page = desk.get(page_of(one, "rows/"), {"what": "CREATED"})
    device = ManagedObject.objects.get(device_id="press-1")
    assert shown(page) == [["2", "press-1", "Press"]]
    assert read(page).one("tbody").one("a")["href"] == f"/devices/{device.pk}/"


def test_rows_of_a_simple_file_lead_to_their_registrations(desk, acme, operator):
    one = registered(acme, SIMPLE + "press-1;\n", operator)
    page = desk.get(page_of(one, "rows/"))
    registration = Registration.objects.get()
    assert shown(page) == [["2", "press-1"]]
    assert read(page).one("tbody").one("a")["href"] == f"/devices/registration/{registration.pk}/"


def test_rows_are_told_apart_by_what_became_of_them(desk, acme, operator):
    registered(acme, FULL + f"a;{SECRET};;;\nb;{SECRET};;;\n", operator)
    one = registered(acme, FULL + f"a;{SECRET};;;\nb;{SECRET};;B;\nc;{SECRET};;;\n", operator)
    for what, line, device in (("UNCHANGED", "2", "a"), ("UPDATED", "3", "b"), ("x", "4", "c")):
        assert shown(desk.get(page_of(one, "rows/"), {"what": what}))[0][:2] == [line, device]
    one = registered(acme, FULL + f"a;{SECRET};;X;\n", operator, on_existing=Existing.SKIP)
    assert shown(desk.get(page_of(one, "rows/"), {"what": "SKIPPED"})) == [["2", "a", "a"]]
    assert "No rows like that" in read(desk.get(page_of(one, "rows/"), {"what": "KEPT"})).text


def test_device_that_is_gone_says_so(desk, acme, operator):
    one = registered(acme, FULL + f"a;{SECRET};;;\n", operator)
    ManagedObject.objects.get(device_id="a").delete()
    assert shown(desk.get(page_of(one, "rows/"))) == [["2", "not there any more", ""]]
    one = undone(one, operator)
    assert desk.get(page_of(one, "rows/")).status_code == 200


def test_device_that_became_anothers_is_not_shown(desk, globex, acme, operator):
    one = registered(acme, FULL + f"a;{SECRET};;;\n", operator)
    ManagedObject.objects.filter(device_id="a").update(tenant=globex)
    assert shown(desk.get(page_of(one, "rows/"))) == [["2", "not there any more", ""]]


def test_rows_are_paged_with_few_queries(desk, acme, operator, django_assert_max_num_queries):
    one = registered(acme, SIMPLE + "".join(f"press-{n};\n" for n in range(120)), operator)
    page = desk.get(page_of(one, "rows/"))
    seen = shown(page)
    while later := read(page).all("a", rel="next"):
        with django_assert_max_num_queries(7):
            page = desk.get(later[0]["href"])
        seen += shown(page)
    assert [row[0] for row in seen] == [str(line) for line in range(2, 122)]


def test_rows_of_a_plan_are_none_yet(desk, acme, operator):
    one = checked(acme, SIMPLE + "press-1;\n", operator)
    assert "No rows like that" in read(desk.get(page_of(one, "rows/"))).text
