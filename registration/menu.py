"""What stands in the menu *Register device*: every way of registering that the console has.

Each way makes itself known here, our own *General* ones as well as those of apps above this one.
A page that shows the menu asks for what the person may use.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tenants.http import TenantRequest

GENERAL_PRIORITY: Final = 100  # Source: Cumulocity, device registration
EXTENSION_PRIORITY: Final = 50


class Kind(StrEnum):
    """The two parts of the menu, by their headings."""

    SINGLE = "Single registration"
    BULK = "Bulk registration"


@dataclass(frozen=True)
class Entry:
    """One line of the menu.

    ``address`` is where it leads, from the root of the site; ``is_dialog`` says that it opens as a
    dialog on the page where there is JavaScript. Higher priorities stand first. ``icon`` is a name
    of the Lucide set.
    """

    kind: Kind
    label: str
    address: str
    icon: str = "plug"
    priority: int = EXTENSION_PRIORITY
    is_dialog: bool = False
    hint: str = ""


# Returns what a person may use; asked at every drawing of the menu, so it must be cheap.
Source = Callable[[TenantRequest], Iterable[Entry]]
_sources: list[Source] = []


def register_entries(source: Source) -> None:
    """Let ``source`` say what stands in the menu."""
    _sources.append(source)


def menu(request: TenantRequest) -> dict[Kind, list[Entry]]:
    """Return the menu's parts that have entries, each in its order."""
    found = [entry for source in _sources for entry in source(request)]
    found.sort(key=lambda entry: (-entry.priority, entry.label.casefold()))
    parts = {kind: [entry for entry in found if entry.kind is kind] for kind in Kind}
    return {kind: entries for kind, entries in parts.items() if entries}
