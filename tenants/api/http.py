"""The REST contract's manners, in one place: who may call, what is read, how it is answered.

Source: Cumulocity REST, "HTTP usage" and the reference of error messages.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, Final, NoReturn, ParamSpec, Protocol, cast
from urllib.parse import quote, urlencode

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt

from tenants.actors import Actor
from tenants.backends import BusyError, TokenNeededError
from tenants.models import Tenant, User
from tenants.roles import Role
from tenants.throttle import ThrottledError
from tenants.tokens import TokenCaller

P = ParamSpec("P")

MAX_BODY = 64 * 1024  # bytes of a JSON body where nothing else is said; most have a few hundred
MAX_NESTING = 32  # objects and arrays inside one another; no payload we know has more than three
MAX_PAGE_SIZE = 2000  # entries; the contract trims larger requests to this
DEFAULT_PAGE_SIZE = 5  # entries; the contract's own default
BUSY_RETRY_AFTER = 2  # seconds
MAX_LOGIN_SPLITS = 32  # colons of a Basic login that are tried; an IPv6 address has 7

JSON_TYPE = re.compile(r"application/([\w.+-]+\+)?json", re.IGNORECASE)


class Caller(Protocol):
    """Whoever calls the API: a person, a service account or a device."""

    username: str
    tenant: Tenant

    @property
    def effective_roles(self) -> frozenset[str]:
        """Return every right of the caller."""

    def has_role(self, role: Role) -> bool:
        """Say whether the caller has ``role``."""


class ApiRequest(HttpRequest):
    """A request whose caller is known."""

    caller: Caller
    tenant: Tenant
    actor: Actor


class ApiError(Exception):
    """A refusal in the contract's words.

    ``error`` is ``<resource>/<Name>``; clients match on ``message`` and on the status.
    ``retry_after`` is in seconds.
    """

    def __init__(
        self, status: int, error: str, message: str, *, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.status = status
        self.error = error
        self.message = message


def validation_error(message: str) -> ApiError:
    """Return the refusal of a body that does not fit."""
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "undefined/validationError", message)


def denied() -> ApiError:
    """Return the refusal of a caller who may not do that."""
    return ApiError(HTTPStatus.FORBIDDEN, "security/Forbidden", "Access is denied")


def error_response(status: int, error: str, message: str) -> HttpResponse:
    """Return an error answer; it is JSON whatever was asked for, because clients parse it."""
    return HttpResponse(error_body(error, message), status=status, content_type=media_type("error"))


def error_body(error: str, message: str) -> str:
    """Return the JSON of an error."""
    return json.dumps({"error": error, "message": message, "info": "/help/connecting-devices/"})


def media_type(name: str) -> str:
    """Return the contract's media type for ``name``."""
    return f"application/vnd.com.nsn.cumulocity.{name}+json;charset=UTF-8;ver=0.9"


# --- The gate -----------------------------------------------------------------------------

PUBLIC: Final = "public"  # marks an endpoint that anybody may call

ApiView = Callable[Concatenate[ApiRequest, P], HttpResponse]


def api_view(**roles: Role | tuple[Role, ...] | str) -> Callable[[ApiView[P]], Callable[..., Any]]:
    """Guard an endpoint: ``@api_view(GET=Role.X, POST=(Role.Y, Role.Z))``, any one role is enough.

    The caller is found before anything else is looked at, so that a stranger learns nothing.
    ``required_roles`` on the view tells the tests, and the documentation, who may call.
    """

    def decorate(view: ApiView[P]) -> Callable[..., Any]:
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            try:
                _emulate_method(request)
                _admit(request, roles)
                return view(cast("ApiRequest", request), *args, **kwargs)
            except ApiError as error:
                response = error_response(error.status, error.error, error.message)
                if error.status == HTTPStatus.UNAUTHORIZED:
                    # Clients in browsers ask for a scheme that opens no password window.
                    quiet = request.headers.get("UseXBasic", "").lower() == "true"
                    scheme = "XBASIC" if quiet else "Basic"
                    response["WWW-Authenticate"] = f'{scheme} realm="Gatehouse"'
                if error.status == HTTPStatus.METHOD_NOT_ALLOWED:
                    response["Allow"] = ", ".join(sorted(roles))
                if error.retry_after is not None:
                    response["Retry-After"] = str(error.retry_after)
                return response

        guarded.required_roles = roles  # type: ignore[attr-defined]
        return guarded

    return decorate


def _emulate_method(request: HttpRequest) -> None:
    """Honour ``X-HTTP-METHOD``, for clients behind proxies that let only GET and POST through."""
    wanted = request.headers.get("X-HTTP-METHOD", "").upper()
    if request.method == "POST" and wanted in {"PUT", "DELETE"}:
        request.method = wanted


def _admit(request: HttpRequest, roles: Mapping[str, Role | tuple[Role, ...] | str]) -> None:
    method = request.method or ""
    needed = roles.get("GET" if method == "HEAD" else method)
    if needed == PUBLIC:
        return
    caller = _caller(request)
    if needed is None:
        raise ApiError(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "undefined/methodNotAllowed",
            f"Method {method} is not allowed here.",
        )
    one_of = (needed,) if isinstance(needed, Role) else needed
    if not any(caller.has_role(cast("Role", role)) for role in one_of):
        raise denied()
    if "\x00" in request.path:  # PostgreSQL refuses even to look for such a name
        raise ApiError(HTTPStatus.NOT_FOUND, "undefined/Not Found", "There is nothing here.")
    admitted = cast("ApiRequest", request)
    admitted.caller = caller
    admitted.tenant = caller.tenant
    by_token = caller if isinstance(caller, TokenCaller) else None
    user = by_token.user if by_token else caller
    admitted.actor = Actor.of(
        request,
        caller.username,
        user if isinstance(user, User) else None,
        limit=by_token.effective_roles if by_token else None,
        token=by_token.token.start if by_token else "",
    )


def _caller(request: HttpRequest) -> Caller:
    header = request.headers.get("Authorization", "")
    logins = basic_logins(header)
    if logins or header.lower().startswith("bearer "):
        for path in settings.API_AUTHENTICATORS:
            try:
                caller = import_string(path)(request, header, logins)
            except BusyError as error:
                raise ApiError(
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    "security/Busy",
                    "Many logins are being checked. Try again in a moment.",
                    retry_after=BUSY_RETRY_AFTER,
                ) from error
            except ThrottledError as error:
                raise ApiError(
                    HTTPStatus.TOO_MANY_REQUESTS,
                    "security/TooManyRequests",
                    str(error),
                    retry_after=error.seconds,
                ) from error
            except TokenNeededError as error:
                raise ApiError(
                    HTTPStatus.UNAUTHORIZED,
                    "security/Unauthorized",
                    f"Invalid credentials! : {error}",
                ) from error
            if caller is not None:
                return cast("Caller", caller)
    raise ApiError(
        HTTPStatus.UNAUTHORIZED, "security/Unauthorized", "Invalid credentials! : Bad credentials"
    )


def basic_logins(header: str) -> list[tuple[str, str]]:
    """Return the ways to read a Basic header as (login, password), the standard one first.

    A device ID may contain colons (MAC addresses do) and so may a password: the header alone
    does not say where the login ends.
    """
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return []
    try:
        raw = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return []
    try:
        text = raw.decode()
    except UnicodeDecodeError:  # the standard leaves it open, and many clients send Latin-1
        text = raw.decode("latin-1")
    pieces = text.split(":")
    if "\x00" in text or len(pieces) < 2:
        return []
    # The last colon always counts: no password that we make contains one.
    splits = sorted({*range(1, min(len(pieces), MAX_LOGIN_SPLITS + 1)), len(pieces) - 1})
    return [(":".join(pieces[:at]), ":".join(pieces[at:])) for at in splits]


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
