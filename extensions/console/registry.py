"""The page *Extensions*: the services that register devices, and looking after them."""

from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from extensions import registry
from extensions.console.forms import ExtensionForm
from extensions.finding import protocols_for
from extensions.models import Extension
from extensions.protocols import Caller
from extensions.registry import InvalidExtensionError, TooManyError
from extensions.remote import RemoteProtocol
from extensions.trial import try_out
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.roles import Role
from ui.htmx import (
    dialog_done,
    is_htmx,
    posted,
    render_dialog,
    render_page,
    require_safe_or_post,
)

READ: Final = Role.OPTION_MANAGEMENT_READ
ADMIN: Final = Role.OPTION_MANAGEMENT_ADMIN
LIST: Final = "extensions:list"
SECTION: Final = "Extensions"
CHANGED: Final = "extensionsChanged"  # the event on which the list looks again


@require_safe
@tenant_view(READ)
def extension_list(request: TenantRequest) -> HttpResponse:
    """Show the tenant's extensions, and what else its people may register devices by."""
    own = Extension.objects.for_tenant(request.tenant).order_by("-priority", "name", "pk")
    context = {
        "extensions": own,
        "others": [
            one
            for one in protocols_for(request.tenant)
            if not (
                isinstance(one, RemoteProtocol) and one.extension.tenant_id == request.tenant.pk
            )
        ],
        "may_change": request.user.has_role(ADMIN),
    }
    return render_page(
        request,
        "extensions/extension_list.html",
        context,
        fragments=("extensions/_extension_cards.html",),
    )


@require_safe_or_post
@tenant_view(ADMIN)
def add(request: TenantRequest) -> HttpResponse:
    """Make a service known."""
    form = ExtensionForm(posted(request), tenant=request.tenant)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                extension = registry.add(request.tenant, form.details, by=request.actor)
            except InvalidExtensionError as error:
                form.refuse(error)
            except TooManyError as error:
                form.add_error(None, str(error))
                status = HTTPStatus.CONFLICT
            else:
                messages.success(request, f"{extension} is added. Test it to see if it answers.")
                return _done(request)
        form.ask_again_for_secret()
    return _dialog(request, "extensions/_edit_extension.html", "Add extension", {"form": form},
                   status)  # fmt: skip


@require_safe_or_post
@tenant_view(ADMIN)
def edit(request: TenantRequest, extension_pk: int) -> HttpResponse:
    """Change the details of an extension."""
    extension = _find(request, extension_pk)
    form = ExtensionForm(posted(request), tenant=request.tenant, subject=extension)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                extension = registry.change(extension, form.details, by=request.actor)
            except InvalidExtensionError as error:
                form.refuse(error)
            else:
                messages.success(request, f"{extension} is saved.")
                return _done(request)
        form.ask_again_for_secret()
    context = {"form": form, "extension": extension}
    return _dialog(request, "extensions/_edit_extension.html", f"Edit {extension}", context, status)


@require_POST
@tenant_view(ADMIN)
def test(request: TenantRequest, extension_pk: int) -> HttpResponse:
    """Ask the service about itself, and say what it answered."""
    extension = _find(request, extension_pk)
    trial = try_out(extension, Caller(request.tenant, request.actor))
    context = {"extension": extension, "trial": trial}
    response = _dialog(request, "extensions/_trial.html", f"Test of {extension}", context)
    if is_htmx(request):
        trigger_client_event(response, CHANGED)
    return response


@require_POST
@tenant_view(ADMIN)
def enable(request: TenantRequest, extension_pk: int) -> HttpResponse:
    """Offer an extension to people."""
    return _enable(request, extension_pk, enabled=True)


@require_POST
@tenant_view(ADMIN)
def disable(request: TenantRequest, extension_pk: int) -> HttpResponse:
    """Offer an extension no longer; it stays here with its details."""
    return _enable(request, extension_pk, enabled=False)


def _enable(request: TenantRequest, extension_pk: int, *, enabled: bool) -> HttpResponse:
    extension = _find(request, extension_pk)
    word = "enabled" if enabled else "disabled"
    if registry.enable(extension, by=request.actor, enabled=enabled):
        messages.success(request, f"{extension} is {word}.")
    else:
        messages.info(request, f"{extension} was {word} already.")
    return _done(request)


@require_safe_or_post
@tenant_view(ADMIN)
def remove(request: TenantRequest, extension_pk: int) -> HttpResponse:
    """Ask, then forget an extension."""
    extension = _find(request, extension_pk)
    if request.method == "POST":
        registry.remove(extension, by=request.actor)
        messages.success(request, f"{extension} is removed.")
        return _done(request)
    context = {"extension": extension}
    return _dialog(request, "extensions/_remove_extension.html", f"Remove {extension}", context)


def _find(request: TenantRequest, pk: int) -> Extension:
    own = Extension.objects.for_tenant(request.tenant).select_related("tenant")
    return get_object_or_404(own, pk=pk)


def _dialog(
    request: TenantRequest,
    template: str,
    title: str,
    context: dict[str, Any],
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    return render_dialog(
        request, template, context, title=title, back=reverse(LIST), section=SECTION, status=status
    )


def _done(request: TenantRequest) -> HttpResponse:
    return dialog_done(request, reverse(LIST), event=CHANGED)
