"""What comes out of a file: devices, problems and warnings, a batch at a time."""

from dataclasses import dataclass, field
from typing import Any, Final

from inventory.models.managed_object import IS_DEVICE

MOBILE: Final = "c8y_Mobile"
OPERATIONS: Final = "c8y_SupportedOperations"
COMMAND: Final = "c8y_Command"  # the operation of the shell


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file where a row begins: reading can go on from there."""

    offset: int  # bytes from the start of the file, its byte order mark included
    line: int  # number of the physical line that begins there; the first of the file is 1
    row: int  # rows of data before it

    def as_dict(self) -> dict[str, int]:
        """Return the position as JSON."""
        return {"offset": self.offset, "line": self.line, "row": self.row}

    @classmethod
    def from_dict(cls, data: dict[str, int]) -> "Position":
        """Return the position that :meth:`as_dict` wrote down."""
        return cls(data["offset"], data["line"], data["row"])


@dataclass(slots=True)
class Entry:
    """A row that stands for a device; what it leaves out is "" and the reader's defaults.

    ``line`` tells a row from all others: of a pair of an ID and a secret it is its number.
    """

    line: int
    device_id: str
    password: str = field(repr=False)
    certificate: bool  # the device has a certificate, and no password
    otp: str = field(repr=False)
    tenant_id: str
    type: str
    name: str
    iccid: str
    id_type: str
    path: str
    shell: bool
    external: tuple[tuple[str, str], ...]  # further external IDs: type, value
    properties: dict[str, Any] = field(repr=False)  # nested; who knows what people keep there
    place: int = 0  # the physical line, where ``line`` is the number of a pair
    key: int = 0  # made from the ID, and a digest of the password, if they were worked out ahead
    digest: str = field(default="", repr=False)

    def fragments(self) -> dict[str, Any]:
        """Return what the managed object is to have beside name and type.

        Source: Cumulocity REST, bulk device registration.
        """
        found: dict[str, Any] = {IS_DEVICE: {}, **self.properties}
        if self.iccid:
            found[MOBILE] = {**found.get(MOBILE, {}), "iccid": self.iccid}
        if self.shell:
            found[OPERATIONS] = [COMMAND]
        return found


@dataclass(slots=True)
class Problem:
    """A row that stands for no device, and why. Nothing secret is in it."""

    line: int
    column: str
    code: str
    reason: str
    device_id: str
    cells: dict[str, str]  # by the names of the columns, as they were written


@dataclass(slots=True)
class Warning_:  # noqa: N801 - a warning of Python's is something else
    """Something that is allowed and looks like a mistake."""

    line: int
    column: str
    code: str
    reason: str


@dataclass(slots=True)
class Batch:
    """Some rows of the file, in its order; ``next`` is where the rows after them begin."""

    entries: list[Entry]
    problems: list[Problem]
    warnings: list[Warning_]
    next: Position
    is_last: bool
