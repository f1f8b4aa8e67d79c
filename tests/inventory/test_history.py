"""What happened to a device, told by every app of its own part, newest first."""

from datetime import UTC, datetime, timedelta

import pytest

from inventory import history, logins
from inventory.devices import let_in, report
from inventory.history import Happening, Origin, history_of, origins_of
from inventory.identity import bind
from inventory.models import DeviceCredentials, DeviceEvent
from registration.lifecycle import Stage
from tenants.roles import Role

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def device(make_registration, operator):
    """A device that came by registration and reported; its login is beside it."""
    make_registration("press-1", stage=Stage.CONFIRMED)
    login = DeviceCredentials.objects.get(device_id="press-1")
    device, _ = report(login, name="Press", kind="t", fragments={"c8y_IsDevice": {}}, by=operator)
    bind(device, "serial", "1", by=operator)
    logins.disable(login, by=operator)
    return device


def told(tenant_id="acme", *, limit=100, **of):
    return [one.what for one in history_of(tenant_id, limit=limit, **of)]


def test_it_goes_from_today_to_the_registration(device):
    assert told(device_id="press-1", managed_object=device) == [
        "Login disabled",
        "External ID added",
        "Created its device object",
        "Logged in, hand-over confirmed",
        "Credentials delivered",
        "Accepted",
        "Knocked for the first time",
        "Registered",
    ]


def test_it_says_who_from_where_and_why(device, operator):
    newest = history_of("acme", device_id="press-1", managed_object=device, limit=2)
    assert (newest[1].who, newest[1].source, newest[1].why) == (
        "operator", "192.0.2.10", "serial 1",
    )  # fmt: skip
    assert newest[0].kind == "disabled"
    assert newest[0].at >= newest[1].at


@pytest.mark.parametrize("limit", [1, 3, 5, 100])
def test_only_the_newest_are_told(device, limit):
    whole = told(device_id="press-1", managed_object=device)
    assert told(device_id="press-1", managed_object=device, limit=limit) == whole[:limit]


def test_an_event_known_by_number_and_by_id_is_told_once(device):
    by_both = told(device_id="press-1", managed_object=device)
    assert len(by_both) == len(set(by_both))
    assert told(managed_object=device) == by_both[:3]
    assert told(device_id="press-1") == by_both


def test_what_the_apps_above_know_can_be_left_out(device):
    found = told(device_id="press-1", managed_object=device, with_origin=False)
    assert found == ["Login disabled", "External ID added", "Created its device object"]


def test_other_tenants_device_of_the_same_id_has_a_history_of_its_own(
    device, globex, globex_operator, operator
):
    logins.delete_login(DeviceCredentials.objects.get(device_id="press-1"), by=operator)
    login = let_in(globex, "press-1", "x" * 32, by=globex_operator)
    logins.revoke(login, by=globex_operator)
    assert told("globex", device_id="press-1") == ["Password revoked"]
    assert "Password revoked" not in told(device_id="press-1")
    assert told("globex", managed_object=device) == []


def test_device_that_was_deleted_still_has_its_history(device, operator):
    logins.delete_login(DeviceCredentials.objects.get(device_id="press-1"), by=operator)
    device.delete()
    assert told(device_id="press-1")[0] in {"Login deleted", "Device deleted"}
    assert told(device_id="press-1")[-1] == "Registered"


def test_things_of_the_same_moment_keep_their_order(acme, operator, device):
    DeviceEvent.objects.update(at=NOON)
    assert told(managed_object=device) == [
        "Login disabled", "External ID added", "Created its device object",
    ]  # fmt: skip


def test_apps_tell_their_part_and_say_where(monkeypatch, device):
    asked = []

    def source(tenant_id, device_id, limit):
        asked.append((tenant_id, device_id, limit))
        yield Happening(NOON - timedelta(days=1), "found", "Found", "somebody")

    monkeypatch.setattr(history, "_sources", [])
    monkeypatch.setattr(history, "_origins", [])
    history.register_history(source)
    history.register_origin(lambda tenant_id, device_id: None)
    history.register_origin(
        lambda tenant_id, device_id: Origin("There", f"/{device_id}/", Role.AUDIT_READ)
    )
    assert told(device_id="press-1", limit=9)[-1] == "Found"
    assert asked == [("acme", "press-1", 9)]
    assert [one.url for one in origins_of("acme", "press-1")] == ["/press-1/"]
    assert origins_of("acme", "") == []
    told(managed_object=device)
    assert len(asked) == 1


def test_origin_is_the_registration_as_long_as_it_is_there(device, make_registration):
    (origin,) = origins_of("acme", "press-1")
    assert origin.label == "Registration"
    assert origin.role is Role.DEVICE_CONTROL_READ
    assert origins_of("globex", "press-1") == []
    assert origins_of("acme", "press-2") == []
