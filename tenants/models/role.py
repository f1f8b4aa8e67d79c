"""Global roles: bundles of rights that a tenant gives to its people."""

from typing import Self

from django.core.validators import RegexValidator
from django.db import models

from tenants.models.tenant import Tenant
from tenants.roles import BUNDLE_NAMES, BUNDLES

MAX_ROLE_NAME_LENGTH = 64  # characters


class GlobalRoleQuerySet(models.QuerySet["GlobalRole"]):
    """Global roles are always asked for in the name of a tenant."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to the roles of ``tenant``."""
        return self.filter(tenant=tenant)

    def prepare(self, tenant: Tenant) -> None:
        """Give ``tenant`` the roles that every tenant starts with; those it has stay."""
        self.bulk_create(
            [
                self.model(
                    tenant=tenant,
                    name=bundle.name,
                    description=bundle.description,
                    roles=[str(role) for role in bundle.roles],
                )
                for bundle in BUNDLES
            ],
            ignore_conflicts=True,
        )


class GlobalRole(models.Model):
    """A named bundle of rights in one tenant; ``roles`` are their names on the wire."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="global_roles")
    name = models.CharField(
        max_length=MAX_ROLE_NAME_LENGTH,
        validators=[
            RegexValidator(
                r"^[^\W_][\w .-]*\Z",
                "A role's name starts with a letter or a digit; letters, digits, spaces and "
                "any of . - _ may follow.",
            )
        ],
    )
    description = models.CharField(max_length=255, blank=True, default="")
    roles = models.JSONField(default=list)

    objects = GlobalRoleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="global_role_unique_in_tenant")
        ]
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def is_built_in(self) -> bool:
        """Say whether every tenant has this role; it can be changed and not deleted."""
        return self.name in BUNDLE_NAMES
