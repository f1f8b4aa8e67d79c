"""An open registration goes to another tenant: one step, an event on both sides."""

from collections import Counter
from functools import partial

import pytest

from inventory.groups import group_at
from inventory.models import DeviceCredentials
from registration.errors import AlreadyAcceptedError, MoveRefusedError, TransitionError
from registration.lifecycle import Stage, Status, TokenPolicy
from registration.models import BulkDecision, Registration, RegistrationEvent
from tenants.actors import SYSTEM, Actor
from tenants.models import AuditRecord
from tests.consoles import suspend
from tests.support import at_once, knock, recount, tally, total_of_tally

OPEN = [Stage.WAITING, Stage.PENDING, Stage.BLOCKED]


@pytest.fixture
def admin(person):
    """Somebody of the management tenant at work."""
    return Actor("operator", person("management/operator"), "192.0.2.1", "request-of-move")


def fresh(registration):
    return Registration.objects.get(pk=registration.pk)


def happened(tenant, device_id):
    events = RegistrationEvent.objects.filter(tenant=tenant, device_id=device_id).order_by("pk")
    return [event.kind for event in events]


@pytest.mark.parametrize("stage", OPEN)
def test_registration_moves_with_an_event_on_both_sides(
    make_registration, acme, globex, admin, stage
):
    group = group_at(acme, "Hall 2", by=SYSTEM)
    registration = make_registration("press-7", stage=stage, group=group)
    before = happened(acme, "press-7")
    registration.move_to(globex, by=admin)
    moved = fresh(registration)
    assert (moved.tenant, moved.stage, moved.group) == (globex, stage, None)
    assert happened(acme, "press-7") == [*before, "moved-out"]
    assert happened(globex, "press-7") == ["moved-in"]
    assert total_of_tally() == {("globex", stage): 1}
    assert (tally(acme), tally(globex)) == (recount(acme), recount(globex))
    assert not Registration.objects.for_tenant(acme).exists()


def test_neither_tenant_learns_which_the_other_is(make_registration, globex, admin):
    registration = make_registration("press-7")
    registration.move_to(globex, by=admin)
    said = {
        one.tenant_id: f"{one.activity} {one.text} {one.changes}"
        for one in AuditRecord.objects.filter(request_id=admin.request_id)
    }
    assert set(said) == {"acme", "globex", "management"}
    assert "globex" not in said["acme"]
    assert "acme" not in said["globex"]
    above = AuditRecord.objects.get(tenant_id="management", subject="press-7")
    assert above.changes == [{"attribute": "tenant", "previousValue": "acme", "newValue": "globex"}]
    for event in RegistrationEvent.objects.filter(kind__startswith="moved"):
        assert event.reason == ""
    moved = fresh(registration)
    # Not even the name of the account that registered it there.
    assert (moved.created_by, moved.created_by_name) == (admin.user, "operator")


def test_policy_of_the_new_tenant_counts(make_registration, globex, admin, operator, set_policy):
    set_policy(globex, "REQUIRED")
    waiting, pending = make_registration(), make_registration(stage=Stage.PENDING)
    assert pending.policy is TokenPolicy.OPTIONAL
    for registration in (waiting, pending):
        registration.move_to(globex, by=admin)
    assert pending.policy is TokenPolicy.REQUIRED
    assert knock(waiting) is Status.BLOCKED
    with pytest.raises(Exception, match="policy is REQUIRED"):
        pending.accept(by=operator)


def test_what_the_device_said_goes_along(make_registration, globex, admin, operator):
    registration = make_registration(stage=Stage.PENDING, token="s3cret")
    registration.move_to(globex, by=admin)
    registration.accept(by=operator, token="s3cret")
    password = knock(registration, "s3cret")
    assert DeviceCredentials.objects.get().tenant == globex
    assert DeviceCredentials.objects.get().check_password(password)


@pytest.mark.parametrize("stage", [Stage.ACCEPTED, Stage.DELIVERED, Stage.CONFIRMED])
def test_device_that_was_let_in_stays(make_registration, acme, globex, admin, stage):
    registration = make_registration(stage=stage)
    with pytest.raises(MoveRefusedError, match="has been accepted"):
        registration.move_to(globex, by=admin)
    assert fresh(registration).tenant == acme
    assert not RegistrationEvent.objects.filter(kind__startswith="moved").exists()


def test_move_goes_to_another_tenant_that_is_active(make_registration, acme, globex, admin):
    registration = make_registration()
    with pytest.raises(TransitionError, match="is in tenant acme already"):
        registration.move_to(acme, by=admin)
    suspend(globex)
    with pytest.raises(TransitionError, match="no active tenant with ID globex"):
        registration.move_to(globex, by=admin)
    assert fresh(registration).tenant == acme


def test_device_that_has_credentials_does_not_leave_them(make_registration, globex, admin):
    make_registration("4711", stage=Stage.CONFIRMED)
    anew = make_registration("4711", stage=Stage.PENDING)
    with pytest.raises(MoveRefusedError, match="has credentials in tenant acme"):
        anew.move_to(globex, by=admin)


@pytest.mark.parametrize(
    "act",
    [
        lambda row, by: row.accept(by=by),
        lambda row, by: row.remove(by=by),
        lambda row, by: row.reset(by=by),
        lambda row, by: row.join_group(None, by=by),
        lambda row, by: row.poll(token="", device=by),
    ],
    ids=["accept", "cancel", "reset", "group", "poll"],
)
def test_whoever_looked_it_up_before_finds_it_gone(make_registration, globex, admin, operator, act):
    registration = make_registration(stage=Stage.PENDING)
    stale = fresh(registration)
    registration.move_to(globex, by=admin)
    with pytest.raises(Registration.DoesNotExist):
        act(stale, operator)
    assert happened(globex, registration.device_id) == ["moved-in"]


def test_decision_leaves_out_what_moved_meanwhile(make_registration, acme, globex, admin, operator):
    rows = [make_registration(f"d-{number}", stage=Stage.PENDING) for number in range(2)]
    decision = BulkDecision.about(
        Registration.objects.for_tenant(acme),
        BulkDecision.Action.REMOVE,
        tenant=acme,
        by=operator,
        hand_picked=True,
    )
    rows[0].move_to(globex, by=admin)
    decision.carry_out(by=operator)
    found = {item.device_id: item.outcome for item in decision.items.all()}
    assert found == {"d-0": "moved", "d-1": "done"}
    assert fresh(rows[0]).tenant == globex


# --- At the same moment -----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", range(4))
def test_move_and_acceptance_at_once_never_let_in_for_the_wrong_tenant(
    _, make_registration, acme, globex, admin, operator
):
    registration = make_registration("press-7", stage=Stage.PENDING)
    moved, accepted = at_once(
        partial(fresh(registration).move_to, globex, by=admin),
        partial(fresh(registration).accept, by=operator),
    )
    registration = Registration.objects.get()
    if moved is None:
        assert isinstance(accepted, Registration.DoesNotExist)
        assert (registration.tenant, registration.status) == (globex, "PENDING_ACCEPTANCE")
    else:
        assert isinstance(moved, MoveRefusedError)
        assert (accepted, registration.tenant, registration.status) == (None, acme, "ACCEPTED")
    acme.refresh_from_db()
    globex.refresh_from_db()
    assert (acme.device_count, globex.device_count) == (int(moved is not None), 0)
    assert (tally(acme), tally(globex)) == (recount(acme), recount(globex))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", range(4))
def test_move_poll_and_cancel_at_once_agree_in_the_end(
    _, make_registration, acme, globex, admin, operator
):
    registration = make_registration("press-7")
    results = at_once(
        partial(fresh(registration).move_to, globex, by=admin),
        partial(knock, fresh(registration)),
        partial(fresh(registration).remove, by=operator),
        partial(fresh(registration).move_to, globex, by=admin),
    )
    wins = Counter(result is None for result in results[::2] + results[3:])
    assert wins[True] == 1  # one of the moves, or the cancelling
    assert all(
        isinstance(one, Registration.DoesNotExist | Status | MoveRefusedError | None)
        for one in results
    )
    assert Registration.objects.count() == int(results[2] is not None)
    assert (tally(acme), tally(globex)) == (recount(acme), recount(globex))


@pytest.mark.django_db(transaction=True)
def test_decision_and_moves_at_once_agree_in_the_end(
    make_registration, acme, globex, management, admin, operator
):
    rows = [make_registration(f"d-{number}", stage=Stage.PENDING) for number in range(12)]

    def accept_all(tenant):
        BulkDecision.about(
            Registration.objects.for_tenant(tenant),
            BulkDecision.Action.ACCEPT,
            tenant=tenant,
            by=operator,
            hand_picked=False,
        ).carry_out(by=operator)

    results = at_once(
        partial(accept_all, acme),
        partial(accept_all, management),
        partial(accept_all, globex),
        *[partial(fresh(row).move_to, globex, by=admin) for row in rows[::2]],
    )
    assert all(isinstance(one, MoveRefusedError | AlreadyAcceptedError | None) for one in results)
    for tenant in (acme, globex):
        tenant.refresh_from_db()
        accepted = Registration.objects.filter(tenant=tenant, status="ACCEPTED")
        assert tenant.device_count == accepted.count()
        assert tally(tenant) == recount(tenant)
