"""The JSON of the Operations API, each shape once: bodies are checked by it, the documentation
is made from it.

JSON Schema 2020-12, as far as ``factory.api.checking`` reads it. There are no images of device
types here.
"""

from typing import Any, Final

from bulk.models import Existing
from factory.problems import CODES
from inventory.models import Acceptance, SecurityOption
from inventory.models.device_type import (
    MAX_DESCRIPTION_LENGTH,
    MAX_PATTERN_LENGTH,
    MAX_SECRET_LENGTH,
    MAX_TYPE_NAME_LENGTH,
    MIN_SECRET_LENGTH,
)
from inventory.models.managed_object import MAX_NAME_LENGTH

Shape = dict[str, Any]

MAX_LIMIT: Final = 200  # entries of a page
DEFAULT_LIMIT: Final = 100
RESULTS: Final = ("created", "updated", "unchanged", "duplicate", "skipped", "failed")
# Where a device ID of a type stands: on its way in, or in.
STATES: Final = (
    "waiting_for_connection",
    "pending_acceptance",
    "accepted",
    "blocked",
    "never_connected",
    "connected",
    "disabled",
    "no_login",
)


def _object(properties: Shape, *, required: tuple[str, ...] | None = None) -> Shape:
    """Return the shape of an object with these members and no others."""
    needed = tuple(properties) if required is None else required
    shape: Shape = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**shape, "required": list(needed)} if needed else shape


_TIME: Final[Shape] = {"type": "string", "format": "date-time"}
_MAYBE_TIME: Final[Shape] = {"type": ["string", "null"], "format": "date-time"}
_NEXT: Final[Shape] = {
    "type": ["string", "null"],
    "description": "The cursor of the next page; null on the last one.",
}

DETAILS: Final[Shape] = {
    "name": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_TYPE_NAME_LENGTH,
        "description": "Unique in the tenant, whatever its capitals.",
        "examples": ["Thermostat T2"],
    },
    "description": {"type": "string", "maxLength": MAX_DESCRIPTION_LENGTH, "default": ""},
    "security_option": {
        "type": "string",
        "enum": SecurityOption.values,
        "default": SecurityOption.SHARED_SECRET.value,
        "description": "What a device of the type proves its identity with.",
    },
    "acceptance": {
        "type": "string",
        "enum": Acceptance.values,
        "default": Acceptance.MANUAL.value,
        "description": "Who lets in a device that comes with temporary credentials.",
    },
    "device_id_pattern": {
        "type": ["string", "null"],
        "maxLength": MAX_PATTERN_LENGTH,
        "default": None,
        "description": "A regular expression (RE2) that a whole device ID must match.",
        "examples": ["T2-[0-9]{6}"],
    },
    "min_secret_length": {
        "type": "integer",
        "minimum": MIN_SECRET_LENGTH,
        "maximum": MAX_SECRET_LENGTH,
        "default": MIN_SECRET_LENGTH,
    },
}
NEW_DEVICE_TYPE: Final = _object(DETAILS, required=("name",))
# Without the defaults: what is left out stays as it is.
CHANGED_DEVICE_TYPE: Final = _object(
    {
        name: {key: value for key, value in shape.items() if key != "default"}
        for name, shape in DETAILS.items()
    },
    required=(),
)
DEVICE_TYPE: Final = _object(
    {
        "device_type_id": {"type": "integer", "examples": [7]},
        **CHANGED_DEVICE_TYPE["properties"],
        "device_count": {"type": "integer", "minimum": 0},
        "created_at": _TIME,
        "updated_at": _TIME,
    }
)
DEVICE_TYPES: Final = _object({"device_types": {"type": "array", "items": DEVICE_TYPE},
                               "next": _NEXT})  # fmt: skip

_DEVICE_ID: Final[Shape] = {
    "type": "string",
    "description": "1 to 255 letters, digits and signs of plain English.",
    "examples": ["device1"],
}
OFFER: Final = _object(
    {
        "device_id": _DEVICE_ID,
        "secret": {
            "type": ["string", "null"],
            "description": "Needed by devices with a shared secret; others have none.",
            "writeOnly": True,
            "examples": ["secretfordevice1"],
        },
        "name": {"type": ["string", "null"], "maxLength": MAX_NAME_LENGTH},
    },
    required=("device_id",),
)
OFFERS: Final = _object({"device_ids": {"type": "array", "items": OFFER}})
_CODE: Final[Shape] = {"type": "string", "enum": list(CODES)}
RESULT: Final = _object(
    {
        "index": {"type": "integer", "minimum": 0},
        "device_id": _DEVICE_ID,
        "result": {"type": "string", "enum": list(RESULTS)},
        "code": _CODE,
        "detail": {"type": "string"},
    },
    required=("index", "result"),
)
OUTCOME: Final = _object(
    {
        "device_type_id": {"type": "integer"},
        "batch_id": {
            "type": ["string", "null"],
            "format": "uuid",
            "description": "Finds the import in the console; null if nothing was written.",
        },
        "total": {"type": "integer", "minimum": 0},
        **{name: {"type": "integer", "minimum": 0} for name in RESULTS},
        "results": {"type": "array", "items": RESULT},
    }
)
DEVICE_ID: Final = _object(
    {
        "device_id": {"type": "string"},
        "name": {"type": "string"},
        "state": {"type": "string", "enum": list(STATES)},
        "registered_at": _TIME,
        "last_active_at": _MAYBE_TIME,
    }
)
DEVICE_IDS: Final = _object({"device_ids": {"type": "array", "items": DEVICE_ID}, "next": _NEXT})

PROBLEM: Final[Shape] = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
        "device_type_id": {"type": "integer", "description": "Of whom a name is taken by."},
        "errors": {
            "type": "array",
            "items": _object(
                {
                    "pointer": {"type": "string", "examples": ["#/device_ids/1/secret"]},
                    "index": {"type": "integer", "minimum": 0},
                    "device_id": {"type": "string"},
                    "code": _CODE,
                    "detail": {"type": "string"},
                },
                required=("pointer", "code", "detail"),
            ),
        },
        "errors_total": {"type": "integer", "minimum": 0},
    },
    "required": ["type", "title", "status", "detail", "instance"],
}

# --- What may stand in the query ----------------------------------------------------------

PAGE_QUERY: Final[Shape] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    "cursor": {"type": "string", "description": "The value of next in the page before."},
}
DEVICE_TYPES_QUERY: Final[Shape] = {
    "name": {"type": "string", "description": "The whole name, whatever its capitals."},
    **PAGE_QUERY,
}
OFFERS_QUERY: Final[Shape] = {
    "partial": {
        "type": "boolean",
        "default": False,
        "description": "Store the devices that are in order, and report the others.",
    },
    "on_existing": {
        "type": "string",
        "enum": Existing.values,
        "default": Existing.UPDATE.value,
        "description": "What is done with devices that are there already.",
    },
}
