"""The life of a registration: what leads where, as pure functions.

Source: Cumulocity REST, new device requests and the security token policy.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import models

from registration.errors import TransitionError


class Status(models.TextChoices):
    """Where a registration stands, by the contract's words."""

    WAITING_FOR_CONNECTION = "WAITING_FOR_CONNECTION", "Waiting for connection"
    PENDING_ACCEPTANCE = "PENDING_ACCEPTANCE", "Pending acceptance"
    ACCEPTED = "ACCEPTED", "Accepted"
    BLOCKED = "BLOCKED", "Blocked"


class Stage(models.TextChoices):
    """Where a registration stands for people: accepted is not the end.

    The contract knows only ACCEPTED for the last three.
    """

    WAITING = "waiting", "Waiting for connection"
    PENDING = "pending", "Pending acceptance"
    ACCEPTED = "accepted", "Accepted"
    DELIVERED = "delivered", "Delivered"
    CONFIRMED = "confirmed", "Confirmed"
    BLOCKED = "blocked", "Blocked"


class TokenPolicy(models.TextChoices):
    """Whether a device must prove that it is the one the operator holds in hands."""

    IGNORED = "IGNORED", "Ignored"
    OPTIONAL = "OPTIONAL", "Optional"
    REQUIRED = "REQUIRED", "Required"


TRANSITIONS: Final[Mapping[Status, frozenset[Status]]] = {
    Status.WAITING_FOR_CONNECTION: frozenset({Status.PENDING_ACCEPTANCE, Status.BLOCKED}),
    Status.PENDING_ACCEPTANCE: frozenset(
        {Status.ACCEPTED, Status.BLOCKED, Status.WAITING_FOR_CONNECTION}
    ),
    Status.ACCEPTED: frozenset(),
    Status.BLOCKED: frozenset({Status.WAITING_FOR_CONNECTION}),  # unblocked, with a reason
}


def check_transition(device_id: str, current: Status, target: Status) -> None:
    """Refuse a step that the life of a registration does not have.

    Raises:
        TransitionError: naming the status from which ``target`` could have been reached.
    """
    if target in TRANSITIONS[current]:
        return
    needed = {
        Status.ACCEPTED: Status.PENDING_ACCEPTANCE,
        Status.WAITING_FOR_CONNECTION: Status.BLOCKED,
    }.get(target, Status.WAITING_FOR_CONNECTION)
    raise TransitionError(device_id, current, needed)


def status_on_connect(policy: TokenPolicy, *, sends_token: bool) -> Status:
    """Return where a device's first connection leads."""
    if policy is TokenPolicy.REQUIRED and not sends_token:
        return Status.BLOCKED
    return Status.PENDING_ACCEPTANCE


def status_on_accept(
    policy: TokenPolicy, *, token_matches: bool | None, attempts_left: int
) -> Status:
    """Return where an attempt to accept leads.

    ``token_matches`` is None when the device sent no token, else whether the operator's is the
    same one; a missing one is a wrong one. ``attempts_left`` counts this attempt.
    """
    if policy is TokenPolicy.IGNORED:
        return Status.ACCEPTED
    if token_matches is None:
        return Status.BLOCKED if policy is TokenPolicy.REQUIRED else Status.ACCEPTED
    if token_matches:
        return Status.ACCEPTED
    return Status.PENDING_ACCEPTANCE if attempts_left > 1 else Status.BLOCKED


def needs_own_acceptance(
    policy: TokenPolicy, *, sends_token: bool, hand_picked: bool = False
) -> bool:
    """Say whether a pending registration cannot be accepted together with others.

    A device that sent a token is accepted by itself, under every policy; only an operator who
    picked the rows by hand may take it along where tokens are ignored anyway. A device that
    sent none cannot be accepted at all where one is required.
    """
    if sends_token:
        return not (hand_picked and policy is TokenPolicy.IGNORED)
    return policy is TokenPolicy.REQUIRED


def may_accept_by_itself(policy: TokenPolicy) -> bool:
    """Say whether the rule of a device type may accept devices in an operator's place.

    Where a token is required, a person has to prove to hold the device; no key stands in for that.
    """
    return policy is not TokenPolicy.REQUIRED


def stage_of(status: Status, delivered_at: datetime | None, confirmed_at: datetime | None) -> Stage:
    """Return where a registration stands for people."""
    if status is Status.ACCEPTED:
        if confirmed_at:
            return Stage.CONFIRMED
        return Stage.DELIVERED if delivered_at else Stage.ACCEPTED
    return {
        Status.WAITING_FOR_CONNECTION: Stage.WAITING,
        Status.PENDING_ACCEPTANCE: Stage.PENDING,
        Status.BLOCKED: Stage.BLOCKED,
    }[status]


def is_handover_open(
    *,
    delivered_at: datetime | None,
    confirmed_at: datetime | None,
    now: datetime,
    limit: timedelta,
) -> bool:
    """Say whether an accepted device may fetch its credentials, for the first time or again."""
    if confirmed_at is not None:
        return False
    return delivered_at is None or now < delivered_at + limit
