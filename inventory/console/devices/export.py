"""The list of devices as a file: everything that the filters leave, read while it is sent."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Final

from inventory.console.devices.query import DeviceQuery
from inventory.console.devices.tables import paths_of
from inventory.models import DeviceType, ExternalId, ManagedObject
from inventory.models.managed_object import NEVER
from tenants.models import Tenant

BATCH: Final = 500  # devices read at once
COLUMNS: Final = (
    "Device ID",
    "Name",
    "Type",
    "Device type",
    "State",
    "External IDs",
    "Groups",
    "Last contact (UTC)",
    "Registered (UTC)",
    "Registered by",
    "Owner",
    "Managed object ID",
    "Tenant",
)


def lines(query: DeviceQuery) -> Iterator[tuple[object, ...]]:
    """Yield one line for each device that ``query`` finds, in its order."""
    for devices in query.every(BATCH):
        pks = [device.pk for device in devices]
        paths, names = paths_of(query.viewer, pks), _external_ids(query.viewer, pks)
        types = _device_types(query.viewer, devices)
        for device in devices:
            device_type = types.get(device.device_type_id or 0, "")
            yield _line(device, device_type, names[device.pk], paths[device.pk])


def _line(
    device: ManagedObject, device_type: str, names: list[str], paths: list[str]
) -> tuple[object, ...]:
    return (
        device.device_id,
        device.name,
        device.type,
        device_type,
        device.get_state_display(),
        "; ".join(names),
        "; ".join(paths),
        _moment(device.last_contact_at),
        _moment(device.created_at),
        device.created_by_name,
        device.owner,
        device.pk,
        device.tenant_id,
    )


def _moment(when: datetime) -> str:
    return "" if when <= NEVER else f"{when:%Y-%m-%d %H:%M:%S}"


def _device_types(viewer: Tenant, devices: Collection[ManagedObject]) -> dict[int, str]:
    numbers = {device.device_type_id for device in devices if device.device_type_id}
    if not numbers:
        return {}
    return dict(
        DeviceType.objects.visible_to(viewer).filter(pk__in=numbers).values_list("pk", "name")
    )


def _external_ids(viewer: Tenant, devices: Collection[int]) -> dict[int, list[str]]:
    bound = ExternalId.objects.visible_to(viewer).filter(managed_object__in=devices)
    names: dict[int, list[str]] = defaultdict(list)
    for one in bound.order_by("type", "value"):
        names[one.managed_object_id].append(str(one))
    return names
