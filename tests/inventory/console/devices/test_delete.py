"""Deleting a device: what would go is said first, and then it goes."""

import pytest

from inventory.models import (
    ChildLink,
    DeviceCredentials,
    DeviceEvent,
    DeviceGroup,
    ExternalId,
    ManagedObject,
    State,
    Tombstone,
)
from registration.lifecycle import Stage
from registration.models import Registration
from tests.consoles import messages_of, read
from tests.inventory.console.devices.conftest import url_of
from tests.support import give_rights


def dialog(desk, device):
    return read(desk.get(url_of(device, "delete/"), target="dialog"))


def test_what_would_go_is_said_first(make_device, desk):
    device = make_device("press-1", name="Press <1>", groups=["A", "B"], external_ids=[("a", "1")])
    child = make_device(name="Sensor")
    ChildLink.objects.create(parent=device, child=child, kind=ChildLink.Kind.DEVICE)
    asked = dialog(desk, device)
    assert asked.one("h2").text == "Delete Press <1>"
    assert [li.text for li in asked.one("ul", class_="what-goes").all("li")] == [
        "The device object, with all it tells of itself",
        "External IDs 1",
        "Places in groups 2",
    ]
    assert "1 child device stays, without this one." in asked.text
    chosen = [each["value"] for each in asked.all("input", name="what") if "checked" in each.attrs]
    assert chosen == ["all"]
    assert ManagedObject.objects.filter(pk=device.pk).exists()


@pytest.mark.parametrize("target", [None, "dialog"])
def test_device_goes_with_its_login_and_leaves_a_tombstone(
    make_registration, desk, target, login_of
):
    make_registration("press-1", stage=Stage.CONFIRMED)
    device = ManagedObject.objects.get(device_id="press-1")
    ManagedObject.objects.filter(pk=device.pk).update(reported_at=device.created_at)
    form = dialog(desk, device).one("form")
    response = desk.post(form["action"], form.fields, target=target)
    assert (response["HX-Redirect"] if target else response["Location"]) == "/devices/"
    assert messages_of(desk.get("/devices/")) == ["press-1 is deleted."]
    assert not ManagedObject.objects.filter(pk=device.pk).exists()
    assert login_of("press-1") is None
    assert Tombstone.objects.get().device_id == "press-1"
    assert not Registration.objects.exists()
    device.tenant.refresh_from_db()
    assert device.tenant.device_count == 0
    assert desk.post(form["action"], form.fields, target=target).status_code == 404


@pytest.mark.parametrize("target", [None, "dialog"])
def test_device_goes_and_its_login_stays(make_device, desk, target, login_of):
    device = make_device("press-1", groups=["A"], external_ids=[("a", "1")])
    response = desk.post(url_of(device, "delete/"), {"what": "object"}, target=target)
    assert response.status_code == (204 if target else 302)
    assert messages_of(desk.get("/devices/")) == ["press-1 is deleted. Its login stays."]
    assert not ManagedObject.objects.devices().exists()
    assert not ExternalId.objects.exists()
    assert DeviceGroup.objects.count() == 1
    assert login_of("press-1").managed_object is None
    assert not Tombstone.objects.exists()
    event = DeviceEvent.objects.latest("pk")
    assert (event.kind, event.text) == ("object-removed", "With its external IDs a 1.")


def test_device_without_login_just_goes(make_device, desk):
    device = make_device(name="Sensor")
    asked = dialog(desk, device)
    assert not asked.all("input", name="what")
    desk.post(url_of(device, "delete/"), {})
    assert not ManagedObject.objects.exists()
    assert not Tombstone.objects.exists()


def test_children_stay(make_device, desk):
    device, child = make_device("press-1"), make_device(name="Sensor")
    ChildLink.objects.create(parent=device, child=child, kind=ChildLink.Kind.DEVICE)
    desk.post(url_of(device, "delete/"), {"what": "all"})
    assert list(ManagedObject.objects.all()) == [child]


@pytest.mark.parametrize("what", ["all", "object", "nonsense", ""])
def test_device_that_never_reported_is_only_a_login(make_device, desk, login_of, what):
    device = make_device("press-1", reports=False, state=State.NEVER_CONNECTED)
    asked = dialog(desk, device)
    assert "Its login and its registration go too" in asked.text
    assert asked.one("form").fields["what"] == "all"
    desk.post(url_of(device, "delete/"), {"what": what})
    assert login_of("press-1") is None
    assert not ManagedObject.objects.exists()
    assert Tombstone.objects.exists()


# --- Rights to the login --------------------------------------------------------------------


@pytest.fixture
def keeper(console, person):
    """Somebody who looks after the inventory, and not after logins."""
    give_rights(person("acme/reader"), "ROLE_INVENTORY_ADMIN")
    return console("acme/reader")


def test_who_may_not_delete_logins_deletes_the_object(make_device, keeper, login_of):
    device = make_device("press-1")
    asked = dialog(keeper, device)
    assert asked.one("form").fields["what"] == "object"
    assert "needs the right ROLE_DEVICE_CONTROL_ADMIN" in asked.text
    assert keeper.post(url_of(device, "delete/"), {"what": "all"}).status_code == 403
    assert keeper.post(url_of(device, "delete/"), {}).status_code == 403
    assert ManagedObject.objects.devices().count() == 1
    assert keeper.post(url_of(device, "delete/"), {"what": "object"}).status_code == 302
    assert login_of("press-1") is not None


def test_who_may_not_delete_logins_is_told_so_of_one_that_never_reported(make_device, keeper):
    device = make_device("press-1", reports=False)
    asked = dialog(keeper, device)
    assert not asked.all("button")
    assert "needs the right ROLE_DEVICE_CONTROL_ADMIN" in asked.text
    for what in ("all", "object"):
        assert keeper.post(url_of(device, "delete/"), {"what": what}).status_code == 403
    assert DeviceCredentials.objects.count() == 1
