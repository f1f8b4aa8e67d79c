"""What is left of a device that was deleted, so that its return is noticed."""

from typing import Final, Self

from django.db import models
from django.utils import timezone

from inventory.fields import DeviceIdField
from tenants.models import Tenant

CAME_BACK: Final = models.Q(returned_at__isnull=False)


class TombstoneQuerySet(models.QuerySet["Tombstone"]):
    """Tombstones are always asked for in the name of a tenant."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to what ``tenant`` may see: its own rows; all, for the management tenant."""
        return self if tenant.is_management else self.filter(tenant=tenant)

    def of(self, tenant_id: str, device_id: str) -> Self:
        """Narrow to the one of this device in this tenant."""
        return self.filter(tenant=tenant_id, device_id=device_id)


class Tombstone(models.Model):
    """A device that was deleted in a tenant; it goes when the device is let in again.

    ``digest`` is that of its last password: who still knows it is the device itself and no
    stranger. ``returned_at`` is when it was last heard of.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    device_id = DeviceIdField()
    digest = models.CharField(max_length=64, blank=True, default="")
    deleted_at = models.DateTimeField(default=timezone.now)
    deleted_by_name = models.CharField(max_length=1_100)
    reason = models.CharField(max_length=500, blank=True, default="")
    returned_at = models.DateTimeField(null=True, blank=True)
    returned_from = models.CharField(max_length=45, blank=True, default="")

    objects = TombstoneQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "device_id"], name="tombstone_unique_device")
        ]
        indexes = [
            models.Index(fields=["device_id"], name="tombstone_device"),
            models.Index(fields=["tenant", "deleted_at", "id"], name="tombstone_tenant_deleted"),
            models.Index(fields=["deleted_at", "id"], name="tombstone_deleted"),
            # Those that came back, of one tenant and of all.
            models.Index(
                fields=["tenant", "deleted_at", "id"],
                condition=CAME_BACK,
                name="tombstone_tenant_returned",
            ),
            models.Index(fields=["deleted_at", "id"], condition=CAME_BACK, name="tombstone_back"),
        ]

    def __str__(self) -> str:
        return str(self.device_id)
