"""Devices are among the devices from the moment they are let in, before they say a word."""

from datetime import UTC, datetime

import pytest

from inventory import devices, logins
from inventory.devices import choose_group, has_reported, let_in, report, set_group_to_join
from inventory.errors import ReportedError
from inventory.groups import delete_group, group_at
from inventory.models import (
    ChildLink,
    DeviceCredentials,
    DeviceEvent,
    ManagedObject,
    State,
    Tombstone,
)
from inventory.objects import Deletion, delete_object
from registration.lifecycle import Stage
from tests.support import at_once

PASSWORD = "x" * 32
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def reported(login, operator, **details):
    device, is_new = report(
        login, **({"name": "Press", "kind": "t", "fragments": {"c8y_IsDevice": {}}} | details),
        by=operator,
    )  # fmt: skip
    assert is_new
    return device


def test_device_that_is_let_in_has_a_place_and_a_login(acme, operator):
    group = group_at(acme, "Hall 2", by=operator)
    login = let_in(
        acme, "press-1", PASSWORD, by=operator, group=group, object_type="press",
        registered_at=NOON, registered_by="anna",
    )  # fmt: skip
    device = ManagedObject.objects.get(device_id="press-1")
    assert login.managed_object == device
    assert login.check_password(PASSWORD)
    assert (device.tenant, device.kind, device.state) == (acme, "device", State.NEVER_CONNECTED)
    assert (device.type, device.created_at, device.created_by_name) == ("press", NOON, "anna")
    assert device.owner == "device_press-1"
    assert device.reported_at is None
    assert device.group_to_join_id == group.pk
    assert not ChildLink.objects.exists()
    assert not ManagedObject.objects.reported().filter(device_id="press-1").exists()


def test_it_joins_its_group_when_it_reports(acme, operator):
    group = group_at(acme, "Hall 2", by=operator)
    login = let_in(acme, "press-1", PASSWORD, by=operator, group=group)
    assert not has_reported("acme", "press-1")
    device = reported(login, operator)
    assert ChildLink.objects.get().parent_id == group.pk
    assert ChildLink.objects.get().child_id == device.pk
    assert has_reported("acme", "press-1")
    device.refresh_from_db()
    assert device.group_to_join is None
    assert [event.kind for event in DeviceEvent.objects.order_by("pk")] == ["reported", "joined"]


def test_device_that_reported_joins_at_once_when_it_is_let_in_anew(acme, operator):
    login = let_in(acme, "press-1", PASSWORD, by=operator)
    device = reported(login, operator)
    group = group_at(acme, "Hall 2", by=operator)
    again = let_in(acme, "press-1", "y" * 32, by=operator, group=group)
    assert again.pk == login.pk
    assert again.managed_object_id == device.pk
    assert not again.check_password(PASSWORD)
    assert ChildLink.objects.get().parent_id == group.pk
    device.refresh_from_db()
    assert device.state == State.NEVER_CONNECTED
    assert device.group_to_join is None
    assert (device.name, device.created_by_name) == ("Press", "")


def test_device_that_is_let_in_anew_before_it_reported_joins_the_newer_group(acme, operator):
    let_in(acme, "press-1", PASSWORD, by=operator, group=group_at(acme, "Old", by=operator))
    let_in(acme, "press-1", PASSWORD, by=operator, group=group_at(acme, "New", by=operator))
    assert ManagedObject.objects.get(device_id="press-1").group_to_join.path == "New"


def test_object_that_lost_its_login_gets_it_back(acme, operator):
    login = let_in(acme, "press-1", PASSWORD, by=operator)
    device = reported(login, operator)
    logins.delete_login(login, by=operator)
    device.refresh_from_db()
    assert device.state == State.NONE
    assert Tombstone.objects.exists()
    again = let_in(acme, "press-1", PASSWORD, by=operator)
    assert again.managed_object_id == device.pk
    assert not Tombstone.objects.exists()
    device.refresh_from_db()
    assert device.state == State.NEVER_CONNECTED


def test_login_that_lost_its_object_makes_another(acme, operator):
    login = let_in(acme, "press-1", PASSWORD, by=operator)
    first = reported(login, operator)
    delete_object(first, Deletion(), by=operator)
    login.refresh_from_db()
    second = reported(login, operator)
    assert second.pk != first.pk
    assert second.device_id == "press-1"
    login.refresh_from_db()
    assert login.managed_object_id == second.pk


def test_tenants_do_not_meet(acme, globex, operator, globex_operator):
    login = let_in(acme, "press-1", PASSWORD, by=operator)
    logins.delete_login(login, by=operator)
    let_in(globex, "press-1", PASSWORD, by=globex_operator)
    assert Tombstone.objects.get().tenant_id == "acme"
    assert ManagedObject.objects.get(device_id="press-1").tenant_id == "globex"


def test_withdrawing_takes_only_what_never_reported(acme, operator):
    silent = let_in(acme, "press-1", PASSWORD, by=operator).managed_object
    device = reported(let_in(acme, "press-2", PASSWORD, by=operator), operator)
    devices.withdraw([silent.pk, device.pk, None])
    assert list(ManagedObject.objects.all()) == [device]


# --- Choosing the group before --------------------------------------------------------------


def test_group_of_a_registration_is_the_devices_too(make_registration, operator, acme):
    registration = make_registration("press-1", stage=Stage.DELIVERED)
    group = group_at(acme, "Hall 2", by=operator)
    registration.join_group(group, by=operator)
    assert ManagedObject.objects.get(device_id="press-1").group_to_join_id == group.pk


def test_chosen_group_is_noted_once(acme, operator):
    device = let_in(acme, "press-1", PASSWORD, by=operator).managed_object
    group = group_at(acme, "Hall 2", by=operator)
    for _ in range(2):
        choose_group(device, group, by=operator)
    choose_group(device, None, by=operator)
    told = DeviceEvent.objects.order_by("pk").values_list("kind", "text")
    assert list(told) == [
        ("changed", "It will join “Hall 2”."),
        ("changed", "It will join no group."),
    ]


def test_group_is_not_chosen_any_more_once_the_device_reported(acme, operator):
    login = let_in(acme, "press-1", PASSWORD, by=operator)
    device = reported(login, operator)
    group = group_at(acme, "Hall 2", by=operator)
    assert not set_group_to_join("acme", "press-1", group)
    with pytest.raises(ReportedError, match="Put it into the group now"):
        choose_group(device, group, by=operator)
    delete_object(device, Deletion(logins=True), by=operator)
    with pytest.raises(ManagedObject.DoesNotExist):
        choose_group(device, group, by=operator)


def test_device_whose_group_is_gone_joins_none(acme, operator):
    group = group_at(acme, "Hall 2", by=operator)
    login = let_in(acme, "press-1", PASSWORD, by=operator, group=group)
    delete_group(group, by=operator)
    login = DeviceCredentials.objects.get(pk=login.pk)
    reported(login, operator)
    assert not ChildLink.objects.exists()


# --- At the same time -----------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_group_is_chosen_before_or_refused_after_the_report(acme, operator):
    group = group_at(acme, "Hall 2", by=operator)
    for number in range(5):
        login = let_in(acme, f"press-{number}", PASSWORD, by=operator)
        device = login.managed_object
        chosen, _ = at_once(
            lambda device=device: choose_group(device, group, by=operator),
            lambda login=login: reported(login, operator),
        )
        device.refresh_from_db()
        is_member = ChildLink.objects.filter(child=device).exists()
        assert is_member == (chosen is None)
        assert isinstance(chosen, ReportedError | None)
        assert device.group_to_join is None


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_device_let_in_twice_at_once_has_one_place(acme, operator):
    results = at_once(*[lambda: let_in(acme, "press-1", PASSWORD, by=operator)] * 4)
    assert not [one for one in results if isinstance(one, Exception)]
    assert ManagedObject.objects.count() == DeviceCredentials.objects.count() == 1
