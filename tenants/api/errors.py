"""Refusals of the APIs, and how each family of endpoints says them.

Clients of the Cumulocity contract parse its own JSON of an error. Endpoints elsewhere may have
another way: whoever owns the addresses registers it, and then every refusal below them is said so,
also one that no view ever saw.

Source: Cumulocity REST, "HTTP usage" and the reference of error messages.
"""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse


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


# --- Families of endpoints ----------------------------------------------------------------

Renderer = Callable[[HttpRequest, ApiError], HttpResponse]
_families: Final[dict[str, Renderer]] = {}


def register_family(prefix: str, render: Renderer) -> None:
    """Let refusals at the addresses that start with ``prefix`` be said by ``render``."""
    _families[prefix] = render


def family_of(path: str) -> Renderer | None:
    """Return how refusals at ``path`` are said; None where the contract's way counts."""
    return next((each for prefix, each in _families.items() if path.startswith(prefix)), None)


def refusal(request: HttpRequest, error: ApiError) -> HttpResponse:
    """Return the answer to a refused request, with the headers that its status asks for."""
    render = family_of(request.path) or _in_the_contracts_words
    response = render(request, error)
    if error.status == HTTPStatus.UNAUTHORIZED:
        # Clients in browsers ask for a scheme that opens no password window.
        quiet = request.headers.get("UseXBasic", "").lower() == "true"
        response["WWW-Authenticate"] = f'{"XBASIC" if quiet else "Basic"} realm="Gatehouse"'
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def _in_the_contracts_words(_request: HttpRequest, error: ApiError) -> HttpResponse:
    return error_response(error.status, error.error, error.message)
