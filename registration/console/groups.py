"""Groups as people may see, choose and make them where devices are registered."""

from dataclasses import dataclass
from typing import Self

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from inventory import groups
from inventory.models import DeviceGroup
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.models import Tenant
from tenants.roles import Role
from ui.text import storable

OFFERED = 25  # as many as anybody reads before typing on


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


@require_safe
@tenant_view(Role.INVENTORY_READ)
def group_options(request: TenantRequest) -> HttpResponse:
    """Offer groups whose path contains what is being typed, for the list of suggestions.

    They are the person's own; ``everywhere`` adds those of the tenants below.
    """
    named = next((name for name in request.GET if name.endswith("group")), "")
    typed = storable(request.GET.get(named, ""))
    if request.GET.get("everywhere"):
        offered = DeviceGroup.objects.visible_to(request.tenant)
        below = storable(request.GET.get("tenant", ""))
        offered = offered.filter(tenant=below) if below else offered
    else:
        offered = DeviceGroup.objects.for_tenant(request.tenant)
    paths = offered.matching(typed.strip()).order_by("path").values_list("path", flat=True)
    return render(
        request, "registration/_group_options.html", {"paths": paths.distinct()[:OFFERED]}
    )
