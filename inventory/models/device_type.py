"""Types of devices: how those of a product come in."""

from typing import Final, Self

from django.db import models
from django.utils import timezone

from inventory.fields import text_key
from tenants.models import Tenant

MAX_TYPE_NAME_LENGTH: Final = 100  # characters
MAX_DESCRIPTION_LENGTH: Final = 1_000  # characters
MAX_PATTERN_LENGTH: Final = 200  # characters
MIN_SECRET_LENGTH: Final = 8  # characters; no type may ask for less
MAX_SECRET_LENGTH: Final = 256  # characters


class SecurityOption(models.TextChoices):
    """What a device of a type proves its identity with. Source: Cirrent, security options."""

    SHARED_SECRET = "shared_secret", "Shared secret"
    TEMPORARY_CREDENTIALS = "temporary_credentials", "Temporary credentials"
    CERTIFICATE = "certificate", "Certificate"


class Acceptance(models.TextChoices):
    """Who lets in a device that knocks with a provisioning key."""

    MANUAL = "manual", "Manual: an operator accepts each device"
    AUTOMATIC = "automatic", "Automatic: the provisioning key is enough"


class DeviceTypeQuerySet(models.QuerySet["DeviceType"]):
    """Device types are always asked for in the name of a tenant."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to the types of ``tenant``; nobody works with those of another."""
        return self.filter(tenant=tenant)

    def visible_to(self, tenant: Tenant) -> Self:
        """Narrow to the types whose devices ``tenant`` may look at; all, for the management."""
        return self if tenant.is_management else self.filter(tenant=tenant)

    def named(self, tenant: Tenant, name: str) -> Self:
        """Narrow to the type of this name, whatever its capitals."""
        return self.filter(tenant=tenant, name_key=text_key(name))


class DeviceType(models.Model):
    """A product or SKU, with the way its devices come in.

    ``acceptance`` means something for temporary credentials alone. ``device_id_pattern`` is a
    regular expression that a whole device ID must match; empty, it matches everything.
    """

    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, related_name="device_types", db_index=False
    )
    name = models.CharField(max_length=MAX_TYPE_NAME_LENGTH)
    # Without capitals, as two types may not differ in them alone; ß becomes ss.
    name_key = models.CharField(max_length=2 * MAX_TYPE_NAME_LENGTH, editable=False)
    description = models.CharField(max_length=MAX_DESCRIPTION_LENGTH, blank=True, default="")
    security_option = models.CharField(
        max_length=24, choices=SecurityOption, default=SecurityOption.SHARED_SECRET
    )
    acceptance = models.CharField(max_length=12, choices=Acceptance, default=Acceptance.MANUAL)
    device_id_pattern = models.CharField(max_length=MAX_PATTERN_LENGTH, blank=True, default="")
    min_secret_length = models.PositiveSmallIntegerField(default=MIN_SECRET_LENGTH)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = DeviceTypeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name_key"], name="device_type_unique_name_in_tenant"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def rename(self, name: str) -> None:
        """Set the name, with the key that it is unique and sorted by; the caller saves."""
        self.name, self.name_key = name, text_key(name)

    @property
    def takes_secrets(self) -> bool:
        """Say whether devices of this type are registered with a secret."""
        return self.security_option == SecurityOption.SHARED_SECRET

    @property
    def has_provisioning_keys(self) -> bool:
        """Say whether devices of this type introduce themselves with a provisioning key."""
        return self.security_option == SecurityOption.TEMPORARY_CREDENTIALS
