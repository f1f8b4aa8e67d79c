"""What is done to one device: with HTMX and without, twice, by others, without the right."""

import pytest

from inventory.groups import group_at
from inventory.models import ChildLink, DeviceEvent, DeviceGroup, ExternalId, ManagedObject, State
from registration.lifecycle import Stage
from tenants.models import AuditRecord
from tests.consoles import messages_of, read
from tests.inventory.console.devices.conftest import url_of
from tests.support import give_rights

ACTIONS = {
    "edit/": {"name": "New", "type": "t"},
    "groups/": {"group": "New"},
    "groups/leave/": {"group": "GROUP"},
    "external-ids/": {"type": "new", "value": "1"},
    "external-ids/remove/": {"external_id": "EXTERNAL"},
    "delete/": {"what": "all"},
}
every_action = pytest.mark.parametrize("action", ACTIONS)


@pytest.fixture
def device(make_device):
    return make_device("press-1", name="Press", groups=["Old"], external_ids=[("old", "1")])


def sent(device, action):
    """Return what a browser sends for an action."""
    group = DeviceGroup.objects.filter(tenant=device.tenant_id, name="Old").first()
    known = {"GROUP": group.pk, "EXTERNAL": ExternalId.objects.get(managed_object=device).pk}
    return {name: known.get(value, value) for name, value in ACTIONS[action].items()}


def state_of(device):
    """Return all that an action could change."""
    return (
        list(ManagedObject.objects.order_by("pk").values("pk", "name", "type", "group_to_join")),
        list(ChildLink.objects.order_by("pk").values()),
        list(ExternalId.objects.order_by("pk").values()),
        DeviceEvent.objects.count(),
        AuditRecord.objects.count(),
    )


# --- Who may --------------------------------------------------------------------------------


@every_action
def test_other_tenants_device_is_not_there(make_device, console, globex, action):
    device = make_device("x", tenant=globex, groups=["Old"], external_ids=[("old", "1")])
    before = state_of(device)
    for target in (None, "device-page"):
        desk = console("acme/administrator")
        assert (
            desk.post(url_of(device, action), sent(device, action), target=target).status_code
            == 404
        )
    assert state_of(device) == before


@every_action
def test_reader_may_not(device, console, action):
    before = state_of(device)
    for target in (None, "device-page"):
        desk = console("acme/reader")
        assert (
            desk.post(url_of(device, action), sent(device, action), target=target).status_code
            == 403
        )
    assert state_of(device) == before


@pytest.mark.parametrize("action", ["groups/", "groups/leave/", "external-ids/"])
def test_form_of_the_page_is_only_posted(device, desk, action):
    assert desk.get(url_of(device, action)).status_code == 405


@every_action
def test_management_may_and_it_happens_in_the_devices_tenant(device, console, action):
    console("management/operator").post(url_of(device, action), sent(device, action))
    event = DeviceEvent.objects.latest("pk")
    assert (event.tenant_id, event.actor_name) == ("acme", "operator")
    record = AuditRecord.objects.filter(actor_name="operator").latest("pk")
    assert record.tenant_id == "acme"
    assert not ManagedObject.objects.exclude(tenant="acme").exists()


@every_action
def test_gone_device_is_not_found(device, desk, action):
    data = sent(device, action)
    ManagedObject.objects.filter(pk=device.pk).delete()
    assert desk.post(url_of(device, action), data).status_code == 404


# --- Name and type --------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "dialog"])
def test_edit(device, desk, target):
    form = read(desk.get(url_of(device, "edit/"), target=target)).one("form", novalidate=True)
    assert form.fields["name"] == "Press"
    response = desk.post(
        url_of(device, "edit/"), {"name": "Große <Presse>", "type": "t"}, target=target
    )
    where = response["HX-Redirect"] if target else response["Location"]
    assert where == url_of(device)
    page = desk.get(where)
    assert read(page).one("h1").text == "Große <Presse>"
    assert messages_of(page) == ["Große <Presse> is saved."]
    device.refresh_from_db()
    assert (device.type, device.name_key) == ("t", "grosse <presse>")
    record = AuditRecord.objects.latest("pk")
    assert {each["attribute"] for each in record.changes} == {"name", "type"}
    event = DeviceEvent.objects.latest("pk")
    assert event.text == "Name: Press → Große <Presse>. Type: none → t."


def test_saving_twice_is_one_change(device, desk):
    for _ in range(2):
        desk.post(url_of(device, "edit/"), {"name": "New", "type": ""})
    assert DeviceEvent.objects.filter(kind="changed").count() == 1


def test_device_that_never_reported_can_be_named(make_device, desk):
    device = make_device("press-1", reports=False, state=State.NEVER_CONNECTED)
    assert "says both anew" in read(desk.get(url_of(device, "edit/"))).text
    desk.post(url_of(device, "edit/"), {"name": "Expected", "type": "t"})
    device.refresh_from_db()
    assert (device.name, device.type, device.is_device) == ("Expected", "t", True)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"name": "x" * 501}, "Shorten the name"),
        ({"type": "x" * 256}, "Shorten the type"),
        ({"name": "a\x00b"}, "Null characters are not allowed."),
    ],
)
@pytest.mark.parametrize("target", [None, "dialog"])
def test_name_that_cannot_be_kept_is_refused(device, desk, target, data, said):
    response = desk.post(url_of(device, "edit/"), data, target=target)
    assert response.status_code == 422
    assert said in read(response).text
    device.refresh_from_db()
    assert device.name == "Press"


# --- External IDs ---------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "device-page"])
def test_external_id_is_added(device, desk, target):
    url = url_of(device, "external-ids/")
    response = desk.post(url, {"type": " c8y_Serial ", "value": "ÄB/1 <x>"}, target=target)
    assert response.status_code == (200 if target else 302)
    page = response if target else desk.get(response["Location"])
    assert "ÄB/1 <x>" in read(page).text
    assert messages_of(page) == ["Press is also known as c8y_Serial ÄB/1 <x>."]
    assert device.external_ids.filter(type="c8y_Serial", value="ÄB/1 <x>").exists()


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        ({}, 422, "Say what kind of ID this is"),
        ({"type": "a"}, 422, "Type the ID itself"),
        ({"type": "a", "value": " \x00 "}, 422, "Null characters are not allowed."),
        ({"type": "ä" * 126, "value": "1"}, 422, "at most 250 bytes"),
        ({"type": "a", "value": "ä" * 501}, 422, "at most 1000 bytes"),
        ({"type": "a/b", "value": "1"}, 422, "Leave out the slash"),
        ({"type": "a\tb", "value": "1"}, 422, "Leave out tabs"),
        ({"type": "a", "value": "1\n2"}, 422, "Leave out tabs"),
        ({"type": "old", "value": "1"}, 409, "This device has this external ID already"),
        ({"type": "old", "value": "2"}, 409, "old 2 is taken. It is the one of Other <b>."),
    ],
)
@pytest.mark.parametrize("target", [None, "device-page"])
def test_external_id_that_cannot_be_is_refused(
    make_device, device, desk, target, data, status, said
):
    make_device("press-2", name="Other <b>", external_ids=[("old", "2")])
    before = state_of(device)
    response = desk.post(url_of(device, "external-ids/"), data, target=target)
    assert response.status_code == status
    page = read(response)
    assert said in page.text
    form = page.one("form", class_="external-id-form").fields
    assert form["type"] == data.get("type", "")
    assert state_of(device) == before
    assert bool(page.all("h1")) == (target is None)


def test_rule_of_the_inventory_that_the_form_does_not_know_is_told(device, desk, monkeypatch):
    monkeypatch.setattr("inventory.identity.MAX_EXTERNAL_IDS", 1)
    response = desk.post(url_of(device, "external-ids/"), {"type": "a", "value": "1"})
    assert response.status_code == 422
    assert "at most 1 external IDs" in read(response).text


def test_other_tenants_external_id_is_no_obstacle_and_no_secret(make_device, device, desk, globex):
    make_device("theirs", name="Secret", tenant=globex, external_ids=[("serial", "1")])
    response = desk.post(url_of(device, "external-ids/"), {"type": "serial", "value": "1"})
    assert response.status_code == 302
    assert device.external_ids.count() == 2


def test_device_gets_no_external_id_before_it_reported(make_device, desk):
    device = make_device("press-1", reports=False)
    response = desk.post(url_of(device, "external-ids/"), {"type": "a", "value": "1"})
    assert response.status_code == 409
    assert messages_of(response) == ["press-1 gets external IDs once it has reported."]
    assert not ExternalId.objects.exists()


@pytest.mark.parametrize("target", [None, "dialog"])
def test_external_id_is_removed_after_a_question(device, desk, target):
    link = read(desk.get(url_of(device))).one("a", aria_label="Remove old 1")["href"]
    asked = desk.get(link, target=target)
    assert "no longer names Press" in read(asked).text
    form = read(asked).one("form", action=url_of(device, "external-ids/remove/"))
    response = desk.post(form["action"], form.fields, target=target)
    assert response.status_code == (204 if target else 302)
    if target:
        assert "devicesChanged" in response["HX-Trigger"]
    assert not device.external_ids.exists()
    assert messages_of(desk.get(url_of(device))) == ["old 1 is removed from Press."]
    assert desk.post(form["action"], form.fields, target=target).status_code == 404


@pytest.mark.parametrize("number", ["", "x", "-1", "0", "9" * 30, "\u0661", "OTHER"])
def test_external_id_of_something_else_is_not_found(make_device, device, desk, number):
    other = make_device("press-2", external_ids=[("old", "2")])
    number = other.external_ids.get().pk if number == "OTHER" else number
    url = url_of(device, "external-ids/remove/")
    assert desk.get(url, {"external_id": number}).status_code == 404
    assert desk.post(url, {"external_id": number}).status_code == 404
    assert ExternalId.objects.count() == 2


# --- Groups ---------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "device-page"])
def test_device_is_put_into_a_group_that_is_made(device, desk, target):
    response = desk.post(url_of(device, "groups/"), {"group": " New / Hall "}, target=target)
    assert response.status_code == (200 if target else 302)
    page = response if target else desk.get(response["Location"])
    assert messages_of(page) == ["Press is put into New/Hall."]
    assert [link.parent.path for link in device.parent_links.order_by("pk")] == ["Old", "New/Hall"]


def test_second_time_changes_nothing(device, desk):
    for _ in range(2):
        desk.post(url_of(device, "groups/"), {"group": "New"})
    assert device.parent_links.count() == 2
    assert messages_of(desk.get(url_of(device)))[-1] == "Press is in already: New."


@pytest.mark.parametrize(
    ("path", "said"),
    [("", "Choose a group"), ("a//b", "single slashes"), ("x" * 501, "500 characters")],
)
@pytest.mark.parametrize("target", [None, "device-page"])
def test_path_that_cannot_be_is_refused(device, desk, target, path, said):
    response = desk.post(url_of(device, "groups/"), {"group": path}, target=target)
    assert response.status_code == 422
    assert said in read(response).text
    assert read(response).one("input", id="add-to-group")["value"] == path
    assert device.parent_links.count() == 1


def test_group_of_the_same_path_is_the_one_of_the_devices_tenant(make_device, console, globex):
    device = make_device("press-1", tenant=globex)
    console("management/operator").post(url_of(device, "groups/"), {"group": "Hall"})
    assert device.parent_links.get().parent.tenant_id == "globex"


@pytest.mark.parametrize("target", [None, "device-page"])
def test_device_is_taken_out_of_a_group(device, desk, target):
    data = sent(device, "groups/leave/")
    response = desk.post(url_of(device, "groups/leave/"), data, target=target)
    page = response if target else desk.get(response["Location"])
    assert messages_of(page) == ["Press is taken out of Old."]
    assert not device.parent_links.exists()
    again = desk.post(url_of(device, "groups/leave/"), data, target=target)
    assert again.status_code == (409 if target else 302)
    assert DeviceEvent.objects.filter(kind="left").count() == 1


@pytest.mark.parametrize("number", ["", "x", "9" * 30, "THEIRS"])
def test_group_that_is_not_there_is_not_found(device, desk, globex, operator, number):
    theirs = group_at(globex, "Theirs", by=operator)
    number = theirs.pk if number == "THEIRS" else number
    response = desk.post(url_of(device, "groups/leave/"), {"group": number})
    assert response.status_code == 404


@pytest.mark.parametrize("target", [None, "device-page"])
def test_group_is_chosen_before_the_device_reported(make_device, desk, target):
    device = make_device("press-1", reports=False)
    desk.post(url_of(device, "groups/"), {"group": "Hall"}, target=target)
    device.refresh_from_db()
    assert device.group_to_join.path == "Hall"
    assert not device.parent_links.exists()
    event = DeviceEvent.objects.get(kind="changed")
    assert event.text == "It will join “Hall”."
    desk.post(url_of(device, "groups/"), {"group": ""}, target=target)
    device.refresh_from_db()
    assert device.group_to_join is None
    assert "Joins no group" in read(desk.get(url_of(device))).text


@pytest.mark.parametrize("target", [None, "device-page"])
def test_group_to_join_is_the_registrations_as_long_as_there_is_one(
    make_registration, desk, console, person, target
):
    registration = make_registration("press-1", stage=Stage.DELIVERED)
    device = ManagedObject.objects.get(device_id="press-1")
    page = read(desk.get(url_of(device)))
    assert not page.all("input", id="add-to-group")
    link = f"/devices/registration/{registration.pk}/"
    assert link in {a["href"] for a in page.one("section", aria_labelledby="groups-title").all("a")}
    response = desk.post(url_of(device, "groups/"), {"group": "Hall"}, target=target)
    assert response.status_code == 409
    assert "chosen on the page of its registration" in read(response).text
    device.refresh_from_db()
    assert device.group_to_join is None
    give_rights(person("acme/reader"), "ROLE_INVENTORY_ADMIN")
    page = read(console("acme/reader").get(url_of(device)))
    assert "chosen with its registration" in page.text
