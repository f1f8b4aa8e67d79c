"""How many sign-ins failed lately, found in the audit log at a price that stays the same."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Q

from tenants.models import AuditRecord, Tenant
from tenants.models.audit import LOOKED_THROUGH

ACTIVITY: Final = "Sign-in failed"  # as the audit log has it


@dataclass(frozen=True)
class FailedSignInCount:
    """How many there are; at least so many, where not everything was looked through."""

    number: int
    is_capped: bool


def count_failed_sign_ins(tenant: Tenant, since: datetime) -> FailedSignInCount:
    """Count what ``tenant`` may see of them from ``since`` on, among the newest entries."""
    newest = AuditRecord.objects.for_tenant(tenant).between(since, None).order_by("-at", "-pk")
    failed = Q(type=AuditRecord.Type.SIGN_IN, activity=ACTIVITY)
    found = newest[:LOOKED_THROUGH].aggregate(
        failed=Count("pk", filter=failed), looked_at=Count("pk")
    )
    return FailedSignInCount(found["failed"], is_capped=found["looked_at"] == LOOKED_THROUGH)
