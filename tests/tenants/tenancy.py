"""What the tests of tenants share."""

from datetime import UTC, datetime

from tenants.models import AuditRecord
from tenants.subtenants import Administrator

NEVER = datetime(2999, 1, 1, tzinfo=UTC)
ADMIN = Administrator("admin", "Jo Doe", "jo@umbrella.example")


def told(tenant_id):
    return list(
        AuditRecord.objects.filter(tenant_id=tenant_id)
        .order_by("pk")
        .values_list("activity", flat=True)
    )


def changes_of(tenant_id, activity):
    record = AuditRecord.objects.filter(tenant_id=tenant_id, activity=activity).latest("pk")
    return {one["attribute"]: (one["previousValue"], one["newValue"]) for one in record.changes}
