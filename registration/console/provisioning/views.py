"""Provisioning keys of one device type: seen, made, shown once, revoked."""

from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe
from django_htmx.http import trigger_client_event

from inventory.models import DeviceType
from registration.console.provisioning.forms import ProvisioningKeyForm
from registration.errors import InvalidKeyError, NoKeysError
from registration.models import ProvisioningKey
from registration.provisioning import make_key, revoke_key
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.roles import Role
from ui.htmx import back, dialog_done, posted, render_dialog, render_page, require_safe_or_post

READ: Final = (Role.DEVICE_TYPE_READ,)
ADMIN: Final = (Role.DEVICE_TYPE_ADMIN,)
CHANGED: Final = "provisioningKeysChanged"  # the event on which the card looks again


@require_safe
@tenant_view(*READ)
def key_list(request: TenantRequest, type_pk: int) -> HttpResponse:
    """Show the provisioning keys of a device type."""
    device_type = _device_type(request, type_pk)
    return render_page(
        request,
        "provisioning/key_list.html",
        {"device_type": device_type, "type_url": _type_url(device_type)},
        fragments=("provisioning/_keys_card.html",),
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def create(request: TenantRequest, type_pk: int) -> HttpResponse:
    """Make a key, and show its secret once."""
    device_type = _device_type(request, type_pk)
    form = ProvisioningKeyForm(posted(request))
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                key, secret = make_key(
                    device_type,
                    form.cleaned_data["name"],
                    expires_at=form.cleaned_data["expires_at"],
                    max_devices=form.cleaned_data["max_devices"],
                    by=request.actor,
                )
            except InvalidKeyError as error:
                form.add_error(error.field, str(error))
            except NoKeysError as error:
                form.add_error(None, str(error))
                status = HTTPStatus.CONFLICT
            else:
                shown = {"key": key, "secret": secret}
                response = _dialog(
                    request, "provisioning/_key_made.html", device_type, shown, key.name
                )
                return trigger_client_event(response, CHANGED)
    return _dialog(
        request,
        "provisioning/_key_form.html",
        device_type,
        {"form": form},
        "Create provisioning key",
        status=status,
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def revoke(request: TenantRequest, type_pk: int, key_pk: int) -> HttpResponse:
    """Ask, then make a key void; the devices that came by it keep what they have."""
    device_type = _device_type(request, type_pk)
    mine = ProvisioningKey.objects.for_tenant(request.tenant).filter(device_type=device_type)
    key = get_object_or_404(mine, pk=key_pk)
    if request.method == "POST":
        if revoke_key(key, by=request.actor):
            messages.success(request, f"Provisioning key {key} is revoked.")
        else:
            messages.info(request, f"Provisioning key {key} was revoked before.")
        return dialog_done(request, back(request, _list_url(device_type)), event=CHANGED)
    return _dialog(request, "provisioning/_revoke.html", device_type, {"key": key}, f"Revoke {key}")


def _dialog(
    request: TenantRequest,
    fragment: str,
    device_type: DeviceType,
    context: dict[str, Any],
    title: str,
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    return render_dialog(
        request,
        fragment,
        {**context, "device_type": device_type},
        title=title,
        back=back(request, _list_url(device_type)),
        section=device_type.name,
        status=status,
    )


def _device_type(request: TenantRequest, type_pk: int) -> DeviceType:
    return get_object_or_404(DeviceType.objects.for_tenant(request.tenant), pk=type_pk)


def _list_url(device_type: DeviceType) -> str:
    return reverse("provisioning:list", args=[device_type.pk])


def _type_url(device_type: DeviceType) -> str:
    """Return the page of the type, which an app above this one has."""
    try:
        return reverse("device_types:detail", args=[device_type.pk])
    except NoReverseMatch:
        return ""
