r"""The one rule of what a device ID may contain, the same at every door.

A device ID has 1 to 1,000 bytes of UTF-8. It contains no whitespace, no control or invisible
character, and none of ``/ \ + $``. It is none of ``.``, ``..``, ``acceptAll`` and ``limit``,
which mean something else where an ID stands in an address. Everything else is allowed, colons
and letters of any script included. Two IDs that look the same through different composition
of accents are one ID: both are kept in Unicode's composed form (NFC).

Source: Cumulocity's rule for user names, less the colon, which MAC addresses need; the length
is Cumulocity's, in bytes because a database index ends there.
"""

import unicodedata
from typing import Final

from inventory.fields import MAX_DEVICE_ID_BYTES
from registration.errors import DeviceIdError

FORBIDDEN: Final = frozenset("/\\+$")
RESERVED: Final = frozenset({".", "..", "acceptAll", "limit"})
# Unicode categories: control, format (zero-width, direction), surrogate, unassigned, private use,
# and the three kinds of separators.
FORBIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zs", "Zl", "Zp"})
# The same rule for the ``pattern`` of an input, where the browser knows the categories too.
HTML_PATTERN: Final = r"[^\s\/\\+$\p{Cc}\p{Cf}\p{Cs}\p{Cn}\p{Co}\p{Z}]+"
RULE: Final = (
    "No spaces, no control or invisible characters, and none of / \\ + $. At most "
    f"{MAX_DEVICE_ID_BYTES:,} letters, digits and signs; each one that is not plain English, such "
    "as ä, counts as two to four."
)


def clean_device_id(text: str) -> str:
    """Return ``text`` as the device ID it stands for.

    Raises:
        DeviceIdError: it breaks the rule; the message names the character.
    """
    if not text:
        raise DeviceIdError("A device ID is needed.")
    device_id = normalize_device_id(text)
    for character in device_id:
        if is_forbidden(character):
            msg = f'ID "{device_id}" contains invalid character: {spell(character)}.'
            raise DeviceIdError(msg, device_id=device_id, character=character)
    if device_id in RESERVED:
        msg = f'"{device_id}" cannot be a device ID, because it means something else in addresses.'
        raise DeviceIdError(msg, device_id=device_id)
    if len(device_id.encode()) > MAX_DEVICE_ID_BYTES:
        msg = f"A device ID can have at most {MAX_DEVICE_ID_BYTES:,} bytes; this one has more."
        raise DeviceIdError(msg, device_id=device_id)
    return device_id


def normalize_device_id(text: str) -> str:
    """Return the canonical form of ``text``, whether or not it is allowed."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def is_forbidden(character: str) -> bool:
    """Say whether ``character`` may not stand in a device ID."""
    return character in FORBIDDEN or unicodedata.category(character) in FORBIDDEN_CATEGORIES


def spell(character: str) -> str:
    """Return ``character`` so that a reader can tell what it is, even if it is invisible."""
    if character == " ":
        return "space"
    if character in FORBIDDEN:
        return f'"{character}"'
    return unicodedata.name(character, f"U+{ord(character):04X}").lower()
