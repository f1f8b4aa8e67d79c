"""The tree of groups, one branch of it, and the page of one group."""

from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from inventory.console.groups.manners import READ, find, may_change
from inventory.console.groups.tree import (
    COUNTED_UP_TO,
    TreeQuery,
    groups_above,
    page_of_groups,
    subgroups,
)
from inventory.group_numbers import devices_in
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from ui.htmx import is_htmx, render_page
from ui.tables import LAST_PAGE, KeysetPaginator


@require_safe
@tenant_view(READ)
def group_list(request: TenantRequest) -> HttpResponse:
    """Show the tree, or what a search finds in it; HTMX gets that part alone."""
    query = TreeQuery.read(request.tenant, request.GET)
    page = query.page()
    context = {
        "query": query,
        "page": page,
        "last_page": LAST_PAGE,
        "nodes": [] if query.search else query.nodes(page.rows),
    }
    return render_page(
        request,
        "groups/group_list.html",
        context | _who(request),
        fragments=("groups/_group_tree.html",),
    )


@require_safe
@tenant_view(READ)
def node(request: TenantRequest, group_pk: int) -> HttpResponse:
    """Show one group of the tree, folded or unfolded; without HTMX, the tree with it."""
    group = find(request, group_pk)
    query = TreeQuery.read(request.tenant, request.GET)
    if not is_htmx(request):
        return redirect(f"{query.home}?{request.GET.urlencode()}#group-{group_pk}")
    (shown,) = query.nodes([group])
    return render(request, "groups/_group_node.html", {"node": shown} | _who(request))


@require_safe
@tenant_view(READ)
def group_detail(request: TenantRequest, group_pk: int) -> HttpResponse:
    """Show one group: where it is, the groups within it and the devices in it."""
    group = find(request, group_pk)
    query = replace(TreeQuery.read(request.tenant, request.GET), at=(group.pk,))
    below = page_of_groups(subgroups(group), "name_key", request.GET.get("groups", ""))
    inside = devices_in(group)
    number = inside.order_by()[: COUNTED_UP_TO + 1].count()
    devices = KeysetPaginator(inside.select_related("child"), "child_id", descending=False).page(
        request.GET.get("after", ""),
        total=min(number, COUNTED_UP_TO),
        total_is_capped=number > COUNTED_UP_TO,
    )
    context = {
        "group": group,
        "above": groups_above(group),
        "below": below,
        "nodes": query.nodes(below.rows),
        "devices": devices,
        "last_page": LAST_PAGE,
    }
    return render_page(
        request,
        "groups/group_detail.html",
        context | _who(request),
        fragments=("groups/_group_facts.html",),
    )


def _who(request: TenantRequest) -> dict[str, Any]:
    return {
        "may_change": may_change(request),
        "is_management": request.tenant.is_management,
    }
