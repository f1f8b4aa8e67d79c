"""API tokens: logins for programs, with rights that never exceed those of their owner."""

from datetime import timedelta
from typing import Final, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from tenants.models.tenant import Tenant
from tenants.models.user import User

LAST_USE_RESOLUTION: Final = 60  # seconds; last use is not written more often than this
MAX_TOKEN_NAME_LENGTH: Final = 100  # characters


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Tokens are always asked for in the name of a tenant."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to the tokens of people and services of ``tenant``."""
        return self.filter(user__tenant=tenant)

    def alive(self) -> Self:
        """Narrow to those that open something: not revoked, not expired, their owner active."""
        return self.filter(
            Q(expires_at=None) | Q(expires_at__gt=timezone.now()),
            revoked_at=None,
            user__is_active=True,
            user__tenant__status=Tenant.Status.ACTIVE,
        )


class ApiToken(models.Model):
    """A token of a person or a service; only its keyed digest is kept.

    ``start`` is what a person recognises it by; ``scopes`` are roles by their names on the wire.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=MAX_TOKEN_NAME_LENGTH)
    start = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=255, blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_from = models.CharField(max_length=45, blank=True, default="")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return self.name

    @property
    def is_expired(self) -> bool:
        """Say whether its time is over."""
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def is_alive(self) -> bool:
        """Say whether it opens anything."""
        return self.revoked_at is None and not self.is_expired and self.user.may_sign_in

    def note_use(self, source: str) -> None:
        """Remember that it was used, at most once in a while: most requests write nothing."""
        now = timezone.now()
        stale = now - timedelta(seconds=LAST_USE_RESOLUTION)
        if self.last_used_at is None or self.last_used_at < stale:
            ApiToken.objects.filter(
                Q(last_used_at=None) | Q(last_used_at__lt=stale), pk=self.pk
            ).update(last_used_at=now, last_used_from=source)
