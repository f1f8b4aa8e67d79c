"""Many groups at once, as a file of devices names them: all that are missing along their paths."""

from collections.abc import Collection, Mapping
from itertools import accumulate

from django.utils import timezone

from inventory.groups import check_path
from inventory.locks import hold_tree, touch_all
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
