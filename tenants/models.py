"""Who: tenants, their people and their options."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.functional import cached_property

from tenants.roles import Role, effective_roles

MANAGEMENT = "management"  # id of the tenant that runs the house
MAX_USERNAME_LENGTH = 200  # characters


class Tenant(models.Model):
    """An organisation. The management tenant sees all others; they never see one another."""

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", "Active"
        SUSPENDED = "SUSPENDED", "Suspended"

    id = models.CharField(
        max_length=32,
        primary_key=True,
        validators=[
            RegexValidator(
                r"^[a-z][a-z0-9-]+$",
                "A tenant ID has at least two characters: lower-case letters, digits and "
                "hyphens, a letter first.",
            )
        ],
    )
    company = models.CharField(max_length=255)
    domain = models.CharField(max_length=255, blank=True, default="")
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="subtenants"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("id",)

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

    def ancestry(self) -> list[str]:
        """Return the ids from this tenant up to the one that owns it all, nearest first."""
        ids, tenant = [self.id], self
        while tenant.parent is not None and tenant.parent.id not in ids:
            tenant = tenant.parent
            ids.append(tenant.id)
        return ids


class UserManager(BaseUserManager["User"]):
    """Users are found by tenant and name; a name alone may belong to several."""

    def create_user(
        self, tenant: Tenant, username: str, password: str | None, *, roles: Iterable[Role]
    ) -> "User":
        """Create a person or a service of ``tenant`` with ``roles``."""
        user = self.model(tenant=tenant, username=username, roles=[str(role) for role in roles])
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a user by its login, ``tenant/name``."""
        tenant, _, name = (username or "").partition("/")
        return self.get(tenant_id=tenant, username=name)


class User(AbstractBaseUser):
    """A person, or the service account that devices knock with.

    ``stamp`` grows with every change of password, roles or state: what was checked before then
    counts no longer, in all processes at once.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="users")
    username = models.CharField(
        max_length=MAX_USERNAME_LENGTH,
        validators=[
            RegexValidator(
                r"^[^\s/\\+$:\x00-\x1f]+$",
                "A user name cannot contain whitespace, slashes or any of + $ :",
            )
        ],
    )
    roles = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    stamp = models.PositiveIntegerField(default=0)
    # Service accounts have a keyed digest instead of a password: theirs is checked at machine
    # speed, and a flood of wrong ones costs next to nothing.
    secret_digest = models.CharField(max_length=64, blank=True, default="")
    # Digest of the last password that the environment set, so that it is applied once and a
    # password changed since then survives the next start.
    environment_digest = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "username"], name="user_unique_in_tenant")
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id}/{self.username}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and make what was verified before void; a mere sign-in leaves it valid."""
        only = kwargs.get("update_fields")
        if self.pk is None or (only is not None and set(only) == {"last_login"}):
            super().save(*args, **kwargs)
            return
        if only is not None:
            kwargs["update_fields"] = {*only, "stamp"}
        self.stamp = F("stamp") + 1
        super().save(*args, **kwargs)
        self.refresh_from_db(fields=["stamp"])

    @property
    def may_sign_in(self) -> bool:
        """Say whether the account and its tenant are active."""
        return self.is_active and self.tenant.is_active

    @cached_property
    def effective_roles(self) -> frozenset[str]:
        """Return every right this user has."""
        return effective_roles(self.roles)

    def has_role(self, role: Role) -> bool:
        """Say whether this user, in an active tenant, has ``role``."""
        return role in self.effective_roles


class VerifiedLogin(models.Model):
    """An API password that was checked a moment ago, so that the next call need not do it again.

    The key is a keyed digest of the presented header; the password itself is nowhere. The row
    counts only while the user's ``stamp`` is the one it was checked under.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    stamp = models.PositiveIntegerField()
    expires_at = models.DateTimeField(db_index=True)
    may_bootstrap = models.BooleanField(default=False)  # for the poll lane, which reads no JSON

    def __str__(self) -> str:
        return f"{self.user_id} until {self.expires_at}"

    @classmethod
    def remember(cls, digest: str, user: User) -> None:
        """Remember that ``digest`` was found to be the password of ``user``."""
        now = timezone.now()
        cls.objects.filter(expires_at__lt=now).delete()
        cls.objects.update_or_create(
            digest=digest,
            defaults={
                "user": user,
                "stamp": user.stamp,
                "may_bootstrap": user.has_role(Role.DEVICE_BOOTSTRAP),
                "expires_at": now + timedelta(seconds=settings.VERIFIED_LOGIN_SECONDS),
            },
        )

    @classmethod
    def user_for(cls, digest: str) -> User | None:
        """Return the user whose password ``digest`` was found to be, if that still counts."""
        row = (
            cls.objects.filter(
                digest=digest,
                expires_at__gt=timezone.now(),
                stamp=F("user__stamp"),
                user__is_active=True,
                user__tenant__status=Tenant.Status.ACTIVE,
            )
            .select_related("user__tenant")
            .first()
        )
        return row.user if row else None


class TenantOptionQuerySet(models.QuerySet["TenantOption"]):
    """Options are always asked for in the name of a tenant."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to the options that ``tenant`` set itself."""
        return self.filter(tenant=tenant)


class TenantOption(models.Model):
    """One setting of a tenant, by category and key; what it means is known to its reader."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="options")
    category = models.CharField(max_length=256)
    key = models.CharField(max_length=256)
    value = models.TextField(blank=True)
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


class Installation(models.Model):
    """The one row that says which secret key this database belongs to."""

    key_check = models.CharField(max_length=64)

    def __str__(self) -> str:
        return "installation"
