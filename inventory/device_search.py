"""Finding the devices that somebody means: while a name is typed, and in a pasted list."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from inventory.fields import starts_with, text_key
from inventory.models import ExternalId, Kind, ManagedObject, of_kind
from tenants.models import Tenant

OFFERED: Final = 25  # as many as anybody reads before typing on
AT_ONCE: Final = 500  # texts in one statement


def offered_devices(tenant: Tenant, typed: str) -> list[ManagedObject]:
    """Return devices whose ID or name starts with what was typed."""
    devices = ManagedObject.objects.for_tenant(tenant).filter(of_kind(Kind.DEVICE))
    typed = typed.strip()
    # Two questions, each of which walks along an index of its own.
    by_id = devices.filter(starts_with("device_id", typed)).exclude(device_id="")
    by_name = devices.filter(starts_with("name_key", text_key(typed)))
    found = {one.pk: one for one in by_id.order_by("device_id", "pk")[:OFFERED]}
    found |= {one.pk: one for one in by_name.order_by("name_key", "pk")[:OFFERED]}
    return list(found.values())[:OFFERED]


def devices_meant(tenant: Tenant, texts: Collection[str]) -> Mapping[str, list[ManagedObject]]:
    """Return the devices that each text means: by its ID, else by external ID, else by its name.

    None means that there is no such device; several, that the text does not say which.
    """
    found: dict[str, list[ManagedObject]] = {text: [] for text in texts}
    mine = ManagedObject.objects.for_tenant(tenant).filter(of_kind(Kind.DEVICE))
    for wanted in _batches([text for text in texts if text]):
        for device in mine.filter(device_id__in=wanted):
            found[device.device_id].append(device)
    for wanted in _batches(_missing(found)):
        named = ExternalId.objects.for_tenant(tenant).filter(value__in=wanted)
        for external in named.select_related("managed_object"):
            device = external.managed_object
            if device.is_device and device not in found[external.value]:
                found[external.value].append(device)
    for wanted in _batches(_missing(found)):
        keys = {text_key(text) for text in wanted}
        for device in mine.filter(name_key__in=keys, name__in=wanted):
            found[device.name].append(device)
    return found


def _missing(found: Mapping[str, list[ManagedObject]]) -> list[str]:
    return [text for text, devices in found.items() if text and not devices]


def _batches(texts: list[str]) -> Iterable[list[str]]:
    return (texts[start : start + AT_ONCE] for start in range(0, len(texts), AT_ONCE))
