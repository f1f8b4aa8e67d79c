"""Device types: the list, and the page of one."""

from typing import Any, Final

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from bulk.models import Import
from factory.console.manners import READ, find, may_change
from factory.console.tables import DeviceTypeQuery, DeviceTypeTable
from inventory.console.numbers import numbers_of_type
from inventory.models import DeviceType
from registration.models import Registration
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.roles import Role
from ui.htmx import render_page
from ui.tables import LAST_PAGE

LATEST: Final = 8  # registrations and batches shown on the page of a type


@require_safe
@tenant_view(*READ)
def device_type_list(request: TenantRequest) -> HttpResponse:
    """Show the device types of the tenant; HTMX gets the table alone."""
    query = DeviceTypeQuery.read(request.tenant, request.GET)
    page = query.page(request.GET.get("after", ""))
    context = {
        "query": query,
        "page": page,
        "last_page": LAST_PAGE,
        "table": DeviceTypeTable.of(
            request.tenant, page.rows, order=query.order, may_change=may_change(request)
        ),
        **_who(request),
    }
    return render_page(
        request,
        "device_types/device_type_list.html",
        context,
        fragments=("device_types/_device_type_table.html",),
    )


@require_safe
@tenant_view(*READ)
def detail(request: TenantRequest, type_pk: int) -> HttpResponse:
    """Show one device type: what it asks of devices, how many there are, who came last."""
    device_type = find(request, type_pk)
    who = _who(request)
    context = {
        "device_type": device_type,
        "numbers": (numbers_of_type(request.tenant, device_type) if who["may_see_devices"] else ()),
        "registrations": (
            _registrations(request, device_type) if who["may_see_registrations"] else ()
        ),
        "batches": _batches(request, device_type) if who["may_see_registrations"] else (),
        **who,
    }
    return render_page(
        request,
        "device_types/device_type_detail.html",
        context,
        fragments=("device_types/_device_type_page.html",),
    )


def _registrations(request: TenantRequest, device_type: DeviceType) -> list[Registration]:
    mine = Registration.objects.for_tenant(request.tenant).filter(device_type=device_type)
    return list(mine.order_by("-created_at", "-pk")[:LATEST])


def _batches(request: TenantRequest, device_type: DeviceType) -> list[Import]:
    mine = Import.objects.for_tenant(request.tenant).filter(device_type=device_type)
    return list(mine.order_by("-created_at", "-pk")[:LATEST])


def _who(request: TenantRequest) -> dict[str, Any]:
    has_role = request.user.has_role
    return {
        "may_change": may_change(request),
        "may_see_devices": has_role(Role.INVENTORY_READ),
        "may_see_registrations": has_role(Role.DEVICE_CONTROL_READ),
        "may_register": has_role(Role.DEVICE_CONTROL_ADMIN),
    }
