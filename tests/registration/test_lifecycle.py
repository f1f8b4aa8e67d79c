"""The rules of letting in, without a database: every row of the manual's tables."""

from datetime import UTC, datetime, timedelta

import pytest

from registration.errors import TransitionError
from registration.lifecycle import (
    TRANSITIONS,
    Stage,
    Status,
    TokenPolicy,
    check_transition,
    is_handover_open,
    needs_own_acceptance,
    stage_of,
    status_on_accept,
    status_on_connect,
)

WAITING, PENDING, ACCEPTED, BLOCKED = (
    Status.WAITING_FOR_CONNECTION,
    Status.PENDING_ACCEPTANCE,
    Status.ACCEPTED,
    Status.BLOCKED,
)
IGNORED, OPTIONAL, REQUIRED = TokenPolicy.IGNORED, TokenPolicy.OPTIONAL, TokenPolicy.REQUIRED
NOON = datetime(2026, 3, 19, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("policy", "sends_token", "leads_to"),
    [
        pytest.param(IGNORED, False, PENDING, id="ignored-without-token"),
        pytest.param(IGNORED, True, PENDING, id="ignored-with-token"),
        pytest.param(OPTIONAL, False, PENDING, id="optional-without-token"),
        pytest.param(OPTIONAL, True, PENDING, id="optional-with-token"),
        pytest.param(REQUIRED, False, BLOCKED, id="required-without-token"),
        pytest.param(REQUIRED, True, PENDING, id="required-with-token"),
    ],
)
def test_first_knock_leads_where_the_policy_says(policy, sends_token, leads_to):
    assert status_on_connect(policy, sends_token=sends_token) is leads_to


@pytest.mark.parametrize(
    ("policy", "token_matches", "attempts_left", "leads_to"),
    [
        pytest.param(IGNORED, None, 3, ACCEPTED, id="ignored-device-sent-none"),
        pytest.param(IGNORED, True, 3, ACCEPTED, id="ignored-same-token"),
        pytest.param(IGNORED, False, 3, ACCEPTED, id="ignored-wrong-token"),
        pytest.param(IGNORED, False, 1, ACCEPTED, id="ignored-wrong-token-last-attempt"),
        pytest.param(OPTIONAL, None, 3, ACCEPTED, id="optional-device-sent-none"),
        pytest.param(OPTIONAL, True, 1, ACCEPTED, id="optional-same-token"),
        pytest.param(OPTIONAL, False, 3, PENDING, id="optional-wrong-token"),
        pytest.param(OPTIONAL, False, 2, PENDING, id="optional-wrong-token-one-more-left"),
        pytest.param(OPTIONAL, False, 1, BLOCKED, id="optional-wrong-token-last-attempt"),
        pytest.param(REQUIRED, None, 3, BLOCKED, id="required-device-sent-none"),
        pytest.param(REQUIRED, True, 1, ACCEPTED, id="required-same-token"),
        pytest.param(REQUIRED, False, 3, PENDING, id="required-wrong-token"),
        pytest.param(REQUIRED, False, 1, BLOCKED, id="required-wrong-token-last-attempt"),
        pytest.param(REQUIRED, False, 0, BLOCKED, id="required-wrong-token-after-the-last"),
    ],
)
def test_attempt_to_accept_leads_where_the_policy_says(
    policy, token_matches, attempts_left, leads_to
):
    target = status_on_accept(policy, token_matches=token_matches, attempts_left=attempts_left)
    assert target is leads_to


@pytest.mark.parametrize(
    ("policy", "sends_token", "hand_picked", "alone"),
    [
        pytest.param(IGNORED, False, False, False, id="ignored-none-all"),
        pytest.param(IGNORED, True, False, True, id="ignored-token-all"),
        pytest.param(IGNORED, True, True, False, id="ignored-token-hand-picked"),
        pytest.param(OPTIONAL, False, False, False, id="optional-none-all"),
        pytest.param(OPTIONAL, True, False, True, id="optional-token-all"),
        pytest.param(OPTIONAL, True, True, True, id="optional-token-hand-picked"),
        pytest.param(REQUIRED, False, False, True, id="required-none-all"),
        pytest.param(REQUIRED, False, True, True, id="required-none-hand-picked"),
        pytest.param(REQUIRED, True, True, True, id="required-token-hand-picked"),
    ],
)
def test_device_that_sent_a_token_is_accepted_by_itself(policy, sends_token, hand_picked, alone):
    answer = needs_own_acceptance(policy, sends_token=sends_token, hand_picked=hand_picked)
    assert answer is alone


@pytest.mark.parametrize("target", Status, ids=lambda status: f"to-{status}")
@pytest.mark.parametrize("current", Status, ids=lambda status: f"from-{status}")
def test_only_steps_of_the_life_cycle_can_be_taken(current, target):
    if target in TRANSITIONS[current]:
        check_transition("4711", current, target)
    else:
        with pytest.raises(TransitionError):
            check_transition("4711", current, target)


def test_refused_acceptance_says_from_where_it_could_have_been_reached():
    with pytest.raises(TransitionError) as refusal:
        check_transition("4711", WAITING, ACCEPTED)
    assert (refusal.value.status, refusal.value.needed) == (WAITING, PENDING)
    assert str(refusal.value) == (
        'Device registration request with ID "4711" is in state "Waiting for connection", '
        'not "Pending acceptance".'
    )


def test_accepted_is_final_for_the_contract():
    assert TRANSITIONS[ACCEPTED] == frozenset()


@pytest.mark.parametrize(
    ("status", "delivered_at", "confirmed_at", "stage"),
    [
        pytest.param(WAITING, None, None, Stage.WAITING, id="waiting"),
        pytest.param(PENDING, None, None, Stage.PENDING, id="pending"),
        pytest.param(BLOCKED, None, None, Stage.BLOCKED, id="blocked"),
        pytest.param(ACCEPTED, None, None, Stage.ACCEPTED, id="accepted"),
        pytest.param(ACCEPTED, NOON, None, Stage.DELIVERED, id="delivered"),
        pytest.param(ACCEPTED, NOON, NOON, Stage.CONFIRMED, id="confirmed"),
    ],
)
def test_people_see_where_the_hand_over_stands(status, delivered_at, confirmed_at, stage):
    assert stage_of(status, delivered_at, confirmed_at) is stage


@pytest.mark.parametrize(
    ("delivered_at", "confirmed_at", "now", "is_open"),
    [
        pytest.param(None, None, NOON, True, id="not-fetched-yet"),
        pytest.param(NOON, None, NOON, True, id="just-delivered"),
        pytest.param(NOON, None, NOON + DAY - timedelta(seconds=1), True, id="a-second-before"),
        pytest.param(NOON, None, NOON + DAY, False, id="at-the-limit"),
        pytest.param(NOON, NOON, NOON, False, id="confirmed"),
    ],
)
def test_hand_over_is_open_until_the_limit_or_the_first_login(
    delivered_at, confirmed_at, now, is_open
):
    answer = is_handover_open(
        delivered_at=delivered_at, confirmed_at=confirmed_at, now=now, limit=DAY
    )
    assert answer is is_open
