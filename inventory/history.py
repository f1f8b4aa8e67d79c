"""What happened to a device, from its registration to today, told by each app of its own part."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from inventory.models import DeviceEvent, ManagedObject
from tenants.models import Tenant
from tenants.roles import Role


@dataclass(frozen=True)
class Happening:
    """One line of a timeline; ``kind`` names its look."""

    at: datetime
    kind: str
    what: str
    who: str
    source: str = ""
    why: str = ""


@dataclass(frozen=True)
class Origin:
    """The page of what let a device in; ``url`` is open to who has ``role``."""

    label: str
    url: str
    role: Role


# Called with the tenant's ID, the device's, and how many of the newest are wanted.
Source = Callable[[str, str, int], Iterable[Happening]]
# Called with the tenant's ID and the device's.
OriginOf = Callable[[str, str], Origin | None]
# Called with whoever looks, and the device.
BatchOf = Callable[[Tenant, ManagedObject], Origin | None]
_sources: list[Source] = []
_origins: list[OriginOf] = []
_batches: list[BatchOf] = []


def register_history(source: Source) -> None:
    """Let an app above this one tell what it knows of devices."""
    _sources.append(source)


def register_origin(origin: OriginOf) -> None:
    """Let an app above this one say where it tells of a device."""
    _origins.append(origin)


def register_batch(batch: BatchOf) -> None:
    """Let an app above this one say with which others a device came in."""
    _batches.append(batch)


def batch_of(viewer: Tenant, device: ManagedObject) -> Origin | None:
    """Return the page of the batch that a device came in with, if ``viewer`` may know of it."""
    if not device.device_id:
        return None
    return next((found for batch in _batches if (found := batch(viewer, device))), None)


def origins_of(tenant_id: str, device_id: str) -> list[Origin]:
    """Return the pages about how a device got in, as far as they are still there."""
    if not device_id:
        return []
    found = (origin(tenant_id, device_id) for origin in _origins)
    return [one for one in found if one is not None]


def history_of(
    tenant_id: str,
    *,
    device_id: str = "",
    managed_object: ManagedObject | None = None,
    limit: int,
    with_origin: bool = True,
) -> list[Happening]:
    """Return the newest ``limit`` things that happened to a device, the newest first.

    ``with_origin``: what the apps above know of it too, for people who may see that.
    """
    events = DeviceEvent.objects.filter(tenant=tenant_id).order_by("-pk")
    found: dict[int, DeviceEvent] = {}
    if managed_object is not None:
        found |= {one.pk: one for one in events.filter(object_number=managed_object.pk)[:limit]}
    if device_id:
        found |= {one.pk: one for one in events.filter(device_id=device_id)[:limit]}
    happened = [_told(one) for one in found.values()]
    if device_id and with_origin:
        for source in _sources:
            happened += source(tenant_id, device_id, limit)
    happened.sort(key=lambda one: one.at, reverse=True)
    return happened[:limit]


def _told(event: DeviceEvent) -> Happening:
    return Happening(
        at=event.at,
        kind=event.kind,
        what=event.get_kind_display(),
        who=event.actor_name,
        source=event.source,
        why=event.text,
    )
