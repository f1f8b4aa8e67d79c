"""The list of devices: its columns here, its row in one lean template."""

from collections import defaultdict
from collections.abc import Collection, Iterable

import django_tables2 as tables
from django.db.models import prefetch_related_objects

from inventory.console.devices.query import DeviceQuery
from inventory.models import ChildLink, ManagedObject
from tenants.http import TenantRequest
from ui.tables import ConsoleTable

SHOWN_GROUPS = 2  # of each device; the rest is counted


class DeviceTable(ConsoleTable):
    """Devices that are in; the management tenant also sees whose they are."""

    row_template = "devices/_device_rows.html"

    device = tables.Column(accessor="device_id", verbose_name="Device")
    name = tables.Column(verbose_name="Name")
    type = tables.Column(verbose_name="Type", orderable=False)
    groups = tables.Column(empty_values=(), verbose_name="Groups", orderable=False)
    state = tables.Column(verbose_name="State", orderable=False)
    contact = tables.Column(accessor="last_contact_at", verbose_name="Last contact")
    registered = tables.Column(accessor="created_at", verbose_name="Registered")
    by = tables.Column(accessor="created_by_name", verbose_name="By", orderable=False)
    tenant = tables.Column(verbose_name="Tenant", orderable=False)

    class Meta(ConsoleTable.Meta):
        model = ManagedObject
        fields = ()

    @classmethod
    def of(
        cls, request: TenantRequest, rows: Iterable[ManagedObject], query: DeviceQuery
    ) -> "DeviceTable":
        """Return the table of ``rows``, which can be sorted as ``query`` allows."""
        rows = list(rows)
        if request.tenant.is_management:
            # Not joined: SQLite would sort all devices, tenant by tenant.
            prefetch_related_objects(rows, "tenant")
        table = cls(
            rows,
            order_by=query.order,
            exclude=() if request.tenant.is_management else ("tenant",),
        )
        for name in ("device", "name", "contact", "registered"):
            table.columns[name].column.orderable = name in query.sorts_by
        paths = paths_of([row.pk for row in rows])
        table.devices = [
            (row, paths[row.pk][:SHOWN_GROUPS], paths[row.pk][SHOWN_GROUPS:]) for row in rows
        ]
        return table


def paths_of(devices: Collection[int]) -> dict[int, list[str]]:
    """Return the paths of the groups that each of these devices is in."""
    links = ChildLink.objects.filter(
        child__in=devices, kind=ChildLink.Kind.ASSET, parent__kind="group"
    )
    paths: dict[int, list[str]] = defaultdict(list)
    for child, path, name in links.order_by("parent__path", "parent").values_list(
        "child", "parent__path", "parent__name"
    ):
        paths[child].append(path or name)
    return paths
