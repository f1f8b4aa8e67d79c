"""The page about deleted devices: what is left of them, and whether they came back."""

from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from inventory import logins
from inventory.console.credentials.filters import DeviceIdQuery
from inventory.console.credentials.tables import CHANGED, DeletedTable, came_from, may_act
from inventory.console.credentials.views import ADMIN, READ
from inventory.models import Tombstone
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from ui.htmx import back, dialog_done, render_dialog, render_page, require_safe_or_post
from ui.tables import LAST_PAGE

LIST: Final = "credentials:deleted"


@require_safe
@tenant_view(*READ)
def deleted_list(request: TenantRequest) -> HttpResponse:
    """Show the devices that were deleted, those first that went last."""
    query = DeviceIdQuery.of_deleted(request.tenant, request.GET)
    page = query.page(request.GET.get("after", ""))
    context = {
        "query": query,
        "page": page,
        "last_page": LAST_PAGE,
        "table": DeletedTable.for_viewer(request, page.rows, order=query.order),
        "may_act": may_act(request),
        "came_from": came_from(request),
        "is_management": request.tenant.is_management,
        "tab": "deleted",
    }
    return render_page(
        request,
        "credentials/deleted_list.html",
        context,
        fragments=("credentials/_deleted_table.html",),
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def forget(request: TenantRequest, tombstone_pk: int) -> HttpResponse:
    """Ask, then forget that a device was deleted."""
    tombstone = get_object_or_404(Tombstone.objects.for_tenant(request.tenant), pk=tombstone_pk)
    where = back(request, reverse(LIST))
    if request.method == "POST":
        logins.forget(tombstone, by=request.actor)
        messages.success(request, f"{tombstone} is forgotten. Should it knock, it is a new device.")
        return dialog_done(request, where, event=CHANGED)
    return render_dialog(
        request,
        "credentials/_forget.html",
        {"tombstone": tombstone},
        title=f"Forget {tombstone}",
        back=where,
        section="Deleted devices",
    )
