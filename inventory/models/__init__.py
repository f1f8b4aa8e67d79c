"""What: devices, their groups, and the credentials devices sign in with."""

from inventory.models.credentials import DeviceCredentials
from inventory.models.device_type import Acceptance, DeviceType, SecurityOption
from inventory.models.event import DeviceEvent
from inventory.models.external_id import ExternalId
from inventory.models.group import (
    MAX_ID_DIGITS,
    MAX_PATH_LENGTH,
    PATH_SEPARATOR,
    DeviceGroup,
    GroupPathError,
    clean_group_name,
    split_path,
)
from inventory.models.managed_object import ChildLink, Kind, ManagedObject, State, of_kind
from inventory.models.tombstone import Tombstone

__all__ = [
    "MAX_ID_DIGITS",
    "MAX_PATH_LENGTH",
    "PATH_SEPARATOR",
    "Acceptance",
    "ChildLink",
    "DeviceCredentials",
    "DeviceEvent",
    "DeviceGroup",
    "DeviceType",
    "ExternalId",
    "GroupPathError",
    "Kind",
    "ManagedObject",
    "SecurityOption",
    "State",
    "Tombstone",
    "clean_group_name",
    "of_kind",
    "split_path",
]
