"""Provisioning keys: shared by the devices of a type, which introduce themselves with one."""

from typing import Final, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from inventory.models import DeviceType
from tenants.models import Tenant

MAX_KEY_NAME_LENGTH: Final = 100  # characters


class ProvisioningKeyQuerySet(models.QuerySet["ProvisioningKey"]):
    """Keys are always asked for in the name of a tenant, or by what somebody presents."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to the keys of ``tenant``; nobody works with those of another."""
        return self.filter(tenant=tenant)

    def alive(self) -> Self:
        """Narrow to keys that count: not revoked, not expired, of an active tenant."""
        return self.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()),
            revoked_at__isnull=True,
            tenant__status=Tenant.Status.ACTIVE,
        )


class ProvisioningKey(models.Model):
    """Bootstrap credentials for one device type ("provisioning key", "temporary credentials").

    Whoever holds one can only introduce devices of that type. ``key_id`` is the user name, and
    ``digest`` all that is kept of the secret. ``used`` counts the devices that came by the key;
    with ``max_devices`` no more can. Source: Cirrent, temporary credentials.
    """

    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, related_name="provisioning_keys", db_index=False
    )
    device_type = models.ForeignKey(
        DeviceType, on_delete=models.PROTECT, related_name="provisioning_keys"
    )
    name = models.CharField(max_length=MAX_KEY_NAME_LENGTH)
    key_id = models.CharField(max_length=64, unique=True)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    created_by_name = models.CharField(max_length=255, blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True)
    max_devices = models.PositiveIntegerField(null=True, blank=True)
    used = models.PositiveIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_from = models.CharField(max_length=45, blank=True, default="")

    objects = ProvisioningKeyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(max_devices__isnull=True) | Q(used__lte=F("max_devices")),
                name="provisioning_key_within_limit",
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "created_at", "id"], name="provisioning_key_tenant")
        ]

    def __str__(self) -> str:
        return self.name
