"""People and services, and what was verified about them a moment ago."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar, Final, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import cached_property

from tenants.models.role import GlobalRole
from tenants.models.tenant import Tenant
from tenants.roles import ABOUT_SUBTENANTS, Role, effective_roles

MAX_USERNAME_LENGTH: Final = 200  # characters

USERNAME_RULE: Final = RegexValidator(
    r"^[^\s/\\+$:\x00-\x1f]+\Z",
    "A user name cannot contain whitespace, slashes or any of + $ :",
)


class UserQuerySet(models.QuerySet["User"]):
    """Users are always asked for in the name of a tenant."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to the people and services of ``tenant``; nobody sees those of another."""
        return self.filter(tenant=tenant)

    def people(self) -> Self:
        """Narrow to people."""
        return self.filter(kind=User.Kind.PERSON)

    def services(self) -> Self:
        """Narrow to services."""
        return self.filter(kind=User.Kind.SERVICE)

    def matching(self, text: str) -> Self:
        """Narrow to those whose user name, name or address contains ``text``."""
        if not text:
            return self
        return self.filter(
            Q(username__icontains=text) | Q(full_name__icontains=text) | Q(email__icontains=text)
        )


class UserManager(BaseUserManager["User"]):
    """Users are found by tenant and name; a name alone may belong to several."""

    def get_queryset(self) -> UserQuerySet:
        """Return all users, to be narrowed."""
        return UserQuerySet(self.model, using=self._db)

    def for_tenant(self, tenant: Tenant) -> UserQuerySet:
        """Narrow to the people and services of ``tenant``; nobody sees those of another."""
        return self.get_queryset().for_tenant(tenant)

    def create_user(
        self,
        tenant: Tenant,
        username: str,
        password: str | None,
        *,
        roles: Iterable[Role] = (),
        global_roles: Iterable[str] = (),
        **details: Any,
    ) -> "User":
        """Create a person or a service of ``tenant``, with rights of its own and by bundles."""
        user = self.model(
            tenant=tenant, username=username, roles=[str(role) for role in roles], **details
        )
        user.set_password(password)
        user.save(using=self._db)
        names = set(global_roles)
        if names:
            user.global_roles.set(GlobalRole.objects.for_tenant(tenant).filter(name__in=names))
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a user by its login, ``tenant/name``."""
        tenant, _, name = (username or "").partition("/")
        return self.get(tenant_id=tenant, username=name)


class User(AbstractBaseUser):
    """A person, or a service such as the account that devices knock with.

    People get their rights by global roles; ``roles`` are rights of its own, which services have.
    ``stamp`` grows with every change of password, roles or state: what was checked before then
    counts no longer, in all processes at once.
    """

    class Kind(models.TextChoices):
        PERSON = "person", "Person"
        SERVICE = "service", "Service"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="users")
    username = models.CharField(max_length=MAX_USERNAME_LENGTH, validators=[USERNAME_RULE])
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PERSON)
    full_name = models.CharField(max_length=255, blank=True, default="")
    email = models.EmailField(blank=True, default="")
    global_roles = models.ManyToManyField(GlobalRole, blank=True, related_name="users")
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
    def is_service(self) -> bool:
        """Say whether this is no person: it has no page to sign in to."""
        return self.kind == self.Kind.SERVICE

    @property
    def is_invited(self) -> bool:
        """Say whether this person has not chosen a password yet."""
        return not self.is_service and not self.has_usable_password()

    @property
    def may_sign_in(self) -> bool:
        """Say whether the account and its tenant are active."""
        return self.is_active and self.tenant.is_active

    @cached_property
    def effective_roles(self) -> frozenset[str]:
        """Return every right this user has."""
        given = set(self.roles)
        for roles in self.global_roles.values_list("roles", flat=True):
            given |= set(roles)
        effective = effective_roles(given)
        return effective if self.tenant.may_own_tenants else effective - ABOUT_SUBTENANTS

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
