"""The page of one import, and what can be done with it."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from bulk import imports
from bulk.console.rows import problems_of
from bulk.console.shown import Shown
from bulk.errors import BulkError, WrongStateError
from bulk.models import Existing, Import, State
from registration.console.tables import may_act
from registration.console.views import ADMIN, READ
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from ui.htmx import dialog_done, is_htmx, render_dialog, render_page, require_safe_or_post
from ui.tables import LAST_PAGE

SECTION: Final = "Bulk registration"
REPLACE: Final = (
    "Tick the box if the secrets that the devices have now may be replaced: they stop working at "
    "once."
)
CHANGED: Final = "importChanged"  # the event on which the page looks again


def visible(request: TenantRequest, import_pk: UUID) -> Import:
    """Return an import that the person may see."""
    return get_object_or_404(Import.objects.for_tenant(request.tenant), pk=import_pk)


def address_of(one: Import) -> str:
    """Return the address of its page."""
    return reverse("bulk:detail", args=[one.pk])


@require_safe
@tenant_view(*READ)
def detail(request: TenantRequest, import_pk: UUID) -> HttpResponse:
    """Show an import as it stands; HTMX asks again while somebody works on it."""
    return _page(request, visible(request, import_pk))


@require_POST
@tenant_view(*ADMIN)
def check(request: TenantRequest, import_pk: UUID) -> HttpResponse:
    """Look through the file once more: things may have changed since."""
    one = visible(request, import_pk)
    return _step(request, one, lambda: imports.check(one))


@require_POST
@tenant_view(*ADMIN)
def start(request: TenantRequest, import_pk: UUID) -> HttpResponse:
    """Register what the file holds, as it was shown and chosen."""
    one = visible(request, import_pk)
    shown = Shown(one)
    is_ready = one.state == State.READY
    chosen = request.POST.get("on_existing", "")
    # Whoever was not asked saw no device that is there: one that came since is reported.
    on_existing = Existing(chosen) if chosen in Existing.values else Existing.FAIL
    problem = ""
    if is_ready and shown.asks and not shown.may_choose(chosen):
        problem = "Choose what to do with the devices that are there already."
    elif is_ready and shown.new_secrets and on_existing is Existing.UPDATE:
        problem = "" if "replace" in request.POST else REPLACE
    if problem:
        return _page(request, one, problem=problem, status=HTTPStatus.UNPROCESSABLE_ENTITY)

    def go() -> None:
        if is_ready and not shown.is_startable:
            raise WrongStateError(shown.why_not if shown.plan else "Check the file first.")
        imports.start(one, on_existing=on_existing, by=request.actor)

    return _step(request, one, go)


@require_POST
@tenant_view(*ADMIN)
def skip(request: TenantRequest, import_pk: UUID) -> HttpResponse:
    """Let the valid pairs of a list be registered, and the rest be skipped."""
    one = visible(request, import_pk)
    return _step(request, one, lambda: imports.skip_invalid(one, by=request.actor))


@require_POST
@tenant_view(*ADMIN)
def pause(request: TenantRequest, import_pk: UUID) -> HttpResponse:
    """Stop for a while."""
    one = visible(request, import_pk)
    return _step(request, one, lambda: imports.pause(one, by=request.actor))


@require_POST
@tenant_view(*ADMIN)
def resume(request: TenantRequest, import_pk: UUID) -> HttpResponse:
    """Go on after a pause."""
    one = visible(request, import_pk)
    return _step(request, one, lambda: imports.go_on(one, by=request.actor))


@require_POST
@tenant_view(*ADMIN)
def discard(request: TenantRequest, import_pk: UUID) -> HttpResponse:
    """Forget a file that is not wanted; nothing was registered yet."""
    one = visible(request, import_pk)
    return _step(request, one, lambda: imports.discard(one, by=request.actor))


@require_safe_or_post
@tenant_view(*ADMIN)
def cancel(request: TenantRequest, import_pk: UUID) -> HttpResponse:
    """Ask, then stop for good."""
    one = visible(request, import_pk)
    return _asked(
        request, one, "bulk/_cancel.html", "Cancel bulk registration",
        lambda: imports.cancel(one, by=request.actor),
    )  # fmt: skip


@require_safe_or_post
@tenant_view(*ADMIN)
def undo(request: TenantRequest, import_pk: UUID) -> HttpResponse:
    """Ask, then take away what the import created."""
    one = visible(request, import_pk)
    return _asked(
        request, one, "bulk/_undo.html", "Undo bulk registration",
        lambda: imports.undo(one, by=request.actor),
    )  # fmt: skip


def _asked(
    request: TenantRequest, one: Import, fragment: str, title: str, step: Callable[[], None]
) -> HttpResponse:
    """Show a dialog that asks; take its answer."""
    problem, status = "", HTTPStatus.OK
    if request.method == "POST":
        try:
            step()
        except BulkError as error:
            problem, status = str(error), HTTPStatus.CONFLICT
        else:
            return dialog_done(request, address_of(one), event=CHANGED)
    return render_dialog(
        request,
        fragment,
        {"import": one, "shown": Shown(one), "problem": problem},
        title=title,
        back=address_of(one),
        section=SECTION,
        status=status,
    )


def _step(request: TenantRequest, one: Import, step: Callable[[], None]) -> HttpResponse:
    """Take a step and answer with the import as it then stands."""
    try:
        step()
    except BulkError as error:
        messages.error(request, str(error))
        one.refresh_from_db()
        return _page(request, one, status=HTTPStatus.CONFLICT)
    return _page(request, one) if is_htmx(request) else redirect(address_of(one))


def _page(
    request: TenantRequest, one: Import, *, problem: str = "", status: int = HTTPStatus.OK
) -> HttpResponse:
    shown = Shown(one)
    page = problems_of(one, request.GET.get("after", ""))
    return render_page(
        request,
        "bulk/import_detail.html",
        {
            "import": one,
            "shown": shown,
            "state": shown.state.value,
            "here": address_of(one),
            "problem": problem,
            "choices": shown.choices(request.POST.get("on_existing", "")) if shown.plan else (),
            "page": page,
            "last_page": LAST_PAGE,
            "may_act": may_act(request),
        },
        fragments=("bulk/_import.html",),
        status=status,
    )
