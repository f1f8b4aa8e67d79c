"""What happened: one row for every step, written together with the step."""

from typing import Final, Self

from django.db import models
from django.db.models.expressions import RawSQL
from django.utils import timezone

from inventory.fields import DeviceIdField
from registration.models.indexes import EVENT_INDEXES
from tenants import audit
from tenants.actors import Actor
from tenants.models import Tenant, User

# Characters; the user name of a device with the longest ID has a few more, and is cut.
MAX_NAME_LENGTH: Final = 1000


class RegistrationEventQuerySet(models.QuerySet["RegistrationEvent"]):
    """Events are always asked for in the name of a tenant."""

    def of_kind(self, kind: "RegistrationEvent.Kind") -> Self:
        """Narrow to one of the kinds that are counted."""
        # The index holds these kinds only. SQLite uses it when a query says so in its text.
        counted = RawSQL(f"kind IN ({KINDS_AS_SQL})", [], models.BooleanField())  # noqa: S611
        return self.filter(counted, kind=kind)

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to what ``tenant`` may see: its own rows; all, for the management tenant."""
        return self if tenant.is_management else self.filter(tenant=tenant)


class RegistrationEvent(models.Model):
    """One thing that happened to a device ID in a tenant: who, what, when, from where, why.

    Events name the ID rather than point to the registration: they outlive it.
    """

    class Kind(models.TextChoices):
        """What happened, in the past tense."""

        REGISTERED = "registered", "Registered"
        CONNECTED = "connected", "Knocked for the first time"
        CONFLICT = "conflict", "Conflict noticed"
        TOKEN_REJECTED = "token-rejected", "Security token rejected"
        ACCEPTED = "accepted", "Accepted"
        BLOCKED = "blocked", "Blocked"
        UNBLOCKED = "unblocked", "Unblocked"
        RESET = "reset", "Reset"
        DELIVERED = "delivered", "Credentials delivered"
        DELIVERED_AGAIN = "delivered-again", "Credentials delivered again"
        CONFIRMED = "confirmed", "Logged in, hand-over confirmed"
        HANDOVER_REOPENED = "handover-reopened", "Hand-over opened again"
        GROUP_CHANGED = "group-changed", "Group changed"
        REMOVED = "removed", "Registration cancelled"
        MOVED_OUT = "moved-out", "Moved to another tenant"
        MOVED_IN = "moved-in", "Moved here from another tenant"
        SUPERSEDED = "superseded", "Registered anew"
        DEVICE_DELETED = "device-deleted", "Device deleted"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    device_id = DeviceIdField()
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=24, choices=Kind)
    from_status = models.CharField(max_length=24, blank=True, default="")
    to_status = models.CharField(max_length=24, blank=True, default="")
    actor = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    actor_name = models.CharField(max_length=MAX_NAME_LENGTH)
    source = models.CharField(max_length=45, blank=True, default="")
    request_id = models.CharField(max_length=64, blank=True, default="")
    reason = models.CharField(max_length=500, blank=True, default="")

    objects = RegistrationEventQuerySet.as_manager()

    class Meta:
        indexes = EVENT_INDEXES

    def __str__(self) -> str:
        return f"{self.device_id} {self.kind}"

    @classmethod
    def record(
        cls,
        tenant_id: str,
        device_id: str,
        kind: Kind,
        *,
        actor: Actor,
        reason: str = "",
        from_status: str = "",
        to_status: str = "",
    ) -> None:
        """Write what happened, in the transaction in which it happens."""
        cls.objects.create(
            tenant_id=tenant_id,
            device_id=device_id,
            kind=kind,
            from_status=from_status,
            to_status=to_status,
            actor=actor.user,
            actor_name=actor.name[:MAX_NAME_LENGTH],
            source=actor.source,
            request_id=actor.request_id,
            reason=reason,
        )
        activity, severity = AUDITED[kind]
        audit.record(
            actor,
            tenant_id,
            audit.Type.REGISTRATION,
            activity,
            subject=device_id,
            text=reason,
            changes={"status": (from_status, to_status)},
            severity=severity,
        )


_Kind = RegistrationEvent.Kind
# What the dashboard counts by the hour; its indexes hold these alone.
COUNTED_KINDS: Final = (_Kind.CONNECTED, _Kind.ACCEPTED)
KINDS_AS_SQL: Final = ", ".join(f"'{kind.value}'" for kind in COUNTED_KINDS)
_WARNINGS = {_Kind.CONFLICT, _Kind.TOKEN_REJECTED, _Kind.BLOCKED}
# What the audit log says of each kind of event.
AUDITED = {
    kind: (
        f"Registration: {kind.label}",
        audit.Severity.WARNING if kind in _WARNINGS else audit.Severity.INFORMATION,
    )
    for kind in _Kind
}
