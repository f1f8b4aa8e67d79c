"""The list of tenants: what it is asked for, its columns and the numbers in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import django_tables2 as tables
from django.db.models import Count
from django.http import QueryDict

from tenants.holdings import holdings
from tenants.models import MANAGEMENT, Tenant
from tenants.models.tenant import TenantQuerySet
from ui.tables import ConsoleTable, KeysetPaginator, Page
from ui.text import storable

CHANGED = "tenantsChanged"  # the event on which the list looks again
MAX_SEARCH_LENGTH: Final = 255  # characters
SORTABLE: Final = {
    "company": "company",
    "domain": "domain",
    "contact": "contact_name",
    "created": "created_at",
    "devices": "device_count",
}
STATUSES: Final = {
    "": "All",
    "active": Tenant.Status.ACTIVE.label,
    "suspended": Tenant.Status.SUSPENDED.label,
}


class TenantTable(ConsoleTable):
    """Tenants, with what they have."""

    row_template = "tenants/_tenant_rows.html"

    company = tables.Column(verbose_name="Tenant")
    status = tables.Column(verbose_name="Status", orderable=False)
    domain = tables.Column(verbose_name="Domain")
    owner = tables.Column(accessor="parent_id", verbose_name="Parent", orderable=False)
    contact = tables.Column(accessor="contact_name", verbose_name="Contact")
    created = tables.Column(accessor="created_at", verbose_name="Created")
    registrations = tables.Column(
        empty_values=(), verbose_name="Open registrations", orderable=False
    )
    devices = tables.Column(accessor="device_count", verbose_name="Devices")

    class Meta(ConsoleTable.Meta):
        model = Tenant
        fields = ()


@dataclass(frozen=True)
class Chip:
    """A status with its count, as it is drawn."""

    key: str
    label: str
    number: int
    is_current: bool


@dataclass(frozen=True)
class TenantQuery:
    """One way to look at the list; ``counts`` says how many have which status."""

    viewer: Tenant
    status: str
    search: str
    sort: str
    counts: dict[str, int]

    @classmethod
    def read(cls, viewer: Tenant, parameters: QueryDict) -> Self:
        """Read the URL; what it cannot mean is ignored, so that an old link still opens."""
        search = storable(parameters.get("q", "")).strip()[:MAX_SEARCH_LENGTH]
        status, sort = parameters.get("status", ""), parameters.get("sort", "")
        found = Tenant.objects.for_tenant(viewer).matching(search).order_by()
        counts = dict(found.values_list("status").annotate(Count("pk")))
        return cls(
            viewer=viewer,
            status=status if status in STATUSES else "",
            search=search,
            sort=sort if sort.removeprefix("-") in SORTABLE else "company",
            counts={
                "": sum(counts.values()),
                **{key: counts.get(key.upper(), 0) for key in STATUSES if key},
            },
        )

    @property
    def number(self) -> int:
        """Return how many there are to be shown."""
        return self.counts[self.status]

    def chips(self) -> list[Chip]:
        """Return the choices of status with their counts."""
        return [
            Chip(key, label, self.counts[key], key == self.status)
            for key, label in STATUSES.items()
        ]

    def rows(self) -> TenantQuerySet:
        """Return the tenants that are looked for, in no order."""
        rows = Tenant.objects.for_tenant(self.viewer).matching(self.search)
        return rows.filter(status=self.status.upper()) if self.status else rows

    def page(self, cursor: str) -> Page[Tenant]:
        """Return one page of the list, each row with its numbers."""
        column = SORTABLE[self.sort.removeprefix("-")]
        paginator = KeysetPaginator(self.rows(), column, descending=self.sort.startswith("-"))
        page = paginator.page(cursor, total=self.number)
        add_numbers(page.rows)
        return page

    def shows_parents(self) -> bool:
        """Say whether anybody looked after here has another parent than the one who looks."""
        everybody = Tenant.objects.for_tenant(self.viewer).exclude(pk=MANAGEMENT)
        return self.viewer.is_management and everybody.exclude(parent=self.viewer).exists()


def add_numbers(rows: Iterable[Tenant]) -> None:
    """Note on each tenant how many of what is counted it has, in one query for each kind."""
    by_id = {row.pk: row for row in rows}
    for row in by_id.values():
        row.numbers = {}  # type: ignore[attr-defined]
    for holding in holdings():
        if holding.count and by_id:
            for tenant_id, number in holding.count(list(by_id)).items():
                by_id[tenant_id].numbers[holding.label] = number  # type: ignore[attr-defined]
