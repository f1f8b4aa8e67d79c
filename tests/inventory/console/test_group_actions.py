"""Groups made, renamed, moved and deleted in their dialogs, each proved every way it can go."""

import pytest

from inventory.console.groups.manners import CHANGED
from inventory.groups import add_to_group, create_group, group_at
from inventory.models import DeviceGroup, ManagedObject
from tenants.actors import SYSTEM
from tenants.models import AuditRecord
from tenants.roles import Role
from tests.consoles import Console, messages_of, read
from tests.support import give_rights

GROUPS = "/devices/groups/"
NEW = f"{GROUPS}new/"
ACTIONS = {
    "rename": {"name": "Hall 9"},
    "move": {"place": "Plant B"},
    "delete": {},
}
every_action = pytest.mark.parametrize("action", ACTIONS)


@pytest.fixture
def hall(acme, globex):
    """Return a group in the middle of a tree."""
    for path in ("Plant A/Hall 2/Line 1", "Plant A/Hall 3", "Plant B"):
        group_at(acme, path, by=SYSTEM)
    group_at(globex, "Secret lab", by=SYSTEM)
    return DeviceGroup.objects.for_tenant(acme).get(path="Plant A/Hall 2")


def url(group, action=""):
    return f"{GROUPS}{group.pk}/{action}/" if action else f"{GROUPS}{group.pk}/"


def paths(tenant):
    return sorted(DeviceGroup.objects.for_tenant(tenant).values_list("path", flat=True))


def problem(response):
    """Return the sentence next to the field."""
    (element,) = read(response).classed("invalid-feedback")
    field = next(each for each in read(response).all("input") if "aria-invalid" in each.attrs)
    assert field["aria-describedby"] == element["id"]
    return element.text


# --- What holds for all of them -------------------------------------------------------------


@every_action
def test_dialog_asks_and_changes_nothing(hall, acme, desk, action):
    before = paths(acme)
    for target in ("dialog", None):
        response = desk.get(url(hall, action), target=target)
        assert response.status_code == 200
        assert bool(read(response).all("html")) is (target is None)
        assert read(response).one(id="dialog-title").text.endswith("Hall 2")
    assert paths(acme) == before


@every_action
def test_htmx_closes_the_dialog_and_lets_the_page_look_again(hall, acme, desk, action):
    response = desk.post(url(hall, action), ACTIONS[action], target="dialog")
    assert response.status_code == 204
    assert "dialogClosed" in response["HX-Trigger"]
    assert CHANGED in response["HX-Trigger"]
    assert "Plant A/Hall 2" not in paths(acme)


@every_action
def test_without_javascript_it_leads_on(hall, acme, desk, action):
    page = desk.client.post(url(hall, action), ACTIONS[action], follow=True)
    assert page.redirect_chain[-1][0] == (GROUPS if action == "delete" else url(hall))
    assert len(messages_of(page)) == 1
    assert "Plant A/Hall 2" not in paths(acme)


@every_action
def test_second_click_does_no_harm(hall, acme, desk, action):
    desk.post(url(hall, action), ACTIONS[action], target="dialog")
    after, told = paths(acme), AuditRecord.objects.count()
    response = desk.post(url(hall, action), ACTIONS[action], target="dialog")
    assert response.status_code == (404 if action == "delete" else 204)
    assert (paths(acme), AuditRecord.objects.count()) == (after, told)


@every_action
@pytest.mark.parametrize("login", ["globex/operator", "globex/administrator"])
def test_group_of_another_tenant_is_not_there(hall, acme, console, action, login):
    before = paths(acme)
    for method in ("get", "post"):
        answer = console(login).call(method, url(hall, action), ACTIONS[action])
        assert answer.status_code == 404
    assert paths(acme) == before


@pytest.mark.parametrize("action", [*ACTIONS, ""])
def test_reader_may_not(hall, acme, console, action):
    before = paths(acme)
    target = url(hall, action) if action else NEW
    for method in ("get", "post"):
        answer = console("acme/reader").call(method, target, ACTIONS.get(action, {"name": "x"}))
        assert answer.status_code == 403
    assert paths(acme) == before


@pytest.mark.parametrize("action", [*ACTIONS, ""])
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(hall, desk, action, method):
    assert desk.call(method, url(hall, action) if action else NEW).status_code == 405


@every_action
def test_management_acts_in_the_tenant_of_the_group(hall, acme, console, action):
    response = console("management/operator").post(
        url(hall, action), ACTIONS[action], target="dialog"
    )
    assert response.status_code == 204
    assert AuditRecord.objects.latest("pk").tenant_id == "acme"
    assert not DeviceGroup.objects.filter(tenant="management").exists()


# --- Making ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "made"),
    [
        ({"name": " Plant C "}, ["Plant C"]),
        ({"name": "Plant C/Hall 1"}, ["Plant C", "Plant C/Hall 1"]),
        ({"name": "Hall 4", "place": "Plant A"}, ["Plant A/Hall 4"]),
        (
            {"name": "Hall 4/Line 1", "place": " Plant A "},
            ["Plant A/Hall 4", "Plant A/Hall 4/Line 1"],
        ),
        ({"name": "Hall 1", "place": "Plant C"}, ["Plant C", "Plant C/Hall 1"]),
    ],
)
@pytest.mark.parametrize("target", [None, "dialog"])
def test_group_is_made_with_those_above_it(hall, acme, desk, sent, made, target):
    before = paths(acme)
    response = desk.post(NEW, sent, target=target)
    assert response.status_code == (204 if target else 302)
    assert sorted(set(paths(acme)) - set(before)) == made


@pytest.mark.parametrize(
    ("sent", "status", "sentence"),
    [
        ({"name": " "}, 422, "A group needs a name."),
        ({"name": "a//b"}, 422, "separated by single slashes"),
        ({"name": "a\tb"}, 422, "control or invisible characters"),
        ({"name": "x" * 501}, 422, "at most 500 characters"),
        ({"name": "x" * 400, "place": "y" * 400}, 422, "at most 500 characters"),
        ({"name": "x", "place": "a//b"}, 422, "separated by single slashes"),
        ({"name": "Plant A"}, 409, "There is a group “Plant A” at the top level already."),
        ({"name": "Hall 2", "place": "Plant A"}, 409, "There is a group “Hall 2” in “Plant A”"),
        ({"name": "Hall 2", "place": "Plant A", "tenant": "globex"}, 409, "“Hall 2” in “Plant A”"),
    ],
)
def test_what_cannot_be_made_is_said_next_to_the_field(hall, acme, desk, sent, status, sentence):
    before = paths(acme)
    for target in (None, "dialog"):
        response = desk.post(NEW, sent, target=target)
        assert response.status_code == status
        assert sentence in problem(response)
        form = read(response).one("input", id="group-name").parent.parent
        assert form.fields["name"] == sent["name"].strip()
    assert paths(acme) == before


def test_bytes_that_no_database_takes_are_no_fault(hall, acme, desk):
    response = desk.post(NEW, {"name": "a\x00b", "place": "c\x00"}, target="dialog")
    assert response.status_code == 204
    assert "c/ab" in paths(acme)


def test_dialog_knows_where_it_was_opened(hall, desk, console, globex):
    form = read(desk.get(NEW, {"within": hall.pk})).one(id="group-place")
    assert form["value"] == "Plant A/Hall 2"
    theirs = DeviceGroup.objects.for_tenant(globex).get()
    assert read(desk.get(NEW, {"within": theirs.pk})).one(id="group-place")["value"] == ""
    page = read(console("management/operator").get(NEW, {"within": theirs.pk}))
    assert page.one(id="group-place")["value"] == "Secret lab"
    assert page.one(id="group-tenant")["value"] == "globex"


def test_management_makes_groups_for_a_tenant(hall, globex, console):
    desk = console("management/operator")
    assert desk.post(NEW, {"name": "Lab 2", "tenant": "Globex"}, target="x").status_code == 204
    assert paths(globex) == ["Lab 2", "Secret lab"]
    response = desk.post(NEW, {"name": "Lab 2", "tenant": "nobody"}, target="x")
    assert response.status_code == 422
    assert problem(response) == "There is no tenant with this ID."


# --- Renaming and moving --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status", "sentence"),
    [
        ("", 422, "A group needs a name."),
        ("a/b", 422, "cannot contain a slash"),
        ("x" * 501, 422, "at most 500 characters"),
        ("Hall 3", 409, "There is a group “Hall 3” in “Plant A” already. Choose another name."),
    ],
)
def test_name_that_cannot_be_is_refused_next_to_the_field(hall, desk, name, status, sentence):
    response = desk.post(url(hall, "rename"), {"name": name}, target="dialog")
    assert response.status_code == status
    assert sentence in problem(response)
    assert read(response).one("input", name="name")["value"] == name


@pytest.mark.parametrize(
    ("place", "moved"),
    [("", "Hall 2"), (" Plant B ", "Plant B/Hall 2"), ("Plant C/New", "Plant C/New/Hall 2")],
)
def test_group_is_moved_with_all_within_it(hall, acme, desk, place, moved):
    assert desk.post(url(hall, "move"), {"place": place}, target="x").status_code == 204
    assert {moved, f"{moved}/Line 1"} <= set(paths(acme))


@pytest.mark.parametrize(
    ("place", "status", "sentence"),
    [
        ("Plant A/Hall 2", 409, "cannot be moved into itself"),
        ("Plant A/Hall 2/Line 1", 409, "cannot be moved into itself"),
        ("Plant A/Hall 2/New", 409, "cannot be moved into itself"),
        ("a//b", 422, "separated by single slashes"),
    ],
)
def test_place_that_cannot_be_is_refused_next_to_the_field(
    hall, acme, desk, place, status, sentence
):
    before = paths(acme)
    response = desk.post(url(hall, "move"), {"place": place}, target="dialog")
    assert response.status_code == status
    assert sentence in problem(response)
    assert paths(acme) == before


def test_group_without_a_place_gets_one_at_the_top_level(acme, desk):
    loose = create_group(acme, "loose", by=SYSTEM, is_loose=True)
    assert "said yet where it belongs" in read(desk.get(url(loose))).text
    desk.post(url(loose, "move"), {"place": ""})
    assert paths(acme) == ["loose"]


# --- Deleting -------------------------------------------------------------------------------


def test_what_happens_is_said_before_in_numbers(hall, acme, desk, make_registration, operator):
    plant = DeviceGroup.objects.for_tenant(acme).get(path="Plant A")
    other = DeviceGroup.objects.for_tenant(acme).get(path="Plant B")
    devices = [ManagedObject(tenant=acme, kind="device", name=f"d-{n}") for n in range(5)]
    devices = ManagedObject.objects.bulk_create(devices)
    add_to_group(hall, devices[:4], by=operator)
    add_to_group(plant, devices[3:], by=operator)
    add_to_group(other, devices[:1], by=operator)
    make_registration("press-7", group=hall)
    dialog = read(desk.get(url(plant, "delete"), target="dialog"))
    assert [each.text for each in dialog.one("ul").all("li")] == [
        "Groups within it that are deleted 3",
        "Devices that stay and lose this group 5",
        "Of these, devices that are in no group then 4",
        "Registrations whose device will join no group 1",
    ]
    assert "No device is deleted." in dialog.text
    desk.post(url(plant, "delete"), target="dialog")
    assert paths(acme) == ["Plant B"]
    assert ManagedObject.objects.filter(kind="device").count() == 5


def test_empty_group_says_that_nothing_is_in_it(hall, acme, desk):
    other = DeviceGroup.objects.for_tenant(acme).get(path="Plant B")
    assert "There is nothing in it." in read(desk.get(url(other, "delete"))).text


def test_numbers_end_somewhere(hall, acme, desk, monkeypatch, make_registration, operator):
    monkeypatch.setattr("inventory.group_numbers.TOLD_UP_TO", 3)
    monkeypatch.setattr("inventory.console.groups.actions.TOLD_UP_TO", 3)
    devices = [ManagedObject(tenant=acme, kind="device", name=f"d-{n}") for n in range(5)]
    add_to_group(hall, ManagedObject.objects.bulk_create(devices), by=operator)
    for number in range(5):
        make_registration(f"press-{number}", group=hall)
    text = read(desk.get(url(hall, "delete"))).text
    assert "lose this group more than 3" in text
    assert "will join no group more than 3" in text
    assert "in no group then" not in text


def test_page_of_what_is_gone_is_left_for_the_one_above(hall, acme, desk):
    plant = hall.parent_id
    here = {"HX-Current-URL": f"http://testserver{url(hall)}"}
    response = desk.post(url(hall, "delete"), target="dialog", **here)
    assert response["HX-Redirect"] == f"{GROUPS}{plant}/"


def test_person_without_the_right_to_make_groups_moves_none(hall, person):
    give_rights(person("acme/operator"), Role.INVENTORY_READ, Role.DEVICE_CONTROL_ADMIN)
    assert Console("acme/operator").post(url(hall, "move"), {"place": ""}).status_code == 403
