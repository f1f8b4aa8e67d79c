"""Many groups at once, as a file of devices names them: all that are missing along their paths."""

from collections.abc import Collection, Mapping
from itertools import accumulate

from django.utils import timezone

from inventory.groups import check_path
from inventory.locks import hold_tree, touch_all
from inventory.many import AnyOf
from inventory.models import (
    PATH_SEPARATOR,
    ChildLink,
    DeviceGroup,
    GroupPathError,
    Kind,
    clean_group_name,
)
from inventory.models.group import GROUP_TYPE, SUBGROUP_TYPE
from inventory.models.managed_object import IS_GROUP
from tenants import audit
from tenants.actors import Actor
from tenants.models import Tenant

AT_ONCE = 500  # paths in one statement


def make_groups(
    tenant: Tenant, paths: Collection[str], *, by: Actor
) -> tuple[Mapping[str, int], list[int], Mapping[str, str]]:
    """Make the groups at ``paths`` with those above them, in a transaction of the caller.

    Return the IDs of the groups by their paths, those that were made just now (a parent before
    its children), and why some paths cannot be a group's. The paths are as
    :func:`inventory.models.split_path` leaves them.
    """
    hold_tree(tenant)
    refused: dict[str, str] = {}
    steps: set[str] = set()
    for path in paths:
        try:
            check_path(path)
        except GroupPathError as error:
            refused[path] = str(error)
        else:
            steps |= set(steps_of(path))
    known = _existing(tenant, steps)
    missing = sorted(steps - known.keys(), key=lambda path: (path.count(PATH_SEPARATOR), path))
    made: list[int] = []
    depth = 0
    while missing:
        level = [path for path in missing if path.count(PATH_SEPARATOR) == depth]
        missing = missing[len(level) :]
        depth += 1
        for start in range(0, len(level), AT_ONCE):
            groups = _make_level(tenant, level[start : start + AT_ONCE], known, by)
            known |= {group.path: group.pk for group in groups}
            made += [group.pk for group in groups]
    if made:
        audit.record(
            by, tenant.pk, audit.Type.INVENTORY, "Groups created together",
            text=f"{len(made)} groups along the paths that devices were registered with.",
        )  # fmt: skip
    return {path: known[path] for path in paths if path not in refused}, made, refused


def hold_groups(tenant: Tenant, groups: Collection[int]) -> set[int]:
    """Hold the tree, and groups of it, until the transaction ends; return those that are there.

    Nobody can put anything into them meanwhile, or point to them.
    """
    hold_tree(tenant)
    mine = DeviceGroup.objects.for_tenant(tenant).filter(AnyOf("id", groups), tenant=tenant)
    held = mine.order_by("pk").select_for_update(of=("self",))
    return set(held.values_list("pk", flat=True))


def delete_groups(tenant: Tenant, groups: Collection[int], *, by: Actor) -> None:
    """Delete groups that are held, and that nothing is in but others of them."""
    if not groups:
        return
    above = ChildLink.objects.filter(AnyOf("child", groups))
    touch_all({pk for pk in above.values_list("parent_id", flat=True) if pk not in groups})
    above._raw_delete(using="default")  # noqa: SLF001 -- nothing points at a link
    doomed = DeviceGroup.objects.for_tenant(tenant).filter(AnyOf("id", groups)).order_by()
    doomed._raw_delete(using="default")  # noqa: SLF001 -- nor, as the caller knows, at these
    audit.record(
        by, tenant.pk, audit.Type.INVENTORY, "Groups deleted together",
        text=f"{len(groups)} groups that were empty.",
    )  # fmt: skip


def steps_of(path: str) -> list[str]:
    """Return the path and those of the groups above, the outermost first."""
    names = path.split(PATH_SEPARATOR)
    return list(accumulate(names, lambda above, name: f"{above}{PATH_SEPARATOR}{name}"))


def _existing(tenant: Tenant, paths: Collection[str]) -> dict[str, int]:
    every = sorted(paths)
    found: dict[str, int] = {}
    for start in range(0, len(every), AT_ONCE):
        groups = DeviceGroup.objects.for_tenant(tenant).order_by()
        some = groups.filter(path__in=every[start : start + AT_ONCE])
        found |= dict(some.values_list("path", "pk"))
    return found


def _make_level(
    tenant: Tenant, paths: Collection[str], known: Mapping[str, int], by: Actor
) -> list[DeviceGroup]:
    now = timezone.now()
    groups = []
    for path in paths:
        above, _, name = path.rpartition(PATH_SEPARATOR)
        group = DeviceGroup(
            tenant=tenant, kind=Kind.GROUP, parent_id=known[above] if above else None, path=path,
            type=SUBGROUP_TYPE if above else GROUP_TYPE, owner=by.name[:1_100],
            created_by_name=by.name[:255], fragments={IS_GROUP: {}}, created_at=now,
            reported_at=now, updated_at=now,
        )  # fmt: skip
        group.rename(clean_group_name(name))
        groups.append(group)
    made = DeviceGroup.objects.bulk_create(groups)
    links = [(group.parent_id, group.pk) for group in made if group.parent_id is not None]
    ChildLink.objects.bulk_create(
        ChildLink(parent_id=parent, child_id=child) for parent, child in links
    )
    touch_all({parent for parent, _ in links})
    return made
