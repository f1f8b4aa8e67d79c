"""All devices: the list, and the page of one."""

from http import HTTPStatus
from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from inventory.console.devices.export import COLUMNS, lines
from inventory.console.devices.json_view import drawn
from inventory.console.devices.query import (
    NO_TYPE,
    SHORT,
    STATE_FILTERS,
    DeviceQuery,
    offered_device_types,
    offered_types,
)
from inventory.console.devices.tables import DeviceTable
from inventory.groups import groups_of
from inventory.history import Origin, batch_of, history_of, origins_of
from inventory.models import (
    ChildLink,
    DeviceCredentials,
    DeviceGroup,
    DeviceType,
    Kind,
    ManagedObject,
    State,
    of_kind,
)
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.models import Tenant
from tenants.roles import Role
from ui.csv_export import csv_response
from ui.htmx import render_page
from ui.tables import LAST_PAGE
from ui.text import storable

READ = (Role.INVENTORY_READ,)
LIST = "devices:list"
MAX_HAPPENINGS = 200  # newest ones shown; the rest is in the database
MAX_CHILDREN = 50  # child devices, and parents, shown by name; more are only counted


@require_safe
@tenant_view(*READ)
def device_list(request: TenantRequest) -> HttpResponse:
    """Show the devices that are in; HTMX gets the table alone."""
    query = DeviceQuery.read(request.tenant, request.GET)
    page = query.page(request.GET.get("after", ""))
    types = offered_device_types(query)
    # The management tenant may have none of its own, and look at devices that have one.
    with_types = bool(types) or (
        request.tenant.is_management and DeviceType.objects.visible_to(request.tenant).exists()
    )
    context = {
        "query": query,
        "page": page,
        "last_page": LAST_PAGE,
        "short": SHORT,
        "states": STATE_FILTERS,
        "table": DeviceTable.of(request, page.rows, query, with_types=with_types),
        "with_types": with_types,
        "types": types,
        "no_type": NO_TYPE,
        "marked": request.GET.get("new", ""),
        "is_management": request.tenant.is_management,
        "tenant_field": "[name='tenant']" if request.tenant.is_management else "",
        "may_see_registrations": request.user.has_role(Role.DEVICE_CONTROL_READ),
        "may_register": request.user.has_role(Role.DEVICE_CONTROL_ADMIN),
        "groups": DeviceGroup.objects.visible_to(request.tenant),
    }
    return render_page(
        request,
        "devices/device_list.html",
        context,
        fragments=("devices/_device_table.html",),
    )


@require_safe
@tenant_view(*READ)
def export(request: TenantRequest) -> HttpResponse:
    """Send the devices that the filters leave as a file."""
    query = DeviceQuery.read(request.tenant, request.GET)
    # To Django a streamed answer is no HttpResponse, though it is treated as one everywhere.
    return cast("HttpResponse", csv_response("devices", COLUMNS, lines(query)))


@require_safe
@tenant_view(*READ)
def type_options(request: TenantRequest) -> HttpResponse:
    """Offer types of devices while one is typed."""
    only = None
    if request.tenant.is_management:
        below = storable(request.GET.get("tenant", "")).strip().lower()
        only = Tenant.objects.filter(pk=below).first() if below else None
    typed = storable(request.GET.get("type", "")).strip()
    types = offered_types(request.tenant, only, typed)
    return render(request, "devices/_type_options.html", {"types": types})


@require_safe
@tenant_view(*READ)
def by_id(request: TenantRequest, device_id: str) -> HttpResponse:
    """Lead to the page of the device with this ID."""
    found = ManagedObject.objects.visible_to(request.tenant).devices()
    # Of several tenants' it is the one that has a login.
    device = found.filter(device_id=storable(device_id)).order_by("-state", "-pk").first()
    if device is None:
        raise ManagedObject.DoesNotExist
    return redirect("devices:detail", device.pk)


@require_safe
@tenant_view(*READ)
def detail(request: TenantRequest, device_pk: int) -> HttpResponse:
    """Show one device: facts, names, groups, what it tells of itself, and what happened."""
    return device_page(request, get_device(request, device_pk))


def get_device(request: TenantRequest, device_pk: int) -> ManagedObject:
    """Return a device that the person may look at; anything else is not found."""
    devices = ManagedObject.objects.visible_to(request.tenant).filter(of_kind(Kind.DEVICE))
    return get_object_or_404(
        devices.select_related("tenant", "group_to_join", "device_type"), pk=device_pk
    )


def device_page(
    request: TenantRequest,
    device: ManagedObject,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    **forms: Any,
) -> HttpResponse:
    """Render the page of a device, or the part of it that changes, with what ``forms`` say."""
    may_see_registration = request.user.has_role(Role.DEVICE_CONTROL_READ)
    children = ChildLink.objects.filter(parent=device, kind=ChildLink.Kind.DEVICE)
    parents = ChildLink.objects.filter(child=device, kind=ChildLink.Kind.DEVICE)
    context = {
        "device": device,
        "state": State(device.state),
        "credentials": DeviceCredentials.objects.for_tenant(device.tenant)
        .filter(managed_object=device)
        .select_related("tenant")
        .first(),
        "external_ids": device.external_ids.order_by("type", "value"),
        "groups": groups_of(device),
        "children": _first(children, "child"),
        "number_of_children": children.count(),
        "parents": _first(parents, "parent"),
        "more_parents": max(parents.count() - MAX_CHILDREN, 0),
        "fragments": drawn(device.fragments),
        "events": history_of(
            device.tenant_id,
            device_id=device.device_id,
            managed_object=device,
            limit=MAX_HAPPENINGS,
            with_origin=may_see_registration,
        ),
        "origins": [
            origin
            for origin in origins_of(device.tenant_id, device.device_id)
            if _seen(request, origin)
        ],
        "has_origin": bool(origins_of(device.tenant_id, device.device_id)),
        "batch": _seen(request, batch_of(request.tenant, device)),
        "may_see_type": device.tenant_id == request.tenant.pk
        and request.user.has_role(Role.DEVICE_TYPE_READ),
        "may_change": request.user.has_role(Role.INVENTORY_ADMIN),
        "may_change_login": request.user.has_role(Role.DEVICE_CONTROL_ADMIN),
        "is_management": request.tenant.is_management,
        **forms,
    }
    return render_page(
        request,
        "devices/device_detail.html",
        context,
        fragments=("devices/_device_page.html",),
        status=status,
    )


def _seen(request: TenantRequest, origin: Origin | None) -> Origin | None:
    """Return ``origin`` if the person may open its page."""
    return origin if origin is not None and request.user.has_role(origin.role) else None


def _first(links: "QuerySet[ChildLink]", end: str) -> list[ManagedObject]:
    """Return the first objects at one end of ``links``, without what they tell of themselves."""
    found = links.select_related(end).defer(f"{end}__fragments").order_by("pk")
    return [getattr(link, end) for link in found[:MAX_CHILDREN]]
