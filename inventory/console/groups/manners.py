"""What the pages about groups have in common."""

from typing import Final

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse

from inventory.models import DeviceGroup
from tenants.http import TenantRequest
from tenants.roles import Role

READ: Final = Role.INVENTORY_READ
ADMIN: Final = Role.INVENTORY_ADMIN
LIST: Final = "groups:list"
DETAIL: Final = "groups:detail"
SECTION: Final = "Groups"
CHANGED: Final = "groupsChanged"  # the event on which these pages look again


def find(request: TenantRequest, group_pk: int) -> DeviceGroup:
    """Return the group with this number if the person may look at it, else answer 404."""
    visible = DeviceGroup.objects.visible_to(request.tenant).select_related("tenant", "parent")
    return get_object_or_404(visible, pk=group_pk)


def may_change(request: HttpRequest) -> bool:
    """Say whether the person may make, change and delete groups, and say who is in them."""
    return request.user.has_role(ADMIN)  # type: ignore[union-attr]


def page_of(group: DeviceGroup) -> str:
    """Return the address of a group's page."""
    return reverse(DETAIL, args=[group.pk])
