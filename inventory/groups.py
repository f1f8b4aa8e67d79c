"""The tree of groups and who is in them: everything that changes either.

Names are unique within one parent. Whoever changes the tree holds it still as a whole, because a
group that moves takes along the paths of all below it.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Final

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Concat, Substr
from django.utils import timezone

from inventory.errors import GroupConflictError, NotAChildError
from inventory.locks import hold_tree, keep
from inventory.models import (
    PATH_SEPARATOR,
    ChildLink,
    DeviceEvent,
    DeviceGroup,
    GroupPathError,
    ManagedObject,
    clean_group_name,
    split_path,
)
from inventory.models.group import GROUP_TYPE, MAX_PATH_LENGTH, SUBGROUP_TYPE
from inventory.models.managed_object import IS_GROUP
from tenants import audit
from tenants.actors import Actor
from tenants.models import Tenant

MAX_DEPTH: Final = 50  # groups inside one another
BATCH: Final = 500  # groups in one statement


def group_at(tenant: Tenant, path: str, *, by: Actor) -> DeviceGroup:
    """Return the group at ``path``, made together with the groups above it where missing.

    Raises:
        GroupPathError: the path cannot be a group's.
    """
    names = split_path(path)
    found = _find(tenant, names)
    if found is not None:
        return found
    with transaction.atomic():
        hold_tree(tenant)
        group: DeviceGroup | None = None
        for depth in range(1, len(names) + 1):
            above = group
            group = _find(tenant, names[:depth]) or _create(tenant, names[depth - 1], above, by=by)
    assert group is not None  # noqa: S101 -- split_path never returns an empty list
    return group


def _find(tenant: Tenant, names: list[str]) -> DeviceGroup | None:
    path = PATH_SEPARATOR.join(names)
    return DeviceGroup.objects.for_tenant(tenant).filter(path=path).first()


def create_group(
    tenant: Tenant,
    name: str,
    *,
    parent: DeviceGroup | None = None,
    by: Actor,
    owner: str = "",
    kind: str = "",
    fragments: dict[str, object] | None = None,
    is_loose: bool = False,
) -> DeviceGroup:
    """Make a group within ``parent``, or at the root.

    A loose one has no place in the tree until it is put somewhere: published clients make a
    subgroup first and say where it belongs afterwards. ``kind`` is its type on the wire.

    Raises:
        GroupPathError: the name cannot be a group's.
        GroupConflictError: there is one of this name in that place.
    """
    name = clean_group_name(name)
    with transaction.atomic():
        hold_tree(tenant)
        if parent is not None:
            parent = DeviceGroup.objects.for_tenant(tenant).get(pk=parent.pk)
        return _create(
            tenant, name, parent, by=by, owner=owner, kind=kind, fragments=fragments,
            is_loose=is_loose,
        )  # fmt: skip


def _create(
    tenant: Tenant,
    name: str,
    parent: DeviceGroup | None,
    *,
    by: Actor,
    owner: str = "",
    kind: str = "",
    fragments: dict[str, object] | None = None,
    is_loose: bool = False,
) -> DeviceGroup:
    path = "" if is_loose else _path_within(tenant, parent, name)
    group = DeviceGroup(
        tenant=tenant,
        name=name,
        parent=parent,
        path=path,
        owner=owner or by.name,
        created_by_name=by.name,
        type=kind,
        fragments=fragments or {},
    )
    group.save()
    if parent is not None:
        ChildLink.objects.create(parent=parent, child=group)
        _touch(parent)
    audit.record(by, tenant.pk, audit.Type.INVENTORY, "Group created", subject=str(group))
    return group


def _path_within(
    tenant: Tenant, parent: ManagedObject | None, name: str, *, of: ManagedObject | None = None
) -> str:
    """Return the path of a group called ``name`` in that place; empty where there is none yet.

    Raises:
        GroupPathError: the path would be too long, or the tree too deep.
        GroupConflictError: another group has it.
    """
    siblings = DeviceGroup.objects.for_tenant(tenant).filter(parent=parent, name=name)
    if parent is None:
        siblings = siblings.exclude(path="")
    if of is not None:
        siblings = siblings.exclude(pk=of.pk)
    if siblings.exists():
        where = f"in “{parent}”" if parent else "at the top level"
        msg = f"There is a group “{name}” {where} already. Choose another name."
        raise GroupConflictError(msg)
    if parent is not None and not parent.path:
        return ""
    path = f"{parent.path}{PATH_SEPARATOR}{name}" if parent else name
    _check_path(path)
    return path


def _check_path(path: str) -> None:
    if len(path) > MAX_PATH_LENGTH:
        msg = f"The path of a group can have at most {MAX_PATH_LENGTH} characters: “{path[:60]}…”."
        raise GroupPathError(msg)
    if path.count(PATH_SEPARATOR) >= MAX_DEPTH:
        msg = f"Groups can be nested {MAX_DEPTH} deep at most."
        raise GroupPathError(msg)


def rename_group(group: DeviceGroup, name: str, *, by: Actor) -> None:
    """Give the group another name; the paths of all below it change with it.

    Raises:
        GroupPathError, GroupConflictError: it cannot be called that.
    """
    name = clean_group_name(name)
    with transaction.atomic():
        group = _held(group)
        before = str(group)
        if name == group.name:
            return
        path = _path_within(group.tenant, group.parent, name, of=group)
        # A loose group at the root keeps having no place.
        _set_place(group, group.parent, path if group.path else "", name=name)
        audit.record(
            by, group.tenant_id, audit.Type.INVENTORY, "Group renamed",
            subject=str(group), changes={"path": (before, str(group))},
        )  # fmt: skip


def move_group(group: DeviceGroup, parent: DeviceGroup | None, *, by: Actor) -> None:
    """Put the group into another one, or at the root, with everything in it.

    Raises:
        GroupConflictError: that is within itself, or its name is taken there.
        GroupPathError: its path, or one below it, would be too long.
    """
    with transaction.atomic():
        group = _held(group)
        if parent is not None:
            parent = DeviceGroup.objects.for_tenant(group.tenant).get(pk=parent.pk)
            if _is_within(parent, group):
                msg = f"“{group}” cannot be moved into itself or a group within it."
                raise GroupConflictError(msg)
        if group.parent_id == (parent.pk if parent else None) and (group.path or parent):
            return
        before, old_parent = str(group), group.parent
        path = _path_within(group.tenant, parent, group.name, of=group)
        ChildLink.objects.filter(child=group, kind=ChildLink.Kind.ASSET).delete()
        if parent is not None:
            ChildLink.objects.create(parent=parent, child=group)
        _set_place(group, parent, path)
        for one in (old_parent, parent):
            if one is not None:
                _touch(one)
        audit.record(
            by, group.tenant_id, audit.Type.INVENTORY, "Group moved",
            subject=str(group), changes={"path": (before, str(group))},
        )  # fmt: skip


def _is_within(inner: ManagedObject, outer: ManagedObject) -> bool:
    one: ManagedObject | None = inner
    while one is not None:
        if one.pk == outer.pk:
            return True
        one = one.parent
    return False


def _held(group: DeviceGroup) -> DeviceGroup:
    """Return the group as it is now, with its whole tree held still."""
    hold_tree(group.tenant)
    return DeviceGroup.objects.for_tenant(group.tenant).select_related("tenant").get(pk=group.pk)


def _set_place(
    group: DeviceGroup, parent: ManagedObject | None, path: str, *, name: str = ""
) -> None:
    """Write where the group is now, and the paths of everything below it."""
    old_path = group.path
    group.parent, group.path, group.updated_at = parent, path, timezone.now()
    if name:
        group.rename(name)
    if group.type in {GROUP_TYPE, SUBGROUP_TYPE}:
        group.type = SUBGROUP_TYPE if parent else GROUP_TYPE
    group.save(update_fields=["parent", "path", "updated_at", "name", "name_key", "type"])
    if old_path == path:
        return
    if old_path and path:
        for pks in _batches(pk for level in _levels_below(group) for pk in level):
            below = DeviceGroup.objects.for_tenant(group.tenant).filter(pk__in=pks)
            for one in below.order_by().values_list("path", flat=True):
                _check_path(path + one[len(old_path) :])
            below.update(
                path=Concat(Value(path), Substr(F("path"), len(old_path) + 1)),
                updated_at=timezone.now(),
            )
    else:
        _set_paths_below(group)


def _set_paths_below(group: ManagedObject) -> None:
    """Write the paths below a group that came into the tree, or left it, level by level."""
    for one in DeviceGroup.objects.for_tenant(group.tenant).filter(parent=group):
        one.path = f"{group.path}{PATH_SEPARATOR}{one.name}" if group.path else ""
        _check_path(one.path)
        one.save(update_fields=["path"])
        _set_paths_below(one)


def _levels_below(group: ManagedObject) -> list[list[int]]:
    """Return the IDs of the groups below this one, a list for each level, the nearest first."""
    levels, nearest = [], [group.pk]
    while nearest:
        groups = DeviceGroup.objects.for_tenant(group.tenant).order_by()
        nearest = [
            pk
            for pks in _batches(nearest)
            for pk in groups.filter(parent__in=pks).values_list("pk", flat=True)
        ]
        if nearest:
            levels.append(nearest)
    return levels


def _batches(pks: Iterable[int]) -> Iterator[list[int]]:
    rest = iter(pks)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _touch(group: ManagedObject) -> None:
    """Note that the group changed; once a second is often enough for a group that fills up."""
    now = timezone.now()
    ManagedObject.objects.filter(pk=group.pk, updated_at__lt=now - timedelta(seconds=1)).update(
        updated_at=now
    )


# --- Who is in a group ----------------------------------------------------------------------


def add_to_group(group: DeviceGroup, objects: Iterable[ManagedObject], *, by: Actor) -> int:
    """Put objects of the group's tenant into it; return how many were not in it before.

    Groups are put elsewhere by :func:`move_group`.

    Raises:
        ManagedObject.DoesNotExist: the group, or one of them, is gone.
    """
    wanted = {one.pk: one for one in objects if one.tenant_id == group.tenant_id}
    with transaction.atomic():
        if keep([*wanted, group.pk]) != {*wanted, group.pk}:
            raise ManagedObject.DoesNotExist
        there = _members(group, wanted)
        new = [one for pk, one in wanted.items() if pk not in there]
        ChildLink.objects.bulk_create(
            [ChildLink(parent=group, child=one) for one in new], ignore_conflicts=True
        )
        for one in new:
            DeviceEvent.record(
                DeviceEvent.Kind.JOINED, by=by, tenant_id=group.tenant_id, managed_object=one,
                text=str(group),
            )  # fmt: skip
        if new:
            _touch(group)
    return len(new)


def remove_from_group(group: DeviceGroup, objects: Iterable[ManagedObject], *, by: Actor) -> int:
    """Take objects out of a group; they stay in the inventory. Return how many were in it.

    Raises:
        NotAChildError: one of them is not in the group.
    """
    wanted = {one.pk: one for one in objects}
    with transaction.atomic():
        if _members(group, wanted) != set(wanted):
            msg = f"It is not in “{group}”."
            raise NotAChildError(msg)
        ChildLink.objects.filter(parent=group, child__in=wanted, kind=ChildLink.Kind.ASSET).delete()
        for one in wanted.values():
            DeviceEvent.record(
                DeviceEvent.Kind.LEFT, by=by, tenant_id=group.tenant_id, managed_object=one,
                text=str(group),
            )  # fmt: skip
        if wanted:
            _touch(group)
    return len(wanted)


def _members(group: ManagedObject, objects: Collection[int]) -> set[int]:
    links = ChildLink.objects.filter(parent=group, child__in=objects, kind=ChildLink.Kind.ASSET)
    return set(links.values_list("child", flat=True))


def groups_of(managed_object: ManagedObject) -> list[DeviceGroup]:
    """Return the groups that an object is in, by their paths."""
    links = ChildLink.objects.filter(child=managed_object, kind=ChildLink.Kind.ASSET)
    return list(
        DeviceGroup.objects.for_tenant(managed_object.tenant)
        .filter(pk__in=links.values("parent"))
        .order_by("path", "pk")
    )


def within(group: DeviceGroup) -> list[int]:
    """Return the IDs of the group and of every group below it, a parent before its children."""
    return [group.pk, *(pk for level in _levels_below(group) for pk in level)]


def delete_group(group: DeviceGroup, *, by: Actor) -> int:
    """Delete a group with all groups below it; devices in them stay. Return how many went.

    Registrations that were to join one of them will join none.
    """
    with transaction.atomic():
        group = _held(group)
        path, parent = str(group), group.parent
        levels = [[group.pk], *_levels_below(group)]
        for level in reversed(levels):  # children first: a parent with children stays
            for pks in _batches(level):
                DeviceGroup.objects.for_tenant(group.tenant).filter(pk__in=pks).delete()
        if parent is not None:
            _touch(parent)
        below = sum(len(level) for level in levels) - 1
        text = f"With {below} group{'' if below == 1 else 's'} within it." if below else ""
        audit.record(
            by, group.tenant_id, audit.Type.INVENTORY, "Group deleted", subject=path, text=text
        )
    return below + 1


def change_group_fragments(group: DeviceGroup, fragments: dict[str, object]) -> None:
    """Set what clients keep at a group beside its name; the mark that it is one stays."""
    group.fragments = fragments | {IS_GROUP: fragments.get(IS_GROUP, {})}
    group.updated_at = timezone.now()
    group.save(update_fields=["fragments", "updated_at", "type"])
