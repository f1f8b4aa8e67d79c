"""The page of an import: what it says in every state, and what can be done there."""

import pytest

from bulk import imports
from bulk.models import Door, Existing, Import, State
from inventory.logins import delete_login
from inventory.models import DeviceCredentials
from tests.bulk.console.pages import BULK, buttons, headline, numbers, page_of
from tests.bulk.files import FULL, SECRET, SIMPLE, checked, received, registered, undone
from tests.consoles import read
from tests.support import set_limit

THREE = FULL + f"press-1;{SECRET};;;Hall 1\npress-2;{SECRET};;;Hall 2\nbad id;{SECRET};;;\n"


def notes(response):
    return read(response).one("div", id="import-notes").text


def problems(response):
    """Return the rows of the list of problems: line, ID, column, reason."""
    place = read(response).one("div", id="import-problems")
    return [[cell.text for cell in row.all("td")] for row in place.all("tr") if row.all("td")]


# --- The plan -----------------------------------------------------------------------------------


def test_plan_tells_what_would_happen_and_why_not(desk, acme, operator):
    one = checked(acme, THREE, operator, file_name="factory.csv")
    page = desk.get(page_of(one))
    assert headline(page) == "2 of 3 devices can be registered"
    assert numbers(page) == {"New": "2", "Update": "0", "Unchanged": "0", "Rejected": "1"}
    assert problems(page) == [["4", "bad id", "ID", one.preview["problems"][0]["reason"]]]
    assert "2 groups will be made" in notes(page)
    assert "Hall 1" in notes(page)
    facts = read(page).one("dl", id="import-facts").text
    for fact in ("factory.csv", "Full registration", "UTF-8, separated by semicolons",
                 "CREDENTIALS", "by operator", "from 192.0.2.10"):  # fmt: skip
        assert fact in facts
    assert buttons(page) == ["Register 2 devices", "Check again", "Discard"]
    assert not read(page).all("input", name="on_existing")


def test_plan_asks_about_devices_that_are_there(desk, acme, operator):
    registered(acme, THREE, operator)
    more = THREE.replace("Hall 2", "Hall 3") + f"press-3;{SECRET};;;\n"
    page = desk.get(page_of(checked(acme, more, operator)))
    assert headline(page) == "1 new device and 1 to update"
    assert numbers(page) == {"New": "1", "Update": "1", "Unchanged": "1", "Rejected": "1"}
    choices = read(page).all("input", name="on_existing")
    assert [each["value"] for each in choices] == ["update", "skip", "fail"]
    assert not any("checked" in each.attrs for each in choices)
    assert "2 devices are there already." in read(page).one("legend").text
    assert buttons(page)[0].startswith("Register 1 device")


def test_plan_that_only_updates_says_so_on_its_button(desk, acme, operator):
    registered(acme, THREE, operator)
    page = desk.get(page_of(checked(acme, THREE.replace("Hall", "Row"), operator)))
    assert buttons(page)[0] == "Update 2 devices"
    hidden = read(page).one("input", name="on_existing")
    assert (hidden["type"], hidden["value"]) == ("hidden", "update")


@pytest.mark.parametrize(
    ("before", "text", "why"),
    [
        ("", FULL + f"bad id;{SECRET};;;\n", "Every row has a problem."),
        (THREE, THREE.replace("bad id", "press-1"), "The other rows have a problem."),
        (THREE, THREE.replace(f"bad id;{SECRET};;;\n", ""), "are there already, just as it says"),
    ],
    ids=["all wrong", "some wrong", "all there"],
)
def test_plan_without_anything_to_do_has_no_button_and_says_why(
    desk, acme, operator, before, text, why
):
    if before:
        registered(acme, before, operator)
    page = desk.get(page_of(checked(acme, text, operator)))
    assert headline(page) == "There is nothing to register"
    assert why in notes(page)
    assert buttons(page) == ["Upload another file", "Check again", "Discard"]


def test_plan_tells_of_the_device_limit_and_of_devices_that_come_back(desk, acme, operator):
    gone = DeviceCredentials.issue(acme, "press-1", "x" * 32)
    delete_login(gone, by=operator)
    set_limit(acme, 1)
    page = desk.get(page_of(checked(acme, THREE, operator)))
    assert "1 device beyond the device limit" in notes(page)
    assert "1 of the new devices was deleted here before" in notes(page)


def test_plan_of_the_management_tenant_tells_for_whom(console, management, person, operator):
    text = f"ID;CREDENTIALS;TENANT\na;{SECRET};acme\nb;{SECRET};acme\nc;{SECRET};globex\n"
    one = checked(management, text, operator)
    page = console("management/operator").get(page_of(one))
    assert "For 2 tenants" in notes(page)
    assert "acme 2 rows" in notes(page)


def test_plan_warns_of_what_spreadsheets_make_of_numbers(desk, acme, operator):
    one = checked(acme, SIMPLE + "1.2E+11;\n", operator)
    place = read(desk.get(page_of(one))).one("div", id="import-warnings")
    assert "Worth a look" in place.text
    assert one.preview["warnings"][0]["reason"] in place.text


# --- Other states -------------------------------------------------------------------------------

STATES = {
    "receiving": ({}, "The file is on its way", []),
    "checking": ({"rows": 100, "seen": 20}, "Looking through the file", ["Discard"]),
    "unchecked": ({"state": "ready"}, "The file has not been looked through to its end",
                  ["Check", "Discard"]),
    "running": ({"rows": 1000, "seen": 250, "created": 250, "worked": 1.0},
                "Registering 1,000 rows", ["Pause", "Cancel"]),
    "pausing": ({"state": "running", "wish": "pause"}, "Registering 0 rows", ["Cancel"]),
    "cancelling": ({"state": "running", "wish": "cancel"}, "Registering 0 rows", []),
    "paused": ({"rows": 1000, "seen": 250}, "Paused after 250 of 1,000 rows",
               ["Resume", "Cancel"]),
    "finished": ({"rows": 1000, "created": 998, "failed": 2}, "998 of 1,000 registered",
                 ["Register the corrected file", "Undo"]),
    "all of them": ({"state": "finished", "rows": 3, "created": 2, "unchanged": 1},
                    "All 3 are registered", ["Undo"]),
    "left": ({"state": "finished", "rows": 3, "created": 1, "skipped": 2},
             "1 of 3 registered, 2 left as they were", ["Undo"]),
    "nothing made": ({"state": "finished", "rows": 1, "updated": 1}, "1 device is registered", []),
    "cancelled": ({"rows": 1000, "seen": 400, "created": 398, "failed": 2},
                  "Cancelled after 400 of 1,000 rows: 398 registered",
                  ["Register the corrected file", "Undo"]),
    "refused": ({"refusal": {"line": 1, "column": "ID", "message": "No ID."}},
                "This file cannot be read", ["Upload the corrected file"]),
    "discarded": ({}, "Discarded: nothing was registered", ["Upload a file"]),
    "undoing": ({"created": 10, "undone": 4, "seen": 4}, "Taking away what was created", []),
    "undone": ({"created": 10, "undone": 9, "kept": 1},
               "9 devices taken away, 1 kept because they are in use", []),
}  # fmt: skip


def made(tenant, name, **more):
    details = {"state": name} | STATES[name][0] | more
    return Import.objects.create(
        tenant=tenant, door=Door.CONSOLE, created_by_name="operator", form="full",
        file_name="factory.csv", **details,
    )  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_page_says_how_it_stands_and_offers_what_can_be_done(desk, console, acme, name):
    one = made(acme, name)
    _, said, offered = STATES[name]
    for target in (None, "import"):
        page = desk.get(page_of(one), target=target)
        assert page.status_code == 200
        assert (headline(page), buttons(page)) == (said, offered)
        assert bool(read(page).all("h1")) is (target is None)
    looked_at = console("acme/reader").get(page_of(one))
    assert (headline(looked_at), buttons(looked_at)) == (said, [])


@pytest.mark.parametrize("name", STATES)
def test_page_looks_again_only_while_somebody_is_to_work(desk, acme, name):
    one = made(acme, name)
    page = read(desk.get(page_of(one)))
    asks = page.all(data_looks_again=True)
    assert bool(asks) is one.is_at_work
    by_hand = [each for each in page.all("a", href=page_of(one)) if each.text == "Look again"]
    assert bool(by_hand) is one.is_at_work
    for each in asks:
        assert each["hx-get"] == page_of(one)
        assert each["hx-trigger"] == "every 1s"


@pytest.mark.parametrize("name", STATES)
def test_list_tells_every_state(desk, acme, name):
    one = made(acme, name)
    row = read(desk.get(BULK)).one("tr", id=f"import-{one.pk}").text
    assert row.startswith("factory.csv")


def test_progress_tells_rate_and_remaining_time(desk, acme):
    one = made(acme, "running", holder="somebody")
    place = read(desk.get(page_of(one))).one("div", id="import-progress")
    assert place.one("progress")["value"] == "25"
    assert "250 of 1,000 rows · 250 rows/s · 3 s left" in place.text


def test_progress_waits_for_its_turn(desk, acme):
    place = read(desk.get(page_of(made(acme, "running", seen=0)))).one("div", id="import-progress")
    assert "Waiting for its turn" in place.text
    assert "value" not in place.one("progress").attrs


def test_word_of_what_went_wrong_on_the_server_is_told(desk, acme):
    one = made(acme, "paused", refusal={"line": None, "column": "", "message": "It stumbled."})
    assert "It stumbled." in notes(desk.get(page_of(one)))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "less than a second"), (41, "41 s"), (600, "10 min"), (7_500, "2 h 5 min")],
)
def test_durations_are_as_exact_as_anybody_needs(desk, acme, seconds, said):
    one = made(acme, "finished", worked=seconds, started_at="2026-04-01T08:00Z",
               finished_at="2026-04-01T09:00Z")  # fmt: skip
    assert said in read(desk.get(page_of(one))).one("dl", id="import-facts").text


def test_result_is_told_from_what_was_really_done(desk, acme, operator):
    one = registered(acme, THREE, operator, on_existing=Existing.FAIL)
    page = desk.get(page_of(one))
    assert headline(page) == "2 of 3 registered"
    assert numbers(page) == {"Created": "2", "Updated": "0", "Unchanged": "0", "Failed": "1"}
    assert problems(page)[0][:3] == ["4", "bad id", "ID"]
    assert "may talk at once" in notes(page)
    page = desk.get(page_of(undone(one, operator)))
    assert headline(page) == "2 devices taken away"
    assert numbers(page) == {"Created": "2", "Taken away": "2", "Kept": "0"}


def test_simple_result_leads_to_the_devices_that_are_expected(desk, acme, operator):
    page = desk.get(page_of(registered(acme, SIMPLE + "press-1;\n", operator)))
    assert "pending acceptance" in notes(page)
    assert "Turn the devices on" in notes(page)


def test_no_password_is_on_any_page(desk, acme, operator):
    one = registered(acme, THREE.replace(f"bad id;{SECRET}", f"bad;{SECRET} x"), operator)
    for action in ("", "rows/", "rejects.csv", "undo/"):
        response = desk.get(page_of(one, action))
        whole = b"".join(response.streaming_content) if response.streaming else response.content
        assert SECRET.encode() not in whole


@pytest.mark.parametrize("login", ["globex/operator", "management/administrator"])
def test_nobody_else_sees_it(console, acme, operator, login):
    one = checked(acme, THREE, operator)
    for action in ("", "rows/", "rejects.csv"):
        assert console(login).get(page_of(one, action)).status_code == 404


def test_page_asks_no_more_the_longer_the_file_is(
    desk, acme, operator, django_assert_max_num_queries
):
    rows = "".join(f"bad id {number};{SECRET};;;\n" for number in range(300))
    one = registered(acme, FULL + rows, operator)
    with django_assert_max_num_queries(7):
        desk.get(page_of(one))


def test_page_of_a_file_that_was_never_checked_can_be_opened(desk, acme, operator):
    one = received(acme, THREE, operator)
    assert buttons(desk.get(page_of(one))) == ["Check", "Discard"]
    imports.check(one)
    assert one.state == State.CHECKING
