"""The list of devices: its columns here, its row in one lean template."""

from collections import defaultdict
from collections.abc import Collection, Iterable

import django_tables2 as tables
from django.db.models import prefetch_related_objects

from inventory.console.devices.query import DeviceQuery
from inventory.models import ChildLink, DeviceGroup, ManagedObject
from tenants.http import TenantRequest
from tenants.models import Tenant
from ui.tables import ConsoleTable

SHOWN_GROUPS = 2  # of each device; the rest is counted


class DeviceTable(ConsoleTable):
    """Devices that are in; the management tenant also sees whose they are."""

    row_template = "devices/_device_rows.html"

    device = tables.Column(accessor="device_id", verbose_name="Device")
    name = tables.Column(verbose_name="Name")
    type = tables.Column(verbose_name="Type", orderable=False)
    device_type = tables.Column(verbose_name="Device type", orderable=False)
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
        cls,
        request: TenantRequest,
        rows: Iterable[ManagedObject],
        query: DeviceQuery,
        *,
        with_types: bool,
    ) -> "DeviceTable":
        """Return the table of ``rows``, which can be sorted as ``query`` allows.

        ``with_types``: there are device types to tell of.
        """
        rows = list(rows)
        exclude = [] if request.tenant.is_management else ["tenant"]
        if with_types:
            prefetch_related_objects(rows, "device_type")
        else:
            exclude.append("device_type")
        if request.tenant.is_management:
            # Not joined: SQLite would sort all devices, tenant by tenant.
            prefetch_related_objects(rows, "tenant")
        table = cls(
            rows,
            order_by=query.order,
            exclude=exclude,
        )
        for name in ("device", "name", "contact", "registered"):
            table.columns[name].column.orderable = name in query.sorts_by
        paths = paths_of(request.tenant, [row.pk for row in rows])
        table.devices = [
            (row, paths[row.pk][:SHOWN_GROUPS], paths[row.pk][SHOWN_GROUPS:]) for row in rows
        ]
        return table


def paths_of(viewer: Tenant, devices: Collection[int]) -> dict[int, list[str]]:
    """Return the paths of the groups that each of these devices is in."""
    links = list(
        ChildLink.objects.filter(child__in=devices, kind=ChildLink.Kind.ASSET).values_list(
            "parent_id", "child_id"
        )
    )
    # Asked for by their IDs: PostgreSQL may join the two by walking through all objects.
    groups = DeviceGroup.objects.visible_to(viewer).filter(pk__in={group for group, _ in links})
    members: dict[int, list[int]] = defaultdict(list)
    for group, child in links:
        members[group].append(child)
    paths: dict[int, list[str]] = defaultdict(list)
    for pk, path, name in groups.order_by("path", "pk").values_list("id", "path", "name"):
        for child in members[pk]:
            paths[child].append(path or name)
    return paths
