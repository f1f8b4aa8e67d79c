"""Links that work once: an invitation, or a new password for somebody who lost theirs."""

from typing import Self

from django.db import models
from django.utils import timezone

from tenants.models.tenant import Tenant
from tenants.models.user import User


class OneTimeLinkQuerySet(models.QuerySet["OneTimeLink"]):
    """Links are always asked for in the name of a tenant, or by the secret in them."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to the links of people of ``tenant``."""
        return self.filter(user__tenant=tenant)

    def usable(self) -> Self:
        """Narrow to those that still open something."""
        return self.filter(
            used_at=None,
            expires_at__gt=timezone.now(),
            user__is_active=True,
            user__tenant__status=Tenant.Status.ACTIVE,
        )


class OneTimeLink(models.Model):
    """A link for one person, one purpose and one use; only its keyed digest is kept."""

    class Purpose(models.TextChoices):
        INVITATION = "invitation", "Invitation"
        PASSWORD_RESET = "password-reset", "Password reset"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="links")
    purpose = models.CharField(max_length=16, choices=Purpose)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=255, blank=True, default="")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    objects = OneTimeLinkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.purpose} for {self.user_id} until {self.expires_at}"
