"""What can be done to one login: shut, open, renew, take away."""

from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from inventory import logins
from inventory.console.credentials.tables import CHANGED, CredentialsTable
from inventory.console.credentials.views import ADMIN, LIST, one_of
from inventory.errors import LoginError
from inventory.models import DeviceCredentials
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from ui.htmx import back, dialog_done, leave, render_dialog, require_safe_or_post
from ui.text import storable

SECTION: Final = "Device credentials"
ROW: Final = "login-"  # begins the id of a row, which then answers in place

# How long the previous password may count, and what that is called.
OVERLAPS: Final[dict[str, tuple[str, timedelta]]] = {
    "none": ("Not at all: it is void at once", timedelta(0)),
    "hour": ("For 1 hour", timedelta(hours=1)),
    "day": ("For 1 day", timedelta(days=1)),
    "week": ("For 7 days", timedelta(days=7)),
    "month": ("For 30 days", timedelta(days=30)),
}
USUAL_OVERLAP: Final = "week"


@require_POST
@tenant_view(*ADMIN)
def disable(request: TenantRequest, credentials_pk: int) -> HttpResponse:
    """Shut a login, until somebody enables it."""
    return _step(
        request,
        one_of(request, credentials_pk),
        logins.disable,
        "{} is disabled. It is refused from its next request on.",
    )


@require_POST
@tenant_view(*ADMIN)
def enable(request: TenantRequest, credentials_pk: int) -> HttpResponse:
    """Open a login again."""
    return _step(
        request,
        one_of(request, credentials_pk),
        logins.enable,
        "{} is enabled. Its password is the same as before.",
    )


def _step(
    request: TenantRequest,
    credentials: DeviceCredentials,
    step: Callable[..., None],
    sentence: str,
) -> HttpResponse:
    """Do it, and answer with the row as it now stands, or let the page around it look again."""
    step(credentials, by=request.actor)
    messages.success(request, sentence.format(credentials))
    if (request.htmx.target or "").startswith(ROW):
        table = CredentialsTable.for_viewer(request, [one_of(request, credentials.pk)])
        return HttpResponse(table.rows_as_html(request))
    url = back(request, reverse(LIST), or_to=request.headers.get("Referer", ""))
    return dialog_done(request, url, event=CHANGED) if request.htmx else redirect(url)


@require_safe_or_post
@tenant_view(*ADMIN)
def rotate(request: TenantRequest, credentials_pk: int) -> HttpResponse:
    """Ask how long the previous password may count; then show the new one, once."""
    credentials = one_of(request, credentials_pk)
    chosen, problem, status = USUAL_OVERLAP, "", HTTPStatus.OK
    if request.method == "POST":
        chosen = request.POST.get("overlap", USUAL_OVERLAP if credentials.is_revoked else "")
        if chosen not in OVERLAPS:
            problem = "Choose how long the present password may still be used."
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        else:
            try:
                password = logins.rotate(
                    credentials,
                    overlap=OVERLAPS[chosen][1],
                    by=request.actor,
                    only_if_of=_moment(request.POST.get("issued", "")),
                )
            except LoginError as error:
                problem, status = str(error), HTTPStatus.CONFLICT
            else:
                return _shown_once(request, one_of(request, credentials_pk), password)
    return _dialog(
        request,
        "credentials/_rotate.html",
        credentials,
        title=f"New password for {credentials.device_id}",
        status=status,
        problem=problem,
        chosen=chosen,
        overlaps=[(key, label) for key, (label, _) in OVERLAPS.items()],
    )


def _moment(text: str) -> datetime | None:
    """Return the time that a form carries, or None for anything else."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def _shown_once(
    request: TenantRequest, credentials: DeviceCredentials, password: str
) -> HttpResponse:
    response = _dialog(
        request,
        "credentials/_rotated.html",
        credentials,
        title=f"New password of {credentials.device_id}",
        password=password,
    )
    return trigger_client_event(response, CHANGED)


@require_safe_or_post
@tenant_view(*ADMIN)
def revoke(request: TenantRequest, credentials_pk: int) -> HttpResponse:
    """Ask, then void every password of a device."""
    credentials = one_of(request, credentials_pk)
    if request.method == "POST":
        logins.revoke(credentials, by=request.actor)
        messages.success(request, f"The password of {credentials.device_id} is revoked.")
        return dialog_done(request, _here(request, credentials), event=CHANGED)
    return _dialog(
        request,
        "credentials/_revoke.html",
        credentials,
        title=f"Revoke the password of {credentials.device_id}",
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def delete(request: TenantRequest, credentials_pk: int) -> HttpResponse:
    """Ask, then delete a login; the device's object stays if it has reported."""
    credentials = one_of(request, credentials_pk)
    if request.method == "POST":
        device = credentials.managed_object
        stays = device is not None and device.reported_at is not None
        reason = storable(request.POST.get("reason", "")).strip()
        logins.delete_login(credentials, by=request.actor, reason=reason)
        messages.success(
            request, f"The login of {credentials.device_id} is deleted. It is no longer let in."
        )
        return _after_deletion(request, credentials, stays=stays)
    return _dialog(
        request,
        "credentials/_delete.html",
        credentials,
        title=f"Delete the login of {credentials.device_id}",
    )


def _after_deletion(
    request: TenantRequest, credentials: DeviceCredentials, *, stays: bool
) -> HttpResponse:
    """Go on to a page that is still there."""
    here, listed = _here(request, credentials), reverse(LIST)
    path = urlsplit(here).path
    if path == listed:
        return dialog_done(request, here, event=CHANGED)
    own = reverse("credentials:detail", args=[credentials.pk])
    return leave(request, here if stays and not path.startswith(own) else listed)


def _here(request: TenantRequest, credentials: DeviceCredentials) -> str:
    """Return the page that this was asked from."""
    own = reverse("credentials:detail", args=[credentials.pk])
    current = request.htmx.current_url_abs_path or ""
    return current if request.htmx and current else back(request, own)


def _dialog(
    request: TenantRequest,
    fragment: str,
    credentials: DeviceCredentials,
    *,
    title: str,
    status: HTTPStatus = HTTPStatus.OK,
    **context: Any,
) -> HttpResponse:
    return render_dialog(
        request,
        fragment,
        {"credentials": credentials, "max_reason": logins.MAX_REASON_LENGTH, **context},
        title=title,
        back=back(request, reverse("credentials:detail", args=[credentials.pk])),
        section=SECTION,
        status=status,
    )
