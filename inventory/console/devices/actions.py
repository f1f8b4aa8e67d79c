"""What people do to one device: rename, name, group and delete it."""

from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from inventory import devices, groups, identity, objects
from inventory.console.devices.forms import DeviceForm, ExternalIdForm
from inventory.console.devices.views import LIST, device_page, get_device
from inventory.errors import (
    ExternalIdTakenError,
    InvalidObjectError,
    NotAChildError,
    ReportedError,
)
from inventory.history import origins_of
from inventory.models import (
    ChildLink,
    DeviceCredentials,
    DeviceGroup,
    ExternalId,
    GroupPathError,
    ManagedObject,
)
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.roles import Role
from ui.htmx import back, dialog_done, is_htmx, leave, posted, render_dialog, require_safe_or_post
from ui.text import storable

ADMIN = (Role.INVENTORY_ADMIN,)
CHANGED = "devicesChanged"  # the event on which the page of a device looks again
SECTION = "All devices"


def page_of(device: ManagedObject) -> str:
    """Return the address of a device's page."""
    return reverse("devices:detail", args=[device.pk])


def _answer(request: TenantRequest, device: ManagedObject) -> HttpResponse:
    """Answer HTMX with the page as it now stands; without JavaScript, go back to it."""
    if not is_htmx(request):
        return redirect("devices:detail", device.pk)
    return device_page(request, get_device(request, device.pk))


# --- Name and type --------------------------------------------------------------------------


@require_safe_or_post
@tenant_view(*ADMIN)
def edit(request: TenantRequest, device_pk: int) -> HttpResponse:
    """Give a device another name or type."""
    device = get_device(request, device_pk)
    form = DeviceForm(posted(request), initial={"name": device.name, "type": device.type})
    status = HTTPStatus.OK
    if request.method == "POST":
        if form.is_valid() and _save(request, device, form):
            # The whole page, because its title says the name.
            return leave(request, page_of(device))
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    return render_dialog(
        request,
        "devices/_edit.html",
        {"device": device, "form": form},
        title=f"Edit {device}",
        back=back(request, page_of(device)),
        section=SECTION,
        status=status,
    )


def _save(request: TenantRequest, device: ManagedObject, form: DeviceForm) -> bool:
    """Write what was changed in the form; say there what cannot be, and return False."""
    changes = {name: form.cleaned_data[name] for name in form.changed_data}
    if not changes:
        return True
    try:
        saved = objects.change_object(device, changes, by=request.actor)
    except InvalidObjectError as error:
        form.add_error(None, str(error))
        return False
    messages.success(request, f"{saved} is saved.")
    return True


# --- External IDs ---------------------------------------------------------------------------


@require_POST
@tenant_view(*ADMIN)
def add_external_id(request: TenantRequest, device_pk: int) -> HttpResponse:
    """Give a device one more name."""
    device = get_device(request, device_pk)
    form = ExternalIdForm(request.POST)
    if not form.is_valid():
        return device_page(
            request, device, status=HTTPStatus.UNPROCESSABLE_ENTITY, external_id_form=form
        )
    kind, value = form.cleaned_data["type"], form.cleaned_data["value"]
    if device.reported_at is None:
        messages.error(request, f"{device} gets external IDs once it has reported.")
        return device_page(request, device, status=HTTPStatus.CONFLICT)
    try:
        identity.bind(device, kind, value, by=request.actor)
    except InvalidObjectError as error:
        form.add_error("value", str(error))
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return device_page(request, device, status=status, external_id_form=form)
    except ExternalIdTakenError:
        form.add_error("value", _taken(device, kind, value))
        return device_page(request, device, status=HTTPStatus.CONFLICT, external_id_form=form)
    messages.success(request, f"{device} is also known as {kind} {value}.")
    return _answer(request, device)


def _taken(device: ManagedObject, kind: str, value: str) -> str:
    """Return in words what has an external ID already."""
    mine = ExternalId.objects.for_tenant(device.tenant).select_related("managed_object")
    bound = mine.filter(type=kind, value=value).first()
    if bound is not None and bound.managed_object_id == device.pk:
        return "This device has this external ID already."
    of = f" It is the one of {bound.managed_object}." if bound is not None else ""
    return f"{kind} {value} is taken.{of} Remove it there first, or check what you typed."


@require_safe_or_post
@tenant_view(*ADMIN)
def remove_external_id(request: TenantRequest, device_pk: int) -> HttpResponse:
    """Ask, then take an external ID off a device."""
    device = get_device(request, device_pk)
    sent = request.POST if request.method == "POST" else request.GET
    mine = ExternalId.objects.for_tenant(device.tenant).filter(managed_object=device)
    external_id = get_object_or_404(mine, pk=_number(sent.get("external_id", "")))
    if request.method == "POST":
        identity.unbind(external_id, by=request.actor)
        messages.success(request, f"{external_id} is removed from {device}.")
        return dialog_done(request, page_of(device), event=CHANGED)
    return render_dialog(
        request,
        "devices/_remove_external_id.html",
        {"device": device, "external_id": external_id},
        title="Remove external ID",
        back=page_of(device),
        section=SECTION,
    )


# --- Groups ---------------------------------------------------------------------------------


@require_POST
@tenant_view(*ADMIN)
def join_group(request: TenantRequest, device_pk: int) -> HttpResponse:
    """Put a device into a group; one that has yet to report joins it then."""
    device = get_device(request, device_pk)
    path = storable(request.POST.get("group", "")).strip()
    problem, status = "", HTTPStatus.OK
    try:
        _join(request, device, path)
    except GroupPathError as error:
        problem, status = str(error), HTTPStatus.UNPROCESSABLE_ENTITY
    except ReportedError as error:
        problem, status = str(error), HTTPStatus.CONFLICT
    if problem:
        device = get_device(request, device_pk)
        return device_page(request, device, status=status, group_problem=problem, group_typed=path)
    return _answer(request, device)


def _join(request: TenantRequest, device: ManagedObject, path: str) -> None:
    """Put it there and say so.

    Raises:
        GroupPathError: that cannot be a group's path.
        ReportedError: the device is not where it was when this was asked.
    """
    if device.reported_at is None and origins_of(device.tenant_id, device.device_id):
        msg = "The group that this device joins is chosen on the page of its registration."
        raise ReportedError(msg)
    if not path and device.reported_at is not None:
        raise GroupPathError("Choose a group, or type its path, like Plant A/Hall 2.")
    group = groups.group_at(device.tenant, path, by=request.actor) if path else None
    if device.reported_at is None:
        devices.choose_group(device, group, by=request.actor)
        where = f"will be put into {group} when it reports" if group else "joins no group"
        messages.success(request, f"{device} {where}.")
    elif group is not None:
        is_new = groups.add_to_group(group, [device], by=request.actor)
        where = "put into" if is_new else "in already:"
        messages.success(request, f"{device} is {where} {group}.")


@require_POST
@tenant_view(*ADMIN)
def leave_group(request: TenantRequest, device_pk: int) -> HttpResponse:
    """Take a device out of one group."""
    device = get_device(request, device_pk)
    mine = DeviceGroup.objects.for_tenant(device.tenant)
    group = get_object_or_404(mine, pk=_number(request.POST.get("group", "")))
    try:
        groups.remove_from_group(group, [device], by=request.actor)
    except NotAChildError as error:
        messages.error(request, str(error))
        if not is_htmx(request):
            return redirect("devices:detail", device.pk)
        return device_page(request, device, status=HTTPStatus.CONFLICT)
    messages.success(request, f"{device} is taken out of {group}.")
    return _answer(request, device)


def _number(text: str) -> int:
    """Return the ID of a row in ``text``.

    Raises:
        Http404: it cannot be one.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Http404
    return int(text)


# --- Deleting -------------------------------------------------------------------------------

WITH_LOGIN = "all"
OBJECT_ONLY = "object"


@require_safe_or_post
@tenant_view(*ADMIN)
def delete(request: TenantRequest, device_pk: int) -> HttpResponse:
    """Say what would go, then delete a device; with its login, unless that is to stay."""
    device = get_device(request, device_pk)
    credentials = DeviceCredentials.objects.for_tenant(device.tenant).filter(managed_object=device)
    has_login = credentials.exists()
    may_delete_login = request.user.has_role(Role.DEVICE_CONTROL_ADMIN)
    # There is nothing but a login yet: without it there is nothing to delete.
    is_login_only = has_login and device.reported_at is None
    what = request.POST.get("what", WITH_LOGIN)
    if request.method == "POST":
        with_login = has_login and (what != OBJECT_ONLY or is_login_only)
        if with_login and not may_delete_login:
            raise PermissionDenied
        name = str(device)
        objects.delete_object(device, objects.Deletion(logins=with_login), by=request.actor)
        rest = " Its login stays." if has_login and not with_login else ""
        messages.success(request, f"{name} is deleted.{rest}")
        return leave(request, reverse(LIST))
    context = {
        "device": device,
        "external_ids": device.external_ids.count(),
        "groups": ChildLink.objects.filter(child=device, kind=ChildLink.Kind.ASSET).count(),
        "children": ChildLink.objects.filter(parent=device, kind=ChildLink.Kind.DEVICE).count(),
        "has_login": has_login,
        "is_login_only": is_login_only,
        "may_delete_login": may_delete_login,
    }
    return render_dialog(
        request,
        "devices/_delete.html",
        context,
        title=f"Delete {device}",
        back=page_of(device),
        section=SECTION,
    )
