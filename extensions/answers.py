"""What a service says, as far as it can be worked with: JSON of a bounded depth, and metadata."""

import json
import math
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from extensions.protocols import NO_BULK, NO_REGISTRATION, Bulk, Example, Metadata, ProviderError
from ui.text import storable

ROOT: Final = "c8y_DeviceRegistration"
MAX_PAGES: Final = 20
MAX_EXAMPLES: Final = 20
MAX_DEPTH: Final = 50  # of JSON
MAX_TEXT: Final = 1_000  # characters of a text that a person is shown
MAX_ADDRESS: Final = 4_000  # characters of an example's address; signed ones are long
MAX_DIGITS: Final = 300  # of a whole number; more is beyond what a float can hold


class NotJsonError(Exception):
    """The text is no JSON that can be worked with."""


def read_json(body: bytes) -> Any:
    """Return what an answer says.

    Raises:
        NotJsonError: it is not JSON, goes too deep, or has numbers that nobody can work with.
    """
    try:
        return _storable(
            json.loads(
                body.decode("utf-8-sig"),
                parse_constant=_refuse, parse_float=_finite, parse_int=_whole,
            ),
            MAX_DEPTH,
        )  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise NotJsonError from error


def read_metadata(found: Any, *, wants_bulk: bool) -> Metadata:
    """Return the metadata of a service.

    Raises:
        ProviderError: what the contract asks for is missing.
    """
    root = found.get(ROOT) if isinstance(found, Mapping) else None
    if not isinstance(root, Mapping):
        raise ProviderError(NO_REGISTRATION)
    pages = root.get("pages") or []
    if not isinstance(pages, list) or not all(isinstance(page, Mapping) for page in pages):
        raise ProviderError(NO_REGISTRATION, "pages is no list of objects.")
    if len(pages) > MAX_PAGES:
        raise ProviderError(NO_REGISTRATION, f"There are more than {MAX_PAGES} pages.")
    bulk = root.get("bulk")
    if not isinstance(bulk, Mapping):
        bulk = None
    if wants_bulk and bulk is None:
        raise ProviderError(NO_BULK)
    if not wants_bulk and not pages:
        raise ProviderError(NO_REGISTRATION, "There are no pages.")
    return Metadata(
        shown(root.get("title")),
        shown(root.get("description")),
        tuple(pages),
        _bulk(bulk) if bulk is not None else None,
    )


def _bulk(found: Mapping[str, Any]) -> Bulk:
    examples = found.get("exampleFileUrls") or []
    if not isinstance(examples, list):
        raise ProviderError(NO_BULK, "exampleFileUrls is no list.")
    return Bulk(
        shown(found.get("title")),
        tuple(
            Example(shown(one.get("title")), shown(one.get("description")), address(one.get("url")))
            for one in examples[:MAX_EXAMPLES]
            if isinstance(one, Mapping)
        ),
    )


def shown(value: Any, most: int = MAX_TEXT) -> str:
    """Return a text of a service as a person can be shown it; anything else is empty."""
    if not isinstance(value, str):
        return ""
    text = "".join(one if one.isprintable() or one in "\n\t" else " " for one in value)
    return text[:most].strip()


def address(value: Any) -> str:
    """Return the address of an example; half of one leads elsewhere, so it is empty then."""
    text = shown(value, MAX_ADDRESS + 1)
    return text if len(text) <= MAX_ADDRESS else ""


def message_of(found: Any) -> str:
    """Return what an answer says to the person."""
    return shown(found.get("message")) if isinstance(found, Mapping) else ""


def _refuse(_constant: str) -> NoReturn:
    raise ValueError


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError
    return int(text)


def _storable(value: Any, depth: int) -> Any:
    """Return JSON whose texts every page and database takes, if it goes no deeper than this."""
    if isinstance(value, str):
        return storable(value)
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        raise ValueError
    if isinstance(value, list):
        return [_storable(one, depth - 1) for one in value]
    return {storable(name): _storable(one, depth - 1) for name, one in value.items()}
