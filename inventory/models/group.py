"""Groups of devices: a tree of names in each tenant."""

import unicodedata
from typing import Any, ClassVar, Final, Self

from django.db import models

from inventory.models.managed_object import IS_GROUP, Kind, ManagedObject, of_kind
from tenants.models import Tenant

PATH_SEPARATOR: Final = "/"
MAX_PATH_LENGTH: Final = 500  # characters of a whole path
MAX_ID_DIGITS: Final = 19  # a number with fewer digits fits a 64-bit column
GROUP_TYPE: Final = "c8y_DeviceGroup"  # at the root of the tree. Source: Cumulocity REST
SUBGROUP_TYPE: Final = "c8y_DeviceSubGroup"  # within another group


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
        """Narrow to the groups in the tree whose path contains ``text``."""
        placed = self.exclude(path="")
        return placed.filter(path__icontains=text) if text else placed

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


_Manager = models.Manager.from_queryset(DeviceGroupQuerySet)


class _GroupManager(_Manager["DeviceGroup"]):
    """Shows the groups among the objects."""

    def get_queryset(self) -> DeviceGroupQuerySet:
        """Return all groups."""
        return DeviceGroupQuerySet(self.model, using=self._db).filter(of_kind(Kind.GROUP))


class DeviceGroup(ManagedObject):
    """A group in a tenant's tree; ``inventory.groups`` changes the tree."""

    objects: ClassVar[_GroupManager] = _GroupManager()  # type: ignore[assignment]

    class Meta:
        proxy = True
        ordering = ("path",)

    def __str__(self) -> str:
        return self.path or self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the group; a new one is marked as such for the inventory's clients."""
        if self._state.adding:
            self.kind = Kind.GROUP
            self.type = self.type or (SUBGROUP_TYPE if self.parent_id else GROUP_TYPE)
            self.fragments = {IS_GROUP: {}} | self.fragments
            self.reported_at = self.reported_at or self.created_at
            self.rename(self.name)
        super().save(*args, **kwargs)


def split_path(path: str) -> list[str]:
    """Return the names in a group path, outermost first.

    Raises:
        GroupPathError: the path is empty, too long, or has an empty or unprintable name.
    """
    names = [name.strip() for name in unicodedata.normalize("NFC", path).split(PATH_SEPARATOR)]
    if len(PATH_SEPARATOR.join(names)) > MAX_PATH_LENGTH:  # some grow when they are normalized
        msg = f"A group path can have at most {MAX_PATH_LENGTH} characters."
        raise GroupPathError(msg)
    if not all(names):
        msg = "A group path is names separated by single slashes, like Plant A/Hall 2."
        raise GroupPathError(msg)
    if not all(name.isprintable() for name in names):
        raise GroupPathError("A group name cannot contain control or invisible characters.")
    return names


def clean_group_name(text: str) -> str:
    """Return ``text`` as the name of one group.

    Raises:
        GroupPathError: it is empty, too long, unprintable, or has a slash in it.
    """
    if not text.strip():
        raise GroupPathError("A group needs a name.")
    if PATH_SEPARATOR in text:
        raise GroupPathError(
            "A group name cannot contain a slash: it separates the groups of a path."
        )
    return split_path(text)[0]
