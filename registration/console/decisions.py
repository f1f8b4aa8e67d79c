"""Deciding about many at once: freeze the list, show it, do exactly that, show what happened."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from registration.console.tables import CHANGED, may_read_policy
from registration.console.views import ADMIN, LIST
from registration.lifecycle import Stage
from registration.models import BulkDecision, Registration
from registration.models.decisions import Outcome
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from ui.htmx import is_htmx, render_dialog, require_safe_or_post

NAMED = 200  # entries listed by name; the rest is counted

Action = BulkDecision.Action


@require_POST
@tenant_view(*ADMIN)
def accept_all(request: TenantRequest) -> HttpResponse:
    """Freeze everything pending and lead to the preview."""
    decision = BulkDecision.about(
        Registration.objects.for_tenant(request.tenant).at_stage(Stage.PENDING),
        Action.ACCEPT,
        tenant=request.tenant,
        by=request.actor,
        hand_picked=False,
    )
    return _preview(request, decision)


@require_POST
@tenant_view(*ADMIN)
def decide_selected(request: TenantRequest) -> HttpResponse:
    """Freeze the ticked rows and lead to the preview."""
    numbers = [
        int(text)
        for text in request.POST.getlist("selected")
        if text.isascii() and text.isdigit() and len(text) < 19
    ]
    action = Action.REMOVE if request.POST.get("action") == Action.REMOVE else Action.ACCEPT
    if not numbers:
        messages.warning(request, "Select at least one device first.")
        return HttpResponse(status=200) if is_htmx(request) else redirect(LIST)
    decision = BulkDecision.about(
        Registration.objects.for_tenant(request.tenant).filter(pk__in=numbers),
        action,
        tenant=request.tenant,
        by=request.actor,
        hand_picked=True,
    )
    return _preview(request, decision)


def _preview(request: TenantRequest, decision: BulkDecision) -> HttpResponse:
    return _show(request, decision) if is_htmx(request) else redirect(_url(decision))


@require_safe_or_post
@tenant_view(*ADMIN)
def decision(request: TenantRequest, pk: str) -> HttpResponse:
    """Show a decision; posting carries it out, once, however often the button is pressed."""
    found = get_object_or_404(
        BulkDecision.objects.filter(tenant=request.tenant, created_by=request.user), pk=pk
    )
    if request.method == "POST":
        found.carry_out(by=request.actor)
        if not is_htmx(request):
            return redirect(_url(found))
        response = _show(request, found)
        response["HX-Trigger"] = CHANGED
        return response
    return _show(request, found)


def _url(decision: BulkDecision) -> str:
    return reverse("registration:decision", args=[decision.pk])


def _show(request: TenantRequest, decision: BulkDecision) -> HttpResponse:
    items = decision.items.all()
    numbers = dict.fromkeys(Outcome, 0)
    numbers |= decision.count_by_outcome()
    ready = {Outcome.OPEN}
    # Who may not read the policy sees the preview as if it were the default one. The server
    # applies the real one, and the result says so.
    hides_policy = decision.decided_at is None and not may_read_policy(request)
    if hides_policy:
        ready.add(Outcome.POLICY)
    affected = {*ready, Outcome.DONE}
    context = {
        "decision": decision,
        "total": sum(numbers.values()),
        "ready": sum(numbers[outcome] for outcome in ready),
        "done": numbers[Outcome.DONE],
        "refused": sum(number for outcome, number in numbers.items() if outcome not in affected),
        "beyond_limit": numbers[Outcome.LIMIT],
        "hides_policy": hides_policy,
        "exceptions": items.exclude(outcome__in=affected)[:NAMED],
        "affected": items.filter(outcome__in=affected)[:NAMED],
        "named": NAMED,
    }
    title = "Accept devices" if decision.accepts else "Cancel device registrations"
    return render_dialog(
        request, "registration/_decision.html", context, title=title, back=reverse(LIST)
    )
