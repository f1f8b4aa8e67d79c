"""History: one event for every step, written with the step or not at all."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from registration.lifecycle import Stage
from registration.models import Registration, RegistrationEvent
from tests.support import DEVICE, REQUESTS, events_of, kinds, knock, request_path, total_of_tally

WAITING = "WAITING_FOR_CONNECTION"


def step(stage, kind, action, *, actor=None, to_status=""):
    """Return a row of the table below; without an actor the operator acts."""
    return pytest.param(stage, action, kind, actor, to_status, id=f"{stage}-{kind}")


STEPS = [
    step(
        Stage.WAITING,
        "connected",
        lambda row, by: knock(row),
        actor=DEVICE,
        to_status="PENDING_ACCEPTANCE",
    ),
    step(Stage.PENDING, "accepted", lambda row, by: row.accept(by=by), to_status="ACCEPTED"),
    step(Stage.PENDING, "reset", lambda row, by: row.reset(by=by), to_status=WAITING),
    step(Stage.ACCEPTED, "delivered", lambda row, by: knock(row), actor=DEVICE),
    step(Stage.DELIVERED, "delivered-again", lambda row, by: knock(row), actor=DEVICE),
    step(Stage.DELIVERED, "confirmed", lambda row, by: row.confirm(device=DEVICE), actor=DEVICE),
    step(Stage.DELIVERED, "handover-reopened", lambda row, by: row.hand_over_again(by=by)),
    step(
        Stage.BLOCKED,
        "unblocked",
        lambda row, by: row.unblock(by=by, reason="Seen."),
        to_status=WAITING,
    ),
    step(Stage.WAITING, "removed", lambda row, by: row.remove(by=by)),
    step(Stage.CONFIRMED, "removed", lambda row, by: row.remove(by=by)),
]


@pytest.mark.parametrize(("stage", "action", "kind", "actor", "to_status"), STEPS)
def test_step_writes_exactly_one_event_that_says_who_what_when_and_from_where(
    stage, action, kind, actor, to_status, make_registration, operator
):
    registration = make_registration(stage=stage)
    before = len(events_of(registration))
    status = registration.status
    action(registration, operator)
    (event,) = events_of(registration)[before:]
    actor = actor or operator
    assert event.kind == kind
    assert (event.tenant_id, event.device_id) == ("acme", registration.device_id)
    assert (event.actor_name, event.actor) == (actor.name, actor.user)
    assert (event.source, event.request_id) == (actor.source, actor.request_id)
    assert event.to_status == to_status
    assert event.from_status == (status if to_status or kind == "removed" else "")
    assert timezone.now() - event.at < timedelta(minutes=5)


@pytest.mark.parametrize(("stage", "action", "kind", "actor", "to_status"), STEPS)
def test_step_that_is_undone_leaves_neither_change_nor_event(
    stage, action, kind, actor, to_status, make_registration, operator
):
    registration = make_registration(stage=stage)
    row = Registration.objects.filter(pk=registration.pk).values()
    state, events, tally = row.get(), kinds(registration), total_of_tally()
    pk = registration.pk

    with transaction.atomic():
        action(registration, operator)
        transaction.set_rollback(True)
    registration.pk = pk
    assert Registration.objects.filter(pk=pk).values().get() == state
    assert kinds(registration) == events
    assert total_of_tally() == tally


def test_registering_writes_the_event_with_the_row(make_registration, operator, acme):
    with transaction.atomic():
        make_registration("4711")
        transaction.set_rollback(True)
    assert not Registration.objects.exists()
    assert not RegistrationEvent.objects.exists()
    registration = make_registration("4711")
    assert kinds(registration) == ["registered"]


def test_event_carries_the_request_that_caused_it(api, make_registration):
    registration = make_registration(stage=Stage.PENDING)
    answer = api("acme/operator").put(
        request_path(registration.device_id), {"status": "ACCEPTED"}, X_Request_ID="ticket-4711-a"
    )
    assert answer["X-Request-ID"] == "ticket-4711-a"
    event = events_of(registration)[-1]
    assert (event.kind, event.request_id) == ("accepted", "ticket-4711-a")
    assert (event.actor_name, event.source) == ("operator", "127.0.0.1")


def test_every_request_gets_a_name_of_its_own(api):
    one, other = (api("acme/operator").post(REQUESTS, {"id": name}) for name in "ab")
    assert one["X-Request-ID"] != other["X-Request-ID"]
    assert {event.request_id for event in RegistrationEvent.objects.all()} == {
        one["X-Request-ID"],
        other["X-Request-ID"],
    }


@pytest.mark.parametrize("offered", ["short", "x" * 65, "with blanks inside", "<script>alert"])
def test_name_offered_for_a_request_is_taken_only_if_harmless(offered, api):
    answer = api("acme/operator").post(REQUESTS, {"id": "a"}, X_Request_ID=offered)
    assert answer["X-Request-ID"] != offered


def test_history_survives_the_registration_and_the_person(make_registration, operator):
    registration = make_registration(stage=Stage.PENDING)
    registration.remove(by=operator)
    operator.user.delete()
    assert kinds(registration) == ["registered", "connected", "removed"]
    assert events_of(registration)[-1].actor is None
    assert events_of(registration)[-1].actor_name == "operator"


def test_history_belongs_to_the_tenant(make_registration, acme, globex, management):
    make_registration("ours")
    make_registration("theirs", tenant=globex)
    seen = {
        tenant.id: set(
            RegistrationEvent.objects.for_tenant(tenant).values_list("device_id", flat=True)
        )
        for tenant in (acme, globex, management)
    }
    assert seen == {"acme": {"ours"}, "globex": {"theirs"}, "management": {"ours", "theirs"}}
