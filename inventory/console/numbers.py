"""How many devices there are in each state, with the lists behind the numbers."""

from dataclasses import dataclass

from django.http import QueryDict
from django.urls import reverse

from inventory.console.credentials.filters import COUNTED_UP_TO, DeviceIdQuery
from inventory.console.devices.query import SHORT, STATE_FILTERS, DeviceQuery
from inventory.models import DeviceType
from tenants.models import Tenant


@dataclass(frozen=True)
class DeviceNumber:
    """One number: of how many devices, and where they are listed; a capped one is a minimum."""

    key: str
    label: str
    number: int
    is_capped: bool
    url: str


def device_numbers(viewer: Tenant) -> list[DeviceNumber]:
    """Return how many devices ``viewer`` sees in each state, and how many came back."""
    numbers = []
    for each in STATE_FILTERS:
        asked = QueryDict(f"state={each.key}" if each.key else "")
        found = DeviceQuery.read(viewer, asked).number or 0
        label = each.label if each.key else "All devices"
        numbers.append(
            _number(each.key or "all", label, found, SHORT, f"{reverse('devices:list')}", asked)
        )
    asked = QueryDict("state=returned")
    back = DeviceIdQuery.of_deleted(viewer, asked).number
    url = reverse("credentials:deleted")
    numbers.append(_number("returned", "Deleted, came back", back, COUNTED_UP_TO, url, asked))
    return numbers


def numbers_of_type(viewer: Tenant, device_type: DeviceType) -> list[DeviceNumber]:
    """Return how many devices of one type there are, in all and in each state."""
    numbers = []
    for each in STATE_FILTERS:
        asked = QueryDict(mutable=True)
        asked["device_type"] = str(device_type.pk)
        if each.key:
            asked["state"] = each.key
        found = DeviceQuery.read(viewer, asked).number
        # Nobody counts what many have in common; the list itself tells.
        known = SHORT + 1 if found is None else found
        label = each.label if each.key else "All devices"
        numbers.append(
            _number(each.key or "all", label, known, SHORT, reverse("devices:list"), asked)
        )
    return numbers


def _number(
    key: str, label: str, found: int, most: int, url: str, asked: QueryDict
) -> DeviceNumber:
    query = f"?{asked.urlencode()}" if asked else ""
    return DeviceNumber(key, label, min(found, most), found > most, url + query)
