"""What was done, by whom and from where: written with the change, then chained."""

from datetime import datetime
from typing import Final, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from tenants.models.tenant import Tenant

# The log has indexes by time, none by what was done: whoever asks for that looks at so many
# entries at a time, about 50 ms. A number and the list behind it look at the same ones.
LOOKED_THROUGH: Final = 20_000


class AuditRecordQuerySet(models.QuerySet["AuditRecord"]):
    """Audit records are always asked for in the name of a tenant."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to what ``tenant`` may see: its own records; all, for the management tenant."""
        return self if tenant.is_management else self.filter(tenant_id=tenant.id)

    def matching(self, text: str) -> Self:
        """Narrow to those whose subject, activity, explanation or actor contains ``text``."""
        return self.filter(
            Q(subject__icontains=text)
            | Q(activity__icontains=text)
            | Q(text__icontains=text)
            | Q(actor_name__icontains=text)
        )

    def by_actor(self, name: str) -> Self:
        """Narrow to what ``name`` did; ``tenant/name`` where the name exists in several."""
        tenant, slash, rest = name.partition("/")
        as_login = Q(actor_tenant=tenant, actor_name=rest) if slash else Q(actor_name=name)
        return self.filter(Q(actor_name=name) | as_login)

    def between(self, start: datetime | None, end: datetime | None) -> Self:
        """Narrow to those from ``start`` on and before ``end``."""
        rows = self.filter(at__gte=start) if start else self
        return rows.filter(at__lt=end) if end else rows


class AuditRecord(models.Model):
    """One entry of the audit log.

    It points at nothing: it outlives the tenant, the account and the thing it is about. ``number``
    and ``digest`` are its place in the chain, given right after the change was committed.
    ``changes`` are objects with ``attribute``, ``previousValue`` and ``newValue``, all text.
    """

    class Type(models.TextChoices):
        """What an entry is about. Source: Cumulocity REST, audit; the registration is our own."""

        REGISTRATION = "DeviceRegistration", "Device registration"
        CREDENTIALS = "DeviceCredentials", "Device credentials"
        INVENTORY = "Inventory", "Device or group"
        DEVICE_TYPE = "DeviceType", "Device type"
        EXTENSION = "Extension", "Extension"
        OPTION = "Option", "Option"
        TENANT = "Tenant", "Tenant"
        USER = "User", "User"
        ROLE = "GlobalRole", "Global role"
        TOKEN = "ApiToken", "API token"
        SIGN_IN = "UserAuthentication", "Sign-in"

    class Severity(models.TextChoices):
        INFORMATION = "INFORMATION", "Information"
        WARNING = "WARNING", "Warning"

    number = models.BigIntegerField(null=True, unique=True)
    digest = models.CharField(max_length=64, blank=True, default="")
    tenant_id = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField(default=timezone.now)
    type = models.CharField(max_length=24, choices=Type)
    activity = models.CharField(max_length=100)
    text = models.CharField(max_length=1500, blank=True, default="")
    severity = models.CharField(max_length=16, choices=Severity, default=Severity.INFORMATION)
    subject = models.CharField(max_length=1000, blank=True, default="")  # what it is about
    actor_tenant = models.CharField(max_length=32, blank=True, default="")
    actor_name = models.CharField(max_length=1000)
    source = models.CharField(max_length=45, blank=True, default="")  # address
    request_id = models.CharField(max_length=64, blank=True, default="")
    changes = models.JSONField(default=list)

    objects = AuditRecordQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["tenant_id", "-id"], name="audit_tenant"),
            models.Index(fields=["-at", "-id"], name="audit_at"),
            models.Index(fields=["tenant_id", "-at", "-id"], name="audit_tenant_at"),
            models.Index(fields=["id"], condition=models.Q(number=None), name="audit_not_chained"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.activity}"


class AuditHead(models.Model):
    """The end of the chain: how many entries there are, and the digest of the last one."""

    number = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True, default="")

    def __str__(self) -> str:
        return f"{self.number} {self.digest}"
