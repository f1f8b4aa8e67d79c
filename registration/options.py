"""The tenant options that decide how devices get in."""

from collections.abc import Iterable
from datetime import timedelta

from registration.lifecycle import TokenPolicy
from tenants.models import Tenant
from tenants.options import Option

CATEGORY = "device-registration"

TOKEN_POLICY = Option(
    CATEGORY,
    "security-token.policy",
    default=TokenPolicy.OPTIONAL.value,
    label="Security token policy",
    help="Whether a device proves by a token that it is the one you mean.",
    choices=tuple(TokenPolicy.values),
)
HANDOVER_HOURS = Option(
    CATEGORY,
    "handover.time-limit.hours",
    default="24",
    label="Time limit of the hand-over",
    help="For how many hours after delivery a device may fetch its credentials again.",
    minimum=1,
    maximum=24 * 365,
)
ALL = (TOKEN_POLICY, HANDOVER_HOURS)


def token_policy(tenant: Tenant) -> TokenPolicy:
    """Return the security token policy in force for ``tenant``."""
    return TokenPolicy(TOKEN_POLICY.value_for(tenant))


def token_policies(tenants: Iterable[Tenant]) -> dict[str, TokenPolicy]:
    """Return the policy in force for each of ``tenants``, by their ids."""
    return {
        tenant_id: TokenPolicy(value)
        for tenant_id, value in TOKEN_POLICY.values_for(tenants).items()
    }


def handover_limit(tenant: Tenant) -> timedelta:
    """Return how long after delivery a device may fetch its credentials again."""
    return timedelta(hours=int(HANDOVER_HOURS.value_for(tenant)))
