"""Which tenant a device belongs to: choosing one by typing, and moving a registration there."""

from http import HTTPStatus

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from registration.console.tables import CHANGED
from registration.console.views import ADMIN, LIST, READ, visible
from registration.errors import MoveRefusedError
from registration.models import Registration
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.models import Tenant
from ui.htmx import back, dialog_done, render_dialog, require_safe_or_post
from ui.text import storable

OFFERED = 25  # as many as anybody reads before typing on


def offered_tenants(typed: str = "") -> QuerySet[Tenant]:
    """Return the tenants that devices can go to and that ``typed`` may mean."""
    return Tenant.objects.active().matching(typed).order_by("pk")[:OFFERED]


@require_safe
@tenant_view(*READ, *ADMIN, management=True)
def tenant_options(request: TenantRequest) -> HttpResponse:
    """Offer tenants by ID or name while one is typed; ``all`` adds those that are suspended."""
    named = next((name for name in request.GET if name.endswith("tenant")), "")
    typed = storable(request.GET.get(named, "")).strip()
    tenants = offered_tenants(typed)
    if request.GET.get("all"):
        tenants = Tenant.objects.matching(typed).order_by("pk")[:OFFERED]
    return render(request, "registration/_tenant_options.html", {"tenants": tenants})


@require_safe_or_post
@tenant_view(*ADMIN, management=True)
def move(request: TenantRequest, pk: int) -> HttpResponse:
    """Ask for the tenant, then move a registration there; for the management tenant only."""
    registration = get_object_or_404(visible(request), pk=pk)
    typed, problem, status = "", "", HTTPStatus.OK
    if request.method == "POST":
        typed = storable(request.POST.get("tenant", "")).strip()
        origin = registration.tenant_id
        problem, status = _move(request, registration, typed)
        if not problem:
            messages.success(
                request, f"{registration} is moved from {origin} to {registration.tenant_id}."
            )
            return dialog_done(request, back(request, reverse(LIST)), event=CHANGED)
    return render_dialog(
        request,
        "registration/_move.html",
        {
            "registration": registration,
            "typed": typed,
            "problem": problem,
            "tenants": offered_tenants(),
        },
        title=f"Move {registration}",
        back=back(request, reverse(LIST)),
        status=status,
    )


def _move(request: TenantRequest, registration: Registration, typed: str) -> tuple[str, HTTPStatus]:
    """Move it; return what is wrong with that, if anything, and the status that says so."""
    if not typed:
        return "Say which tenant: type its ID.", HTTPStatus.UNPROCESSABLE_ENTITY
    tenant = Tenant.objects.active().filter(pk=typed.lower()).first()
    if tenant is None:
        return "There is no active tenant with this ID.", HTTPStatus.UNPROCESSABLE_ENTITY
    try:
        registration.move_to(tenant, by=request.actor)
    except MoveRefusedError as error:
        return str(error), HTTPStatus.CONFLICT
    return "", HTTPStatus.OK
