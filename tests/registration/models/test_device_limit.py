"""How many devices a tenant may let in: what takes a place, and what gives it back."""

import random
from collections import Counter
from contextlib import suppress
from functools import partial

import pytest

from inventory.models import DeviceCredentials
from registration.errors import DeviceLimitReachedError, RegistrationError
from registration.lifecycle import Stage, Status
from registration.models import BulkDecision, Registration
from registration.models.decisions import Outcome
from tenants.models import AuditRecord, Tenant
from tenants.quota import DeviceLimitError, free_places, take_place, take_places
from tests.support import (
    Api,
    at_once,
    counted_devices,
    kinds,
    knock,
    recount,
    recount_devices,
    set_limit,
    tally,
)

Action = BulkDecision.Action


@pytest.fixture
def decide(operator, acme):
    """Freeze registrations and, unless told otherwise, carry the decision out."""

    def make(rows=None, action=Action.ACCEPT, *, tenant=acme, carry_out=True):
        rows = Registration.objects.for_tenant(tenant) if rows is None else rows
        decision = BulkDecision.about(rows, action, tenant=tenant, by=operator, hand_picked=False)
        if carry_out:
            decision.carry_out(by=operator)
        return decision

    return make


def outcomes(decision):
    return {item.device_id: item.outcome for item in decision.items.all()}


def assert_counted(*tenants):
    for tenant in tenants:
        assert counted_devices(tenant) == recount_devices(tenant)


# --- One by one -----------------------------------------------------------------------------


def test_only_acceptance_takes_a_place(make_registration, acme, globex, operator):
    registration = make_registration()
    assert counted_devices(acme) == 0
    knock(registration)
    assert counted_devices(acme) == 0
    registration.accept(by=operator)
    assert counted_devices(acme) == 1
    knock(registration)
    assert (counted_devices(acme), counted_devices(globex)) == (1, 0)
    assert_counted(acme, globex)


def test_at_the_limit_nothing_is_accepted_and_nothing_is_changed(make_registration, acme, operator):
    make_registration(stage=Stage.ACCEPTED)
    late = make_registration("late", stage=Stage.PENDING)
    set_limit(acme, 1)
    with pytest.raises(DeviceLimitReachedError, match="limit is reached"):
        late.accept(by=operator)
    late.refresh_from_db()
    assert (late.status, late.accepted_at) == (Status.PENDING_ACCEPTANCE, None)
    assert kinds(late) == ["registered", "connected"]
    assert tally(acme) == recount(acme)
    assert_counted(acme)
    set_limit(acme, 2)
    late.accept(by=operator)
    assert counted_devices(acme) == 2


def test_registering_stays_possible_at_the_limit(make_registration, acme):
    set_limit(acme, 0)
    assert make_registration(stage=Stage.PENDING).status == Status.PENDING_ACCEPTANCE


def test_wrong_token_at_the_limit_is_counted_as_a_wrong_one(make_registration, acme, operator):
    registration = make_registration(stage=Stage.PENDING, token="s3cret")
    set_limit(acme, 0)
    with pytest.raises(RegistrationError, match="2 attempts are left"):
        registration.accept(by=operator, token="wrong")
    with pytest.raises(DeviceLimitReachedError):
        registration.accept(by=operator, token="s3cret")
    registration.refresh_from_db()
    assert registration.failed_attempts == 1


def test_limit_of_one_tenant_is_not_the_others(make_registration, acme, globex):
    set_limit(acme, 0)
    make_registration(tenant=globex, stage=Stage.ACCEPTED)
    assert_counted(acme, globex)


@pytest.mark.parametrize(
    ("stage", "left"),
    [
        (Stage.WAITING, 0),
        (Stage.PENDING, 0),
        (Stage.BLOCKED, 0),
        (Stage.ACCEPTED, 0),
        (Stage.DELIVERED, 0),
        (Stage.CONFIRMED, 1),
    ],
)
@pytest.mark.parametrize("how", ["alone", "together"])
def test_cancelling_frees_the_place_unless_the_device_stays(
    make_registration, acme, operator, decide, stage, left, how
):
    registration = make_registration(stage=stage)
    if stage is Stage.CONFIRMED:
        DeviceCredentials.objects.update(first_login_at=registration.confirmed_at)
    if how == "alone":
        registration.remove(by=operator)
    else:
        decide(action=Action.REMOVE)
    assert counted_devices(acme) == left
    assert_counted(acme)


def test_handing_over_again_keeps_the_place(make_registration, acme, operator):
    registration = make_registration(stage=Stage.DELIVERED)
    registration.hand_over_again(by=operator)
    assert counted_devices(acme) == 1
    knock(registration)
    assert counted_devices(acme) == 1
    registration.remove(by=operator)
    assert counted_devices(acme) == 0


@pytest.fixture
def known(make_registration, acme, operator):
    """A device that is in and is registered anew, pending."""
    make_registration("4711", stage=Stage.CONFIRMED)
    DeviceCredentials.objects.update(first_login_at="2026-01-01T00:00:00Z")
    registration = make_registration("4711", stage=Stage.PENDING)
    set_limit(acme, 1)
    return registration


@pytest.mark.parametrize("how", ["alone", "together"])
def test_device_registered_anew_takes_no_second_place(known, acme, operator, decide, how):
    assert counted_devices(acme) == 1
    known.accept(by=operator) if how == "alone" else decide()
    known.refresh_from_db()
    assert known.status == Status.ACCEPTED
    assert counted_devices(acme) == 1


@pytest.mark.parametrize("how", ["alone", "together"])
def test_cancelling_a_device_registered_anew_keeps_the_one_that_is_in(
    known, acme, operator, decide, how
):
    known.accept(by=operator)
    known.remove(by=operator) if how == "alone" else decide(action=Action.REMOVE)
    assert counted_devices(acme) == 1
    assert_counted(acme)


def test_new_credentials_that_are_revoked_free_the_place_of_the_old_ones(known, acme, operator):
    known.accept(by=operator)
    knock(known)
    known.remove(by=operator)
    assert counted_devices(acme) == 0
    assert_counted(acme)


# --- Many at once ---------------------------------------------------------------------------


def test_as_many_are_accepted_as_there_is_room_for_oldest_first(make_registration, acme, decide):
    for number in range(5):
        make_registration(f"d-{number}", stage=Stage.PENDING)
    set_limit(acme, 3)
    done = {"d-0": "done", "d-1": "done", "d-2": "done", "d-3": "limit", "d-4": "limit"}
    preview = decide(carry_out=False)
    assert outcomes(preview) == {one: each.replace("done", "open") for one, each in done.items()}
    assert counted_devices(acme) == 0
    decision = decide()
    assert outcomes(decision) == done
    assert counted_devices(acme) == 3
    assert Outcome.LIMIT.label == "The tenant's device limit is reached."
    assert_counted(acme)


def test_room_that_went_after_the_preview_is_not_spent_twice(
    make_registration, acme, operator, decide
):
    rows = [make_registration(f"d-{number}", stage=Stage.PENDING) for number in range(4)]
    set_limit(acme, 3)
    preview = decide(carry_out=False)
    rows[3].accept(by=operator)
    preview.carry_out(by=operator)
    assert outcomes(preview) == {"d-0": "done", "d-1": "done", "d-2": "limit", "d-3": "limit"}
    assert_counted(acme)


def test_each_tenant_has_its_own_room(make_registration, acme, globex, management, decide):
    for tenant in (acme, globex, management):
        for number in range(3):
            make_registration(f"{tenant.pk}-{number}", tenant=tenant, stage=Stage.PENDING)
    set_limit(acme, 1)
    set_limit(globex, 2)
    found = outcomes(decide(tenant=management))
    assert [one for one, each in found.items() if each == "limit"] == [
        "acme-1",
        "acme-2",
        "globex-2",
    ]
    assert_counted(acme, globex, management)


def test_device_that_is_known_does_not_push_out_another(make_registration, known, acme, decide):
    make_registration("new-1", stage=Stage.PENDING)
    make_registration("new-2", stage=Stage.PENDING)
    set_limit(acme, 2)
    assert outcomes(decide()) == {"4711": "done", "new-1": "done", "new-2": "limit"}
    assert_counted(acme)


def test_revoked_credentials_are_in_the_audit_log(make_registration, operator, decide, globex):
    make_registration("d-1", stage=Stage.DELIVERED).remove(by=operator)
    make_registration("d-2", stage=Stage.DELIVERED).hand_over_again(by=operator)
    make_registration("d-3", stage=Stage.DELIVERED)
    make_registration("d-4", tenant=globex, stage=Stage.DELIVERED)
    decide(Registration.objects.filter(device_id__in=["d-3", "d-4"]), Action.REMOVE)
    found = AuditRecord.objects.filter(type="DeviceCredentials").order_by("pk")
    assert [(one.tenant_id, one.activity) for one in found] == [
        ("acme", "Device credentials revoked"),
        ("acme", "Device credentials revoked"),
        ("acme", "Device credentials revoked together"),
        ("globex", "Device credentials revoked together"),
    ]
    assert [one.subject for one in found[:2]] == ["d-1", "d-2"]


# --- Places -----------------------------------------------------------------------------------


def test_places_are_taken_and_freed(acme, globex):
    set_limit(acme, 2)
    take_place("acme")
    assert take_places({"globex": 4, "acme": 5}) == {"acme": 1, "globex": 4}
    with pytest.raises(DeviceLimitError):
        take_place("acme")
    free_places("acme", 9)
    assert (counted_devices(acme), counted_devices(globex)) == (0, 4)


@pytest.mark.parametrize(
    ("limit", "count", "is_near", "is_reached"),
    [
        (None, 10**6, False, False),
        (0, 0, True, True),
        (10, 8, False, False),
        (10, 9, True, False),
        (10, 10, True, True),
        (10, 12, True, True),
        (19, 17, False, False),
        (10**9, 899_999_999, False, False),
        (10**9, 9 * 10**8, True, False),
    ],
)
def test_nine_tenths_are_near_the_limit(acme, globex, limit, count, is_near, is_reached):
    Tenant.objects.filter(pk="acme").update(device_limit=limit, device_count=count)
    acme.refresh_from_db()
    assert acme.is_near_device_limit is is_near
    assert acme.is_at_device_limit is is_reached
    assert list(Tenant.objects.near_device_limit()) == ([acme] if is_near else [])


# --- Whatever happens in whatever order -----------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_count_is_right_after_anything_in_any_order(
    acme, globex, management, operator, decide, seed
):
    chance = random.Random(seed)
    ids = [f"d-{number}" for number in range(6)]
    tenants = [acme, globex]
    for tenant in tenants:
        set_limit(tenant, chance.choice([0, 1, 2, 3, None]))

    def any_row():
        return Registration.objects.filter(device_id=chance.choice(ids)).first()

    def register():
        Registration.objects.register(chance.choice(tenants), chance.choice(ids), by=operator)

    def log_in(row):
        held = DeviceCredentials.objects.filter(device_id=row.device_id, tenant=row.tenant)
        if row.stage is Stage.DELIVERED:
            held.update(first_login_at="2026-01-01T00:00:00Z")
            row.confirm(device=operator)

    steps = [
        register,
        register,
        lambda: knock(any_row()),
        lambda: knock(any_row()),
        lambda: knock(any_row()),
        lambda: any_row().accept(by=operator),
        lambda: any_row().accept(by=operator),
        lambda: any_row().hand_over_again(by=operator),
        lambda: any_row().reset(by=operator),
        lambda: any_row().remove(by=operator),
        lambda: log_in(any_row()),
        lambda: any_row().move_to(chance.choice(tenants), by=operator),
        lambda: decide(tenant=chance.choice([acme, globex, management])),
        lambda: decide(
            Registration.objects.filter(device_id__in=chance.sample(ids, 2)), Action.REMOVE
        ),
        lambda: set_limit(chance.choice(tenants), chance.choice([0, 1, 2, 3, None])),
    ]
    for _ in range(120):
        with suppress(RegistrationError, AttributeError):  # refused, or no such registration
            chance.choice(steps)()
        assert_counted(acme, globex)
    for tenant in tenants:
        assert tally(tenant) == recount(tenant)


# --- At the same moment ---------------------------------------------------------------------------


def pending_rows(make_registration, number, **details):
    return [
        make_registration(f"d-{each:03}", stage=Stage.PENDING, **details) for each in range(number)
    ]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_hundred_acceptances_at_once_are_as_many_as_the_limit(make_registration, acme, operator):
    rows = pending_rows(make_registration, 100)
    set_limit(acme, 10)
    results = at_once(*[partial(row.accept, by=operator) for row in rows])
    assert Counter(type(one) for one in results) == {type(None): 10, DeviceLimitReachedError: 90}
    assert Registration.objects.filter(status=Status.ACCEPTED).count() == 10
    assert counted_devices(acme) == 10
    assert tally(acme) == recount(acme)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", range(3))
def test_single_acceptances_and_accept_alls_share_the_limit(
    _, make_registration, acme, globex, operator
):
    rows = pending_rows(make_registration, 60)
    for number in range(20):
        make_registration(f"g-{number}", tenant=globex, stage=Stage.PENDING)
    set_limit(acme, 10)
    set_limit(globex, 5)
    results = at_once(
        *[partial(row.accept, by=operator) for row in rows[::2]],
        *[
            lambda login=login: Api(login).post(
                "/devicecontrol/newDeviceRequests/acceptAll", Accept="application/json"
            )
            for login in ["acme/operator", "management/operator", "globex/operator"] * 2
        ],
        *[partial(row.remove, by=operator) for row in rows[1:10:2]],
    )
    assert {getattr(one, "status_code", None) for one in results[30:36]} == {200}
    assert not [
        one
        for one in results
        if isinstance(one, Exception) and not isinstance(one, RegistrationError)
    ]
    accepted = Registration.objects.filter(status=Status.ACCEPTED)
    assert accepted.filter(tenant=globex).count() == 5
    # Somebody may have been cancelled after taking a place; nobody took one too many.
    assert accepted.filter(tenant=acme).count() <= 10
    assert_counted(acme, globex)
    assert tally(acme) == recount(acme)
