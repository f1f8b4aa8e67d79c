"""The REST contract's manners: what is read, how it is answered; the gate is passed on from here.

Source: Cumulocity REST, "HTTP usage" and the reference of error messages.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError

from tenants.api.errors import (
    ApiError,
    denied,
    error_body,
    error_response,
    media_type,
    validation_error,
)
from tenants.api.gate import PUBLIC, ApiRequest, Caller, api_view, basic_logins

__all__ = [
    "PUBLIC",
    "ApiError",
    "ApiRequest",
    "Caller",
    "absolute",
    "api_view",
    "basic_logins",
    "denied",
    "error_body",
    "error_response",
    "flag",
    "media_type",
    "parse_object",
    "read_body",
    "read_object",
    "respond",
    "respond_page",
    "says_json",
    "self_url",
    "text_field",
    "validation_error",
    "wire_time",
]

MAX_BODY = 64 * 1024  # bytes of a JSON body where nothing else is said; most have a few hundred
MAX_NESTING = 32  # objects and arrays inside one another; no payload we know has more than three
MAX_PAGE_SIZE = 2000  # entries; the contract trims larger requests to this
DEFAULT_PAGE_SIZE = 5  # entries; the contract's own default

JSON_TYPE = re.compile(r"application/([\w.+-]+\+)?json", re.IGNORECASE)


# --- Reading ------------------------------------------------------------------------------


def read_object(request: HttpRequest, *, most: int = MAX_BODY) -> dict[str, Any]:
    """Return the JSON object in the body, which has at most so many bytes.

    Raises:
        ApiError: 400 no JSON, 413 too large, 415 another media type, 422 JSON but no object.
    """
    if not says_json(request.headers.get("Content-Type", "")):
        raise ApiError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "undefined/unsupportedMediaType",
            "Send JSON with the header Content-Type: application/json.",
        )
    return parse_object(read_body(request, most=most))


def says_json(content_type: str) -> bool:
    """Say whether a body of this type is JSON; one that does not say its type is."""
    name = content_type.partition(";")[0].strip()
    return not name or JSON_TYPE.fullmatch(name) is not None


def read_body(request: HttpRequest, *, most: int = MAX_BODY) -> bytes:
    """Return the body, which has at most so many bytes.

    Raises:
        ApiError: 400 unreadable, 413 too large.
    """
    try:
        body = request.body
    except RequestDataTooBig:
        body = b" " * (most + 1)
    except UnreadablePostError as error:
        raise _bad_request("The body could not be read.") from error
    if len(body) > most:
        raise ApiError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "undefined/requestTooLarge",
            f"The body is larger than {most} bytes.",
        )
    return body


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in ``body``.

    Raises:
        ApiError: 400 no JSON, 422 JSON but no object, or nothing that can be kept.
    """
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except RecursionError as error:
        raise _bad_request("The JSON in the body is nested too deeply.") from error
    except ValueError as error:
        raise _bad_request("The body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise validation_error("The body must be a JSON object.")
    _refuse_unstorable(value)
    return value


def _bad_request(message: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, "undefined/badRequest", message)


def _refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(name)


def _refuse_unstorable(value: Any, depth: int = 1) -> None:
    """Refuse what no database keeps: NUL, half surrogate pairs, endless numbers, deep nesting."""
    if isinstance(value, str):
        if "\x00" in value:
            raise validation_error("The body contains a NUL character, which is not permitted.")
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise validation_error("The body contains text that is not Unicode.") from error
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise validation_error("The body contains a number that is too large.")
    elif isinstance(value, dict | list):
        if depth > MAX_NESTING:
            raise validation_error("The JSON in the body is nested too deeply.")
        for member in value:
            _refuse_unstorable(member, depth + 1)
        if isinstance(value, dict):
            for member in value.values():
                _refuse_unstorable(member, depth + 1)


def text_field(body: Mapping[str, Any], name: str, *, required: bool = False) -> str | None:
    """Return a text member of ``body``; null counts as missing.

    Raises:
        ApiError: 422 when it is required and missing, or not text.
    """
    value = body.get(name)
    if value is None:
        if required:
            raise validation_error(f"Following mandatory fields should be included: {name}")
        return None
    if not isinstance(value, str):
        raise validation_error(f"Field {name} must be text.")
    return value


def flag(request: HttpRequest, name: str, *, default: bool = False) -> bool:
    """Return a query parameter that is true or false; anything else counts as false."""
    text = request.GET.get(name, "")
    return text.lower() == "true" if text else default


# --- Answering ----------------------------------------------------------------------------


def wire_time(time: datetime) -> str:
    """Return ``time`` as the contract writes it."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def absolute(request: HttpRequest, path: str) -> str:
    """Return ``path`` with the address that the client knows this server by."""
    base = settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
    return base + path


def self_url(request: HttpRequest, *parts: str) -> str:
    """Return the absolute URL of a resource; each of ``parts`` is encoded as one segment."""
    return absolute(request, "/" + "/".join(quote(part, safe="") for part in parts))


def respond(
    request: HttpRequest, payload: Mapping[str, Any], kind: str, *, status: int = HTTPStatus.OK
) -> HttpResponse:
    """Answer with ``payload``; a write whose client asked for no answer gets an empty body."""
    quiet = request.method in {"POST", "PUT"} and "Accept" not in request.headers
    response = HttpResponse(
        b"" if quiet else json.dumps(payload), status=status, content_type=media_type(kind)
    )
    if status == HTTPStatus.CREATED and "self" in payload:
        response["Location"] = payload["self"]
    return response


def respond_page(
    request: HttpRequest,
    rows: Any,
    *,
    collection: str,
    kind: str,
    represent: Callable[[Any], Mapping[str, Any]],
    count: Callable[[], int],
    prepare: Callable[[list[Any]], None] | None = None,
    most: int = MAX_PAGE_SIZE,
) -> HttpResponse:
    """Answer with one page of ``rows``; totals are counted only for those who ask for them.

    ``prepare`` sees all rows of the page before the first of them is represented. A page has no
    more than ``most`` of them, whatever is asked for.
    """
    current = _number(request, "currentPage", 1)
    size = min(_number(request, "pageSize", DEFAULT_PAGE_SIZE), most)
    start = (current - 1) * size
    found = list(rows[start : start + size + 1]) if start < 2**31 else []
    if prepare is not None:
        prepare(found[:size])
    statistics: dict[str, int] = {"currentPage": current, "pageSize": size}
    wants_pages = flag(request, "withTotalPages")
    wants_elements = flag(request, "withTotalElements")
    if wants_pages or wants_elements:
        total = count()
        if wants_pages:
            statistics["totalPages"] = -(-total // size)
        if wants_elements:
            statistics["totalElements"] = total

    def link(page: int) -> str:
        query = {**request.GET.dict(), "pageSize": str(size), "currentPage": str(page)}
        return absolute(request, f"{request.path}?{urlencode(query)}")

    payload: dict[str, Any] = {
        "self": link(current),
        collection: [represent(row) for row in found[:size]],
        "statistics": statistics,
    }
    if current > 1:
        payload["prev"] = link(current - 1)
    if len(found) > size:
        payload["next"] = link(current + 1)
    return respond(request, payload, kind)


def _number(request: HttpRequest, name: str, default: int) -> int:
    text = request.GET.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise validation_error(f"Query parameter {name} must be a whole number above 0.")
    return int(text)
