"""The gate of the APIs: who may call, found out before anything else is looked at.

Source: Cumulocity REST, "HTTP usage".
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, Final, ParamSpec, Protocol, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt

from tenants.actors import Actor
from tenants.api.errors import ApiError, denied, refusal
from tenants.backends import BusyError, TokenNeededError
from tenants.models import Tenant, User
from tenants.roles import Role
from tenants.throttle import ThrottledError
from tenants.tokens import TokenCaller

P = ParamSpec("P")

BUSY_RETRY_AFTER = 2  # seconds
MAX_LOGIN_SPLITS = 32  # colons of a Basic login that are tried; an IPv6 address has 7


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
                response = refusal(request, error)
                if error.status == HTTPStatus.METHOD_NOT_ALLOWED:
                    response["Allow"] = ", ".join(sorted(roles))
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
