"""The tree of groups and who is in them: everything that changes either.

Names are unique within one parent. Whoever changes the tree holds it still as a whole, because a
group that moves takes along the paths of all below it.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Concat, Substr
from django.utils import timezone

from inventory.errors import GroupConflictError, NotAChildError
from inventory.locks import hold_tree, keep, link_children, touch
from inventory.models import (
    PATH_SEPARATOR,
    ChildLink,
    DeviceEvent,
    DeviceGroup,
    GroupPathError,
    Kind,
    ManagedObject,
    clean_group_name,
    split_path,
)
from inventory.models.group import GROUP_TYPE, MAX_PATH_LENGTH, SUBGROUP_TYPE
from tenants import audit
from tenants.actors import Actor
from tenants.models import Tenant

MAX_DEPTH: Final = 50  # groups inside one another
BATCH: Final = 500  # groups in one statement

# What else points to groups and has to let go of them before they are deleted: called with the
# tenant's ID and the groups'.
Detach = Callable[[str, list[int]], None]
_detaching: list[Detach] = []


def register_detach(detach: Detach) -> None:
    """Let an app above this one let go of groups before they are deleted."""
    _detaching.append(detach)


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
        group = _group_along(tenant, names, by)
    assert group is not None  # noqa: S101 -- split_path never returns an empty list
    return group


def create_at(tenant: Tenant, path: str, *, by: Actor) -> DeviceGroup:
    """Make the group at ``path``, which must be new; those above it are made where missing.

    Raises:
        GroupPathError: the path cannot be a group's.
        GroupConflictError: it is there already.
    """
    *above, name = split_path(path)
    with transaction.atomic():
        hold_tree(tenant)
        return _create(tenant, name, _group_along(tenant, above, by), by=by)


def _find(tenant: Tenant, names: list[str]) -> DeviceGroup | None:
    path = PATH_SEPARATOR.join(names)
    return DeviceGroup.objects.for_tenant(tenant).filter(path=path).first()


def _group_along(tenant: Tenant, names: list[str], by: Actor) -> DeviceGroup | None:
    group: DeviceGroup | None = None
    for depth, name in enumerate(names, start=1):
        group = _find(tenant, names[:depth]) or _create(tenant, name, group, by=by)
    return group


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
        type=kind or _type_of(parent, path),
        fragments=fragments or {},
    )
    group.save()
    if parent is not None:
        ChildLink.objects.create(parent=parent, child=group)
        touch(parent)
    audit.record(by, tenant.pk, audit.Type.INVENTORY, "Group created", subject=str(group))
    return group


def _type_of(parent: ManagedObject | None, path: str) -> str:
    """Return what clients know a group by in that place; a loose one is to be within another."""
    return GROUP_TYPE if parent is None and path else SUBGROUP_TYPE


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
        _check_depth(len(lineage(parent)) + 1)  # of loose ones nothing else says it
        return ""
    path = f"{parent.path}{PATH_SEPARATOR}{name}" if parent else name
    check_path(path)
    return path


def check_path(path: str) -> None:
    """See to it that a group can be at ``path``.

    Raises:
        GroupPathError: it is too long, or too deep.
    """
    if len(path) > MAX_PATH_LENGTH:
        msg = f"The path of a group can have at most {MAX_PATH_LENGTH} characters: “{path[:60]}…”."
        raise GroupPathError(msg)
    _check_depth(path.count(PATH_SEPARATOR) + 1)


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        msg = f"Groups can be nested {MAX_DEPTH} deep at most."
        raise GroupPathError(msg)


def lineage(group: ManagedObject) -> list[ManagedObject]:
    """Return the group and those that it is within, itself first."""
    line, one = [group], group.parent
    while one is not None:
        line.append(one)
        one = one.parent
    return line


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
        is_loose = not group.path and group.parent_id is None  # in nobody's way, wherever it is
        path = "" if is_loose else _path_within(group.tenant, group.parent, name, of=group)
        _set_place(group, group.parent, path, name=name)
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
            if group.pk in {one.pk for one in lineage(parent)}:
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
                touch(one)
        audit.record(
            by, group.tenant_id, audit.Type.INVENTORY, "Group moved",
            subject=str(group), changes={"path": (before, str(group))},
        )  # fmt: skip


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
        group.type = _type_of(parent, path)
    group.save(update_fields=["parent", "path", "updated_at", "name", "name_key", "type"])
    if old_path != path or not path:
        _set_paths_below(group, old_path)


def _set_paths_below(group: DeviceGroup, old_path: str) -> None:
    """Write the paths of the groups below, the nearest level first.

    Raises:
        GroupPathError: one of them would be too long or too deep.
    """
    above = len(lineage(group)) if not group.path else group.path.count(PATH_SEPARATOR) + 1
    levels = _levels_below(group)
    _check_depth(above + len(levels))
    mine = DeviceGroup.objects.for_tenant(group.tenant).order_by()
    now = timezone.now()
    for pks in (pks for level in levels for pks in _batches(level)):
        below = mine.filter(pk__in=pks)
        if not group.path:
            below.exclude(path="").update(path="", updated_at=now)
        elif old_path:
            for one in below.values_list("path", flat=True):
                check_path(group.path + one[len(old_path) :])
            behind = Substr(F("path"), len(old_path) + 1)
            below.update(path=Concat(Value(group.path), behind), updated_at=now)
        else:  # it came into the tree: nothing below has had a path until now
            for placed in below.select_related("parent"):
                assert placed.parent is not None  # noqa: S101 -- it is below something
                placed.path = f"{placed.parent.path}{PATH_SEPARATOR}{placed.name}"
                placed.updated_at = now
                check_path(placed.path)
                placed.save(update_fields=["path", "updated_at"])


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


# --- Who is in a group ----------------------------------------------------------------------


def add_to_group(group: DeviceGroup, objects: Iterable[ManagedObject], *, by: Actor) -> int:
    """Put objects of the group's tenant into it; return how many were not in it before.

    Groups are put elsewhere by :func:`move_group`; here they are passed over.

    Raises:
        ManagedObject.DoesNotExist: the group, or one of them, is gone.
    """
    wanted = {
        one.pk: one for one in objects if one.tenant_id == group.tenant_id and not one.is_group
    }
    with transaction.atomic():
        if keep([*wanted, group.pk]) != {*wanted, group.pk}:
            raise ManagedObject.DoesNotExist
        new = [wanted[pk] for pk in link_children(group, wanted)]
        for one in new:
            DeviceEvent.record(
                DeviceEvent.Kind.JOINED, by=by, tenant_id=group.tenant_id, managed_object=one,
                text=str(group),
            )  # fmt: skip
        if new:
            touch(group)
    return len(new)


def remove_from_group(group: DeviceGroup, objects: Iterable[ManagedObject], *, by: Actor) -> int:
    """Take objects out of a group; they stay in the inventory. Return how many were in it.

    Raises:
        NotAChildError: one of them is not in the group.
    """
    wanted = {one.pk: one for one in objects}
    with transaction.atomic():
        links = ChildLink.objects.filter(
            parent=group, child__in=wanted, kind=ChildLink.Kind.ASSET
        ).exclude(child__kind=Kind.GROUP)
        # Held, so that of two who take it out one does and the other is told.
        held = links.select_for_update(of=("self",)).order_by("child")
        if set(held.values_list("child", flat=True)) != set(wanted):
            msg = f"It is not in “{group}”."
            raise NotAChildError(msg)
        links.delete()
        for one in wanted.values():
            DeviceEvent.record(
                DeviceEvent.Kind.LEFT, by=by, tenant_id=group.tenant_id, managed_object=one,
                text=str(group),
            )  # fmt: skip
        if wanted:
            touch(group)
    return len(wanted)


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
        _let_go(group.tenant, [pk for level in levels for pk in level])
        for level in reversed(levels):  # children first: a parent with children stays
            for pks in _batches(level):
                DeviceGroup.objects.for_tenant(group.tenant).filter(pk__in=pks).delete()
        if parent is not None:
            touch(parent)
        below = sum(len(level) for level in levels) - 1
        text = f"With {below} group{'' if below == 1 else 's'} within it." if below else ""
        audit.record(
            by, group.tenant_id, audit.Type.INVENTORY, "Group deleted", subject=path, text=text
        )
    return below + 1


def _let_go(tenant: Tenant, doomed: list[int]) -> None:
    """Let go of what points to groups that are about to be deleted, and keep it from coming back.

    Whoever is to point to a group locks it last, after a registration and a device; so those are
    waited for first. Then the groups are locked: whoever comes now waits, and finds them gone.
    """
    mine = DeviceGroup.objects.for_tenant(tenant).order_by("pk")
    for _ in range(2):  # the second time for what came before the groups were locked
        for pks in _batches(doomed):
            for detach in _detaching:
                detach(tenant.pk, pks)
            joining = ManagedObject.objects.filter(tenant=tenant, group_to_join__in=pks)
            joining.update(group_to_join=None)
        for pks in _batches(doomed):
            list(mine.filter(pk__in=pks).select_for_update().values_list("pk"))
