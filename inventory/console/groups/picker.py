"""Choosing a group wherever one is chosen: who may, what is offered while typing, what it means."""

import re
from dataclasses import dataclass
from typing import Final, Self

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from inventory import groups
from inventory.group_search import search, searches_inside
from inventory.models import PATH_SEPARATOR, DeviceGroup, GroupPathError, split_path
from inventory.models.group import DeviceGroupQuerySet
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.models import Tenant
from tenants.roles import Role
from ui.text import storable

OFFERED: Final = 25  # as many as anybody reads before typing on
NO_RIGHT: Final = "There is no group “{}”. Making groups needs the right ROLE_INVENTORY_ADMIN."


@dataclass(frozen=True)
class GroupRights:
    """What a person may do about groups: know and choose them, make new ones."""

    may_see: bool
    may_make: bool

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """Return the rights of the person behind ``request``."""
        has_role = request.user.has_role  # type: ignore[union-attr]
        return cls(has_role(Role.INVENTORY_READ), has_role(Role.INVENTORY_ADMIN))


def group_at(request: TenantRequest, tenant: Tenant, path: str) -> DeviceGroup | None:
    """Return the group at ``path``, made if the person may and it is missing; none for no path.

    Raises:
        GroupPathError: the path cannot be a group's, or the person may not make it.
    """
    if not path:
        return None
    if GroupRights.of(request).may_make:
        return groups.group_at(tenant, path, by=request.actor)
    return DeviceGroup.objects.existing(tenant, path)


@dataclass(frozen=True)
class Offer:
    """One group that is offered: its path, with what was typed set apart."""

    path: str
    before: str
    match: str
    behind: str

    @classmethod
    def of(cls, path: str, typed: str) -> Self:
        """Return ``path`` with the last part of it that matches what was typed."""
        found = [*re.finditer(re.escape(typed), path, re.IGNORECASE)] if typed else []
        start, end = found[-1].span() if found else (len(path), len(path))
        return cls(path, path[:start], path[start:end], path[end:])


@require_safe
@tenant_view(Role.INVENTORY_READ)
def group_options(request: TenantRequest) -> HttpResponse:
    """Offer groups for what is being typed, and to make the one that is missing.

    They are the person's own; with ``everywhere`` those of ``tenant``, or of all tenants that one
    may look at. ``for`` names the field; ``find`` says that only an existing group makes sense.
    """
    default = next((name for name in request.GET if name.endswith("group")), "")
    typed = storable(request.GET.get(request.GET.get("for") or default, "")).strip()
    scope, is_one_tenant = _scope(request)
    inside = searches_inside(scope)
    found = search(scope, typed, inside=inside)
    paths = _first(found, "path" if inside or not typed else "name_key")
    offers = [Offer.of(path, typed) for path in paths[:OFFERED]]
    path, note = _missing(scope, typed)
    creates = False
    if path and not request.GET.get("find"):
        creates = is_one_tenant and GroupRights.of(request).may_make
        note = "" if creates or offers else NO_RIGHT.format(path)
    elif path:
        note = "" if offers else f"There is no group “{path}”."
    if len(paths) > OFFERED:
        note = "There are more. Type on to narrow them down."
    return render(
        request,
        "groups/_options.html",
        {
            "offers": offers,
            "creates": path if creates else "",
            "note": note,
            "typed": typed,
        },
    )


def _scope(request: TenantRequest) -> tuple[DeviceGroupQuerySet, bool]:
    """Return the groups in the tree to choose from, and whether they are of one tenant."""
    if request.GET.get("everywhere"):
        offered = DeviceGroup.objects.visible_to(request.tenant).exclude(path="")
        only = storable(request.GET.get("tenant", "")).strip()
        if only:
            is_reached = request.tenant.is_management or only == request.tenant.pk
            return offered.filter(tenant=only), is_reached
        return offered, not request.tenant.is_management
    return DeviceGroup.objects.for_tenant(request.tenant).exclude(path=""), True


def _first(found: DeviceGroupQuerySet, order: str) -> list[str]:
    """Return the first paths in an order, each once, and one more than is offered."""
    # Tenants may have the same path; nobody has so many tenants that this shows too few.
    ordered = found.order_by(order, "pk").values_list("path", flat=True)
    return [*dict.fromkeys(ordered[: OFFERED * 4])][: OFFERED + 1]


def _missing(scope: DeviceGroupQuerySet, typed: str) -> tuple[str, str]:
    """Return the path that was typed if no group has it, and what is to be said about it."""
    if not typed:
        return "", "" if scope.exists() else "There are no groups yet."
    try:
        path = PATH_SEPARATOR.join(split_path(typed))
    except GroupPathError as error:
        # Somebody who has just typed a slash has not finished.
        return "", "" if typed.endswith(PATH_SEPARATOR) else str(error)
    return ("", "") if scope.filter(path=path).exists() else (path, "")
