"""What a list is asked for, read from its URL: everything a person chose is in there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from django.http import QueryDict

from inventory.fields import as_words, starts_with
from inventory.models import PATH_SEPARATOR, DeviceGroup, GroupPathError, split_path
from registration.lifecycle import Stage
from registration.models import Registration, RegistrationQuerySet
from tenants.models import Tenant
from ui.tables import KeysetPaginator, Page
from ui.text import storable

COUNTED_UP_TO: Final = 10_000  # rows; a count that nobody keeps ends here, as "more than"
SUBSTRING_UP_TO: Final = 10_000  # rows; up to here a search looks inside the IDs
MAX_SEARCH_LENGTH: Final = 1000  # characters

SORTABLE: Final = {"device": "device_id", "created": "created_at", "contact": "last_contact_at"}


@dataclass(frozen=True)
class StatusFilter:
    """One of the choices above the list, and the stages it shows."""

    key: str
    label: str
    stages: tuple[Stage, ...]


OPEN: Final = StatusFilter("", "Open", tuple(s for s in Stage if s is not Stage.CONFIRMED))
STATUS_FILTERS: Final = (
    OPEN,
    StatusFilter("waiting", "Waiting", (Stage.WAITING,)),
    StatusFilter("pending", "Pending", (Stage.PENDING,)),
    StatusFilter("accepted", "Accepted", (Stage.ACCEPTED, Stage.DELIVERED)),
    StatusFilter("delivered", "Never confirmed", (Stage.DELIVERED,)),
    StatusFilter("blocked", "Blocked", (Stage.BLOCKED,)),
    StatusFilter("confirmed", "Confirmed", (Stage.CONFIRMED,)),
)


@dataclass(frozen=True)
class Chip:
    """A status filter with its count, as it is drawn."""

    key: str
    label: str
    number: int
    is_current: bool


@dataclass(frozen=True)
class RegistrationQuery:
    """One way to look at the list; ``counts`` says how many there are at each stage.

    ``tenant_text`` is the ID that was asked for, ``tenant`` the one found. ``group`` is the path
    that was asked for, ``groups`` those found there: none, one, or for the
    management tenant as many as there are tenants with such a path.
    """

    viewer: Tenant
    status: StatusFilter
    search: str
    tenant_text: str
    tenant: Tenant | None
    group: str
    groups: tuple[DeviceGroup, ...]
    sort: str
    counts: Mapping[Stage, int]

    @classmethod
    def read(cls, viewer: Tenant, parameters: QueryDict, *, may_see_groups: bool = True) -> Self:
        """Read the URL; what it cannot mean is ignored, so that an old link still opens."""
        status = next((f for f in STATUS_FILTERS if f.key == parameters.get("status", "")), OPEN)
        tenant_text = storable(parameters.get("tenant", "")).strip() if viewer.is_management else ""
        tenant = Tenant.objects.filter(pk=tenant_text.lower()).first() if tenant_text else None
        wanted = storable(parameters.get("group", "")).strip() if may_see_groups else ""
        group, groups = _groups(viewer, tenant, wanted)
        sort = parameters.get("sort", "")
        return cls(
            viewer=viewer,
            status=status,
            search=storable(parameters.get("q", "")).strip()[:MAX_SEARCH_LENGTH],
            tenant_text=tenant.pk if tenant else tenant_text,
            tenant=tenant,
            group=group,
            groups=groups,
            sort=sort if sort.removeprefix("-") in SORTABLE else "",
            counts=(
                {}
                if tenant_text and not tenant
                else Registration.objects.count_by_stage(viewer, only=tenant)
            ),
        )

    @property
    def number(self) -> int:
        """Return how many registrations the status and tenant choices leave."""
        return sum(self.counts.get(stage, 0) for stage in self.status.stages)

    @property
    def is_narrowed(self) -> bool:
        """Say whether more than the kept counts is needed to know how many there are."""
        return bool(self.search or self.group)

    @property
    def searches_inside(self) -> bool:
        """Say whether a search looks inside the IDs; in a long list, it looks at their start."""
        return self.number <= SUBSTRING_UP_TO

    @property
    def order(self) -> str:
        """Return the sort in force: newest first, or by ID where its start is searched."""
        if self.search and not self.searches_inside:
            return "-device" if self.sort == "-device" else "device"
        # A device that is in says nothing by when it knocked last; no index is kept for it.
        is_by_contact = self.sort.removeprefix("-") == "contact"
        if self.sort and not (is_by_contact and Stage.CONFIRMED in self.status.stages):
            return self.sort
        return "-created"

    def chips(self) -> list[Chip]:
        """Return the choices of status with their counts."""
        return [
            Chip(
                each.key,
                each.label,
                sum(self.counts.get(stage, 0) for stage in each.stages),
                each is self.status,
            )
            for each in STATUS_FILTERS
        ]

    def rows(self) -> RegistrationQuerySet:
        """Return the registrations that are looked for, in no order."""
        rows = Registration.objects.for_tenant(self.viewer).at_stages(self.status.stages)
        if self.tenant_text and not self.tenant:
            return rows.none()
        if self.tenant:
            rows = rows.filter(tenant=self.tenant)
        if self.group and not self.groups:
            return rows.none()
        if len(self.groups) == 1:  # equality, not IN, keeps the order of the index
            rows = rows.filter(group=self.groups[0])
        elif self.groups:
            rows = rows.filter(group__in=self.groups)
        if self.search and self.searches_inside:
            rows = rows.alias(text=as_words("device_id")).filter(text__icontains=self.search)
        elif self.search:
            rows = rows.filter(starts_with("device_id", self.search))
        return rows

    def page(self, cursor: str) -> Page[Registration]:
        """Return one page of the list, with its total."""
        rows = self.rows()
        total = rows[: COUNTED_UP_TO + 1].count() if self.is_narrowed else self.number
        capped = self.is_narrowed and total > COUNTED_UP_TO
        paginator = KeysetPaginator(
            rows.with_display(),
            SORTABLE[self.order.removeprefix("-")],
            descending=self.order.startswith("-"),
        )
        return paginator.page(
            cursor, total=min(total, COUNTED_UP_TO) if capped else total, total_is_capped=capped
        )


def _groups(
    viewer: Tenant, tenant: Tenant | None, text: str
) -> tuple[str, tuple[DeviceGroup, ...]]:
    """Return the path that ``text`` asks for, and the groups there.

    Links from before paths stood in the URL have the ID of a group.
    """
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
    return (by_id.path, (by_id,)) if by_id else (path, found)
