"""The security token policy on registrations: what is let in, what counts, what blocks."""

import pytest

from registration.errors import (
    BlockedError,
    ReasonMissingError,
    TokenMismatchError,
    TokenRequiredError,
    TransitionError,
)
from registration.lifecycle import Stage, Status
from registration.models import Registration
from registration.options import token_policy
from tests.support import kinds, knock

RIGHT, WRONG = "s3cret", "guess"


@pytest.mark.parametrize(
    ("policy", "sent", "given"),
    [
        pytest.param("IGNORED", "", "", id="ignored-none-none"),
        pytest.param("IGNORED", "", WRONG, id="ignored-none-anything"),
        pytest.param("IGNORED", RIGHT, "", id="ignored-token-none"),
        pytest.param("IGNORED", RIGHT, WRONG, id="ignored-token-wrong"),
        pytest.param("OPTIONAL", "", "", id="optional-none-none"),
        pytest.param("OPTIONAL", "", WRONG, id="optional-none-anything"),
        pytest.param("OPTIONAL", RIGHT, RIGHT, id="optional-token-same"),
        pytest.param("REQUIRED", RIGHT, RIGHT, id="required-token-same"),
    ],
)
def test_device_is_accepted(policy, sent, given, acme, set_policy, operator, make_registration):
    set_policy(acme, policy)
    registration = make_registration()
    knock(registration, sent)
    registration.accept(by=operator, token=given)
    registration.refresh_from_db()
    assert registration.status == Status.ACCEPTED
    assert registration.failed_attempts == 0
    assert len(knock(registration, sent)) == 32


@pytest.mark.parametrize("given", [WRONG, "", RIGHT + " ", RIGHT.upper()])
@pytest.mark.parametrize("policy", ["OPTIONAL", "REQUIRED"])
def test_wrong_or_missing_token_is_counted_and_finally_blocks(
    policy, given, acme, set_policy, operator, make_registration
):
    set_policy(acme, policy)
    registration = make_registration(stage=Stage.PENDING, token=RIGHT)
    for left in (2, 1):
        with pytest.raises(TokenMismatchError, match=f"{left} attempt"):
            registration.accept(by=operator, token=given)
        registration.refresh_from_db()
        assert (registration.status, registration.attempts_left) == ("PENDING_ACCEPTANCE", left)
    with pytest.raises(BlockedError):
        registration.accept(by=operator, token=given)
    registration.refresh_from_db()
    assert (registration.status, registration.failed_attempts) == ("BLOCKED", 3)
    assert kinds(registration)[2:] == ["token-rejected"] * 3 + ["blocked"]


def test_failed_attempt_is_counted_even_though_it_raises(make_registration, operator):
    registration = make_registration(stage=Stage.PENDING, token=RIGHT)
    with pytest.raises(TokenMismatchError):
        registration.accept(by=operator, token=WRONG)
    registration.refresh_from_db()
    assert registration.failed_attempts == 1


def test_right_token_after_wrong_ones_still_lets_in(make_registration, operator):
    registration = make_registration(stage=Stage.PENDING, token=RIGHT)
    for _ in range(2):
        with pytest.raises(TokenMismatchError):
            registration.accept(by=operator, token=WRONG)
    registration.accept(by=operator, token=RIGHT)
    assert registration.stage is Stage.ACCEPTED


def test_blocked_registration_refuses_even_the_right_token(make_registration, operator):
    registration = make_registration(stage=Stage.BLOCKED)
    with pytest.raises(TransitionError):
        registration.accept(by=operator, token="the right one")
    assert knock(registration, "the right one") is Status.BLOCKED
    registration.refresh_from_db()
    assert registration.status == Status.BLOCKED


def test_required_policy_blocks_a_device_that_knocks_without_token(
    acme, set_policy, make_registration, operator
):
    set_policy(acme, "REQUIRED")
    registration = make_registration()
    assert knock(registration) is Status.BLOCKED
    # A second knock with a token comes too late.
    assert knock(registration, RIGHT) is Status.BLOCKED
    assert kinds(registration) == ["registered", "blocked"]
    with pytest.raises(TransitionError):
        registration.accept(by=operator)


def test_policy_in_force_at_acceptance_counts(acme, set_policy, make_registration, operator):
    registration = make_registration(stage=Stage.PENDING)
    set_policy(acme, "REQUIRED")
    with pytest.raises(TokenRequiredError):
        registration.accept(by=operator)
    registration.refresh_from_db()
    assert registration.status == Status.BLOCKED
    assert registration.failed_attempts == 0


def test_number_of_attempts_is_a_setting(settings, make_registration, operator):
    settings.MAX_TOKEN_ATTEMPTS = 1
    registration = make_registration(stage=Stage.PENDING, token=RIGHT)
    with pytest.raises(BlockedError):
        registration.accept(by=operator, token=WRONG)


def test_policy_is_optional_unless_somebody_decides(acme, globex):
    assert token_policy(acme) == token_policy(globex) == "OPTIONAL"


def test_policy_is_inherited_from_the_parent_tenant(acme, globex, management, set_policy):
    set_policy(management, "REQUIRED")
    set_policy(globex, "IGNORED")
    assert token_policy(acme) == "REQUIRED"
    assert token_policy(globex) == "IGNORED"


def test_inherited_policy_blocks_a_device_without_token(management, set_policy, make_registration):
    set_policy(management, "REQUIRED")
    assert knock(make_registration()) is Status.BLOCKED


def test_unblocked_registration_starts_over(make_registration, operator):
    registration = make_registration(stage=Stage.BLOCKED)
    registration.unblock(by=operator, reason="  Typing error, the label was dirty.  ")
    registration.refresh_from_db()
    assert (registration.stage, registration.attempts_left) == (Stage.WAITING, 3)
    assert registration.events().last().reason == "Typing error, the label was dirty."
    knock(registration, "a new token")
    registration.accept(by=operator, token="a new token")
    assert registration.stage is Stage.ACCEPTED


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_unblocking_needs_a_reason(reason, make_registration, operator):
    registration = make_registration(stage=Stage.BLOCKED)
    with pytest.raises(ReasonMissingError):
        registration.unblock(by=operator, reason=reason)
    registration.refresh_from_db()
    assert registration.stage is Stage.BLOCKED


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.BLOCKED])
def test_only_a_blocked_registration_can_be_unblocked(stage, make_registration, operator):
    registration = make_registration(stage=stage)
    with pytest.raises(TransitionError):
        registration.unblock(by=operator, reason="Because.")
    registration.refresh_from_db()
    assert registration.stage is stage


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.PENDING])
def test_only_a_pending_registration_can_be_accepted(stage, make_registration, operator):
    registration = make_registration(stage=stage)
    before = len(kinds(registration))
    with pytest.raises(TransitionError):
        registration.accept(by=operator, token="the right one")
    registration.refresh_from_db()
    assert registration.stage is stage
    assert len(kinds(registration)) == before


def test_reset_forgets_the_token_so_that_the_next_knock_counts(make_registration, operator):
    registration = make_registration(stage=Stage.PENDING, token="a stranger's")
    registration.reset(by=operator)
    assert registration.stage is Stage.WAITING
    assert not registration.sends_token
    assert knock(registration, RIGHT) is Status.PENDING_ACCEPTANCE
    registration.accept(by=operator, token=RIGHT)
    assert Registration.objects.get().stage is Stage.ACCEPTED
