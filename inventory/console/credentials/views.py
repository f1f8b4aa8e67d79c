"""The Device credentials pages: every login, and one with its history."""

from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from inventory.console.credentials.filters import DeviceIdQuery
from inventory.console.credentials.tables import CredentialsTable, came_from, may_act
from inventory.history import history_of
from inventory.models import DeviceCredentials
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.roles import Role
from ui.htmx import render_page
from ui.tables import LAST_PAGE

READ: Final = (Role.INVENTORY_READ,)
ADMIN: Final = (Role.DEVICE_CONTROL_ADMIN,)
LIST: Final = "credentials:list"
MAX_EVENTS: Final = 200  # newest ones shown; the rest is in the database


def visible(request: TenantRequest) -> QuerySet[DeviceCredentials]:
    """Return the logins that the person may see at all, with what a row shows."""
    found = DeviceCredentials.objects.visible_to(request.tenant)
    return found.select_related("tenant", "managed_object")


def one_of(request: TenantRequest, credentials_pk: int) -> DeviceCredentials:
    """Return one login, or answer 404."""
    return get_object_or_404(visible(request), pk=credentials_pk)


@require_safe
@tenant_view(*READ)
def credentials_list(request: TenantRequest) -> HttpResponse:
    """Show the logins of devices; HTMX gets the table alone."""
    query = DeviceIdQuery.of_logins(request.tenant, request.GET)
    page = query.page(request.GET.get("after", ""))
    context = {
        "query": query,
        "page": page,
        "last_page": LAST_PAGE,
        "table": CredentialsTable.for_viewer(request, page.rows, order=query.order),
        "may_act": may_act(request),
        "came_from": came_from(request),
        "is_management": request.tenant.is_management,
        "tab": "logins",
    }
    return render_page(
        request,
        "credentials/credentials_list.html",
        context,
        fragments=("credentials/_credentials_table.html",),
    )


@require_safe
@tenant_view(*READ)
def credentials_detail(request: TenantRequest, credentials_pk: int) -> HttpResponse:
    """Show one login with its history; the page of the device shows the card of it alone."""
    credentials = one_of(request, credentials_pk)
    context: dict[str, Any] = {
        "credentials": credentials,
        "may_act": may_act(request),
        "happenings": history_of(
            credentials.tenant_id,
            device_id=credentials.device_id,
            managed_object=credentials.managed_object,
            limit=MAX_EVENTS,
            with_origin=request.user.has_role(Role.DEVICE_CONTROL_READ),
        ),
    }
    return render_page(
        request,
        "credentials/credentials_detail.html",
        context,
        fragments=("credentials/_credentials_facts.html", "credentials/_credentials_card.html"),
    )
