"""What is beneath what: groups and their members, gateways and the devices behind them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Count, OuterRef, Subquery

from inventory.errors import GroupConflictError, InvalidObjectError, NotAChildError
from inventory.groups import add_to_group, lineage, move_group, remove_from_group
from inventory.locks import hold_tree, keep, touch
from inventory.models import ChildLink, DeviceGroup, Kind, ManagedObject
from inventory.models.managed_object import ManagedObjectQuerySet
from tenants import audit
from tenants.actors import Actor

KINDS: Final = tuple(ChildLink.Kind)

# No group is beneath anything but groups.
_ABOVE: Final = """
WITH RECURSIVE above (id) AS (
    SELECT id FROM inventory_managedobject WHERE id = %s
    UNION
    SELECT link.parent_id FROM above
    JOIN inventory_childlink AS link ON link.child_id = above.id
    JOIN inventory_managedobject AS parent ON parent.id = link.parent_id AND parent.kind <> %s
)
SELECT id FROM above
"""


def children_of(parent: ManagedObject, kind: ChildLink.Kind) -> ManagedObjectQuerySet:
    """Return the objects of one kind that are directly beneath ``parent``, by their IDs."""
    mine = ManagedObject.objects.for_tenant(parent.tenant).reported()
    beneath = mine.filter(parent_links__parent=parent, parent_links__kind=kind)
    # The ID as the link has it: its index begins with the parent, however many objects there are.
    return beneath.order_by("parent_links__child")


def add_children(
    parent: ManagedObject, children: Sequence[ManagedObject], kind: ChildLink.Kind, *, by: Actor
) -> None:
    """Put objects beneath ``parent``, all of them or none; those that are there already, stay.

    A group can be within one other only: it has to be taken out of there first.

    Raises:
        InvalidObjectError: something would be beneath itself, or a group where none can be.
        GroupConflictError: a group is somewhere else already, or its name is taken.
        GroupPathError: the path of a group would be too long.
        ManagedObject.DoesNotExist: one of them is gone.
    """
    groups = [one for one in children if one.is_group]
    others = [one for one in children if not one.is_group]
    is_joining = parent.is_group and kind is ChildLink.Kind.ASSET
    with transaction.atomic():
        if groups or not is_joining:
            hold_tree(parent.tenant)  # nobody makes a circle together with us
        for group in groups:
            if not is_joining:
                raise InvalidObjectError("A group can only be a child asset of another group.")
            _place(group, parent, by)
        if others and is_joining:
            add_to_group(_group(parent), others, by=by)
        elif others:
            _link(parent, others, kind, by)


def _place(moved: ManagedObject, parent: ManagedObject, by: Actor) -> None:
    group = _group(moved)
    if group.parent_id == parent.pk:
        return
    if group.pk in {one.pk for one in lineage(_group(parent))}:
        msg = f"“{group}” cannot be within itself or a group within it."
        raise InvalidObjectError(msg)
    if group.parent is not None:
        msg = (
            f"“{group.name}” is in the group “{_group(group.parent)}” already. "
            "Take it out of there first."
        )
        raise GroupConflictError(msg)
    move_group(group, _group(parent), by=by)


def _link(
    parent: ManagedObject, children: Iterable[ManagedObject], kind: ChildLink.Kind, by: Actor
) -> None:
    wanted = {one.pk: one for one in children}
    if keep([*wanted, parent.pk]) != {*wanted, parent.pk}:
        raise ManagedObject.DoesNotExist
    there = set(
        ChildLink.objects.filter(parent=parent, kind=kind, child__in=wanted).values_list(
            "child", flat=True
        )
    )
    new = [one for pk, one in wanted.items() if pk not in there]
    above = _above(parent) if new else set()
    for one in new:
        if one.pk in above:
            msg = f"“{one}” cannot be beneath itself."
            raise InvalidObjectError(msg)
    ChildLink.objects.bulk_create(ChildLink(parent=parent, child=one, kind=kind) for one in new)
    _record(f"{kind.label} added", parent, new, by)


def remove_children(
    parent: ManagedObject, children: Sequence[ManagedObject], kind: ChildLink.Kind, *, by: Actor
) -> None:
    """Take objects from beneath ``parent``, all of them or none; they stay in the inventory.

    A group comes to the root of the tree.

    Raises:
        NotAChildError: one of them is not there.
        GroupConflictError: there is a group of this name at the root.
    """
    groups = [one for one in children if one.is_group]
    others = [one for one in children if not one.is_group]
    with transaction.atomic():
        if groups:
            hold_tree(parent.tenant)
        for one in groups:
            group = _group(one)
            if kind is not ChildLink.Kind.ASSET or group.parent_id != parent.pk:
                raise _not_a_child(group, parent)
            move_group(group, None, by=by)
        if others and parent.is_group and kind is ChildLink.Kind.ASSET:
            remove_from_group(_group(parent), others, by=by)
        elif others:
            _unlink(parent, others, kind, by)


def _unlink(
    parent: ManagedObject, children: Iterable[ManagedObject], kind: ChildLink.Kind, by: Actor
) -> None:
    wanted = {one.pk: one for one in sorted(children, key=lambda one: one.pk)}
    for one in wanted.values():
        gone, _ = ChildLink.objects.filter(parent=parent, child=one, kind=kind).delete()
        if not gone:
            raise _not_a_child(one, parent)
    _record(f"{kind.label} removed", parent, list(wanted.values()), by)


def _not_a_child(one: ManagedObject, parent: ManagedObject) -> NotAChildError:
    # By their IDs: whoever asks may not know what this object is called, or where a group is.
    return NotAChildError(f"Object {one.pk} is no such child of object {parent.pk}.")


def _record(
    activity: str, parent: ManagedObject, children: Sequence[ManagedObject], by: Actor
) -> None:
    """Note that the children of an object that is no group are others now."""
    if children:
        touch(parent)
    for one in children:
        audit.record(
            by, parent.tenant_id, audit.Type.INVENTORY, activity,
            subject=f"{parent} #{parent.pk}", text=f"{one} #{one.pk}.",
        )  # fmt: skip


def _group(managed_object: ManagedObject) -> DeviceGroup:
    return (
        DeviceGroup.objects.for_tenant(managed_object.tenant)
        .select_related("tenant", "parent__tenant")
        .get(pk=managed_object.pk)
    )


def _above(managed_object: ManagedObject) -> set[int]:
    """Return the IDs of the object and of all that it is beneath, groups aside.

    One question, however deep it is: everybody else who changes the tree waits meanwhile.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ABOVE, [managed_object.pk, Kind.GROUP.value])
        return {row[0] for row in cursor.fetchall()}


# --- Looking around -------------------------------------------------------------------------


@dataclass(frozen=True)
class Neighbour:
    """An object directly above or beneath another one."""

    number: int
    name: str


@dataclass(frozen=True)
class Around:
    """Which neighbours somebody may see, and how many of one kind at the most.

    ``owner`` narrows to the objects of one user. ``upwards`` looks for parents.
    """

    most: int
    owner: str | None = None
    upwards: bool = False
    only_groups: bool = False

    @property
    def _ends(self) -> tuple[str, str]:
        return ("child", "parent") if self.upwards else ("parent", "child")

    def find(self, pks: Collection[int]) -> dict[tuple[int, str], list[Neighbour]]:
        """Return the neighbours of each object and kind, by ID; one more than ``most`` says that
        there are more.
        """
        here, there = self._ends
        found: dict[tuple[int, str], list[Neighbour]] = {}
        crowded = self._crowded(pks)
        calm = set(pks) - {pk for pk, _ in crowded}
        # Sorted here: asked for an order, SQLite goes through all links there are to get it.
        for pk, kind, number, name in sorted(self._rows(**{f"{here}__in": calm}).order_by()):
            found.setdefault((pk, kind), []).append(Neighbour(number, name))
        for one in {pk for pk, _ in crowded}:
            for kind in KINDS:
                rows = self._rows(**{here: one, "kind": kind}).order_by(there)[: self.most + 1]
                if rows:
                    found[one, kind] = [Neighbour(number, name) for _, _, number, name in rows]
        return found

    def count(self, pks: Collection[int]) -> dict[tuple[int, str], int]:
        """Return how many neighbours of each kind each object has."""
        here, there = self._ends
        rows = self._visible().filter(**{f"{here}__in": pks}).order_by()
        counts = rows.values_list(f"{here}_id", "kind").annotate(number=Count(there))
        return {(pk, kind): number for pk, kind, number in counts}

    def _crowded(self, pks: Collection[int]) -> set[tuple[int, str]]:
        """Return where there are more than is shown, without reading them: a group may hold a
        million devices.
        """
        here, there = self._ends
        beyond = {
            kind.name: Subquery(
                ChildLink.objects.filter(**{here: OuterRef("pk"), "kind": kind})
                .order_by(there)
                .values(there)[self.most : self.most + 1]
            )
            for kind in KINDS
        }
        rows = ManagedObject.objects.filter(pk__in=pks).annotate(**beyond)
        return {
            (pk, kind)
            for pk, *last in rows.values_list("pk", *beyond)
            for kind, one in zip(KINDS, last, strict=True)
            if one is not None
        }

    def _visible(self) -> Any:
        _, there = self._ends
        links = ChildLink.objects.filter(**{f"{there}__reported_at__isnull": False})
        if self.owner is not None:
            links = links.filter(**{f"{there}__owner": self.owner})
        if self.only_groups:
            links = links.filter(**{f"{there}__kind": Kind.GROUP})
        return links

    def _rows(self, **where: Any) -> Any:
        here, there = self._ends
        columns = (f"{here}_id", "kind", f"{there}_id", f"{there}__name")
        return self._visible().filter(**where).values_list(*columns)
