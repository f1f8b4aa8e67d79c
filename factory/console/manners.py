"""What the pages about device types have in common."""

from typing import Final

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse

from inventory.models import DeviceType
from tenants.http import TenantRequest
from tenants.roles import Role

READ: Final = (Role.DEVICE_TYPE_READ,)
ADMIN: Final = (Role.DEVICE_TYPE_ADMIN,)
LIST: Final = "device_types:list"
SECTION: Final = "Device types"
CHANGED: Final = "deviceTypesChanged"  # the event on which these pages look again


def find(request: TenantRequest, type_pk: int) -> DeviceType:
    """Return the device type with this ID if it is the tenant's, else answer 404."""
    own = DeviceType.objects.for_tenant(request.tenant)
    return get_object_or_404(own.select_related("tenant"), pk=type_pk)


def may_change(request: HttpRequest) -> bool:
    """Say whether the person may make, change and delete device types."""
    return request.user.has_role(Role.DEVICE_TYPE_ADMIN)  # type: ignore[union-attr]


def page_of(device_type: DeviceType) -> str:
    """Return the address of a device type's page."""
    return reverse("device_types:detail", args=[device_type.pk])
