"""What clients keep at an object: which names are theirs, and how much of it there may be.

Source: Cumulocity REST, inventory; the limits are ours.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from inventory.errors import InvalidObjectError
from inventory.models import Kind
from inventory.models.managed_object import (
    IS_DEVICE,
    IS_GROUP,
    MAX_NAME_LENGTH,
    MAX_OWNER_LENGTH,
    MAX_TYPE_LENGTH,
)

# The server's own: clients send them back as they came, and they are not looked at.
OF_THE_SERVER: Final = frozenset(
    {
        "id",
        "self",
        "creationTime",
        "lastUpdated",
        "childDevices",
        "childAssets",
        "childAdditions",
        "deviceParents",
        "assetParents",
        "additionParents",
    }
)
COLUMNS: Final = frozenset({"name", "type", "owner"})
MAX_FRAGMENTS_BYTES: Final = 256 * 1024  # of JSON, for one object
MAX_FRAGMENTS: Final = 500  # names at the top level of one object
MAX_FRAGMENT_NAME: Final = 255  # characters


def fragments_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what in a body is the client's to keep; null says that one is to be removed."""
    return {
        name: value
        for name, value in body.items()
        if name not in OF_THE_SERVER and name not in COLUMNS
    }


def text_of(body: Mapping[str, Any], name: str, longest: int) -> str | None:
    """Return a text member, None if it is not there; null empties it.

    Raises:
        InvalidObjectError: it is no text, or too long.
    """
    if name not in body:
        return None
    value = body[name]
    if value is None:
        return ""
    if not isinstance(value, str):
        msg = f"Field {name} must be text."
        raise InvalidObjectError(msg)
    if len(value) > longest:
        msg = f"Field {name} can have at most {longest} characters."
        raise InvalidObjectError(msg)
    return value


def name_of(body: Mapping[str, Any]) -> str | None:
    """Return the name in a body. Raises InvalidObjectError."""
    return text_of(body, "name", MAX_NAME_LENGTH)


def type_of(body: Mapping[str, Any]) -> str | None:
    """Return the type in a body. Raises InvalidObjectError."""
    return text_of(body, "type", MAX_TYPE_LENGTH)


def owner_of(body: Mapping[str, Any]) -> str | None:
    """Return the owner in a body. Raises InvalidObjectError."""
    owner = text_of(body, "owner", MAX_OWNER_LENGTH)
    if owner is not None and len(owner.encode()) > MAX_OWNER_LENGTH:  # an index entry has an end
        msg = f"Field owner can have at most {MAX_OWNER_LENGTH} bytes."
        raise InvalidObjectError(msg)
    return owner


def merged(before: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``before`` with the top-level fragments of ``change``; null removes one.

    Raises:
        InvalidObjectError: there would be too much.
    """
    after = {name: value for name, value in {**before, **change}.items() if value is not None}
    if len(after) > MAX_FRAGMENTS:
        msg = f"An object can have at most {MAX_FRAGMENTS} fragments."
        raise InvalidObjectError(msg)
    for name in change:
        if not name or len(name) > MAX_FRAGMENT_NAME:
            msg = f"The name of a fragment has 1 to {MAX_FRAGMENT_NAME} characters."
            raise InvalidObjectError(msg)
    if len(json.dumps(after)) > MAX_FRAGMENTS_BYTES:
        msg = f"The fragments of an object can have at most {MAX_FRAGMENTS_BYTES} bytes together."
        raise InvalidObjectError(msg)
    return after


def kind_of(fragments: Mapping[str, Any]) -> Kind:
    """Return what an object with these fragments is.

    Raises:
        InvalidObjectError: it claims to be a device and a group.
    """
    if IS_GROUP in fragments:
        if IS_DEVICE in fragments:
            msg = f"An object is a device ({IS_DEVICE}) or a group ({IS_GROUP}), not both."
            raise InvalidObjectError(msg)
        return Kind.GROUP
    return Kind.DEVICE if IS_DEVICE in fragments else Kind.OTHER
