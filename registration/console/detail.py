"""The page of one registration: its facts, what can be done, and what happened so far."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from inventory.console.groups.picker import GroupRights, group_at
from inventory.models import DeviceCredentials, GroupPathError, ManagedObject, Tombstone
from registration import options
from registration.console.tables import RegistrationTable, may_act, may_move
from registration.console.views import ADMIN, READ, visible
from registration.errors import AlreadyReportedError
from registration.live import LiveState
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.roles import Role
from ui.htmx import render_page
from ui.text import storable

MAX_EVENTS = 200  # newest ones shown; the rest is in the database


@require_safe
@tenant_view(*READ)
def registration_detail(request: TenantRequest, pk: int) -> HttpResponse:
    """Show one registration with its timeline."""
    live = LiveState.of(request.tenant)
    registration = get_object_or_404(visible(request), pk=pk)
    RegistrationTable.for_viewer(request, [registration])
    context = {
        "live": live,
        "registration": registration,
        "events": registration.events().order_by("-pk")[:MAX_EVENTS],
        "credentials": DeviceCredentials.objects.for_tenant(registration.tenant)
        .filter(device_id=registration.device_id)
        .first(),
        "tombstone": Tombstone.objects.of(registration.tenant_id, registration.device_id).first(),
        "handover_open": registration.is_handover_open(),
        "handover_limit": options.handover_limit(registration.tenant),
        "may_act": may_act(request),
        "may_move": may_move(request),
        "may_see_type": registration.tenant_id == request.tenant.pk
        and request.user.has_role(Role.DEVICE_TYPE_READ),
        "may_see_groups": GroupRights.of(request).may_see,
        "device": ManagedObject.objects.for_tenant(registration.tenant)
        .reported()
        .filter(device_id=registration.device_id)
        .first(),
    }
    return render_page(
        request,
        "registration/registration_detail.html",
        context,
        fragments=("registration/_registration_facts.html",),
    )


@require_POST
@tenant_view(*ADMIN)
def join_group(request: TenantRequest, pk: int) -> HttpResponse:
    """Change the group that the device will be put into when it creates its device object."""
    registration = get_object_or_404(visible(request), pk=pk)
    if not GroupRights.of(request).may_see:
        raise PermissionDenied
    path = storable(request.POST.get("group", "")).strip()
    try:
        with transaction.atomic():
            group = group_at(request, registration.tenant, path)
            registration.join_group(group, by=request.actor)
    except (GroupPathError, AlreadyReportedError) as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request,
            f"{registration} will be put into {group}."
            if group
            else f"{registration} joins no group.",
        )
    return redirect("registration:detail", pk=pk)
