"""The names by which devices know themselves: serial numbers and the like."""

from typing import Final, Self

from django.db import models

from inventory.fields import DeviceIdField
from inventory.models.managed_object import ManagedObject
from tenants.models import Tenant

MAX_EXTERNAL_TYPE_BYTES: Final = 250  # of UTF-8; one index entry holds type and value
MAX_EXTERNAL_ID_BYTES: Final = 1000  # of UTF-8


class ExternalIdQuerySet(models.QuerySet["ExternalId"]):
    """External IDs are always asked for in the name of a tenant."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to those of ``tenant``."""
        return self.filter(tenant=tenant)

    def of(self, managed_object: "ManagedObject | models.OuterRef") -> Self:
        """Narrow to those of one object; they are its tenant's."""
        return self.filter(managed_object=managed_object)

    def visible_to(self, tenant: Tenant) -> Self:
        """Narrow to those ``tenant`` may look at: its own; all, for the management tenant."""
        return self if tenant.is_management else self.filter(tenant=tenant)


class ExternalId(models.Model):
    """A name of an object, unique within its type and tenant.

    Source: Cumulocity REST, identity.
    """

    # The object's: that one's reference to the tenant keeps this one true as well.
    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    type = DeviceIdField(max_length=MAX_EXTERNAL_TYPE_BYTES)
    value = DeviceIdField(max_length=MAX_EXTERNAL_ID_BYTES)
    managed_object = models.ForeignKey(
        ManagedObject, on_delete=models.CASCADE, related_name="external_ids"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ExternalIdQuerySet.as_manager()

    class Meta:
        constraints = [
            # In this order it also serves a search that does not know the type.
            models.UniqueConstraint(fields=["tenant", "value", "type"], name="external_id_unique")
        ]
        indexes = [models.Index(fields=["value"], name="external_id_value")]

    def __str__(self) -> str:
        return f"{self.type} {self.value}"
