"""What a device type asks of the ID and the secret of its devices, before anything is looked up.

No sentence repeats what was given: where a list is shifted by one, an ID is a secret.
"""

import re
from typing import Final

from inventory.device_types import matches_pattern
from inventory.models import DeviceType
from inventory.models.device_type import MAX_SECRET_LENGTH
from registration.device_ids import clean_device_id
from registration.errors import DeviceIdError

MAX_ID_LENGTH: Final = 255  # characters of an ID that is of a device type

Refusal = tuple[str, str]  # a stable code, and a sentence for people

# Whatever is not printable ASCII: a control, a letter with an accent, half of an emoji.
_ODD: Final = re.compile(r"[^ -~]")
_ID: Final = re.compile(r'[^ ,"\\]+')
_WHAT_AN_ID_IS: Final = (
    f"A device ID of a device type has 1 to {MAX_ID_LENGTH} letters, digits and signs of plain "
    'English, without blanks, commas, " / \\ + and $.'
)


def check_pair(device_type: DeviceType, device_id: str, secret: str) -> Refusal | None:
    """Return why a device cannot be of the type with this ID and this secret; None if it can."""
    return check_id(device_type, device_id) or check_secret(device_type, device_id, secret)


def check_id(device_type: DeviceType, device_id: str) -> Refusal | None:
    """Return why an ID cannot be one of the type's devices."""
    if not device_id:
        return "empty_id", "The device ID is empty."
    if _ODD.search(device_id):
        return (
            "invalid_characters",
            "The device ID has a character that is not plain English, or one that cannot be seen.",
        )
    if len(device_id) > MAX_ID_LENGTH or not _ID.fullmatch(device_id):
        return "invalid_device_id", _WHAT_AN_ID_IS
    if ":" in device_id and device_type.takes_secrets:
        return (
            "invalid_device_id",
            (
                "A device ID with a secret cannot contain a colon, because the colon ends the user "
                "name when the device logs in. Write dashes instead, as in 00-11-22-aa-bb-cc."
            ),
        )
    try:
        clean_device_id(device_id)
    except DeviceIdError:
        return "invalid_device_id", _WHAT_AN_ID_IS
    if not matches_pattern(device_type, device_id):
        return (
            "pattern_mismatch",
            (
                "The device ID does not match the pattern of the device type. Correct the ID; if "
                "many fail, the IDs and secrets may be shifted."
            ),
        )
    return None


def check_secret(device_type: DeviceType, device_id: str, secret: str) -> Refusal | None:
    """Return why a secret cannot be the one of a device of the type."""
    if not device_type.takes_secrets:
        return None
    if not secret:
        return "secret_required", "A device of this device type needs a secret."
    if _ODD.search(secret):
        return (
            "invalid_characters",
            "The secret has a character that is not plain English, or one that cannot be seen.",
        )
    if len(secret) < device_type.min_secret_length:
        return (
            "secret_too_short",
            f"The secret has fewer than {device_type.min_secret_length} characters.",
        )
    if len(secret) > MAX_SECRET_LENGTH:
        return "secret_too_long", f"The secret has more than {MAX_SECRET_LENGTH} characters."
    if secret == device_id:
        return "secret_equals_id", "The secret is the device ID itself. Use another secret."
    return None
