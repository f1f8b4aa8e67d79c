"""What: groups of devices, and the credentials devices sign in with."""

import unicodedata
from typing import Self

from django.db import models, transaction
from django.utils import timezone

from inventory.fields import DeviceIdField
from tenants import audit
from tenants.actors import Actor
from tenants.hashing import digests_match, keyed_digest
from tenants.models import Tenant
from tenants.usernames import DEVICE_PREFIX

PATH_SEPARATOR = "/"
MAX_PATH_LENGTH = 500  # characters of a whole path
MAX_ID_DIGITS = 19  # a number with fewer digits fits a 64-bit column


class GroupPathError(Exception):
    """A group path that cannot be; the message says why."""


class DeviceGroupQuerySet(models.QuerySet["DeviceGroup"]):
    """Groups are always asked for in the name of a tenant."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to the groups of ``tenant``."""
        return self.filter(tenant=tenant)

    def visible_to(self, tenant: Tenant) -> Self:
        """Narrow to the groups ``tenant`` may look at: its own; all, for the management tenant."""
        return self if tenant.is_management else self.filter(tenant=tenant)

    def by_text_id(self, text: str) -> "DeviceGroup | None":
        """Return the group whose ID stands in a URL, or None for anything else."""
        is_number = text.isascii() and text.isdigit() and len(text) < MAX_ID_DIGITS
        return self.filter(pk=int(text)).first() if is_number else None

    def matching(self, text: str) -> Self:
        """Narrow to the groups whose path contains ``text``."""
        return self.filter(path__icontains=text) if text else self

    def at_path(self, tenant: Tenant, path: str, *, by: Actor) -> "DeviceGroup":
        """Return the group at ``path``, made together with the groups above it where missing.

        Raises:
            GroupPathError: the path cannot be a group's.
        """
        names = split_path(path)
        group: DeviceGroup | None = None
        with transaction.atomic():
            for depth in range(1, len(names) + 1):
                group, is_new = self.get_or_create(
                    tenant=tenant,
                    path=PATH_SEPARATOR.join(names[:depth]),
                    defaults={"name": names[depth - 1], "parent": group},
                )
                if is_new:
                    audit.record(
                        by, tenant.pk, audit.Type.INVENTORY, "Group created", subject=group.path
                    )
        assert group is not None  # noqa: S101 -- split_path never returns an empty list
        return group

    def existing(self, tenant: Tenant, path: str) -> "DeviceGroup":
        """Return the group at ``path``, for people who may not make groups.

        Raises:
            GroupPathError: the path cannot be a group's, or there is none.
        """
        path = PATH_SEPARATOR.join(split_path(path))
        group = self.for_tenant(tenant).filter(path=path).first()
        if group is None:
            msg = f"There is no group “{path}”. Making groups needs the right ROLE_INVENTORY_ADMIN."
            raise GroupPathError(msg)
        return group


def split_path(path: str) -> list[str]:
    """Return the names in a group path, outermost first.

    Raises:
        GroupPathError: the path is empty, too long, or has an empty or unprintable name.
    """
    names = [name.strip() for name in unicodedata.normalize("NFC", path).split(PATH_SEPARATOR)]
    if len(path) > MAX_PATH_LENGTH:
        msg = f"A group path can have at most {MAX_PATH_LENGTH} characters."
        raise GroupPathError(msg)
    if not all(names):
        msg = "A group path is names separated by single slashes, like Plant A/Hall 2."
        raise GroupPathError(msg)
    if not all(name.isprintable() for name in names):
        raise GroupPathError("A group name cannot contain control or invisible characters.")
    return names


class DeviceGroup(models.Model):
    """A group in a tenant's tree; ``path`` holds the names from the root, joined by slashes."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="device_groups")
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="subgroups"
    )
    name = models.CharField(max_length=MAX_PATH_LENGTH)
    path = models.CharField(max_length=MAX_PATH_LENGTH)
    created_at = models.DateTimeField(default=timezone.now)

    objects = DeviceGroupQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "path"], name="group_path_unique_in_tenant")
        ]
        # The management tenant looks for a path in all tenants.
        indexes = [models.Index(fields=["path"], name="group_path")]
        ordering = ("path",)

    def __str__(self) -> str:
        return self.path


class DeviceCredentialsQuerySet(models.QuerySet["DeviceCredentials"]):
    """Credentials are always asked for in the name of a tenant."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to the devices of ``tenant``."""
        return self.filter(tenant=tenant)

    def of_others(self, tenant: Tenant, device_id: str) -> Self:
        """Narrow to the device of this ID if it belongs to anybody but ``tenant``."""
        return self.filter(device_id=device_id).exclude(tenant=tenant)


class DeviceCredentials(models.Model):
    """The login of a device: user ``device_<device_id>`` of its tenant.

    The password is generated by us, at more than 128 bits, so a keyed digest is all that is
    kept. ``first_login_at`` is set once: it is the proof that the device has its password.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="device_credentials")
    device_id = DeviceIdField()
    digest = models.CharField(max_length=64)
    is_enabled = models.BooleanField(default=True)
    issued_at = models.DateTimeField(default=timezone.now)
    first_login_at = models.DateTimeField(null=True, blank=True)

    objects = DeviceCredentialsQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["device_id"], name="credentials_unique_device")
        ]

    def __str__(self) -> str:
        return self.username

    @property
    def username(self) -> str:
        """Return the user name, without the tenant."""
        return self.login_name(self.device_id)

    @staticmethod
    def login_name(device_id: str) -> str:
        """Return the user name of the device with this ID, without the tenant."""
        return DEVICE_PREFIX + device_id

    @classmethod
    def issue(cls, tenant: Tenant, device_id: str, password: str) -> None:
        """Make ``password`` the one that counts for the device; any earlier one is void."""
        # Never another tenant's row: the unique ID then refuses to make a second one.
        cls.objects.update_or_create(
            device_id=device_id,
            tenant=tenant,
            defaults={
                "digest": _digest(device_id, password),
                "is_enabled": True,
                "issued_at": timezone.now(),
                "first_login_at": None,
            },
        )

    def check_password(self, password: str) -> bool:
        """Say whether ``password`` is the device's and may be used."""
        return (
            digests_match(self.digest, _digest(self.device_id, password))
            and self.is_enabled
            and self.tenant.is_active
        )


def _digest(device_id: str, password: str) -> str:
    return keyed_digest("device-password", device_id, password)
