"""The Device registration page: the list, and what can be done to one row of it."""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from inventory.console.groups.picker import GroupRights
from inventory.models import DeviceGroup
from registration.console.filters import RegistrationQuery
from registration.console.limits import near_limit
from registration.console.tables import (
    CHANGED,
    RegistrationTable,
    came_from,
    may_act,
    may_move,
)
from registration.errors import ReasonMissingError, RegistrationError
from registration.lifecycle import Stage
from registration.live import LiveState
from registration.menu import menu
from registration.models import Registration, RegistrationQuerySet
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.roles import Role
from ui.htmx import back, dialog_done, render_dialog, render_page, require_safe_or_post
from ui.tables import LAST_PAGE
from ui.text import storable

READ = (Role.DEVICE_CONTROL_READ,)
ADMIN = (Role.DEVICE_CONTROL_ADMIN,)
LIST = "registration:list"
MAX_SHOWN = 200  # rows already on screen that a live update looks after


def visible(request: TenantRequest) -> RegistrationQuerySet:
    """Return the registrations that the person may see at all."""
    return Registration.objects.for_tenant(request.tenant).with_display()


@require_safe
@tenant_view(*READ)
def registration_list(request: TenantRequest) -> HttpResponse:
    """Show who is on the way in; HTMX gets the table alone, for a change or a live update."""
    live = LiveState.of(request.tenant)  # before the rows: what changes meanwhile is seen next
    may_see_groups = GroupRights.of(request).may_see
    query = RegistrationQuery.read(request.tenant, request.GET, may_see_groups=may_see_groups)
    page = query.page(request.GET.get("after", ""))
    table = RegistrationTable.for_viewer(request, page.rows, order=query.order)
    elsewhere = _still_shown(request, {row.pk for row in page.rows})
    context = {
        "live": live,
        "query": query,
        "page": page,
        "last_page": LAST_PAGE,
        "max_shown": MAX_SHOWN,
        "table": table,
        "elsewhere": RegistrationTable.for_viewer(request, elsewhere).registrations,
        "may_act": may_act(request),
        "register_menu": menu(request) if may_act(request) else {},
        "came_from": came_from(request),
        "pending": query.counts.get(Stage.PENDING, 0),
        "may_move": may_move(request),
        "may_see_groups": may_see_groups,
        "is_management": request.tenant.is_management,
        "groups": (
            DeviceGroup.objects.visible_to(request.tenant)
            if may_see_groups
            else DeviceGroup.objects.none()
        ),
        "near_limit": near_limit(request.tenant, only=query.tenant),
    }
    return render_page(
        request,
        "registration/registration_list.html",
        context,
        fragments=("registration/_registration_table.html",),
    )


def _still_shown(request: TenantRequest, already: set[int]) -> list[Registration]:
    """Return rows that are on the person's screen but no longer on this page.

    A row that leaves the filter ("pending", and now accepted) stays in view and shows what
    became of it; only one that is gone altogether disappears.
    """
    numbers = [
        int(text)
        for text in request.GET.get("shown", "").split(",")[:MAX_SHOWN]
        if text.isascii() and text.isdigit() and len(text) < 19
    ]
    wanted = set(numbers) - already
    return list(visible(request).filter(pk__in=wanted)) if wanted else []


@require_POST
@tenant_view(*ADMIN)
def accept(request: TenantRequest, pk: int) -> HttpResponse:
    """Accept one pending device and answer with its row as it now stands."""
    registration = get_object_or_404(visible(request), pk=pk)
    status = HTTPStatus.OK
    try:
        registration.accept(by=request.actor, token=request.POST.get("token", ""))
    except RegistrationError as error:
        messages.error(request, str(error))
        status = HTTPStatus.CONFLICT
    else:
        messages.success(
            request, f"{registration} is accepted. It gets its credentials when it knocks next."
        )
    return _row_or_back(request, registration, status)


@require_POST
@tenant_view(*ADMIN)
def reset(request: TenantRequest, pk: int) -> HttpResponse:
    """Forget the knock of a pending device, so that whoever knocks next counts."""
    registration = get_object_or_404(visible(request), pk=pk)
    return _step(request, registration, registration.reset, "{} waits for connection again.")


@require_POST
@tenant_view(*ADMIN)
def hand_over_again(request: TenantRequest, pk: int) -> HttpResponse:
    """Open the hand-over once more for a device that never logged in."""
    registration = get_object_or_404(visible(request), pk=pk)
    return _step(
        request,
        registration,
        registration.hand_over_again,
        "The hand-over of {} is open again: the device gets a new password when it knocks.",
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def unblock(request: TenantRequest, pk: int) -> HttpResponse:
    """Let a blocked device start over, with a written reason."""
    registration = get_object_or_404(visible(request), pk=pk)
    context = {"registration": registration, "reason": "", "problem": ""}
    status = HTTPStatus.OK
    if request.method == "POST":
        reason = storable(request.POST.get("reason", ""))
        try:
            registration.unblock(by=request.actor, reason=reason)
        except RegistrationError as error:
            context |= {"reason": reason, "problem": str(error)}
            is_input = isinstance(error, ReasonMissingError)
            status = HTTPStatus.UNPROCESSABLE_ENTITY if is_input else HTTPStatus.CONFLICT
        else:
            messages.success(request, f"{registration} is unblocked and waits for connection.")
            return dialog_done(request, back(request, reverse(LIST)), event=CHANGED)
    return render_dialog(
        request,
        "registration/_unblock.html",
        context,
        title=f"Unblock {registration}",
        back=back(request, reverse(LIST)),
        status=status,
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def cancel(request: TenantRequest, pk: int) -> HttpResponse:
    """Ask, then cancel a registration."""
    registration = get_object_or_404(visible(request), pk=pk)
    if request.method == "POST":
        page = reverse("registration:detail", args=[registration.pk])
        registration.remove(by=request.actor)
        messages.success(request, f"Device registration cancelled: {registration}.")
        url = back(request, reverse(LIST))
        is_gone = urlsplit(url).path.startswith(page)
        return dialog_done(request, reverse(LIST) if is_gone else url, event=CHANGED)
    return render_dialog(
        request,
        "registration/_cancel.html",
        {"registration": registration},
        title="Cancel device registration",
        back=back(request, reverse(LIST)),
    )


def _step(
    request: TenantRequest, registration: Registration, step: Callable[..., None], sentence: str
) -> HttpResponse:
    status = HTTPStatus.OK
    try:
        step(by=request.actor)
    except RegistrationError as error:
        messages.error(request, str(error))
        status = HTTPStatus.CONFLICT
    else:
        messages.success(request, sentence.format(registration))
    return _row_or_back(request, registration, status)


def _row_or_back(
    request: TenantRequest, registration: Registration, status: HTTPStatus
) -> HttpResponse:
    """Answer HTMX with the row as it now stands; without JavaScript, go back to the page."""
    if not request.htmx:
        return redirect(back(request, reverse(LIST), or_to=request.headers.get("Referer", "")))
    registration.refresh_from_db()
    table = RegistrationTable.for_viewer(request, [registration])
    return HttpResponse(table.rows_as_html(request), status=status)
