"""The list of devices being registered: its columns here, its row in one lean template."""

from collections.abc import Iterable
from urllib.parse import quote

import django_tables2 as tables
from django.http import HttpRequest
from django.template.loader import render_to_string

from inventory.console.groups.picker import GroupRights
from registration import options
from registration.lifecycle import TokenPolicy
from registration.models import Registration
from tenants.http import TenantRequest
from tenants.roles import Role
from ui.tables import ConsoleTable

MAX_CAME_FROM = 500  # characters; every row repeats them, and some cursors are long
CHANGED = "registrationsChanged"  # the event on which a list looks again


class RegistrationTable(ConsoleTable):
    """Devices being registered; the management tenant also sees whose they are."""

    row_template = "registration/_registration_rows.html"

    device = tables.Column(accessor="device_id", verbose_name="Device")
    status = tables.Column(verbose_name="Status", orderable=False)
    token = tables.Column(empty_values=(), verbose_name="Security token", orderable=False)
    actions = tables.Column(empty_values=(), verbose_name="Actions", orderable=False)
    group = tables.Column(verbose_name="Group", orderable=False)
    created = tables.Column(accessor="created_at", verbose_name="Created")
    by = tables.Column(accessor="created_by_name", verbose_name="By", orderable=False)
    contact = tables.Column(accessor="last_contact_at", verbose_name="Last contact")
    tenant = tables.Column(verbose_name="Tenant", orderable=False)

    class Meta(ConsoleTable.Meta):
        model = Registration
        fields = ()

    @classmethod
    def for_viewer(
        cls, request: TenantRequest, rows: Iterable[Registration], *, order: str = ""
    ) -> "RegistrationTable":
        """Return the table of ``rows`` as the person behind ``request`` may see it."""
        rows = list(rows)
        exclude = [] if request.tenant.is_management else ["tenant"]
        if not GroupRights.of(request).may_see:
            exclude.append("group")
        table = cls(rows, order_by=order or None, exclude=exclude)
        table.registrations = rows
        known = may_read_policy(request)
        policies = options.token_policies({row.tenant for row in rows}) if known else {}
        for row in rows:
            # Without the right to read options the console shows the default; the server
            # applies the real policy all the same.
            row.policy = policies.get(row.tenant_id, TokenPolicy.OPTIONAL)
        return table

    def rows_as_html(self, request: HttpRequest) -> str:
        """Return the rows alone, as the list would draw them."""
        return render_to_string(
            self.row_template,
            {
                "rows": self.registrations,
                "may_act": may_act(request),
                "may_see_groups": GroupRights.of(request).may_see,
                "may_move": may_move(request),
                "came_from": came_from(request),
            },
            request,
        )


def came_from(request: HttpRequest) -> str:
    """Return what the links of a row append to lead back to the list as it is looked at."""
    parameters = request.GET.copy()
    parameters.pop("shown", None)
    url = f"{request.path}?{parameters.urlencode()}" if parameters else ""
    if request.method == "POST":  # one row answers; its list is the page around it
        url = request.htmx.current_url_abs_path or ""  # type: ignore[attr-defined]
    return f"?next={quote(url)}" if "?" in url and len(url) <= MAX_CAME_FROM else ""


def may_read_policy(request: HttpRequest) -> bool:
    """Say whether the person may know the security token policy; else the default is shown."""
    return request.user.has_role(Role.OPTION_MANAGEMENT_READ)  # type: ignore[union-attr]


def may_move(request: HttpRequest) -> bool:
    """Say whether the person may give registrations to other tenants."""
    return request.user.tenant.is_management and may_act(request)  # type: ignore[union-attr]


def may_act(request: HttpRequest) -> bool:
    """Say whether the person may accept, cancel and register."""
    return request.user.has_role(Role.DEVICE_CONTROL_ADMIN)  # type: ignore[union-attr]
