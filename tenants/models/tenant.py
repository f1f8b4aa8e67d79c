"""Organisations: the management tenant, and those it lets into the house."""

from typing import Final, Self

from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast
from django.utils import timezone

MANAGEMENT: Final = "management"  # id of the tenant that runs the house
MAX_TENANT_ID_LENGTH: Final = 32  # characters
MAX_DEVICE_LIMIT: Final = 1_000_000_000

ID_RULE: Final = RegexValidator(
    r"^[a-z][a-z0-9-]*[a-z0-9]\Z",
    "A tenant ID has at least two characters: lower-case letters, digits and hyphens, a letter "
    "first and no hyphen last.",
)
# The contract's rule for one label, and DNS's for several.
DOMAIN_RULE: Final = RegexValidator(
    r"^(?=.{2,255}\Z)[a-z]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\Z",
    "A domain has at least two characters: lower-case letters, digits and hyphens, a letter "
    "first; dots between its parts, like acme.example.com.",
)


class TenantQuerySet(models.QuerySet["Tenant"]):
    """Tenants are always asked for in the name of a tenant."""

    def for_tenant(self, tenant: "Tenant") -> Self:
        """Narrow to those that ``tenant`` looks after: its own; all, for the management tenant."""
        return self if tenant.is_management else self.filter(parent=tenant)

    def active(self) -> Self:
        """Narrow to those whose people and devices may come in."""
        return self.filter(status=Tenant.Status.ACTIVE)

    def near_device_limit(self) -> Self:
        """Narrow to those with nine tenths of their places taken, the fullest first."""
        # As wide numbers: ten times a limit does not fit the column's own kind.
        count = Cast("device_count", models.BigIntegerField())
        limit = Cast("device_limit", models.BigIntegerField())
        compared = self.alias(taken=count * 10, near=limit * 9, left=limit - count)
        return compared.filter(taken__gte=F("near")).order_by("left", "pk")

    def matching(self, text: str) -> Self:
        """Narrow to those whose ID, company, domain or contact contains ``text``."""
        if not text:
            return self
        return self.filter(
            Q(pk__icontains=text)
            | Q(company__icontains=text)
            | Q(domain__icontains=text)
            | Q(contact_name__icontains=text)
        )


class Tenant(models.Model):
    """An organisation. The management tenant sees all others; they never see one another.

    ``device_count`` is how many devices were let in and are still here; it is only ever changed
    by :mod:`tenants.quota`, which spends the limit by one conditional write.
    """

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", "Active"
        SUSPENDED = "SUSPENDED", "Suspended"

    id = models.CharField(max_length=MAX_TENANT_ID_LENGTH, primary_key=True, validators=[ID_RULE])
    company = models.CharField(max_length=255)
    domain = models.CharField(max_length=255, blank=True, default="", validators=[DOMAIN_RULE])
    contact_name = models.CharField(max_length=255, blank=True, default="")
    contact_phone = models.CharField(max_length=64, blank=True, default="")
    contact_email = models.EmailField(blank=True, default="")
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    suspended_by = models.CharField(max_length=MAX_TENANT_ID_LENGTH, blank=True, default="")
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="subtenants"
    )
    allow_create_tenants = models.BooleanField(default=False)
    device_limit = models.PositiveIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(MAX_DEVICE_LIMIT)]
    )
    device_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=["domain"], condition=~Q(domain=""), name="tenant_unique_domain"
            )
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def is_management(self) -> bool:
        """Say whether this is the tenant that runs the house."""
        return self.id == MANAGEMENT

    @property
    def is_active(self) -> bool:
        """Say whether people and devices of this tenant may come in."""
        return self.status == self.Status.ACTIVE

    @property
    def may_own_tenants(self) -> bool:
        """Say whether people of this tenant may look after subtenants."""
        return self.is_management or self.allow_create_tenants

    @property
    def is_at_device_limit(self) -> bool:
        """Say whether no further device may be let in."""
        return self.device_limit is not None and self.device_count >= self.device_limit

    @property
    def places_left(self) -> int | None:
        """Return how many more devices may be let in; None where there is no limit."""
        if self.device_limit is None:
            return None
        return max(0, self.device_limit - self.device_count)

    @property
    def is_near_device_limit(self) -> bool:
        """Say whether nine tenths of the places are taken, or all of them."""
        return self.device_limit is not None and self.device_count * 10 >= self.device_limit * 9

    def ancestry(self) -> list[str]:
        """Return the ids from this tenant up to the one that owns it all, nearest first."""
        ids, tenant = [self.id], self
        while tenant.parent is not None and tenant.parent.id not in ids:
            tenant = tenant.parent
            ids.append(tenant.id)
        return ids


class Installation(models.Model):
    """The one row that says which secret key this database belongs to."""

    key_check = models.CharField(max_length=64)

    def __str__(self) -> str:
        return "installation"
