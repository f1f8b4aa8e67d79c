"""The list of device types: what it is asked for, its columns, its row in one lean template."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import django_tables2 as tables
from django.db.models import OuterRef
from django.http import QueryDict

from inventory.fields import text_key
from inventory.many import CountUpTo
from inventory.models import DeviceType, ManagedObject
from inventory.models.device_type import MAX_TYPE_NAME_LENGTH, DeviceTypeQuerySet
from tenants.models import Tenant
from ui.tables import ConsoleTable, KeysetPaginator, Page
from ui.text import storable

SORTABLE: Final = {"name": "name_key", "updated": "updated_at"}
COUNTED_UP_TO: Final = 1_000  # devices in a row of the list; more are "1,000+"


class DeviceTypeTable(ConsoleTable):
    """Device types of a tenant."""

    row_template = "device_types/_device_type_rows.html"

    name = tables.Column(verbose_name="Name")
    id = tables.Column(verbose_name="ID", orderable=False)
    option = tables.Column(
        accessor="security_option", verbose_name="Security option", orderable=False
    )
    acceptance = tables.Column(verbose_name="Acceptance", orderable=False)
    devices = tables.Column(empty_values=(), verbose_name="Devices", orderable=False)
    updated = tables.Column(accessor="updated_at", verbose_name="Updated")
    actions = tables.Column(empty_values=(), verbose_name="Actions", orderable=False)

    class Meta(ConsoleTable.Meta):
        model = DeviceType
        fields = ()

    @classmethod
    def of(
        cls, viewer: Tenant, rows: Iterable[DeviceType], *, order: str, may_change: bool
    ) -> "DeviceTypeTable":
        """Return the table of ``rows``, with how many devices there are of each type."""
        rows = list(rows)
        table = cls(rows, order_by=order, exclude=() if may_change else ("actions",))
        numbers = _numbers_of(viewer, rows)
        table.types = [
            (row, min(numbers.get(row.pk, 0), COUNTED_UP_TO), numbers.get(row.pk, 0))
            for row in rows
        ]
        return table


def _numbers_of(viewer: Tenant, types: list[DeviceType]) -> dict[int, int]:
    """Return how many devices there are of each type, up to one more than is told."""
    devices = ManagedObject.objects.visible_to(viewer).filter(device_type=OuterRef("pk"))
    # In the order of the index that they are counted by.
    counted = CountUpTo(devices.order_by("created_at").values("pk")[: COUNTED_UP_TO + 1])
    asked = DeviceType.objects.for_tenant(viewer).filter(pk__in=[one.pk for one in types])
    return dict(asked.order_by().annotate(number=counted).values_list("pk", "number"))


@dataclass(frozen=True)
class DeviceTypeQuery:
    """One way to look at the list, read from its URL."""

    tenant: Tenant
    search: str
    order: str

    @classmethod
    def read(cls, tenant: Tenant, parameters: QueryDict) -> Self:
        """Read the URL; what it cannot mean is ignored, so that an old link still opens."""
        sort = parameters.get("sort", "")
        return cls(
            tenant=tenant,
            search=storable(parameters.get("q", "")).strip()[:MAX_TYPE_NAME_LENGTH],
            order=sort if sort.removeprefix("-") in SORTABLE else "name",
        )

    def rows(self) -> DeviceTypeQuerySet:
        """Return the types that are looked for, in no order."""
        rows = DeviceType.objects.for_tenant(self.tenant)
        return rows.filter(name_key__contains=text_key(self.search)) if self.search else rows

    def page(self, cursor: str) -> Page[DeviceType]:
        """Return one page of the list, with its total."""
        column = SORTABLE[self.order.removeprefix("-")]
        paginator = KeysetPaginator(
            self.rows(),
            column,
            descending=self.order.startswith("-"),
            is_short=column != "name_key",
        )
        return paginator.page(cursor, total=self.rows().count())
