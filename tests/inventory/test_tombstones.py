"""What a deleted device leaves behind, and what happens when it comes back."""

import random
from contextlib import suppress
from datetime import timedelta

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone

from inventory import logins
from inventory.errors import LoginError
from inventory.models import DeviceCredentials, DeviceEvent, ManagedObject, Tombstone
from registration.errors import RegistrationError
from registration.lifecycle import Stage, Status
from registration.models import BulkDecision, Registration
from tenants.models import AuditRecord
from tests.logins import ME, api_of, comes_in, device_kinds, let_in, login_of, registration_of
from tests.support import (
    Api,
    counted_devices,
    kinds,
    knock,
    recount,
    recount_devices,
    set_limit,
    tally,
)

REQUESTS = "/devicecontrol/newDeviceRequests"
Action = BulkDecision.Action


@pytest.fixture
def gone(make_registration, operator):
    """Return the login of a device that was deleted, and the password it still has."""

    def make(device_id="4711", **details):
        credentials, password = let_in(make_registration, device_id, **details)
        logins.delete_login(credentials, by=operator, reason="Sold.")
        return credentials, password

    return make


def tombstone(device_id="4711", tenant="acme"):
    return Tombstone.objects.get(device_id=device_id, tenant=tenant)


def returns(device_id="4711", tenant="acme"):
    """Return how often a return was told."""
    found = DeviceEvent.objects.filter(device_id=device_id, tenant=tenant, kind="returned")
    return found.count()


# --- What is left --------------------------------------------------------------------------------


def test_tombstone_says_when_by_whom_and_why(gone):
    gone()
    stone = tombstone()
    assert (stone.deleted_by_name, stone.reason, stone.returned_at) == ("operator", "Sold.", None)
    assert timezone.now() - stone.deleted_at < timedelta(minutes=1)
    entry = AuditRecord.objects.latest("pk")
    assert (entry.activity, entry.subject) == ("Device credentials: Login deleted", "4711")


def test_endless_reason_is_cut(make_registration, operator):
    credentials, _ = let_in(make_registration, "4711")
    logins.delete_login(credentials, by=operator, reason="x" * 2000)
    assert len(tombstone().reason) == 500


def test_device_that_is_deleted_again_has_one_tombstone(gone):
    gone()
    Tombstone.objects.update(returned_at=timezone.now(), returned_from="192.0.2.1")
    gone()
    assert Tombstone.objects.count() == 1
    assert (tombstone().returned_at, tombstone().returned_from) == (None, "")


def test_longest_id_can_be_deleted_and_come_back(gone, device):
    device_id = "x" * 1000
    credentials, password = gone(device_id)
    assert not comes_in(credentials, password)
    device.poll(device_id)
    assert returns(device_id) == 1


@pytest.mark.parametrize(
    ("stage", "is_left"),
    [
        (Stage.WAITING, True),
        (Stage.PENDING, True),
        (Stage.BLOCKED, True),
        (Stage.ACCEPTED, False),
        (Stage.DELIVERED, False),
        (Stage.CONFIRMED, False),
    ],
)
def test_registration_goes_too_unless_somebody_expects_the_device_anew(
    make_registration, acme, operator, stage, is_left
):
    """The device is in already and registered anew, or this is how it came in."""
    let_in(make_registration, "4711")
    if stage is not Stage.CONFIRMED:
        make_registration("4711", stage=stage)
    set_limit(acme, 5)
    logins.delete_login(login_of("4711"), by=operator)
    assert bool(registration_of("4711")) is is_left
    assert counted_devices(acme) == recount_devices(acme) == 0
    assert tally(acme) == recount(acme)


def test_place_is_free_for_another_device(gone, make_registration, acme, operator):
    set_limit(acme, 1)
    gone()
    late = make_registration("late", stage=Stage.PENDING)
    late.accept(by=operator)
    assert counted_devices(acme) == 1


def test_registration_that_goes_with_its_login_leaves_an_event(gone, make_registration):
    credentials, _ = gone()
    found = kinds(Registration(device_id="4711", tenant=credentials.tenant))
    assert found[-1] == "device-deleted"


# --- Coming back ---------------------------------------------------------------------------------


def test_old_password_opens_nothing_and_the_return_is_told_once(gone):
    credentials, password = gone()
    for _ in range(3):
        assert not comes_in(credentials, password)
    assert returns() == 1
    assert tombstone().returned_from == "127.0.0.1"
    entry = AuditRecord.objects.latest("pk")
    assert (entry.activity, entry.severity, entry.tenant_id) == (
        "Device credentials: Came back after it was deleted", "WARNING", "acme")  # fmt: skip


def test_device_that_names_no_tenant_is_known_too(gone):
    _, password = gone()
    assert Api("device_4711", password).get(ME).status_code == 401
    assert returns() == 1


def test_return_is_refused_like_any_stranger(gone, api):
    credentials, password = gone()
    refused, stranger = (
        api_of(credentials, password).get(ME),
        api("acme/device_nobody", password).get(ME),
    )
    assert refused.json() == stranger.json()


@pytest.mark.parametrize("login", ["acme/device_4711", "globex/device_4711", "device_4711"])
def test_stranger_is_no_device_that_comes_back(gone, api, login):
    _, password = gone()
    tried = password if login.startswith("globex") else "guess"
    assert api(login, tried).get(ME).status_code == 401
    assert (returns(), tombstone().returned_at) == (0, None)


def test_device_whose_new_password_was_never_used_is_known_by_the_one_before(
    make_registration, operator
):
    credentials, old = let_in(make_registration, "4711")
    logins.rotate(credentials, overlap=timedelta(days=7), by=operator)
    logins.delete_login(credentials, by=operator)
    assert not comes_in(credentials, old)
    assert returns() == 1


def test_empty_password_is_nobody(make_registration, operator, api):
    credentials, _ = let_in(make_registration, "4711")
    logins.revoke(credentials, by=operator)
    logins.delete_login(credentials, by=operator)
    assert api("acme/device_4711", "").get(ME).status_code == 401
    assert returns() == 0


def test_last_time_it_was_heard_of_is_written_once_a_minute(gone, django_assert_num_queries):
    credentials, password = gone()
    device = api_of(credentials, password)
    device.get(ME)
    with django_assert_num_queries(3) as seen:
        device.get(ME)
    assert not [each for each in seen.captured_queries if not each["sql"].startswith("SELECT")]
    long_ago = timezone.now() - timedelta(minutes=2)
    Tombstone.objects.update(returned_at=long_ago)
    device.get(ME)
    assert tombstone().returned_at > long_ago
    assert returns() == 1


def test_knock_under_a_deleted_id_is_noted(gone, device, django_assert_max_num_queries):
    gone()
    answer = device.poll("4711")
    assert answer.status_code == 404
    assert returns() == 1
    with django_assert_max_num_queries(4) as seen:
        device.poll("4711")
    assert not [each for each in seen.captured_queries if not each["sql"].startswith("SELECT")]


def test_knock_under_a_deleted_id_is_answered_like_any_other(gone, device):
    gone()
    assert device.poll("4711").json() == {
        **device.poll("4712").json(),
        "message": device.poll("4712").json()["message"].replace("4712", "4711"),
    }


def test_knock_with_another_tenants_bootstrap_account_is_nothing_to_note(gone, api):
    gone()
    api("globex/devicebootstrap").poll("4711")
    assert (returns(), tombstone().returned_at) == (0, None)
    api("acme/devicebootstrap").poll("4711")
    assert returns() == 1


def test_each_tenant_learns_of_its_own_device_only(gone, make_registration, globex, device,
                                                   globex_operator):  # fmt: skip
    """The same ID was deleted in both, one after the other."""
    gone()
    theirs, _ = let_in(make_registration, "4711", tenant=globex)
    logins.delete_login(theirs, by=globex_operator)
    device.poll("4711")
    assert (returns(), returns(tenant="globex")) == (1, 1)
    Tombstone.objects.filter(tenant="globex").delete()
    assert [one.tenant_id for one in Tombstone.objects.for_tenant(globex)] == []
    assert [one.tenant_id for one in Tombstone.objects.all()] == ["acme"]


# --- Registered again ----------------------------------------------------------------------------


def marked(registration):
    return Registration.objects.with_display().get(pk=registration.pk).is_returning


def test_operator_may_register_it_again_and_sees_that_it_was_deleted(
    gone, make_registration, device, globex
):
    gone()
    assert marked(make_registration("4711"))
    assert not marked(make_registration("4712"))
    device.poll("4711")
    assert returns() == 1


def test_deletion_in_one_tenant_marks_nothing_in_another(gone, make_registration, globex):
    gone()
    assert not marked(make_registration("4711", tenant=globex))


@pytest.fixture
def waiting(gone, make_registration):
    """A deleted device that was registered anew and knocks, and one that never was there."""
    gone()
    return [make_registration(one, stage=Stage.PENDING) for one in ("4711", "4712")]


def outcomes(decision):
    return {item.device_id: item.outcome for item in decision.items.all()}


@pytest.mark.parametrize(
    ("hand_picked", "expected"), [(False, "returned"), (True, "done")], ids=["all", "hand-picked"]
)
def test_accepting_all_leaves_out_what_was_deleted(waiting, acme, operator, hand_picked, expected):
    decision = BulkDecision.about(
        Registration.objects.for_tenant(acme), Action.ACCEPT, tenant=acme, by=operator,
        hand_picked=hand_picked,
    )  # fmt: skip
    decision.carry_out(by=operator)
    assert outcomes(decision) == {"4711": expected, "4712": "done"}
    assert counted_devices(acme) == recount_devices(acme)


def test_device_deleted_after_the_preview_is_left_out(make_registration, acme, operator):
    credentials, _ = let_in(make_registration, "4711")
    make_registration("4711", stage=Stage.PENDING)
    decision = BulkDecision.about(
        Registration.objects.for_tenant(acme), Action.ACCEPT, tenant=acme, by=operator,
        hand_picked=False,
    )  # fmt: skip
    assert outcomes(decision) == {"4711": "open"}
    logins.delete_login(credentials, by=operator)
    decision.carry_out(by=operator)
    assert outcomes(decision) == {"4711": "returned"}
    assert counted_devices(acme) == recount_devices(acme) == 0


def test_api_says_why_accept_all_left_it_out(waiting, api):
    answer = api("acme/operator").post(f"{REQUESTS}/acceptAll")
    by_id = {each["id"]: each for each in answer.json()}
    assert by_id["4712"]["successful"]
    assert not by_id["4711"]["successful"]
    assert "deleted here before" in by_id["4711"]["error"]


@pytest.mark.parametrize("door", ["model", "api"])
def test_single_acceptance_takes_it_and_letting_in_ends_the_matter(waiting, operator, api, door):
    if door == "model":
        waiting[0].accept(by=operator)
    else:
        assert api("acme/operator").accept("4711").status_code == 200
    assert Tombstone.objects.count() == 1, "it is not in yet"
    waiting[0].refresh_from_db()
    password = knock(waiting[0])
    assert not Tombstone.objects.exists()
    assert comes_in(login_of("4711"), password)
    assert not marked(waiting[0])


def test_registration_that_is_cancelled_again_leaves_the_tombstone(waiting, operator):
    waiting[0].accept(by=operator)
    waiting[0].remove(by=operator)
    assert Tombstone.objects.count() == 1


def test_being_let_in_elsewhere_leaves_the_tombstone_at_home(gone, make_registration, globex):
    gone()
    let_in(make_registration, "4711", tenant=globex)
    assert tombstone().tenant_id == "acme"


# --- Forgotten -----------------------------------------------------------------------------------


def test_forgotten_device_comes_as_a_new_one(gone, make_registration, operator):
    credentials, password = gone()
    logins.forget(tombstone(), by=operator)
    assert not comes_in(credentials, password)
    assert returns() == 0
    assert not marked(make_registration("4711"))
    entry = AuditRecord.objects.filter(type="DeviceCredentials").latest("pk")
    assert (entry.activity, entry.subject, entry.tenant_id) == (
        "Deleted device forgotten", "4711", "acme")  # fmt: skip


def test_nobody_forgets_twice(gone, operator):
    gone()
    stone = tombstone()
    logins.forget(stone, by=operator)
    with pytest.raises(Tombstone.DoesNotExist):
        logins.forget(stone, by=operator)
    assert AuditRecord.objects.filter(activity="Deleted device forgotten").count() == 1


# --- Whatever happens in whatever order ----------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_count_of_devices_is_right_after_anything_in_any_order(
    acme, globex, management, operator, seed
):
    chance = random.Random(seed)
    ids = [f"d-{number}" for number in range(4)]
    tenants = [acme, globex]
    passwords = {}
    for tenant in tenants:
        set_limit(tenant, chance.choice([0, 1, 2, 3, None]))

    def any_row():
        return Registration.objects.filter(device_id=chance.choice(ids)).first()

    def any_login():
        return DeviceCredentials.objects.filter(device_id=chance.choice(ids)).first()

    def poll():
        row = any_row()
        answer = knock(row)
        if not isinstance(answer, Status):
            passwords[row.device_id] = answer

    def log_in():
        credentials = any_login()
        comes_in(credentials, passwords[credentials.device_id])

    def accept_all():
        BulkDecision.about(
            Registration.objects.all(), Action.ACCEPT, tenant=management, by=operator,
            hand_picked=chance.choice([True, False]),
        ).carry_out(by=operator)  # fmt: skip

    steps = [
        *[lambda: Registration.objects.register(
            chance.choice(tenants), chance.choice(ids), by=operator)] * 2,
        *[poll] * 3,
        *[log_in] * 2,
        *[lambda: any_row().accept(by=operator)] * 2,
        lambda: any_row().remove(by=operator),
        lambda: any_row().hand_over_again(by=operator),
        lambda: any_row().move_to(chance.choice(tenants), by=operator),
        accept_all,
        *[lambda: logins.delete_login(any_login(), by=operator)] * 2,
        lambda: logins.disable(any_login(), by=operator),
        lambda: logins.enable(any_login(), by=operator),
        lambda: logins.revoke(any_login(), by=operator),
        lambda: logins.rotate(any_login(), overlap=timedelta(days=1), by=operator),
    ]  # fmt: skip
    refused = (RegistrationError, LoginError, AttributeError, KeyError, ObjectDoesNotExist)
    for _ in range(120):
        with suppress(*refused):  # refused, or there is no such thing
            chance.choice(steps)()
        for tenant in tenants:
            assert counted_devices(tenant) == recount_devices(tenant)
        held = DeviceCredentials.objects.select_related("managed_object")
        assert all(one.managed_object.state == one.state for one in held)
        shells = ManagedObject.objects.filter(reported_at=None, kind="device")
        assert set(shells.values_list("device_id", flat=True)) == {one.device_id for one in held}, (
            "nobody stays without a login"
        )
    for tenant in tenants:
        assert tally(tenant) == recount(tenant)
    assert device_kinds("nobody") == []
