"""A package that brings a protocol along: trackers, registered by a form of two pages or a file."""

from extensions.protocols import Bulk, Example, Metadata, Protocol, ProviderError

KEYS = {
    "type": "object",
    "title": "Keys",
    "required": ["appKey"],
    "properties": {
        "appKey": {
            "type": "string", "format": "password", "title": "Application key", "minLength": 8,
        },
        "position": {
            "type": "object",
            "title": "Position",
            "required": ["latitude", "longitude"],
            "properties": {
                "latitude": {"type": "number", "title": "Latitude", "minimum": -90, "maximum": 90},
                "longitude": {
                    "type": "number", "title": "Longitude", "minimum": -180, "maximum": 180,
                },
            },
        },
        "moves": {"type": "boolean", "title": "It moves", "default": True},
        "notes": {"type": "string", "contentMediaType": "text/plain", "title": "Notes"},
    },
}  # fmt: skip
DEVICE = {
    "type": "object",
    "title": "Device",
    "description": "What stands on the label of the tracker.",
    "required": ["devEUI", "region"],
    "properties": {
        "devEUI": {
            "type": "string", "title": "Device EUI", "pattern": "^[0-9A-F]{16}$",
            "examples": ["70B3D57ED0000001"], "description": "16 digits and capitals A to F",
        },
        "region": {
            "title": "Region", "default": "EU868",
            "oneOf": [
                {"const": "EU868", "title": "Europe"}, {"const": "US915", "title": "America"},
            ],
        },
        "channels": {
            "type": "array", "title": "Channels", "items": {"enum": ["868.1", "868.3", "868.5"]},
        },
        "interval": {"type": "integer", "title": "Minutes between two reports", "minimum": 1},
    },
}  # fmt: skip
FILES = Bulk(
    "Register trackers in bulk",
    [
        Example("Few trackers", "A device EUI and a key on each line", "/examples/few.csv?v=1"),
        Example("Nothing there", "", "none"),
        Example("Elsewhere", "", "", link="https://files.example/many.csv"),
        Example("Nowhere", "", "", link="javascript:alert(1)"),
    ],
)


class Tracker(Protocol):
    """Keeps what it was told, and says no to some."""

    key, name, description = "tracker", "Tracker", "LoRa trackers that join by OTAA"
    has_bulk = True

    def __init__(self):
        self.registered, self.files = [], []

    def metadata(self, caller, *, wants_bulk=False):
        return Metadata("Register a tracker", "It joins by OTAA.", [DEVICE, KEYS], FILES)

    def register(self, caller, model):
        if model["devEUI"].startswith("FF"):
            raise ProviderError("This tracker belongs to somebody else.")
        self.registered.append((caller.tenant.pk, caller.language, model))

    def example(self, caller, example):
        if example.url == "none":
            raise ProviderError("It is lost.")
        return b"devEUI;appKey\n"

    def register_file(self, caller, file, name, size):
        content = b"".join(file)
        self.files.append((name, size, content))
        if b"bad" in content:
            raise ProviderError("Device registration failed.", "Line 2 is bad.")
        return {"operationId": 4711, "message": "3 trackers", "lines": [1, 2, {"<b>": None}]}
