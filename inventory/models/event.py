"""What happened to a device since it is in: one row for every step, written with the step."""

from typing import Self

from django.db import models
from django.utils import timezone

from inventory.fields import DeviceIdField
from inventory.models.managed_object import ManagedObject
from tenants import audit
from tenants.actors import Actor
from tenants.models import Tenant


class DeviceEventQuerySet(models.QuerySet["DeviceEvent"]):
    """Events are always asked for in the name of a tenant."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to what ``tenant`` may see: its own rows; all, for the management tenant."""
        return self if tenant.is_management else self.filter(tenant=tenant)


class DeviceEvent(models.Model):
    """One thing that happened to a device or its login: who, what, when, from where, why.

    Events name the device rather than point to it: they outlive it. ``object_number`` is the ID of
    the object, ``device_id`` that of the login; one of them may be missing.
    """

    class Kind(models.TextChoices):
        """What happened, in the past tense."""

        REPORTED = "reported", "Created its device object"
        CREATED = "created", "Device object created"
        CHANGED = "changed", "Changed"
        REMOVED = "object-removed", "Device object deleted"
        JOINED = "joined", "Put into a group"
        LEFT = "left", "Taken out of a group"
        BOUND = "bound", "External ID added"
        UNBOUND = "unbound", "External ID removed"
        DISABLED = "disabled", "Login disabled"
        ENABLED = "enabled", "Login enabled"
        ROTATED = "rotated", "New password made"
        ROTATION_DONE = "rotation-done", "New password used; the old one is void"
        REVOKED = "revoked", "Password revoked"
        DELETED = "deleted", "Login deleted"
        RETURNED = "returned", "Came back after it was deleted"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    device_id = DeviceIdField(blank=True, default="")
    object_number = models.BigIntegerField(null=True, blank=True)
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=16, choices=Kind)
    actor_name = models.CharField(max_length=1_100)
    source = models.CharField(max_length=45, blank=True, default="")
    request_id = models.CharField(max_length=64, blank=True, default="")
    text = models.CharField(max_length=1_500, blank=True, default="")

    objects = DeviceEventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["tenant", "device_id", "id"],
                condition=~models.Q(device_id=""),
                name="device_event_device",
            ),
            models.Index(fields=["tenant", "object_number", "id"], name="device_event_object"),
        ]

    def __str__(self) -> str:
        return f"{self.device_id or self.object_number} {self.kind}"

    @classmethod
    def record(
        cls,
        kind: "DeviceEvent.Kind",
        *,
        by: Actor,
        tenant_id: str,
        managed_object: ManagedObject | None = None,
        device_id: str = "",
        text: str = "",
        changes: audit.Changes | None = None,
    ) -> None:
        """Write what happened, in the transaction in which it happens, and into the audit log."""
        device_id = device_id or (managed_object.device_id if managed_object else "")
        cls.objects.create(
            tenant_id=tenant_id,
            device_id=device_id,
            object_number=managed_object.pk if managed_object else None,
            kind=kind,
            actor_name=by.name,
            source=by.source,
            request_id=by.request_id,
            text=text[:1_500],
        )
        about_login = kind in _ABOUT_LOGIN
        audit.record(
            by,
            tenant_id,
            audit.Type.CREDENTIALS if about_login else audit.Type.INVENTORY,
            f"{'Device credentials' if about_login else 'Device'}: {kind.label}",
            subject=device_id or str(managed_object or ""),
            text=text,
            changes=changes,
            severity=(audit.Severity.WARNING if kind in _WARNINGS else audit.Severity.INFORMATION),
        )


_Kind = DeviceEvent.Kind
_ABOUT_LOGIN = {
    _Kind.DISABLED,
    _Kind.ENABLED,
    _Kind.ROTATED,
    _Kind.ROTATION_DONE,
    _Kind.REVOKED,
    _Kind.DELETED,
    _Kind.RETURNED,
}
_WARNINGS = {_Kind.RETURNED}
