"""The devices of a type, those on their way in and those that are in, as one list of device IDs.

A device that is registered anew, or whose hand-over was opened once more, is in both tables; it
is shown once, as the device that it is.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q

from inventory import objects
from inventory.models import DeviceType, ManagedObject, State
from inventory.models.managed_object import NEVER
from registration.device_ids import normalize_device_id
from registration.lifecycle import Status
from registration.models import Registration
from tenants.actors import Actor

STATE_OF_DEVICE: Final = {
    State.NONE: "no_login",
    State.NEVER_CONNECTED: "never_connected",
    State.CONNECTED: "connected",
    State.DISABLED: "disabled",
}
ON_THEIR_WAY, IN = 0, 1  # the two parts of the list, in their order
Place = tuple[int, datetime, int]  # in the list: the part, the time and the number of a row


@dataclass(frozen=True)
class Entry:
    """One device ID of the list, and its place there."""

    device_id: str
    name: str
    state: str
    registered_at: datetime
    last_active_at: datetime | None
    place: Place


def count_devices(device_types: Collection[DeviceType]) -> dict[int, int]:
    """Return how many devices there are of each of these types, by its ID; those with any."""
    rows = ManagedObject.objects.filter(device_type__in=[each.pk for each in device_types])
    counted = rows.values_list("device_type").annotate(number=Count("pk")).order_by()
    return {pk: number for pk, number in counted if pk is not None}


def device_ids(device_type: DeviceType, *, limit: int, after: Place | None) -> list[Entry]:
    """Return the next device IDs of a type: first those on their way in, then those that are in.

    Each part has the oldest first. Who comes in while somebody turns the pages is there twice
    rather than not at all.
    """
    found: list[Entry] = []
    if after is None or after[0] == ON_THEIR_WAY:
        found += _on_their_way(device_type, after, limit)
        after = None
    if len(found) < limit:
        found += _in(device_type, after, limit - len(found))
    return found


def _on_their_way(device_type: DeviceType, after: Place | None, limit: int) -> Iterator[Entry]:
    rows = Registration.objects.filter(
        ~_device_of_registration(), _after(after), device_type=device_type, delivered_at=None
    )
    for row in rows.order_by("created_at", "pk")[:limit]:
        yield Entry(
            row.device_id, "", row.status.lower(), row.created_at,
            _unless_never(row.last_contact_at), (ON_THEIR_WAY, row.created_at, row.pk),
        )  # fmt: skip


def _in(device_type: DeviceType, after: Place | None, limit: int) -> Iterator[Entry]:
    rows = ManagedObject.objects.filter(_after(after), device_type=device_type).devices()
    for row in rows.exclude(device_id="").order_by("created_at", "pk")[:limit]:
        yield Entry(
            row.device_id, row.name, STATE_OF_DEVICE[State(row.state)], row.created_at,
            _unless_never(row.last_contact_at), (IN, row.created_at, row.pk),
        )  # fmt: skip


def _after(place: Place | None) -> Q:
    """Return the condition for what comes behind a place in its part of the list."""
    if place is None:
        return Q()
    _, when, number = place
    # The first condition follows from the other; it is what an index can start at.
    later = Q(created_at__gt=when) | Q(created_at=when, pk__gt=number)
    return Q(created_at__gte=when) & later


def _device_of_registration() -> Exists:
    mine = {"tenant": OuterRef("tenant"), "device_id": OuterRef("device_id")}
    return Exists(ManagedObject.objects.filter(**mine))


def _unless_never(when: datetime) -> datetime | None:
    return None if when <= NEVER else when


def delete_device(device_type: DeviceType, device_id: str, *, by: Actor) -> bool:
    """Delete a device of the type with its login, or take back its registration.

    Return False if there is neither.
    """
    mine = {
        "tenant": device_type.tenant_id,
        "device_type": device_type,
        "device_id": normalize_device_id(device_id),
    }
    with transaction.atomic():
        registration = Registration.objects.filter(**mine).first()
        device = ManagedObject.objects.filter(**mine).devices().first()
        # One that has come in goes with its device, and says so.
        if registration and (device is None or registration.status != Status.ACCEPTED):
            registration.remove(by=by)
        if device is not None:
            objects.delete_object(device, objects.Deletion(logins=True), by=by)
    return registration is not None or device is not None
