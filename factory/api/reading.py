"""What a request of the Operations API says: its body, its query, its place in a list."""

import base64
import binascii
import json
from typing import Any, Final, NoReturn

from django.http import HttpRequest
from django.http.request import UnreadablePostError

from factory.api.refusals import ProblemError, bad_request
from factory.api.shapes import DEFAULT_LIMIT, MAX_LIMIT, Shape
from tenants.api.http import MAX_BODY, says_json
from ui.text import storable

MAX_CURSOR: Final = 2_000  # characters
MAX_LENGTH_DIGITS: Final = 18


def read_object(request: HttpRequest, *, most: int = MAX_BODY) -> dict[str, Any]:
    """Return the JSON object in the body, which has at most so many bytes.

    Raises:
        ProblemError: 400 no JSON object, 413 too large, 415 another media type.
    """
    if not says_json(request.headers.get("Content-Type", "")):
        raise ProblemError(
            "unsupported-media-type", "Send JSON with the header Content-Type: application/json."
        )
    try:
        value = json.loads(
            _read(request, most).decode("utf-8-sig"),
            parse_constant=_refuse_constant,
            object_pairs_hook=_once_each,
        )
    except RecursionError as error:
        raise bad_request("The JSON in the body is nested too deeply.") from error
    except UnicodeDecodeError:
        raise bad_request("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        # Without its cause: that one holds the whole body, and with it the secrets.
        raise bad_request(f"The body is not valid JSON; look at {where}.") from None
    except ValueError as error:  # a number of thousands of digits
        raise bad_request("The body has a number that cannot be read.") from error
    if not isinstance(value, dict):
        raise bad_request("The body must be a JSON object.")
    return value


def _read(request: HttpRequest, most: int) -> bytes:
    """Return the body; Django's own limit is meant for forms, and lower."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    too_large = ProblemError("too-large", f"The body has more than {most:,} bytes.")
    if not length.isdecimal() or len(length) > MAX_LENGTH_DIGITS or int(length) > most:
        raise too_large
    try:
        body: bytes = request.read(most + 1)
    except UnreadablePostError as error:
        raise bad_request("The body could not be read.") from error
    if len(body) > most:
        raise too_large
    return body


def _refuse_constant(_name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and JSON does not have."""
    raise bad_request("The body has a number that JSON does not have, such as NaN.")


def _once_each(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; of a member that is there twice, nobody knows which one is meant."""
    found = dict(members)
    if len(found) < len(members):
        raise bad_request("An object in the body has a member twice.")
    return found


# --- The query ----------------------------------------------------------------------------


def flag(request: HttpRequest, name: str, shape: Shape) -> bool:
    """Return a query parameter that is true or false.

    Raises:
        ProblemError: 400 it is neither.
    """
    text = request.GET.get(name)
    if text is None:
        return bool(shape["default"])
    if text not in {"true", "false"}:
        raise bad_request(f"The query parameter {name} is either true or false.")
    return text == "true"


def choice(request: HttpRequest, name: str, shape: Shape) -> str:
    """Return a query parameter that is one of a few words.

    Raises:
        ProblemError: 400 it is none of them.
    """
    text = request.GET.get(name, str(shape["default"]))
    if text not in shape["enum"]:
        known = ", ".join(shape["enum"])
        raise bad_request(f"The query parameter {name} is one of these: {known}.")
    return text


def limit(request: HttpRequest) -> int:
    """Return how many entries a page is to have.

    Raises:
        ProblemError: 400 it is no number, or so many are not given at once.
    """
    text = request.GET.get("limit", str(DEFAULT_LIMIT))
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_LIMIT))
    if not is_number or not 1 <= int(text) <= MAX_LIMIT:
        raise bad_request(f"The query parameter limit is a whole number from 1 to {MAX_LIMIT}.")
    return int(text)


def write_cursor(*position: str | int) -> str:
    """Return where a page ends, for whoever asks for the next one."""
    text = json.dumps(position, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(request: HttpRequest, *kinds: type) -> list[Any] | None:
    """Return where the page before ended, as values of these kinds; None for the first page.

    Raises:
        ProblemError: 400 no page ended so.
    """
    text = request.GET.get("cursor")
    if text is None:
        return None
    if len(text) > MAX_CURSOR:
        raise _bad_cursor()
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        position = json.loads(raw)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _bad_cursor() from error
    fits = (
        isinstance(position, list)
        and [type(each) for each in position] == list(kinds)
        and all(storable(each) == each for each in position if isinstance(each, str))
        and all(0 <= each < 2**63 for each in position if isinstance(each, int))
    )
    if not fits:
        raise _bad_cursor()
    return list(position)


def _bad_cursor() -> ProblemError:
    return bad_request("The query parameter cursor is not one that a page before gave as next.")
