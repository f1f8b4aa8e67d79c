"""What people do to device types: make, change and delete them."""

from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse

from bulk.models import HOLDS_FILE, Import
from factory.console.forms import DeviceTypeForm
from factory.console.manners import ADMIN, CHANGED, LIST, SECTION, find, page_of
from inventory import device_types
from inventory.console.devices.query import SHORT
from inventory.errors import (
    DeviceTypeInUseError,
    DeviceTypeNameTakenError,
    InvalidDeviceTypeError,
    InventoryError,
)
from inventory.models import DeviceType, ManagedObject
from registration.models import ProvisioningKey, Registration
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from ui.htmx import back, dialog_done, leave, posted, render_dialog, require_safe_or_post

# Which field a refusal is about.
REFUSED_FIELD: Final[dict[type[InventoryError], str]] = {
    DeviceTypeNameTakenError: "name",
    DeviceTypeInUseError: "security_option",
}


@require_safe_or_post
@tenant_view(*ADMIN)
def create(request: TenantRequest) -> HttpResponse:
    """Make a device type, and go on to its page."""
    form = DeviceTypeForm(posted(request))
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                made = device_types.create_type(request.tenant, form.details, by=request.actor)
            except InventoryError as error:
                status = _refuse(form, error)
            else:
                messages.success(request, f"Device type {made} is created.")
                return leave(request, page_of(made))
    return _dialog(request, form, None, status)


@require_safe_or_post
@tenant_view(*ADMIN)
def edit(request: TenantRequest, type_pk: int) -> HttpResponse:
    """Change a device type; its security option only as long as it has no devices."""
    device_type = find(request, type_pk)
    form = DeviceTypeForm(
        posted(request),
        initial=device_types.TypeDetails.of(device_type).__dict__,
        is_in_use=device_types.is_in_use(device_type),
    )
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                changed = device_types.change_type(device_type, form.details, by=request.actor)
            except InventoryError as error:
                status = _refuse(form, error)
            else:
                messages.success(request, f"Device type {changed} is saved.")
                # The whole page, because its title says the name.
                return leave(request, back(request, page_of(changed)))
    return _dialog(request, form, device_type, status)


@require_safe_or_post
@tenant_view(*ADMIN)
def delete(request: TenantRequest, type_pk: int) -> HttpResponse:
    """Say what stands against it; if nothing does, ask, then delete a device type."""
    device_type = find(request, type_pk)
    page = page_of(device_type)
    problem, status = "", HTTPStatus.OK
    if request.method == "POST":
        try:
            device_types.delete_type(device_type, by=request.actor)
        except DeviceTypeInUseError as error:
            problem, status = str(error), HTTPStatus.CONFLICT
        else:
            messages.success(request, f"Device type {device_type} is deleted.")
            url = back(request, reverse(LIST))
            is_gone = urlsplit(url).path.startswith(page)
            return (
                leave(request, reverse(LIST))
                if is_gone
                else dialog_done(request, url, event=CHANGED)
            )
    devices = ManagedObject.objects.visible_to(request.tenant).filter(device_type=device_type)
    expected = Registration.objects.for_tenant(request.tenant).filter(device_type=device_type)
    lists = Import.objects.for_tenant(request.tenant).filter(
        device_type=device_type, state__in=HOLDS_FILE
    )
    keys = ProvisioningKey.objects.for_tenant(request.tenant).filter(device_type=device_type)
    context = {
        "device_type": device_type,
        "problem": problem,
        "is_in_use": device_types.is_in_use(device_type),
        "devices": devices[: SHORT + 1].count(),
        "registrations": expected[: SHORT + 1].count(),
        "lists": lists.count(),
        "keys": keys.count(),
        "most": SHORT,
    }
    return render_dialog(
        request,
        "device_types/_delete.html",
        context,
        title=f"Delete {device_type}",
        back=back(request, page),
        section=SECTION,
        status=status,
    )


def _refuse(form: DeviceTypeForm, error: InventoryError) -> HTTPStatus:
    """Say in ``form`` what was refused, and return the status for it."""
    if isinstance(error, InvalidDeviceTypeError):
        form.add_error(error.field, str(error))
        return HTTPStatus.UNPROCESSABLE_ENTITY
    form.add_error(REFUSED_FIELD.get(type(error)), str(error))
    return HTTPStatus.CONFLICT


def _dialog(
    request: TenantRequest,
    form: DeviceTypeForm,
    device_type: DeviceType | None,
    status: HTTPStatus,
) -> HttpResponse:
    title = f"Edit {device_type}" if device_type else "Add device type"
    context = {
        "form": form,
        "device_type": device_type,
        "title_text": title,
        "action": request.path,
    }
    return render_dialog(
        request,
        "device_types/_form.html",
        context,
        title=title,
        back=back(request, page_of(device_type) if device_type else reverse(LIST)),
        section=SECTION,
        status=status,
    )
