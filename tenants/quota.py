"""How many devices a tenant may let in, spent by one conditional write.

Counting first and accepting afterwards would let two operators take the last place at the same
moment. Whoever calls this holds the registrations concerned; the tenant's row comes after them,
in one order for everybody.
"""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest

from tenants.models import Tenant


class DeviceLimitError(Exception):
    """No further device may be let in."""

    def __init__(self, tenant_id: str) -> None:
        super().__init__("You have reached devices limit. No more devices can be registered.")
        self.tenant_id = tenant_id


def take_place(tenant_id: str) -> None:
    """Count one more device.

    Raises:
        DeviceLimitError: the tenant has as many as it may.
    """
    has_room = Q(device_limit=None) | Q(device_count__lt=F("device_limit"))
    taken = Tenant.objects.filter(has_room, pk=tenant_id).update(device_count=F("device_count") + 1)
    if not taken:
        raise DeviceLimitError(tenant_id)


def take_places(wanted: Mapping[str, int]) -> dict[str, int]:
    """Count up to ``wanted`` more devices of each tenant; return how many there was room for."""
    given: dict[str, int] = {}
    with transaction.atomic():
        # Locked in the order of their ids, and no stronger than needed: rows that point at a
        # tenant are written all the time.
        tenants = Tenant.objects.select_for_update(no_key=True).filter(pk__in=wanted)
        held = list(tenants.order_by("pk"))
        for tenant in held:
            left = tenant.places_left
            number = wanted[tenant.pk] if left is None else min(wanted[tenant.pk], left)
            given[tenant.pk] = number
            tenant.device_count += number
        Tenant.objects.bulk_update(held, ["device_count"], batch_size=500)
    return given


def free_places(tenant_id: str, number: int = 1) -> None:
    """Count ``number`` devices less."""
    if number:
        Tenant.objects.filter(pk=tenant_id).update(
            device_count=Greatest(F("device_count") - number, 0)
        )
