"""A service that registers devices of another kind, and how it was when it was last asked."""

from typing import Final, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from tenants.encryption import decrypt, encrypt
from tenants.models import MANAGEMENT, Tenant

MAX_NAME_LENGTH: Final = 100  # characters
MAX_DESCRIPTION_LENGTH: Final = 500  # characters
MAX_CONTEXT_PATH_LENGTH: Final = 64  # characters
MAX_URL_LENGTH: Final = 500  # characters
MAX_SECRET_LENGTH: Final = 500  # characters
MAX_ERROR_LENGTH: Final = 500  # characters
DEFAULT_PRIORITY: Final = 50  # Source: Cumulocity; our own entries have 100


class Health(models.TextChoices):
    """What came of the last call."""

    UNKNOWN = "unknown", "Not tried yet"
    GOOD = "good", "Works"
    BAD = "bad", "Failing"


class ExtensionQuerySet(models.QuerySet["Extension"]):
    """Extensions are always asked for in the name of a tenant."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to those that ``tenant`` looks after: its own, and nobody else's."""
        return self.filter(tenant=tenant)

    def usable_by(self, tenant: Tenant) -> Self:
        """Narrow to those that ``tenant`` may register devices by, its own and shared ones."""
        shared = Q(tenant=MANAGEMENT, is_shared=True)
        return self.filter(Q(tenant=tenant) | shared, is_enabled=True)


class Extension(models.Model):
    """A provider of extensible device registration ("microservice" in Cumulocity's words).

    It answers below ``base_url``; ``context_path`` is what it is called in addresses, unique in a
    tenant. ``secret`` is what it knows us by, encrypted. Shared ones belong to the management
    tenant and are offered in all. ``allows_private`` is a decision of the management tenant's
    administrators alone: it lets the server call addresses of its own network.
    """

    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, related_name="extensions", db_index=False
    )
    name = models.CharField(max_length=MAX_NAME_LENGTH)
    description = models.CharField(max_length=MAX_DESCRIPTION_LENGTH, blank=True, default="")
    context_path = models.CharField(max_length=MAX_CONTEXT_PATH_LENGTH)
    base_url = models.CharField(max_length=MAX_URL_LENGTH)
    sealed_secret = models.CharField(max_length=4 * MAX_SECRET_LENGTH, blank=True, default="")
    has_single = models.BooleanField(default=True)
    has_bulk = models.BooleanField(default=False)
    priority = models.PositiveSmallIntegerField(default=DEFAULT_PRIORITY)
    is_enabled = models.BooleanField(default=True)
    is_shared = models.BooleanField(default=False)
    allows_private = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    created_by_name = models.CharField(max_length=255, blank=True, default="")
    updated_at = models.DateTimeField(default=timezone.now)

    health = models.CharField(max_length=8, choices=Health, default=Health.UNKNOWN)
    checked_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=MAX_ERROR_LENGTH, blank=True, default="")
    last_error_at = models.DateTimeField(null=True, blank=True)

    objects = ExtensionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "context_path"], name="extension_unique_path_in_tenant"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def secret(self) -> str:
        """Return the shared secret; empty if there is none.

        Raises:
            tenants.encryption.DecryptionError: the key of the installation is another one now.
        """
        return decrypt(self.sealed_secret, self._binding) if self.sealed_secret else ""

    def seal(self, secret: str) -> None:
        """Keep ``secret``; the context path and the tenant must be set. The caller saves."""
        self.sealed_secret = encrypt(secret, self._binding) if secret else ""

    @property
    def _binding(self) -> str:
        # Nobody who can write into the database can make one tenant's secret another's.
        return f"extension/{self.tenant_id}/{self.context_path}"
