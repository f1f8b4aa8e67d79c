"""What the card of provisioning keys shows, wherever a page about a device type has it."""

from typing import Final

from django import template

from inventory.models import DeviceType
from registration.models import ProvisioningKey

register = template.Library()

MAX_KEYS: Final = 200  # shown; a type has a handful


@register.simple_tag
def provisioning_keys(device_type: DeviceType) -> list[ProvisioningKey]:
    """Return the keys of a device type: those that count first, the newest of them on top."""
    mine = ProvisioningKey.objects.for_tenant(device_type.tenant).filter(device_type=device_type)
    newest = list(mine.order_by("-created_at", "-pk")[:MAX_KEYS])
    return sorted(newest, key=lambda key: key.revoked_at is not None)
