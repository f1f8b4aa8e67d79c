"""The dialog "Register one": a device of a device type, with the secret that it has or gets."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from bulk import preshared
from bulk.models import Door, Existing
from bulk.pair_rules import check_id, check_secret
from factory.console.forms import RegisterForm
from inventory.console.groups.picker import GroupRights
from inventory.models import DeviceCredentials, DeviceType, ManagedObject
from inventory.models.device_type import MAX_SECRET_LENGTH
from inventory.passwords import new_password
from registration.console.limits import near_limit
from registration.console.tables import CHANGED
from registration.models import Registration
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.roles import Role
from ui.htmx import back, is_htmx, leave, render_dialog, require_safe_or_post
from ui.text import storable

ADMIN: Final = (Role.DEVICE_CONTROL_ADMIN,)
TITLE: Final = "Register device"
MAX_OFFERED: Final = 500  # device types to choose from; a tenant has a handful
# Which field says what a code is about; the others are about the device ID.
FIELD_OF: Final = {"device_type_conflict": "device_type", "device_limit": None}
# Somebody, or something, is on the way in with this ID; their page says who.
OPEN: Final = frozenset(
    {"registration_pending", "registration_in_progress", "registration_blocked"}
)
THERE: Final = frozenset({"device_exists", "device_type_conflict"})
FILE_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Question:
    """What has to be answered before an existing device gets another secret."""

    device_id: str
    has_typed: bool  # a secret; it is not kept here


@sensitive_post_parameters("secret")
@require_safe_or_post
@tenant_view(*ADMIN)
def register(request: TenantRequest) -> HttpResponse:
    """Register one device; one that is there gets another secret only if somebody says so."""
    who: dict[str, Any] = {
        "viewer": request.tenant,
        "types": _types(request),
        "groups": GroupRights.of(request),
    }
    if request.method != "POST":
        # A link may bring these along; it never registers by itself.
        brought = {name: storable(request.GET.get(name, "")).strip() for name in
                   ("device_type", "device_id", "group")}  # fmt: skip
        if len(who["types"]) == 1 and not brought["device_type"]:
            brought["device_type"] = str(who["types"][0].pk)
        return _show(request, RegisterForm(initial=brought, **who))
    form = RegisterForm(request.POST, **who)
    if not form.is_valid() or not _is_a_pair(request, form):
        return _show(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _register(request, form)


def _types(request: TenantRequest) -> list[DeviceType]:
    """Return the device types to choose from; the one that is asked for is always among them."""
    own = DeviceType.objects.for_tenant(request.tenant)
    types = [*own.order_by("name_key")[:MAX_OFFERED]]
    asked = request.POST.get("device_type", "") or request.GET.get("device_type", "")
    if len(types) == MAX_OFFERED and asked.isascii() and asked.isdigit() and len(asked) < 19:
        types += own.filter(pk=int(asked)).exclude(pk__in=[one.pk for one in types])
    return types


def _is_a_pair(request: TenantRequest, form: RegisterForm) -> bool:
    """Judge ID and secret by the rules of the device type; say in the form what is wrong."""
    device_type, device_id = form.chosen, form.cleaned_data["device_id"]
    secret = form.cleaned_data["secret"]
    refused = check_id(device_type, device_id)
    if refused is not None:
        form.add_error("device_id", refused[1])
    if secret and not device_type.takes_secrets:
        form.add_error("secret", f"Devices of {device_type} take no secret. Leave it empty.")
    elif secret:
        refused = check_secret(device_type, device_id, secret)
        if refused is not None:
            form.add_error("secret", refused[1])
    elif "replace" in request.POST and "typed" in request.POST:
        # Without JavaScript the field is empty again, and empty would mean another one.
        form.add_error("secret", "Type the secret again: this page does not keep it.")
    return form.is_valid()


def _register(request: TenantRequest, form: RegisterForm) -> HttpResponse:
    device_type, typed = form.chosen, form.cleaned_data["secret"]
    may_replace = "replace" in request.POST or not device_type.takes_secrets
    secret = typed or (new_secret(device_type) if device_type.takes_secrets else "")
    offer = preshared.Offer(
        device_id=form.cleaned_data["device_id"],
        secret=secret,
        name=form.cleaned_data["name"],
        path=form.cleaned_data.get("group", ""),
    )
    outcome = preshared.register(
        device_type,
        [offer],
        by=request.actor,
        on_existing=Existing.UPDATE if may_replace else Existing.FAIL,
        door=Door.CONSOLE,
    )
    (result,) = outcome.results
    if result.result != "failed":
        return _done(request, device_type, result, secret="" if typed else secret)
    if result.code == "device_exists":
        question = Question(result.device_id, has_typed=bool(typed))
        return _show(request, form, question=question, status=HTTPStatus.CONFLICT)
    form.add_error(FIELD_OF.get(result.code, "device_id"), result.detail)
    where = _page_of(request, result)
    return _show(request, form, where=where, status=HTTPStatus.CONFLICT)


def new_secret(device_type: DeviceType) -> str:
    """Return a secret by chance, as long as the device type asks for and easy to copy by hand."""
    secret = new_password()
    while len(secret) < device_type.min_secret_length:
        secret += new_password()
    return secret[: max(len(new_password()), device_type.min_secret_length)]


def _page_of(request: TenantRequest, result: preshared.Result) -> tuple[str, str] | None:
    """Return the page about what stands in the way, and what it is called."""
    if result.code in OPEN:
        open_ones = Registration.objects.for_tenant(request.tenant)
        found = open_ones.filter(tenant=request.tenant, device_id=result.device_id).first()
        return (
            ("its registration", reverse("registration:detail", args=[found.pk])) if found else None
        )
    if result.code in THERE and request.user.has_role(Role.INVENTORY_READ):
        return "the device", reverse("devices:by_id", args=[result.device_id])
    return None


def _done(
    request: TenantRequest, device_type: DeviceType, result: preshared.Result, *, secret: str
) -> HttpResponse:
    """Go on to the list; a secret that was made here is shown before, this one time."""
    url = _list_with(request, device_type, result)
    if not secret:
        messages.success(request, _said(device_type, result))
        return leave(request, url)
    context = {
        "device_type": device_type,
        "device_id": result.device_id,
        "is_new": result.result == "created",
        "secret": secret,
        "login": f"{request.tenant.pk}/{DeviceCredentials.login_name(result.device_id)}",
        "list_url": url,
    }
    response = render_dialog(
        request,
        "device_types/_registered.html",
        context,
        title=_said(device_type, result),
        back=url,
    )
    return trigger_client_event(response, CHANGED) if is_htmx(request) else response


def _said(device_type: DeviceType, result: preshared.Result) -> str:
    if result.result == "created":
        waits = " It waits for the device to knock." if device_type.has_provisioning_keys else ""
        return f"{result.device_id} is registered.{waits}"
    if result.result == "updated":
        return f"{result.device_id} is updated."
    return f"{result.device_id} was there already, just so. Nothing was changed."


def _list_with(request: TenantRequest, device_type: DeviceType, result: preshared.Result) -> str:
    """Return the address of the list that the device is in, with its row in view."""
    if device_type.has_provisioning_keys and result.result == "created":
        return f"{reverse('registration:list')}?{urlencode({'q': result.device_id})}"
    if not request.user.has_role(Role.INVENTORY_READ):
        return reverse("registration:list")
    asked = {"device_type": str(device_type.pk)}
    if result.result != "created":  # it may stand far down
        asked["q"] = result.device_id
    elif result.number is not None:
        asked["new"] = str(result.number)
    return f"{reverse('devices:list')}?{urlencode(asked)}"


def _show(
    request: TenantRequest,
    form: RegisterForm,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    question: Question | None = None,
    where: tuple[str, str] | None = None,
) -> HttpResponse:
    context = {
        "form": form,
        "question": question,
        "where": where,
        "has_typed": "typed" in request.POST or bool(question and question.has_typed),
        "is_answered": "replace" in request.POST,
        "may_make_types": request.user.has_role(Role.DEVICE_TYPE_ADMIN),
        "may_make_groups": form.groups.may_make,
        "near_limit": near_limit(request.tenant),
    }
    return render_dialog(
        request,
        "device_types/_register.html",
        context,
        title=TITLE,
        back=back(request, reverse("registration:list")),
        status=status,
    )


@sensitive_post_parameters("secret")
@require_POST
@tenant_view(*ADMIN)
def credentials_file(request: TenantRequest) -> HttpResponse:
    """Send what the page of a new device shows as a file; nothing of it is kept anywhere."""
    device_id, secret = request.POST.get("device_id", ""), request.POST.get("secret", "")
    own = ManagedObject.objects.for_tenant(request.tenant).devices()
    device = get_object_or_404(own, device_id=storable(device_id) or None)
    if not re.fullmatch(r"[ -~]+", secret) or len(secret) > MAX_SECRET_LENGTH:
        return HttpResponse(
            "The secret did not arrive as it was shown. Copy it from the page instead.",
            content_type="text/plain; charset=utf-8",
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
        )
    lines = (
        "[Device Credential]",
        f"DeviceId: {device.device_id}",
        f"DeviceSecret: {secret}",
        f"TenantId: {request.tenant.pk}",
        f"User: {request.tenant.pk}/{DeviceCredentials.login_name(device.device_id)}",
        f"Url: {request.build_absolute_uri('/')}",
    )
    response = HttpResponse("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")
    name = FILE_NAME.sub("-", device.device_id)[:80]
    response["Content-Disposition"] = f'attachment; filename="{name}.credentials.key"'
    return response
