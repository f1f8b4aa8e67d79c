"""The lists of logins and of deleted devices: columns here, each row in one lean template."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

import django_tables2 as tables
from django.http import HttpRequest
from django.template.loader import render_to_string

from inventory.models import DeviceCredentials, Tombstone
from tenants.http import TenantRequest
from tenants.roles import Role
from ui.tables import ConsoleTable

CHANGED: Final = "credentialsChanged"  # the event on which these pages look again
MAX_CAME_FROM: Final = 500  # characters; every row repeats them, and some cursors are long


class CredentialsTable(ConsoleTable):
    """Logins of devices; the management tenant also sees whose they are."""

    row_template = "credentials/_credentials_rows.html"

    device = tables.Column(accessor="device_id", verbose_name="Login")
    status = tables.Column(empty_values=(), verbose_name="State", orderable=False)
    object = tables.Column(empty_values=(), verbose_name="Device", orderable=False)
    issued = tables.Column(accessor="issued_at", verbose_name="Password made", orderable=False)
    used = tables.Column(accessor="last_used_at", verbose_name="Last use", orderable=False)
    tenant = tables.Column(verbose_name="Tenant", orderable=False)
    actions = tables.Column(empty_values=(), verbose_name="Actions", orderable=False)

    class Meta(ConsoleTable.Meta):
        model = DeviceCredentials
        fields = ()

    @classmethod
    def for_viewer(
        cls, request: TenantRequest, rows: Iterable[DeviceCredentials], *, order: str = ""
    ) -> "CredentialsTable":
        """Return the table of ``rows`` as the person behind ``request`` may see it."""
        rows = list(rows)
        table = cls(rows, order_by=order or None, exclude=_hidden(request))
        table.records = rows
        return table

    def rows_as_html(self, request: TenantRequest) -> str:
        """Return the rows alone, as the list would draw them."""
        return render_to_string(
            self.row_template,
            {
                "rows": self.records,
                "may_act": may_act(request),
                "came_from": came_from(request),
            },
            request,
        )


class DeletedTable(ConsoleTable):
    """Devices that were deleted."""

    row_template = "credentials/_deleted_rows.html"

    device = tables.Column(accessor="device_id", verbose_name="Device ID")
    deleted = tables.Column(accessor="deleted_at", verbose_name="Deleted")
    by = tables.Column(accessor="deleted_by_name", verbose_name="By", orderable=False)
    reason = tables.Column(verbose_name="Reason", orderable=False)
    heard = tables.Column(accessor="returned_at", verbose_name="Heard of since", orderable=False)
    tenant = tables.Column(verbose_name="Tenant", orderable=False)
    actions = tables.Column(empty_values=(), verbose_name="Actions", orderable=False)

    class Meta(ConsoleTable.Meta):
        model = Tombstone
        fields = ()

    @classmethod
    def for_viewer(
        cls, request: TenantRequest, rows: Iterable[Tombstone], *, order: str = ""
    ) -> "DeletedTable":
        """Return the table of ``rows`` as the person behind ``request`` may see it."""
        rows = list(rows)
        table = cls(rows, order_by=order or None, exclude=_hidden(request))
        table.records = rows
        return table


def _hidden(request: TenantRequest) -> list[str]:
    hidden = [] if request.tenant.is_management else ["tenant"]
    return hidden if may_act(request) else [*hidden, "actions"]


def may_act(request: HttpRequest) -> bool:
    """Say whether the person may change logins."""
    return request.user.has_role(Role.DEVICE_CONTROL_ADMIN)  # type: ignore[union-attr]


def came_from(request: TenantRequest) -> str:
    """Return what the links of a row append to lead back to the list as it is looked at."""
    url = request.get_full_path()
    if request.method == "POST":  # one row answers; its list is the page around it
        url = request.htmx.current_url_abs_path or ""
    return f"?next={quote(url)}" if "?" in url and len(url) <= MAX_CAME_FROM else ""
