"""Devices put into a group, ticked or by a list, and taken out."""

import pytest

from inventory.console.groups.manners import CHANGED
from inventory.groups import add_to_group, group_at
from inventory.identity import bind
from inventory.models import ChildLink, DeviceEvent, DeviceGroup, ManagedObject
from tenants.actors import SYSTEM
from tests.consoles import messages_of, read

GROUPS = "/devices/groups/"


@pytest.fixture
def hall(acme):
    return group_at(acme, "Plant A/Hall 2", by=SYSTEM)


def make_device(tenant, device_id="", name=""):
    device = ManagedObject(tenant=tenant, kind="device", device_id=device_id)
    device.rename(name)
    device.save()
    return device


@pytest.fixture
def press(acme):
    return make_device(acme, "press-7", "Big press")


@pytest.fixture
def secret(globex):
    return make_device(globex, "secret-1", "press of globex")


def add_url(group):
    return f"{GROUPS}{group.pk}/devices/add/"


def remove_url(group, device):
    return f"{GROUPS}{group.pk}/devices/{device.pk}/remove/"


def members(group):
    return set(ChildLink.objects.filter(parent=group).values_list("child", flat=True))


def offered(response):
    """Return what may be ticked: the text, and whether it is ticked or inside already."""
    found = {}
    for label in read(response).one(id="candidates").all("label"):
        box = label.one("input", name="device")
        state = "ticked" if "checked" in box.attrs else "in" if "disabled" in box.attrs else ""
        found[label.one("strong").text] = state
    return found


def test_devices_are_offered_by_the_start_of_id_or_name(hall, press, secret, acme, desk):
    saw = make_device(acme, "saw-1", "Pressing saw")
    url = f"{GROUPS}{hall.pk}/devices/find/"
    for typed, names in {
        "press": {"Big press", "Pressing saw"},
        "big": {"Big press"},
        "secret": set(),
        "\x00": {"Big press", "Pressing saw"},
    }.items():
        assert set(offered(desk.get(url, {"q": typed}, target="candidates"))) == names
    found = desk.get(url, {"q": "big", "device": [saw.pk, 987654, "x"]}, target="candidates")
    assert offered(found) == {"Pressing saw": "ticked", "Big press": ""}
    add_to_group(hall, [press], by=SYSTEM)
    assert offered(desk.get(url, {"q": "big"})) == {"Big press": "in"}


def test_search_works_without_javascript(hall, press, acme, desk):
    saw = make_device(acme, "saw-1")
    page = desk.post(add_url(hall), {"change": "search", "q": "press", "device": saw.pk})
    assert page.status_code == 200
    assert offered(page) == {"saw-1": "ticked", "Big press": ""}
    assert members(hall) == set()


@pytest.mark.parametrize("target", [None, "dialog"])
def test_several_are_put_into_the_group_at_once(hall, press, acme, desk, target):
    saw = make_device(acme, "saw-1")
    sent = {"device": [press.pk], "listed": "saw-1\r\n\r\n press-7 "}
    response = desk.post(add_url(hall), sent, target=target)
    assert response.status_code == (204 if target else 302)
    assert members(hall) == {press.pk, saw.pk}
    page = desk.get(f"{GROUPS}{hall.pk}/")
    assert messages_of(page) == ["2 devices put into Plant A/Hall 2."]
    assert {event.actor_name for event in DeviceEvent.objects.filter(kind="joined")} == {"operator"}
    desk.post(add_url(hall), sent, target=target)  # a second click
    page = desk.get(f"{GROUPS}{hall.pk}/")
    assert messages_of(page) == ["0 devices put into Plant A/Hall 2. 2 were in it already."]
    assert DeviceEvent.objects.filter(kind="joined").count() == 2


@pytest.mark.parametrize("target", [None, "dialog"])
def test_list_tells_of_every_line(hall, press, secret, acme, desk, target):
    twins = [make_device(acme, name="Twin") for _ in range(2)]
    saw, drill = make_device(acme, name="Saw"), make_device(acme, name="Drill")
    bind(drill, "c8y_Serial", "SN-1", by=SYSTEM)
    bind(twins[0], "c8y_Serial", "Saw", by=SYSTEM)  # an external ID comes before a name
    listed = "press-7\nSN-1\nnothing\nTwin\nsecret-1\nSaw\n" + "x" * 3000
    response = desk.post(add_url(hall), {"listed": listed}, target=target)
    assert response.status_code == 200
    told = {each.one("strong").text: each.text for each in read(response).classed("result")}
    assert "There is no device with this ID." in told["nothing"]
    assert "There is no device with this ID." in told["secret-1"]
    assert "2 devices are called that. Use the device ID." in told["Twin"]
    assert members(hall) == {press.pk, drill.pk, twins[0].pk}
    assert saw.pk not in members(hall)
    if target:
        assert CHANGED in response["HX-Trigger"]
    form = read(response).one("form", action=add_url(hall))
    again = desk.post(add_url(hall), {**form.fields, "change": "fix"})
    assert read(again).one("textarea").children[0].split()[:2] == ["nothing", "Twin"]


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "Tick a device"),
        ({"listed": " \n "}, "Tick a device"),
        ({"device": "987654"}, "Tick a device"),
        ({"device": ["x", "9" * 30]}, "Tick a device"),
        ({"listed": "\n".join(map(str, range(1001)))}, "At most 1,000 devices"),
    ],
)
def test_what_names_no_device_is_asked_for_again(hall, desk, sent, sentence):
    response = desk.post(add_url(hall), sent, target="dialog")
    assert response.status_code == 422
    assert sentence in read(response).one("p", role="alert").text


def test_device_of_another_tenant_cannot_be_ticked(hall, secret, desk):
    response = desk.post(add_url(hall), {"device": secret.pk}, target="dialog")
    assert response.status_code == 422
    assert members(hall) == set()


def test_device_is_taken_out_and_stays(hall, press, desk):
    add_to_group(hall, [press], by=SYSTEM)
    response = desk.post(remove_url(hall, press), target="x")
    assert response.status_code == 204
    assert CHANGED in response["HX-Trigger"]
    assert members(hall) == set()
    response = desk.post(remove_url(hall, press), target="x")
    assert response.status_code == 409
    assert CHANGED in response["HX-Trigger"]
    assert ManagedObject.objects.filter(pk=press.pk).exists()


def test_device_is_taken_out_without_javascript(hall, press, desk):
    add_to_group(hall, [press], by=SYSTEM)
    form = read(desk.get(f"{GROUPS}{hall.pk}/")).one("form", action=remove_url(hall, press))
    page = desk.client.post(form["action"], follow=True)
    assert page.redirect_chain == [(f"{GROUPS}{hall.pk}/", 302)]
    assert messages_of(page) == ["Big press is taken out of Plant A/Hall 2."]
    page = desk.client.post(form["action"], follow=True)
    assert messages_of(page) == ["Big press is not in Plant A/Hall 2 any more."]


@pytest.mark.parametrize("login", ["globex/operator", "globex/administrator"])
def test_group_of_another_tenant_is_not_there(hall, press, console, login):
    add_to_group(hall, [press], by=SYSTEM)
    desk = console(login)
    for url in (add_url(hall), f"{GROUPS}{hall.pk}/devices/find/"):
        assert desk.get(url).status_code == 404
    for url in (add_url(hall), remove_url(hall, press)):
        assert desk.post(url, {"device": press.pk}).status_code == 404
    assert members(hall) == {press.pk}


def test_device_of_another_tenant_is_not_there(hall, secret, globex, desk, console):
    theirs = group_at(globex, "Secret lab", by=SYSTEM)
    add_to_group(theirs, [secret], by=SYSTEM)
    for login in ("acme/operator", "management/operator"):
        assert console(login).post(remove_url(hall, secret)).status_code == 404
    assert members(theirs) == {secret.pk}
    # A group is no device: it is moved.
    plant = DeviceGroup.objects.get(path="Plant A")
    assert desk.post(remove_url(plant, hall)).status_code == 404


def test_reader_may_not(hall, press, console):
    add_to_group(hall, [press], by=SYSTEM)
    reader = console("acme/reader")
    for url in (add_url(hall), f"{GROUPS}{hall.pk}/devices/find/"):
        assert reader.get(url).status_code == 403
    for url in (add_url(hall), remove_url(hall, press)):
        assert reader.post(url, {"device": press.pk}).status_code == 403
    assert members(hall) == {press.pk}


def test_other_methods_are_refused(hall, press, desk):
    assert desk.get(remove_url(hall, press)).status_code == 405
    assert desk.call("put", add_url(hall)).status_code == 405
    assert desk.post(f"{GROUPS}{hall.pk}/devices/find/").status_code == 405


def test_management_acts_in_the_tenant_of_the_group(hall, press, secret, console):
    desk = console("management/operator")
    assert set(offered(desk.get(add_url(hall)))) == {"Big press"}
    assert desk.post(add_url(hall), {"listed": "press-7"}, target="x").status_code == 204
    assert members(hall) == {press.pk}
    assert DeviceEvent.objects.get(kind="joined").tenant_id == "acme"


def test_member_that_is_no_device_has_no_page(console, hall, acme, press):
    note = ManagedObject.objects.create(tenant=acme, name="A note")
    add_to_group(hall, [press, note], by=SYSTEM)
    page = read(console("acme/operator").get(f"{GROUPS}{hall.pk}/"))
    row = page.one(id=f"device-{note.pk}")
    assert "A note" in row.text
    assert "not a device" in row.text
    assert not row.all("a")
    assert page.one(id=f"device-{press.pk}").one("a")["href"] == f"/devices/{press.pk}/"
