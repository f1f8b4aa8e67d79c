"""What a tenant has set for itself."""

from typing import Final, Self

from django.db import models

from tenants.encryption import decrypt, encrypt
from tenants.models.tenant import Tenant

ENCRYPTED_PREFIX: Final = "credentials."  # of keys whose values are kept encrypted, never shown
MASK: Final = "<<Encrypted>>"  # what is shown in their place
MAX_NAME_LENGTH: Final = 256  # characters of a category or a key


class TenantOptionQuerySet(models.QuerySet["TenantOption"]):
    """Options are always asked for in the name of a tenant."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to the options that ``tenant`` set itself."""
        return self.filter(tenant=tenant)

    def visible_to(self, tenant: Tenant) -> Self:
        """Narrow to those ``tenant`` may look at: its own; all, for the management tenant."""
        return self if tenant.is_management else self.filter(tenant=tenant)

    def in_line_of(self, tenant: Tenant) -> Self:
        """Narrow to the options of ``tenant`` and of those above it, from whom it inherits."""
        return self.filter(tenant__in=tenant.ancestry())


class TenantOption(models.Model):
    """One setting of a tenant, by category and key; what it means is known to its reader.

    ``is_editable`` is taken away by the management tenant, for one tenant and one option: then
    that tenant may read the option and no longer change it.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="options")
    category = models.CharField(max_length=MAX_NAME_LENGTH)
    key = models.CharField(max_length=MAX_NAME_LENGTH)
    value = models.TextField(blank=True)  # as it is kept; see ``plain``
    is_editable = models.BooleanField(default=True)
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.CharField(max_length=255, blank=True, default="")

    objects = TenantOptionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "category", "key"], name="option_unique_in_tenant"
            )
        ]
        ordering = ("category", "key")

    def __str__(self) -> str:
        return f"{self.category}/{self.key}"

    @property
    def is_encrypted(self) -> bool:
        """Say whether the value is a secret."""
        return is_encrypted(self.key)

    @property
    def shown(self) -> str:
        """Return the value as anybody may see it."""
        return MASK if self.is_encrypted else self.value

    @property
    def plain(self) -> str:
        """Return the value for Gatehouse's own use; a secret must go nowhere else."""
        return decrypt(self.value, self._binding) if self.is_encrypted else self.value

    def keep(self, text: str) -> None:
        """Set the value, encrypted where the key says that it is a secret."""
        self.value = encrypt(text, self._binding) if self.is_encrypted else text

    @property
    def _binding(self) -> str:
        """Return what a ciphertext belongs to, so that it opens in no other place."""
        return f"{self.tenant_id}/{self.category}/{self.key}"


def is_encrypted(key: str) -> bool:
    """Say whether options of this key are kept encrypted. Source: Cumulocity REST, options."""
    return key.startswith(ENCRYPTED_PREFIX)
