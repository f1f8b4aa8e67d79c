"""Deciding about many: what was seen is what is done."""

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from inventory.models import DeviceCredentials
from registration.lifecycle import Stage
from registration.models import BulkDecision, Registration, RegistrationEvent
from registration.models.decisions import Outcome
from tests.support import events_of, kinds, knock, recount, tally

ACCEPT, REMOVE = BulkDecision.Action.ACCEPT, BulkDecision.Action.REMOVE


@pytest.fixture
def decide(acme, operator):
    """Freeze what a tenant sees, or ``rows`` of it."""

    def about(action=ACCEPT, rows=None, *, tenant=acme, hand_picked=False):
        seen = Registration.objects.for_tenant(tenant)
        if rows is not None:
            seen = seen.filter(pk__in=[row.pk for row in rows])
        return BulkDecision.about(seen, action, tenant=tenant, by=operator, hand_picked=hand_picked)

    return about


def outcomes(decision):
    return {item.device_id: item.outcome for item in decision.items.all()}


def test_preview_says_of_each_what_would_become_of_it_and_changes_nothing(
    make_registration, decide, management
):
    make_registration("plain", stage=Stage.PENDING)
    make_registration("token", stage=Stage.PENDING, token="s3cret")
    make_registration("waiting")
    make_registration("blocked", stage=Stage.BLOCKED)
    before = recount(management)
    assert outcomes(decide()) == {
        "plain": Outcome.OPEN,
        "token": Outcome.TOKEN,
        "waiting": Outcome.STATE,
        "blocked": Outcome.STATE,
    }
    assert recount(management) == before
    assert not RegistrationEvent.objects.filter(kind="accepted").exists()


def test_acceptance_is_carried_out_once_for_each_that_can_be(
    make_registration, decide, operator, acme
):
    plain = [make_registration(stage=Stage.PENDING) for _ in range(3)]
    token = make_registration("token", stage=Stage.PENDING, token="s3cret")
    decision = decide()
    assert decision.carry_out(by=operator) is True
    assert Counter(outcomes(decision).values()) == {Outcome.DONE: 3, Outcome.TOKEN: 1}
    for row in plain:
        row.refresh_from_db()
        assert row.stage is Stage.ACCEPTED
        assert row.accepted_at is not None
        event = events_of(row)[-1]
        assert (event.kind, event.from_status, event.to_status) == (
            "accepted",
            "PENDING_ACCEPTANCE",
            "ACCEPTED",
        )
        assert (event.actor, event.actor_name) == (operator.user, "operator")
        assert (event.source, event.request_id) == (operator.source, operator.request_id)
    token.refresh_from_db()
    assert token.stage is Stage.PENDING
    assert token.failed_attempts == 0
    assert tally(acme) == recount(acme)
    assert len(knock(plain[0])) == 32


def test_second_click_does_nothing(make_registration, decide, operator):
    row = make_registration(stage=Stage.PENDING)
    decision = decide()
    same = BulkDecision.objects.get(pk=decision.pk)
    assert decision.carry_out(by=operator) is True
    assert same.carry_out(by=operator) is False
    assert same.decided_at is not None
    assert kinds(row).count("accepted") == 1


def test_device_that_knocks_after_the_preview_is_not_swept_in(make_registration, decide, operator):
    seen = make_registration("seen", stage=Stage.PENDING)
    decision = decide()
    late = make_registration("late", stage=Stage.PENDING)
    decision.carry_out(by=operator)
    seen.refresh_from_db()
    late.refresh_from_db()
    assert (seen.stage, late.stage) == (Stage.ACCEPTED, Stage.PENDING)


def test_namesake_registered_after_the_preview_is_not_swept_in(make_registration, decide, operator):
    make_registration("4711", stage=Stage.PENDING).remove(by=operator)
    first = make_registration("4711", stage=Stage.PENDING)
    decision = decide()
    first.remove(by=operator)
    second = make_registration("4711", stage=Stage.PENDING)
    decision.carry_out(by=operator)
    assert outcomes(decision) == {"4711": Outcome.GONE}
    second.refresh_from_db()
    assert second.stage is Stage.PENDING


def test_what_changed_since_the_preview_gets_its_reason(
    make_registration, decide, operator, acme, set_policy
):
    gone, accepted, reset, token, _fine = (
        make_registration(name, stage=Stage.PENDING)
        for name in ("gone", "accepted", "reset", "token", "fine")
    )
    decision = decide()
    gone.remove(by=operator)
    accepted.accept(by=operator)
    reset.reset(by=operator)
    token.reset(by=operator)
    knock(token, "s3cret")
    decision.carry_out(by=operator)
    assert outcomes(decision) == {
        "gone": Outcome.GONE,
        "accepted": Outcome.STATE,
        "reset": Outcome.STATE,
        "token": Outcome.TOKEN,
        "fine": Outcome.DONE,
    }
    assert kinds(accepted).count("accepted") == 1


def test_what_was_impossible_in_the_preview_is_left_alone(make_registration, decide, operator):
    row = make_registration("late")
    decision = decide()
    knock(row)
    decision.carry_out(by=operator)
    assert outcomes(decision) == {"late": Outcome.STATE}
    row.refresh_from_db()
    assert row.stage is Stage.PENDING


def test_required_policy_accepts_nothing_together(
    make_registration, decide, operator, acme, globex, management, set_policy
):
    make_registration("no-token", stage=Stage.PENDING)
    make_registration("elsewhere", tenant=globex, stage=Stage.PENDING)
    set_policy(acme, "REQUIRED")
    make_registration("token", stage=Stage.PENDING, token="s3cret")
    decision = decide(tenant=management)
    decision.carry_out(by=operator)
    assert outcomes(decision) == {
        "no-token": Outcome.POLICY,
        "token": Outcome.TOKEN,
        "elsewhere": Outcome.DONE,
    }
    # Nobody is blocked by a decision about many.
    assert recount(acme) == {Stage.PENDING: 2}


@pytest.mark.parametrize(
    ("policy", "hand_picked", "outcome"),
    [
        pytest.param("IGNORED", True, Outcome.DONE, id="ignored-hand-picked"),
        pytest.param("IGNORED", False, Outcome.TOKEN, id="ignored-all"),
        pytest.param("OPTIONAL", True, Outcome.TOKEN, id="optional-hand-picked"),
        pytest.param("REQUIRED", True, Outcome.TOKEN, id="required-hand-picked"),
    ],
)
def test_device_with_token_comes_along_only_when_picked_where_tokens_are_ignored(
    policy, hand_picked, outcome, acme, set_policy, make_registration, decide, operator
):
    set_policy(acme, policy)
    row = make_registration("token", stage=Stage.PENDING, token="s3cret")
    decision = decide(rows=[row], hand_picked=hand_picked)
    decision.carry_out(by=operator)
    assert outcomes(decision) == {"token": outcome}


def test_hand_picked_freedom_is_each_tenants_own(
    make_registration, decide, operator, acme, globex, management, set_policy
):
    set_policy(acme, "IGNORED")
    rows = [
        make_registration("free", stage=Stage.PENDING, token="s3cret"),
        make_registration("strict", tenant=globex, stage=Stage.PENDING, token="s3cret"),
    ]
    decision = decide(rows=rows, tenant=management, hand_picked=True)
    decision.carry_out(by=operator)
    assert outcomes(decision) == {"free": Outcome.DONE, "strict": Outcome.TOKEN}


def test_decision_of_a_tenant_reaches_no_other(make_registration, decide, operator, globex):
    make_registration("ours", stage=Stage.PENDING)
    theirs = make_registration("theirs", tenant=globex, stage=Stage.PENDING)
    decision = decide()
    decision.carry_out(by=operator)
    assert outcomes(decision) == {"ours": Outcome.DONE}
    theirs.refresh_from_db()
    assert theirs.stage is Stage.PENDING


def test_removal_takes_every_stage_and_revokes_what_was_never_used(
    make_registration, decide, operator, acme
):
    rows = {stage: make_registration(str(stage), stage=stage) for stage in Stage}
    rows["reopened"] = make_registration("reopened", stage=Stage.DELIVERED)
    rows["reopened"].hand_over_again(by=operator)
    DeviceCredentials.objects.filter(device_id="confirmed").update(
        first_login_at=rows[Stage.CONFIRMED].created_at
    )
    decision = decide(REMOVE)
    assert decision.carry_out(by=operator) is True
    assert set(outcomes(decision).values()) == {Outcome.DONE}
    assert not Registration.objects.exists()
    assert tally(acme) == {}
    assert [row.device_id for row in DeviceCredentials.objects.all()] == ["confirmed"]
    for row in rows.values():
        event = events_of(row)[-1]
        assert (event.kind, event.to_status) == ("removed", "")
        assert event.from_status == row.status


def test_removal_says_what_is_gone_already(make_registration, decide, operator):
    row = make_registration("gone")
    decision = decide(REMOVE)
    row.remove(by=operator)
    decision.carry_out(by=operator)
    assert outcomes(decision) == {"gone": Outcome.GONE}


def test_decision_about_nothing_is_a_decision(decide, operator, make_registration):
    make_registration()
    decision = decide(rows=[])
    assert decision.carry_out(by=operator) is True
    assert outcomes(decision) == {}


def test_decision_about_many_is_a_handful_of_statements(
    make_registration, decide, operator, django_assert_max_num_queries
):
    for _ in range(30):
        make_registration(stage=Stage.PENDING)
    with django_assert_max_num_queries(44):
        decide().carry_out(by=operator)
    assert not Registration.objects.exclude(status="ACCEPTED").exists()


def test_confirmation_between_preview_and_removal_keeps_the_device_in(
    make_registration, decide, operator, api
):
    row = make_registration("4711", stage=Stage.ACCEPTED)
    password = knock(row)
    decision = decide(REMOVE)
    assert api("acme/device_4711", password).get("/user/currentUser").status_code == 200
    decision.carry_out(by=operator)
    assert api("acme/device_4711", password).get("/user/currentUser").status_code == 200


def test_preview_that_was_left_behind_goes_and_one_in_another_tab_stays(
    make_registration, decide, operator
):
    make_registration("plain", stage=Stage.PENDING)
    decided, left_behind = decide(), decide()
    decided.carry_out(by=operator)
    BulkDecision.objects.update(created_at=timezone.now() - timedelta(minutes=61))
    in_another_tab, newest = decide(), decide()
    assert set(BulkDecision.objects.all()) == {decided, in_another_tab, newest}
    assert left_behind not in BulkDecision.objects.all()
