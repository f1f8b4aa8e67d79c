"""Several at once: the same devices in two calls, in a file, at a knock; a type that goes."""

import random
from contextlib import suppress

import pytest

from bulk import engine, imports
from bulk.models import Existing, Import, ImportItem
from bulk.preshared import Offer, register
from inventory.device_types import delete_type
from inventory.errors import DeviceTypeInUseError
from inventory.models import ChildLink, DeviceCredentials, DeviceType, ExternalId, ManagedObject
from registration.errors import DuplicateError, RegistrationError
from registration.models import Registration
from registration.provisioning import make_key
from tenants.models import Tenant
from tests.bulk.files import FULL, SECRET, received
from tests.bulk.preshared.hands import BY, made_type
from tests.support import Api, at_once, recount, tally

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
NUMBER = 300


def offers(numbers, secret=SECRET):
    return [Offer(f"d-{number}", secret, path=f"Plant/Hall {number % 7}") for number in numbers]


def shuffled(numbers, seed):
    numbers = list(numbers)
    random.Random(seed).shuffle(numbers)
    return numbers


def agrees(tenant):
    """Say whether all that is kept of the devices of a tenant fits together."""
    logins = DeviceCredentials.objects.filter(tenant=tenant)
    number = logins.count()
    devices = ManagedObject.objects.devices().filter(tenant=tenant)
    assert devices.count() == number
    assert ExternalId.objects.filter(tenant=tenant).count() == number
    assert ChildLink.objects.filter(child__in=devices).count() == number
    assert not logins.filter(managed_object=None).exists()
    assert Tenant.objects.get(pk=tenant.pk).device_count == number
    return number


def test_calls_with_the_same_devices_leave_each_of_them_once(acme):
    device_type = made_type(acme)
    ranges = (range(200), range(100, NUMBER), range(50, 250), range(NUMBER))
    done = at_once(
        *(
            lambda some=some, seed=seed: register(
                device_type, offers(shuffled(some, seed)), by=BY, partial=bool(seed % 2)
            )
            for seed, some in enumerate(ranges)
        )
    )
    assert all(one.is_stored and not one.count("failed") for one in done)
    assert sum(one.count("created") for one in done) == NUMBER == agrees(acme)
    items = ImportItem.objects.filter(outcome="c").values_list("number", flat=True)
    assert sorted(items) == sorted(ManagedObject.objects.devices().values_list("pk", flat=True))


def test_a_call_and_a_file_share_the_devices_out(acme, monkeypatch):
    monkeypatch.setattr("bulk.engine.pace.ROWS", 50)
    device_type = made_type(acme)
    rows = "".join(f"d-{n};{SECRET};;;Plant/Hall {n % 7}\n" for n in reversed(range(NUMBER)))
    one = received(acme, FULL + rows, BY)
    imports.start(one, on_existing=Existing.UPDATE, by=BY, call=False)
    done = at_once(
        lambda: engine.carry_on(one.pk), lambda: register(device_type, offers(range(NUMBER)), by=BY)
    )[1]
    one = Import.objects.get(pk=one.pk)
    assert (one.failed, done.count("failed"), agrees(acme)) == (0, 0, NUMBER)
    assert one.created + done.count("created") == NUMBER


def test_two_tenants_that_offer_the_same_ids_share_them_out(acme, globex):
    types = made_type(acme), made_type(globex)
    done = at_once(
        *(
            lambda kind=kind, seed=seed: register(
                kind, offers(shuffled(range(NUMBER), seed)), by=BY, partial=True
            )
            for seed, kind in enumerate(types)
        )
    )
    assert sum(one.count("created") for one in done) == NUMBER
    assert {each.code for one in done for each in one.results} <= {"", "id_taken"}
    assert agrees(acme) + agrees(globex) == NUMBER


def test_a_device_that_knocks_meanwhile_is_let_in_by_one_way_only(acme, make_registration):
    device_type = made_type(acme)
    waiting = [make_registration(f"d-{number}") for number in range(30)]

    def knock():
        told = []
        for registration in waiting:
            try:
                registration.poll(token="", device=BY)
            except (RegistrationError, Registration.DoesNotExist) as error:
                told.append(type(error))
        return told

    done = at_once(knock, lambda: register(device_type, offers(range(30)), by=BY, partial=True))[1]
    failed = {each.device_id for each in done.results if each.code == "registration_pending"}
    assert failed == set(Registration.objects.values_list("device_id", flat=True))
    assert done.count("created") + len(failed) == 30
    assert agrees(acme) == done.count("created")
    assert recount(acme) == tally(acme)


def test_the_last_places_are_given_once(acme):
    Tenant.objects.filter(pk="acme").update(device_limit=10)
    device_type = made_type(acme)
    done = at_once(
        *(
            lambda start=start: register(
                device_type, offers(range(start, start + 6)), by=BY, partial=True
            )
            for start in (0, 6, 12)
        )
    )
    assert sum(one.count("created") for one in done) == 10 == agrees(acme)


def test_a_type_goes_before_its_first_device_or_stays(acme):
    for attempt in range(5):
        device_type = made_type(acme, f"Type {attempt}")

        def delete(device_type=device_type):
            try:
                delete_type(device_type, by=BY)
            except DeviceTypeInUseError:
                return False
            return True

        def offer(device_type=device_type, attempt=attempt):
            try:
                return register(device_type, [Offer(f"d-{attempt}", SECRET)], by=BY).is_stored
            except DeviceType.DoesNotExist:
                return False

        assert sorted(at_once(delete, offer)) == [False, True]


def introducing(key, password, ids):
    """Let devices knock with a key, each once; return those that somebody expects now."""
    device = Api(key.login, password)
    return {each for each in ids if "There is no" not in device.poll(each).content.decode()}


def digests():
    return dict(DeviceCredentials.objects.values_list("device_id", "digest"))


def by_a_call(tenant, ids):
    device_type = made_type(tenant)
    offered = [Offer(each, SECRET) for each in ids]
    return lambda: register(device_type, offered, by=BY, partial=True)


def by_a_file(tenant, ids):
    one = received(tenant, FULL + "".join(f"{each};{SECRET};;;\n" for each in ids), BY)
    imports.start(one, on_existing=Existing.UPDATE, by=BY, call=False)
    return lambda: engine.carry_on(one.pk)


@pytest.mark.parametrize("keys_tenant", ["acme", "globex"])
@pytest.mark.parametrize("handing_over", [by_a_call, by_a_file], ids=lambda case: case.__name__)
def test_an_id_with_a_secret_and_an_introduced_one_are_never_the_same(
    handing_over, keys_tenant, acme, globex
):
    of_keys = Tenant.objects.get(pk=keys_tenant)
    sensors = made_type(
        of_keys, "Sensor", security_option="temporary_credentials", acceptance="automatic"
    )
    key, password = make_key(sensors, "Line 3", by=BY)
    ids = [f"d-{number}" for number in range(60)]
    introduced, _ = at_once(lambda: introducing(key, password, ids), handing_over(acme, ids))
    before = digests()
    assert introduced == set(Registration.objects.values_list("device_id", flat=True))
    assert introduced | set(before) == set(ids)
    assert not introduced & set(before)
    introducing(key, password, ids)  # again, when passwords are handed over
    assert digests().items() >= before.items()


def test_an_id_with_a_secret_is_not_expected_as_well(acme, operator):
    handing_over = by_a_call(acme, ids := [f"d-{number}" for number in range(60)])

    def expect():
        for each in ids:
            with suppress(DuplicateError):
                Registration.objects.register(acme, each, by=operator)

    at_once(expect, handing_over)
    expected = set(Registration.objects.values_list("device_id", flat=True))
    assert not expected & set(digests())
    assert expected | set(digests()) == set(ids)
