"""Logins at the same moment: devices that come in while people change what they come in by."""

from datetime import timedelta

import pytest
from django.core.exceptions import ObjectDoesNotExist

from inventory import logins
from inventory.models import DeviceCredentials, DeviceEvent, ManagedObject, Tombstone
from inventory.objects import Deletion, delete_object
from registration.errors import RegistrationError
from registration.lifecycle import Stage
from registration.models import Registration
from tests.logins import ME, api_of, comes_in, let_in, login_of, registration_of, used_before
from tests.support import (
    Api,
    at_once,
    counted_devices,
    knock,
    recount,
    recount_devices,
    set_limit,
    tally,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
WEEK = timedelta(days=7)
TWICE_OR_MORE = range(4)  # a race is run several times, since one run may go well by chance


def told(kind):
    return DeviceEvent.objects.filter(kind=kind).count()


def assert_whole(tenant):
    """Everything that says whether a device is in says the same."""
    assert counted_devices(tenant) == recount_devices(tenant)
    assert tally(tenant) == recount(tenant)
    held = DeviceCredentials.objects.select_related("managed_object").filter(tenant=tenant)
    assert all(one.managed_object.state == one.state for one in held)
    shells = ManagedObject.objects.filter(tenant=tenant, reported_at=None, kind="device")
    assert set(shells.values_list("device_id", flat=True)) == {one.device_id for one in held}


def assert_only(results, *expected):
    """No call failed by anything but what may happen."""
    strange = [
        one for one in results if isinstance(one, Exception) and not isinstance(one, expected)
    ]
    assert strange == []


def test_first_use_of_the_new_password_by_many_ends_the_rotation_once(make_registration, operator):
    credentials, old = let_in(make_registration, "4711")
    new = logins.rotate(credentials, overlap=WEEK, by=operator)
    used_before(credentials, timedelta(minutes=2))
    device = api_of(credentials, new)
    answers = at_once(*[lambda: device.get(ME).status_code] * 12)
    assert set(answers) == {200}
    assert told("rotation-done") == 1
    assert not comes_in(credentials, old)


@pytest.mark.parametrize("_", TWICE_OR_MORE)
def test_of_rotations_at_once_the_last_one_and_the_one_in_use_count(_, make_registration, operator):
    _credentials, old = let_in(make_registration, "4711")
    made = at_once(*[lambda: logins.rotate(login_of("4711"), overlap=WEEK, by=operator)] * 5)
    assert_only(made)
    assert told("rotated") == 5
    found = login_of("4711")
    assert sum(found.is_current(one) for one in made) == 1
    counting = [one for one in [old, *made] if found.check_password(one)]
    assert len(counting) == 2
    assert old in counting


@pytest.mark.parametrize("_", TWICE_OR_MORE)
def test_login_and_disabling_at_once_leave_it_shut(_, make_registration, operator):
    credentials, password = let_in(make_registration, "4711")
    used_before(credentials, timedelta(minutes=2))
    device = api_of(credentials, password)
    results = at_once(
        *[lambda: device.get(ME).status_code] * 6,
        lambda: logins.disable(login_of("4711"), by=operator),
    )
    assert set(results[:6]) <= {200, 401}
    assert not comes_in(credentials, password)
    assert_whole(credentials.tenant)


@pytest.mark.parametrize("_", TWICE_OR_MORE)
def test_first_login_and_disabling_at_once_leave_it_shut(_, make_registration, operator):
    credentials, password = let_in(make_registration, "4711", logs_in=False)
    device = api_of(credentials, password)
    results = at_once(
        lambda: device.get(ME).status_code,
        lambda: logins.disable(login_of("4711"), by=operator),
        lambda: device.get(ME).status_code,
    )
    assert_only(results)
    came_in = 200 in (results[0], results[2])
    assert (registration_of("4711").stage is Stage.CONFIRMED) is came_in
    assert not comes_in(credentials, password)
    assert_whole(credentials.tenant)


@pytest.mark.parametrize("_", TWICE_OR_MORE)
@pytest.mark.parametrize("logs_in", [False, True], ids=["first-login", "later-login"])
def test_login_and_deletion_at_once_leave_nothing_open(_, make_registration, operator, logs_in):
    credentials, password = let_in(make_registration, "4711", logs_in=logs_in)
    used_before(credentials, timedelta(minutes=2))
    device = api_of(credentials, password)
    results = at_once(
        *[lambda: device.get(ME).status_code] * 5,
        lambda: logins.delete_login(login_of("4711"), by=operator),
    )
    assert set(results[:5]) <= {200, 401}
    assert results[5] is None
    assert not comes_in(credentials, password)
    assert told("returned") == 1
    assert Tombstone.objects.count() == 1
    assert registration_of("4711") is None
    assert_whole(credentials.tenant)


@pytest.mark.parametrize("_", TWICE_OR_MORE)
def test_of_many_deletions_one_frees_the_place(_, make_registration, operator, acme):
    let_in(make_registration, "4711")
    let_in(make_registration, "4712")
    rows = [login_of("4711") for _ in range(6)]
    results = at_once(*[lambda row=row: logins.delete_login(row, by=operator) for row in rows])
    assert [one for one in results if not isinstance(one, ObjectDoesNotExist)] == [None]
    assert told("deleted") == 1
    assert counted_devices(acme) == 1
    assert_whole(acme)


@pytest.mark.parametrize("_", TWICE_OR_MORE)
def test_deletion_and_acceptance_of_the_same_id_at_once(_, make_registration, operator, acme):
    let_in(make_registration, "4711")
    anew = make_registration("4711", stage=Stage.PENDING)
    set_limit(acme, 1)
    results = at_once(
        lambda: logins.delete_login(login_of("4711"), by=operator),
        lambda: anew.accept(by=operator),
    )
    assert_only(results, RegistrationError, ObjectDoesNotExist)
    assert results[0] is None
    assert_whole(acme)


@pytest.mark.parametrize("_", TWICE_OR_MORE)
def test_deletion_and_delivery_of_the_same_id_at_once(_, make_registration, operator, acme):
    let_in(make_registration, "4711")
    anew = make_registration("4711", stage=Stage.ACCEPTED)
    device = Api("management/devicebootstrap")
    results = at_once(
        lambda: logins.delete_login(login_of("4711"), by=operator),
        lambda: device.poll(anew.device_id).status_code,
        lambda: device.poll(anew.device_id).status_code,
    )
    assert_only(results)
    assert set(results[1:]) <= {201, 404}
    # Whatever came first: the deletion is what counts, and it is noticed when the device knocks.
    assert not DeviceCredentials.objects.exists()
    assert Tombstone.objects.count() == 1
    assert_whole(acme)


@pytest.mark.parametrize("_", TWICE_OR_MORE)
def test_deletion_and_cancelling_at_once_free_one_place(_, make_registration, operator, acme):
    let_in(make_registration, "4711", logs_in=False)
    registration = Registration.objects.get(device_id="4711")
    results = at_once(
        lambda: logins.delete_login(login_of("4711"), by=operator),
        lambda: registration.remove(by=operator),
    )
    assert_only(results, ObjectDoesNotExist)
    assert not DeviceCredentials.objects.exists()
    assert counted_devices(acme) == 0
    assert_whole(acme)


def test_many_returns_at_once_are_told_once(make_registration, operator):
    credentials, password = let_in(make_registration, "4711")
    logins.delete_login(credentials, by=operator)
    device, bootstrap = api_of(credentials, password), Api("management/devicebootstrap")
    answers = at_once(
        *[lambda: device.get(ME).status_code] * 5,
        *[lambda: bootstrap.poll("4711").status_code] * 5,
    )
    assert answers == [401] * 5 + [404] * 5
    assert told("returned") == 1


@pytest.mark.parametrize("_", TWICE_OR_MORE)
def test_forgetting_and_letting_in_at_once(_, make_registration, operator):
    credentials, _ = let_in(make_registration, "4711")
    logins.delete_login(credentials, by=operator)
    anew = make_registration("4711", stage=Stage.ACCEPTED)
    stone = Tombstone.objects.get()
    results = at_once(
        lambda: logins.forget(stone, by=operator),
        lambda: knock(anew),
    )
    assert_only(results, ObjectDoesNotExist)
    assert not Tombstone.objects.exists()
    assert comes_in(login_of("4711"), results[1])


@pytest.mark.parametrize("_", range(8))
def test_letting_in_anew_and_deleting_the_object_at_once(_, make_registration, operator, acme):
    credentials, _password = let_in(make_registration, "4711", reports=True)
    logins.delete_login(credentials, by=operator)
    device = ManagedObject.objects.get(device_id="4711")
    registration = make_registration("4711", stage=Stage.ACCEPTED)
    results = at_once(
        lambda: knock(registration), lambda: delete_object(device, Deletion(), by=operator)
    )
    assert_only(results)
    assert comes_in(login_of("4711"), results[0])
    assert counted_devices(acme) == recount_devices(acme)
