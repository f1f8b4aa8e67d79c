"""Protocols that packages bring along, found by their entry points."""

import logging
import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Final

from extensions.protocols import Protocol

GROUP: Final = "gatehouse.protocols"
KEY: Final = re.compile(r"(?!ext-)[a-z0-9]+(?:-[a-z0-9]+)*")  # ext- is of services

logger = logging.getLogger("gatehouse.extensions")
_known: dict[str, Protocol] = {}


def register_protocol(protocol: Protocol) -> None:
    """Offer a protocol of a package in the menu *Register device*.

    Raises:
        ValueError: its key cannot stand in addresses, or another one has it.
    """
    if not KEY.fullmatch(protocol.key):
        msg = f"{protocol.key!r} cannot be a key: use small letters, digits and dashes."
        raise ValueError(msg)
    if protocol.key in _known:
        msg = f"There are two protocols with the key {protocol.key!r}."
        raise ValueError(msg)
    _known[protocol.key] = protocol


def protocols() -> Iterator[Protocol]:
    """Return the protocols of all packages."""
    yield from _known.values()


def protocol_of(key: str) -> Protocol | None:
    """Return the one with this key."""
    return _known.get(key)


def load() -> None:
    """Register what the installed packages bring; one that is broken stops nothing else."""
    for point in entry_points(group=GROUP):
        try:
            register_protocol(point.load()())
        except Exception:
            logger.exception("The protocol %s cannot be loaded.", point.value)
