"""How much there is in groups: for a page of them, and for one that is to be deleted."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import OuterRef

from inventory.groups import within
from inventory.many import CountUpTo
from inventory.models import ChildLink, DeviceGroup, Kind

SHOWN_UP_TO: Final = 1_000  # devices in a row of the tree; more are "1,000+"
TOLD_UP_TO: Final = 10_000  # of each kind, before a group is deleted
BATCH: Final = 500  # groups, or devices, asked about in one statement

# What else is going to put devices into groups: called with the tenant's ID, the groups' and how
# many are worth counting.
Joining = Callable[[str, list[int], int], int]
_joining: list[Joining] = []


def register_joining(count: Joining) -> None:
    """Let an app above this one say how many devices it is going to put into groups."""
    _joining.append(count)


def _assets() -> Any:
    # In the order of the index they are counted by; without it another one may be walked along.
    links = ChildLink.objects.filter(parent=OuterRef("pk"), kind=ChildLink.Kind.ASSET)
    return links.order_by("child")


def add_numbers(groups: Iterable[DeviceGroup]) -> None:
    """Note on each group how many devices are in it, up to a limit, and whether groups are."""
    rows = list(groups)
    if not rows:
        return
    subgroups = DeviceGroup.objects.filter(tenant=OuterRef("tenant"), parent=OuterRef("pk"))
    counted = {
        row["pk"]: row
        for row in DeviceGroup.objects.filter(pk__in=[group.pk for group in rows])
        .order_by()
        .annotate(
            links=CountUpTo(_assets().values("pk")[: SHOWN_UP_TO + 1]),
            below=CountUpTo(subgroups.order_by().values("pk")[: SHOWN_UP_TO + 1]),
        )
        .values("pk", "links", "below")
    }
    for group in rows:
        row = counted.get(group.pk, {"links": 0, "below": 0})
        number = row["links"] - row["below"]
        if row["links"] > SHOWN_UP_TO and row["below"]:
            number = devices_in(group)[: SHOWN_UP_TO + 1].count()  # the quick count cannot tell
        elif row["links"] > SHOWN_UP_TO:
            number = SHOWN_UP_TO + 1
        group.has_subgroups = row["below"] > 0  # type: ignore[attr-defined]
        group.device_number = min(number, SHOWN_UP_TO)  # type: ignore[attr-defined]
        group.has_more_devices = number > SHOWN_UP_TO  # type: ignore[attr-defined]


def devices_in(group: DeviceGroup) -> Any:
    """Return the links to what is in the group itself and is no group."""
    links = ChildLink.objects.filter(parent=group, kind=ChildLink.Kind.ASSET)
    return links.exclude(child__kind=Kind.GROUP)


@dataclass(frozen=True)
class Farewell:
    """What happens when a group is deleted, in numbers; each ends at ``TOLD_UP_TO``.

    ``groups`` are those within it, ``devices`` stay and lose a group, ``homeless`` are those of
    them that are in no group afterwards, or None where they are too many to look at.
    ``registrations`` will join none.
    """

    groups: int
    devices: int
    homeless: int | None
    registrations: int

    @classmethod
    def of(cls, group: DeviceGroup) -> "Farewell":
        """Look at the group as it is now."""
        doomed = within(group)
        devices = _devices_of(doomed)
        is_too_much = len(devices) > TOLD_UP_TO
        joining = sum(
            count(group.tenant_id, pks, TOLD_UP_TO + 1)
            for pks in _batches(doomed)
            for count in _joining
        )
        return cls(
            groups=len(doomed) - 1,
            devices=min(len(devices), TOLD_UP_TO + 1),
            homeless=None if is_too_much else len(devices) - _elsewhere(devices, doomed),
            registrations=min(joining, TOLD_UP_TO + 1),
        )


def _devices_of(groups: list[int]) -> set[int]:
    found: set[int] = set()
    for pks in _batches(groups):
        links = ChildLink.objects.filter(parent__in=pks, kind=ChildLink.Kind.ASSET)
        inside = links.exclude(child__kind=Kind.GROUP).order_by().values_list("child", flat=True)
        found.update(inside.distinct()[: TOLD_UP_TO + 1])
        if len(found) > TOLD_UP_TO:
            break
    return found


def _elsewhere(devices: Collection[int], groups: Collection[int]) -> int:
    """Return how many of these devices are in other groups, too."""
    doomed = set(groups)
    safe: set[int] = set()
    for pks in _batches(list(devices)):
        links = ChildLink.objects.filter(child__in=pks, kind=ChildLink.Kind.ASSET)
        in_groups = links.filter(parent__kind=Kind.GROUP).values_list("child", "parent")
        safe.update(child for child, parent in in_groups if parent not in doomed)
    return len(safe)


def _batches(pks: list[int]) -> Iterable[list[int]]:
    return (pks[start : start + BATCH] for start in range(0, len(pks), BATCH))
