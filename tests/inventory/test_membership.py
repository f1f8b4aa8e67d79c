"""Who is in which group."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from inventory import devices, groups
from inventory.children import add_children, remove_children
from inventory.errors import NotAChildError
from inventory.groups import add_to_group, create_at, delete_group, groups_of, remove_from_group
from inventory.models import (
    ChildLink,
    DeviceCredentials,
    DeviceEvent,
    DeviceGroup,
    GroupPathError,
    ManagedObject,
)
from inventory.objects import Deletion, delete_object
from registration.lifecycle import Stage
from tenants.actors import SYSTEM
from tests.support import DEVICE, at_once

TWICE_OR_MORE = range(4)  # a race is run several times, since one run may go well by chance


def make_device(tenant, name="press"):
    return ManagedObject.objects.create(tenant=tenant, kind="device", name=name)


def told():
    events = DeviceEvent.objects.filter(kind__in=["joined", "left"]).order_by("pk")
    return [(event.kind, event.text) for event in events]


def members(group):
    return set(ChildLink.objects.filter(parent=group).values_list("child", flat=True))


def test_device_is_in_several_groups(acme, operator):
    press = make_device(acme)
    hall, line = (create_at(acme, path, by=SYSTEM) for path in ("Plant A/Hall 2", "Presses"))
    assert [add_to_group(group, [press], by=operator) for group in (line, hall)] == [1, 1]
    assert groups_of(press) == [hall, line]
    assert told() == [("joined", "Presses"), ("joined", "Plant A/Hall 2")]


def test_adding_again_changes_nothing(acme, operator):
    press, saw = make_device(acme), make_device(acme, "saw")
    hall = create_at(acme, "Hall 2", by=SYSTEM)
    assert add_to_group(hall, [press], by=operator) == 1
    assert add_to_group(hall, [press, saw, press], by=operator) == 1
    assert add_to_group(hall, [], by=operator) == 0
    assert members(hall) == {press.pk, saw.pk}
    assert told() == [("joined", "Hall 2")] * 2


def test_device_is_taken_out_of_one_group_and_stays_in_the_others(acme, operator):
    press = make_device(acme)
    hall, line = (create_at(acme, path, by=SYSTEM) for path in ("Hall 2", "Presses"))
    for group in (hall, line):
        add_to_group(group, [press], by=operator)
    assert remove_from_group(hall, [press], by=operator) == 1
    assert groups_of(press) == [line]
    assert told()[-1] == ("left", "Hall 2")


def test_taking_out_what_is_not_in_it_is_refused_and_changes_nothing(acme, operator):
    press, saw = make_device(acme), make_device(acme, "saw")
    hall = create_at(acme, "Hall 2", by=SYSTEM)
    add_to_group(hall, [press], by=operator)
    with pytest.raises(NotAChildError, match="It is not in “Hall 2”"):
        remove_from_group(hall, [press, saw], by=operator)
    assert members(hall) == {press.pk}


def test_devices_of_other_tenants_and_groups_are_passed_over(acme, globex, operator):
    hall = create_at(acme, "Hall 2", by=SYSTEM)
    other = create_at(acme, "Hall 3", by=SYSTEM)
    assert (
        add_to_group(hall, [make_device(globex), ManagedObject.objects.get(pk=other.pk)], by=SYSTEM)
        == 0
    )
    assert members(hall) == set()


def test_subgroup_is_not_taken_out_like_a_device(acme, operator):
    create_at(acme, "Plant A/Hall 2", by=SYSTEM)
    plant, hall = DeviceGroup.objects.for_tenant(acme).order_by("path")
    with pytest.raises(NotAChildError):
        remove_from_group(plant, [hall], by=operator)


def test_what_is_gone_cannot_be_added(acme, operator):
    hall = create_at(acme, "Hall 2", by=SYSTEM)
    press, saw = make_device(acme), make_device(acme, "saw")
    ManagedObject.objects.filter(pk=press.pk).delete()
    with pytest.raises(ManagedObject.DoesNotExist):
        add_to_group(hall, [press, saw], by=operator)
    delete_group(hall, by=operator)
    with pytest.raises(ManagedObject.DoesNotExist):
        add_to_group(hall, [saw], by=operator)


def shell(make_registration, device_id, group):
    """Return the login of a device that has its credentials and has yet to report."""
    make_registration(device_id, stage=Stage.CONFIRMED, group=group)
    return DeviceCredentials.objects.get(device_id=device_id)


def report(login):
    return devices.report(login, name="press", kind="", fragments={}, by=DEVICE)


def test_device_joins_its_group_when_it_reports(make_registration, acme):
    hall = create_at(acme, "Hall 2", by=SYSTEM)
    login = shell(make_registration, "press-7", hall)
    assert members(hall) == set()
    reported, is_new = report(login)
    assert is_new
    assert members(hall) == {reported.pk}


def test_device_whose_group_was_deleted_reports_all_the_same(make_registration, acme):
    hall = create_at(acme, "Hall 2", by=SYSTEM)
    login = shell(make_registration, "press-7", hall)
    delete_group(hall, by=SYSTEM)
    reported, _ = report(login)
    assert groups_of(reported) == []


# --- Several people at once -----------------------------------------------------------------


def failures(results, *allowed):
    return [one for one in results if isinstance(one, Exception) and not isinstance(one, allowed)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
@pytest.mark.parametrize("_run", TWICE_OR_MORE)
def test_same_device_added_and_taken_out_at_once_happens_once(acme, operator, _run):
    hall, press = create_at(acme, "Hall 2", by=SYSTEM), make_device(acme)
    results = at_once(*[lambda: add_to_group(hall, [press], by=operator) for _ in range(6)])
    assert sorted(results) == [0, 0, 0, 0, 0, 1]
    results = at_once(*[lambda: remove_from_group(hall, [press], by=operator) for _ in range(6)])
    assert [one for one in results if not isinstance(one, NotAChildError)] == [1]
    assert [kind for kind, _ in told()] == ["joined", "left"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
@pytest.mark.parametrize("_run", TWICE_OR_MORE)
def test_group_is_deleted_while_devices_come_into_it(make_registration, acme, operator, _run):
    hall = create_at(acme, "Hall 2", by=SYSTEM)
    logins = [shell(make_registration, f"press-{number}", hall) for number in range(4)]
    others = [make_device(acme, f"saw-{number}") for number in range(4)]
    results = at_once(
        lambda: delete_group(hall, by=operator),
        *[lambda login=login: report(login) for login in logins],
        *[lambda one=one: add_to_group(hall, [one], by=operator) for one in others],
    )
    assert failures(results[:5]) == []
    assert failures(results[5:], ManagedObject.DoesNotExist) == []
    assert not ChildLink.objects.exists()
    assert not DeviceGroup.objects.exists()
    assert ManagedObject.objects.reported().filter(kind="device").count() >= 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
@pytest.mark.parametrize("_run", range(10))
def test_group_of_long_standing_is_deleted_while_devices_leave_it(acme, operator, _run):
    """It has not been changed for a while, so that everybody wants to note that it is now."""
    hall = create_at(acme, "Hall 2", by=SYSTEM)
    leaving = [[make_device(acme) for _ in range(20)] for _ in range(3)]
    for some in leaving:
        add_to_group(hall, some, by=SYSTEM)
    ManagedObject.objects.update(updated_at=timezone.now() - timedelta(days=1))
    results = at_once(
        lambda: time.sleep(0.02 * _run) or delete_group(hall, by=operator),
        *[lambda some=some: remove_from_group(hall, some, by=operator) for some in leaving],
    )
    assert failures(results, ManagedObject.DoesNotExist, NotAChildError) == []
    assert not ChildLink.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
@pytest.mark.parametrize("_run", TWICE_OR_MORE)
def test_gateway_is_deleted_while_devices_are_taken_from_behind_it(acme, operator, _run):
    gateway, *behind = (make_device(acme, f"press-{number}") for number in range(6))
    add_children(gateway, behind, ChildLink.Kind.DEVICE, by=SYSTEM)
    results = at_once(
        lambda: delete_object(gateway, Deletion(), by=operator),
        *[
            lambda one=one: remove_children(gateway, [one], ChildLink.Kind.DEVICE, by=operator)
            for one in behind
        ],
    )
    assert failures(results, NotAChildError) == []
    assert not ChildLink.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
@pytest.mark.parametrize("_run", TWICE_OR_MORE)
def test_group_is_deleted_while_devices_get_their_credentials(
    make_registration, acme, operator, device, _run
):
    hall = create_at(acme, "Hall 2", by=SYSTEM)
    for number in range(4):
        make_registration(f"press-{number}", stage=Stage.ACCEPTED, group=hall)
    results = at_once(
        lambda: delete_group(hall, by=operator),
        *[lambda number=number: device.poll(f"press-{number}").status_code for number in range(4)],
    )
    assert results == [1, 201, 201, 201, 201]
    assert not ManagedObject.objects.exclude(group_to_join=None).exists()
    assert groups.groups_of(ManagedObject.objects.get(device_id="press-0")) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
@pytest.mark.parametrize("_run", TWICE_OR_MORE)
def test_group_is_deleted_while_devices_choose_it(make_registration, acme, operator, _run):
    halls = [create_at(acme, f"Hall {number}", by=SYSTEM) for number in range(6)]
    shells = [shell(make_registration, f"press-{number}", None) for number in range(6)]
    calls = []
    for hall, login in zip(halls, shells, strict=True):
        calls.append(lambda hall=hall: delete_group(hall, by=operator))
        calls.append(lambda hall=hall, one=login.managed_object:
                     devices.choose_group(one, hall, by=operator))  # fmt: skip
    assert failures(at_once(*calls), GroupPathError, ManagedObject.DoesNotExist) == []
    assert not ManagedObject.objects.exclude(group_to_join=None).exists()
