"""Provisioning keys: shared by the devices of a type, which introduce themselves with one."""

from datetime import timedelta
from typing import Final, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from inventory.models import DeviceType, SecurityOption
from tenants.models import Tenant

MAX_KEY_NAME_LENGTH: Final = 100  # characters
MAX_DEVICES: Final = 10_000_000  # of one key; nobody means more
USE_RESOLUTION: Final = 60  # seconds; last use is not written more often than this


class ProvisioningKeyQuerySet(models.QuerySet["ProvisioningKey"]):
    """Keys are always asked for in the name of a tenant, or by what somebody presents."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to the keys of ``tenant``; nobody works with those of another."""
        return self.filter(tenant=tenant)

    def alive(self) -> Self:
        """Narrow to keys that count: not revoked, not expired, of an active tenant.

        Nor does one count whose type has come to want another proof of its devices.
        """
        return self.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()),
            revoked_at__isnull=True,
            tenant__status=Tenant.Status.ACTIVE,
            device_type__security_option=SecurityOption.TEMPORARY_CREDENTIALS,
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

    @property
    def login(self) -> str:
        """Return what devices write as their user: the tenant, then the user name."""
        return f"{self.tenant_id}/{self.key_id}"

    @property
    def is_expired(self) -> bool:
        """Say whether its time is over."""
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def is_used_up(self) -> bool:
        """Say whether as many devices came by it as may."""
        return self.max_devices is not None and self.used >= self.max_devices

    def note_use(self, source: str) -> None:
        """Remember that it was presented, at most once in a while: most polls write nothing."""
        now = timezone.now()
        stale = now - timedelta(seconds=USE_RESOLUTION)
        if self.last_used_at is None or self.last_used_at < stale:
            ProvisioningKey.objects.filter(
                Q(last_used_at=None) | Q(last_used_at__lt=stale), pk=self.pk
            ).update(last_used_at=now, last_used_from=source)

    def take_place(self) -> bool:
        """Count one more device that came by this key; return False if it lets in no more.

        Everything is asked in the statement that writes: of two at once that want the last place
        one gets it, and a key that is revoked in this moment has none.
        """
        is_valid = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
        has_room = Q(max_devices__isnull=True) | Q(used__lt=F("max_devices"))
        rows = ProvisioningKey.objects.filter(is_valid, has_room, pk=self.pk, revoked_at=None)
        return bool(rows.update(used=F("used") + 1))
