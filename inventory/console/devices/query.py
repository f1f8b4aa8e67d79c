"""What the list of devices is asked for, read from its URL: everything chosen is in there.

A page costs the same at a thousand and at a million devices. What is few (``SHORT``) is looked
through and sorted as asked. What is many is read in the order of an index, so fewer orders are
offered there, and a search finds beginnings.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict

from inventory.fields import as_words, starts_with, text_key
from inventory.groups import within
from inventory.many import AnyOf
from inventory.models import (
    PATH_SEPARATOR,
    ChildLink,
    DeviceGroup,
    DeviceType,
    ExternalId,
    GroupPathError,
    Kind,
    ManagedObject,
    State,
    split_path,
)
from inventory.models.managed_object import (
    KEY_LENGTH,
    MAX_TYPE_LENGTH,
    ManagedObjectQuerySet,
)
from tenants.models import Tenant
from ui.tables import KeysetPaginator, Page
from ui.text import storable

SHORT: Final = 10_000  # devices; up to here they are counted, looked into and sorted at will
FOUND_UP_TO: Final = 1_000  # devices by each kind of name, where a search finds beginnings
MAX_SEARCH_LENGTH: Final = 1_000  # characters
NO_TYPE: Final = "none"  # asks for the devices that came in by no device type

SORTABLE: Final = {
    "device": "device_id",
    "name": "name_key",
    "contact": "last_contact_at",
    "registered": "created_at",
}
NEWEST: Final = "-registered"


@dataclass(frozen=True)
class StateFilter:
    """One of the choices above the list; ``state`` is None for all."""

    key: str
    label: str
    state: State | None


ALL: Final = StateFilter("", "All", None)
STATE_FILTERS: Final = (
    ALL,
    StateFilter("never", "Never connected", State.NEVER_CONNECTED),
    StateFilter("connected", "Connected", State.CONNECTED),
    StateFilter("disabled", "Disabled", State.DISABLED),
    StateFilter("none", "No login", State.NONE),
)


@dataclass(frozen=True)
class DeviceQuery:
    """One way to look at the list.

    ``tenant_text`` is the ID that was asked for, ``tenant`` the one found. ``group`` is the path
    that was asked for, ``groups`` those found there: none, one, or for the management tenant as
    many as there are tenants with such a path; ``below`` adds the groups within them.
    ``type_asked`` is the ID of a device type or ``NO_TYPE``, ``device_type`` the one found.
    """

    viewer: Tenant
    state: StateFilter
    type: str
    type_asked: str
    device_type: DeviceType | None
    search: str
    tenant_text: str
    tenant: Tenant | None
    group: str
    groups: tuple[DeviceGroup, ...]
    below: bool
    sort: str

    @classmethod
    def read(cls, viewer: Tenant, parameters: QueryDict) -> Self:
        """Read the URL; what it cannot mean is ignored, so that an old link still opens."""
        state = next((f for f in STATE_FILTERS if f.key == parameters.get("state", "")), ALL)
        tenant_text = storable(parameters.get("tenant", "")).strip() if viewer.is_management else ""
        tenant = Tenant.objects.filter(pk=tenant_text.lower()).first() if tenant_text else None
        group, groups = _groups(viewer, tenant, storable(parameters.get("group", "")).strip())
        type_asked, device_type = _device_type(viewer, parameters.get("device_type", ""))
        sort = parameters.get("sort", "")
        return cls(
            viewer=viewer,
            state=state,
            type_asked=type_asked,
            device_type=device_type,
            type=storable(parameters.get("type", "")).strip()[:MAX_TYPE_LENGTH],
            search=storable(parameters.get("q", "")).strip()[:MAX_SEARCH_LENGTH],
            tenant_text=tenant.pk if tenant else tenant_text,
            tenant=tenant,
            group=group,
            groups=groups,
            below=bool(parameters.get("below")) and bool(group),
            sort=sort if sort.removeprefix("-") in SORTABLE else "",
        )

    @property
    def is_narrowed(self) -> bool:
        """Say whether not all devices were asked for."""
        return bool(self.search or self.is_filtered or self.tenant_text)

    @property
    def is_narrowed_further(self) -> bool:
        """Say whether more was asked for than a device type."""
        others = self._narrowings - bool(self.type_asked)
        return bool(self.search or self.tenant_text or self.group or others)

    @property
    def is_filtered(self) -> bool:
        """Say whether more is asked for than a tenant's devices."""
        return bool(self.group) or self._narrowings > 0

    @property
    def _narrowings(self) -> int:
        """Return how many filters there are, of those that have an index each."""
        return (self.state.state is not None) + bool(self.type) + bool(self.type_asked)

    # --- How many there are, and what can be done with so many --------------------------

    @cached_property
    def parents(self) -> list[int]:
        """Return the IDs of the groups whose members are asked for."""
        if self.below:
            return [pk for group in self.groups for pk in within(group)]
        return [group.pk for group in self.groups]

    @cached_property
    def number(self) -> int | None:
        """Return how many the filters leave, up to one more than ``SHORT``; None if unknown.

        That is where several filters leave many each: what they leave together would have to be
        counted one by one.
        """
        parts = [self._count(self._members())] if self.group else []
        if self.state.state is not None:
            parts.append(self._count(self._own().filter(state=self.state.state)))
        if self.type:
            parts.append(self._count(self._own().filter(type=self.type)))
        if self.type_asked:
            # In the order of the index over them; SQLite takes another one else.
            order = ["tenant_id"] if self.type_asked == NO_TYPE else []
            typed = self._of_type(self._own()).order_by(*order, "created_at")
            parts.append(typed[: SHORT + 1].count())
        if not parts:
            # In an order that has an index over devices alone: without one, SQLite takes an index
            # over everything and looks up each row to see whether it is a device.
            return self._own().order_by("created_at")[: SHORT + 1].count()
        if len(parts) == 1 and not self.group:  # a group has more members than its devices
            return parts[0]
        if min(parts) <= SHORT:
            return self._count(self._filtered())
        return parts[0] if len(parts) == 1 else None

    @staticmethod
    def _count(rows: "QuerySet[ManagedObject] | QuerySet[ChildLink]") -> int:
        return rows.order_by()[: SHORT + 1].count()

    @cached_property
    def number_of_all(self) -> int:
        """Return how many devices there are whatever is asked for, up to one more than ``SHORT``.

        Who sees nothing learns from it how much the filters hide.
        """
        rows = ManagedObject.objects.visible_to(self.viewer).devices()
        return rows.order_by("created_at")[: SHORT + 1].count()

    @property
    def is_short(self) -> bool:
        """Say whether the filters leave few devices."""
        return self.number is not None and self.number <= SHORT

    @property
    def searches_inside(self) -> bool:
        """Say whether a search looks inside the names; in a long list, at their beginnings."""
        return self.is_short

    @property
    def sorts_by(self) -> frozenset[str]:
        """Return the columns that can be sorted by; a long list only has the orders of indexes."""
        if self.is_short or self.search or not self.is_filtered:
            return frozenset(SORTABLE)
        return frozenset() if self.group else frozenset({"registered"})

    @property
    def order(self) -> str:
        """Return the sort in force."""
        return self.sort if self.sort.removeprefix("-") in self.sorts_by else NEWEST

    # --- The rows -----------------------------------------------------------------------

    def _own(self) -> ManagedObjectQuerySet:
        """Return the devices of the tenants that are looked at."""
        rows = ManagedObject.objects.visible_to(self.viewer).devices()
        if self.tenant_text:
            rows = rows.filter(tenant=self.tenant) if self.tenant else rows.none()
        return rows

    def _of_type(self, rows: ManagedObjectQuerySet) -> ManagedObjectQuerySet:
        if self.type_asked == NO_TYPE:
            return rows.filter(device_type=None)
        return rows.filter(device_type=self.device_type) if self.device_type else rows.none()

    def _members(self) -> "QuerySet[ChildLink]":
        links = ChildLink.objects.filter(kind=ChildLink.Kind.ASSET)
        if len(self.parents) == 1:  # equality, not IN, keeps the order of the index
            return links.filter(parent=self.parents[0])
        return links.filter(parent__in=self.parents)

    def _filtered(self, *, members: Exists | None = None) -> ManagedObjectQuerySet:
        rows = self._own()
        if self.state.state is not None:
            rows = rows.filter(state=self.state.state)
        if self.type:
            rows = rows.filter(type=self.type)
        if self.type_asked:
            rows = self._of_type(rows)
        if self.group:
            rows = rows.filter(members or Q(pk__in=self._members().values("child")))
        return rows

    @cached_property
    def _named(self) -> list[list[int]]:
        """Return the devices of which a name begins with what is searched for, up to a limit.

        Each kind of name has an index of its own, and is asked alone.
        """
        key = text_key(self.search, KEY_LENGTH)
        own = self._own().order_by()
        external = ExternalId.objects.visible_to(self.viewer).order_by()
        if self.tenant_text:
            external = external.filter(tenant=self.tenant) if self.tenant else external.none()
        most = FOUND_UP_TO + 1
        asked = (
            own.filter(starts_with("device_id", self.search)).values_list("pk", flat=True),
            own.filter(starts_with("name_key", key)).values_list("pk", flat=True),
            external.filter(
                starts_with("value", self.search), managed_object__kind=Kind.DEVICE
            ).values_list("managed_object", flat=True),
        )
        return [list(found[:most]) for found in asked]

    @cached_property
    def _found(self) -> set[int]:
        """Return the devices of which some name begins with what is searched for."""
        return {pk for found in self._named for pk in found}

    @property
    def is_cut(self) -> bool:
        """Say whether a search found more than is looked at."""
        if not self.search or self.searches_inside:
            return False
        return any(len(found) > FOUND_UP_TO for found in self._named)

    @cached_property
    def rows(self) -> ManagedObjectQuerySet:
        """Return the devices that are looked for, in no order."""
        rows = self._filtered()
        if not self.search:
            return rows
        if not self.searches_inside:
            return rows.filter(AnyOf("pk", self._found))
        # That it is no greater says nothing new, but keeps PostgreSQL from looking through
        # everybody's external IDs at once rather than through those of these few devices.
        this = OuterRef("pk")
        bound = (
            ExternalId.objects.of(this)
            .filter(managed_object__lte=this)
            .alias(words=as_words("value"))
            .filter(words__icontains=self.search)
        )
        return rows.alias(words=as_words("device_id")).filter(
            Q(words__icontains=self.search) | Q(name__icontains=self.search) | Exists(bound)
        )

    def paginator(self) -> KeysetPaginator[ManagedObject]:
        """Return what cuts the list into pages."""
        rows = self.rows
        if self.group and not self.is_short and not self.search:
            # IDs grow with time. So many are met soon enough: SQLite would gather all of them, and
            # sort them, if it were asked for a list of members.
            members = Exists(self._members().filter(child=OuterRef("pk")))
            rows = self._filtered(members=members)
            return KeysetPaginator(rows, "id", descending=True)
        has_index = self.order.endswith("registered") and not self.group
        is_by_index = not self.search and (
            not self.is_filtered or not self.is_short or (has_index and self._narrowings == 1)
        )
        return KeysetPaginator(
            rows,
            SORTABLE[self.order.removeprefix("-")],
            descending=self.order.startswith("-"),
            is_short=not is_by_index,
        )

    @cached_property
    def total(self) -> int | None:
        """Return how many rows there are, up to one more than ``SHORT``; None if unknown."""
        if not self.search:
            return self.number
        if not self.searches_inside and not self.is_filtered:
            return len(self._found)
        return self._count(self.rows)

    def page(self, cursor: str) -> Page[ManagedObject]:
        """Return one page of the list, with its total."""
        total = self.total
        is_capped = total is not None and total > SHORT
        return self.paginator().page(
            cursor, total=SHORT if is_capped else total, total_is_capped=is_capped
        )

    def every(self, size: int) -> Iterator[list[ManagedObject]]:
        """Yield all rows in the order of the list, ``size`` at a time."""
        return self.paginator().every(size)


OFFERED: Final = 25  # types, as many as anybody reads before typing on


def offered_types(viewer: Tenant, only: Tenant | None, typed: str) -> list[str]:
    """Return types of devices that begin with ``typed``, or that come next to it.

    Each is found by one look into an index, however many devices there are of it.
    """
    rows = ManagedObject.objects.visible_to(viewer).devices()
    if only is not None:
        rows = rows.filter(tenant=only)
    types = rows.exclude(type="").order_by("type").values_list("type", flat=True)
    found: list[str] = []
    following = types.filter(type__gte=typed) if typed else types
    while len(found) < OFFERED:
        next_one = following.first()
        if next_one is None:
            break
        found.append(next_one)
        following = types.filter(type__gt=next_one)
    return found


MAX_OFFERED: Final = 500  # device types in the filter; a tenant has a handful


def offered_device_types(query: DeviceQuery) -> list[DeviceType]:
    """Return the device types to choose from, in the order of their names.

    The management tenant is offered its own, or those of the tenant that it looks at; the one in
    force is always among them.
    """
    tenant = query.tenant or query.viewer
    types = [*DeviceType.objects.for_tenant(tenant).order_by("name_key")[:MAX_OFFERED]]
    if query.device_type is not None and query.device_type not in types:
        types.append(query.device_type)
    return types


def _device_type(viewer: Tenant, text: str) -> tuple[str, DeviceType | None]:
    """Return what ``text`` asks for: a device type by its ID, those without one, or nothing."""
    text = storable(text).strip().lower()[:20]
    if not text or text == NO_TYPE:
        return text, None
    is_number = text.isascii() and text.isdigit() and len(text) < 19
    found = DeviceType.objects.visible_to(viewer).filter(pk=int(text)) if is_number else ()
    return text, next(iter(found), None)


def _groups(
    viewer: Tenant, tenant: Tenant | None, text: str
) -> tuple[str, tuple[DeviceGroup, ...]]:
    """Return the path that ``text`` asks for, and the groups there; an ID of a group counts too."""
    if not text:
        return "", ()
    visible = DeviceGroup.objects.visible_to(viewer)
    try:
        path = PATH_SEPARATOR.join(split_path(text))
    except GroupPathError:
        return text, ()
    there = visible.filter(path=path)
    found = tuple(there.for_tenant(tenant) if tenant else there)
    by_id = None if found else visible.by_text_id(text)
    return (by_id.path or text, (by_id,)) if by_id else (path, found)
