"""Holding still what must not change meanwhile, where the database lets others in at all.

SQLite holds the whole database for whoever writes, so that there is nothing to do.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from zlib import crc32

from django.db import connection
from django.db.models import Model
from django.utils import timezone

from inventory.many import AnyOf
from inventory.models import ChildLink, DeviceGroup, GroupPathError, ManagedObject
from tenants.models import Tenant

# Numbers of our own among the advisory locks of the database.
_TREES = 71_001
_IDS = 71_002
_DOORS = 64  # each device ID belongs to one of them


def hold_tree(tenant: Tenant) -> None:
    """Make everybody else wait who wants to change this tenant's groups; call it first of all.

    A group that moves takes along the paths of all below it, so two changes to one tree can never
    be made side by side.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Two tenants with the same checksum wait for each other, and that is all.
            number = crc32(tenant.pk.encode()) - 2**31
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_TREES, number])


def hold_id(device_id: str) -> None:
    """Make everybody else wait who wants to let a device of this ID in; call it first of all.

    As long as an ID is neither registered nor has a login, there is no row that could be locked:
    two who come by different doors would both find it free.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Two IDs with the same door wait for each other, and that is all.
            door = crc32(device_id.encode(errors="replace")) % _DOORS
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_IDS, door])


def share_ids() -> None:
    """Make everybody wait who holds any ID; call it before looking at many, to write them.

    Others may write many as well: rows that both want to make, the database refuses to one.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_advisory_xact_lock_shared(%s, door)::text)"
                " FROM generate_series(0, %s) AS door",
                [_IDS, _DOORS - 1],
            )


def keep(objects: Collection[int]) -> set[int]:
    """Keep objects from being deleted until the transaction ends; return those that are there.

    Others may keep them too, and change them: this is the lock that a foreign key takes.
    """
    return _keep(ManagedObject, objects)


def keep_tenants(tenants: Collection[str]) -> set[str]:
    """Keep tenants from being deleted, in the same way."""
    return _keep(Tenant, tenants)


def _keep(model: type[Model], keys: Collection[Any]) -> set[Any]:
    if not keys:
        return set()
    there = model._base_manager.filter(AnyOf("id", keys)).order_by("id")  # noqa: SLF001 -- any's
    there = there.values_list("id")
    sql, parameters = there.query.sql_with_params()
    if connection.vendor == "postgresql":
        sql += " FOR KEY SHARE"
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return {row[0] for row in cursor.fetchall()}


def keep_group(group: DeviceGroup | None) -> None:
    """Keep a group from being deleted until the transaction ends, to point to it.

    Raises:
        GroupPathError: somebody has deleted it.
    """
    if group is not None and not keep([group.pk]):
        msg = f"The group “{group}” was deleted meanwhile. Choose another one."
        raise GroupPathError(msg)


def touch(managed_object: ManagedObject) -> None:
    """Note, in a transaction, that what is beneath the object changed; once a second is enough."""
    touch_all([managed_object.pk])


def touch_all(objects: Collection[int]) -> None:
    """Note, in a transaction, that what is beneath each of the objects changed.

    Nobody is waited for: whoever holds an object notes a change as well, or deletes it and waits
    for the links that we have changed already.
    """
    now = timezone.now()
    stale = ManagedObject.objects.filter(
        AnyOf("pk", objects), updated_at__lt=now - timedelta(seconds=1)
    ).order_by("pk")
    held = stale.select_for_update(of=("self",), skip_locked=True, no_key=True)
    found = list(held.values_list("pk", flat=True))
    if found:
        ManagedObject.objects.filter(AnyOf("pk", found)).update(updated_at=now)


def link_children(parent: ManagedObject, children: Collection[int]) -> list[int]:
    """Put objects beneath ``parent`` as its assets; return those that were not there before.

    The database alone can tell, when two put the same object there at once.
    """
    if not children:
        return []
    rows = ", ".join(["(%s, %s, %s)"] * len(children))
    sql = (
        f"INSERT INTO inventory_childlink (parent_id, child_id, kind) VALUES {rows}"  # noqa: S608
        " ON CONFLICT DO NOTHING RETURNING child_id"
    )
    values = [each for pk in sorted(children) for each in (parent.pk, pk, ChildLink.Kind.ASSET)]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [row[0] for row in cursor.fetchall()]
