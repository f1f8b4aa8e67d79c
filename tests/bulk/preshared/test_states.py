"""What a secret that is handed over meets: the same table at every door."""

from datetime import timedelta

import pytest

from bulk.preshared import Offer
from inventory.groups import create_at
from inventory.logins import disable, rotate
from inventory.models import DeviceCredentials, ManagedObject
from registration.errors import DuplicateError
from registration.lifecycle import Stage
from registration.models import Registration
from tenants.models import Tenant
from tests.bulk.files import SECRET
from tests.bulk.preshared.hands import (
    BY,
    OTHER,
    by_full_file,
    by_list,
    by_offer,
    made_type,
    offered,
)
from tests.logins import comes_in, let_in, login_of
from tests.support import kinds, recount, tally

pytestmark = pytest.mark.django_db
DOORS = [
    pytest.param(by_offer, id="offer"),
    pytest.param(by_list, id="list"),
    pytest.param(by_full_file, id="full-file"),
]
CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"
IN_PROGRESS = "registration_in_progress"


def at_stage(stage):
    return lambda make, _type: make("d", stage=stage)


def device(secret, *, of_type=True):
    def there(_make, device_type):
        if of_type:
            offered(device_type, Offer("d", secret))
        else:
            by_full_file(device_type, "d", secret)

    return there


def of_another_type(_make, device_type):
    offered(made_type(device_type.tenant, "Valve"), Offer("d", SECRET))


STATES = {
    "unknown": (lambda *_: None, CREATED, CREATED),
    "waiting": (at_stage(Stage.WAITING), CREATED, CREATED),
    "pending": (at_stage(Stage.PENDING), "registration_pending", "registration_pending"),
    "accepted": (at_stage(Stage.ACCEPTED), IN_PROGRESS, IN_PROGRESS),
    "delivered": (at_stage(Stage.DELIVERED), IN_PROGRESS, IN_PROGRESS),
    "blocked": (at_stage(Stage.BLOCKED), "registration_blocked", "registration_blocked"),
    "in-by-registration": (at_stage(Stage.CONFIRMED), UPDATED, UPDATED),
    "same-type-same-secret": (device(SECRET), UNCHANGED, UNCHANGED),
    "same-type-other-secret": (device(OTHER), UPDATED, UPDATED),
    "no-type-same-secret": (device(SECRET, of_type=False), UPDATED, UNCHANGED),
    "no-type-other-secret": (device(OTHER, of_type=False), UPDATED, UPDATED),
    # A row of a full file says no type: there is nothing that it could contradict.
    "another-type": (of_another_type, "device_type_conflict", UNCHANGED),
}  # fmt: skip


def cases():
    for name, (arrange, offer, full) in STATES.items():
        yield pytest.param(arrange, by_offer, offer, id=f"{name}-by-offer")
        yield pytest.param(arrange, by_list, offer, id=f"{name}-by-list")
        yield pytest.param(arrange, by_full_file, full, id=f"{name}-by-full-file")


def everything():
    """Return all rows that tell where a device stands."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Registration, DeviceCredentials, ManagedObject)
    ]


@pytest.mark.parametrize(("arrange", "door", "expected"), list(cases()))
def test_a_device_with_its_secret_meets_what_there_is(
    acme, make_registration, set_policy, arrange, door, expected
):
    set_policy(acme, "OPTIONAL")
    device_type = made_type(acme)
    arrange(make_registration, device_type)
    before = everything()
    assert door(device_type, "d") == expected
    acme.refresh_from_db()
    assert acme.device_count == DeviceCredentials.objects.filter(tenant=acme).count() + (
        Registration.objects.filter(accepted_at__isnull=False, delivered_at__isnull=True).count()
    )
    assert recount(acme) == tally(acme)
    if expected not in {CREATED, UPDATED}:
        assert everything() == before
        return
    assert comes_in(login_of("d"), SECRET)
    assert not comes_in(login_of("d"), OTHER)
    assert not Registration.objects.unfinished().exists()
    found = ManagedObject.objects.get(device_id="d")
    is_typed = door is not by_full_file or arrange is STATES["same-type-other-secret"][0]
    assert found.device_type == (device_type if is_typed else None)
    assert door(device_type, "d") == UNCHANGED


@pytest.mark.parametrize("door", DOORS)
def test_a_registration_that_gives_way_says_so_and_leaves_its_group(
    acme, make_registration, operator, door
):
    group = create_at(acme, "Hall 2", by=operator)
    registration = make_registration("d", group=group)
    assert door(made_type(acme), "d") == CREATED
    assert kinds(registration) == ["registered", "superseded"]
    assert ManagedObject.objects.get(device_id="d").parent_links.get().parent_id == group.pk


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("stage", [Stage.WAITING, Stage.CONFIRMED])
def test_another_tenants_id_is_taken_and_nobody_hears_by_whom(
    acme, globex, make_registration, door, stage
):
    make_registration("d", tenant=globex, stage=stage)
    before = everything()
    assert door(made_type(acme), "d") == "id_taken"
    assert everything() == before
    sentence = offered(made_type(acme, "Other"), "d").results[0].detail
    assert sentence == "Device registration request with ID d already exists."


def test_a_device_that_is_expected_anew_is_let_in_by_its_old_secret(acme, operator):
    device_type = made_type(acme)
    offered(device_type, "d")
    # One that has a type is not expected anew.
    ManagedObject.objects.filter(device_id="d").update(device_type=None)
    Registration.objects.register(acme, "d", by=operator)
    assert by_offer(device_type, "d") == UPDATED
    assert not Registration.objects.exists()
    assert comes_in(login_of("d"), SECRET)
    assert by_offer(device_type, "d") == UNCHANGED


def test_a_new_request_for_an_open_one_is_refused_as_before(acme, globex, make_registration):
    make_registration("waits")
    offered(made_type(acme), "is-in")
    for tenant, device_id in ((acme, "waits"), (globex, "waits"), (globex, "is-in")):
        with pytest.raises(DuplicateError):
            Registration.objects.register(tenant, device_id, by=BY)


def test_a_previous_password_is_not_the_same_secret(acme, make_registration):
    login, password = let_in(make_registration, "d", reports=True)
    device_type = made_type(acme)
    offered(device_type, Offer("d", password))
    new = rotate(login_of("d"), by=BY, overlap=timedelta(hours=1))
    assert by_offer(device_type, "d", new) == UNCHANGED
    assert login_of("d").is_rotating
    assert by_offer(device_type, "d", password) == UPDATED
    assert comes_in(login_of("d"), password)
    assert not comes_in(login_of("d"), new)
    assert login.pk == login_of("d").pk


def test_a_shut_login_stays_shut(acme):
    device_type = made_type(acme)
    offered(device_type, "d")
    disable(login_of("d"), by=BY)
    assert by_offer(device_type, "d", OTHER) == UPDATED
    assert not login_of("d").is_enabled
    assert Tenant.objects.get(pk="acme").device_count == 1
