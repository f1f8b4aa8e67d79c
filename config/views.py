"""The pulse, and what is said when something is wrong."""

import logging
from http import HTTPStatus

from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from tenants.api.errors import ApiError, family_of, refusal
from tenants.models import Installation

logger = logging.getLogger("gatehouse")

API_PREFIXES = (
    "/device/",
    "/devicecontrol/",
    "/tenant/",
    "/user/",
    "/inventory/",
    "/identity/",
    "/audit/",
    "/api/openapi.json",
    "/healthz",
)


def healthz(_request: HttpRequest) -> HttpResponse:
    """Say whether the database answers: 200 or 503, for load balancers and watchdogs."""
    try:
        # A real table: SQLite answers SELECT 1 without looking into its file.
        Installation.objects.exists()
    except Error as error:
        logger.warning("The database does not answer: %s", type(error).__name__)
        connection.close()
        return JsonResponse(
            {"status": "down", "database": "does not answer"},
            status=HTTPStatus.SERVICE_UNAVAILABLE,
        )
    return JsonResponse({"status": "up", "database": "answers"})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what cannot be served at all, such as a host name nobody told us about."""
    message = "The request could not be understood."
    if isinstance(exception, DisallowedHost):
        message = (
            "This server does not know the host name you used. Add it to GATEHOUSE_ALLOWED_HOSTS, "
            "or set GATEHOUSE_PUBLIC_URL, and start Gatehouse again."
        )
    if isinstance(exception, RequestDataTooBig):
        message = "A form takes 2 MiB, and this was more. Upload a long list as a file."
    return _answer(request, HTTPStatus.BAD_REQUEST, "undefined/badRequest", message)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Answer a person who is signed in and may not do this."""
    return _answer(
        request,
        HTTPStatus.FORBIDDEN,
        "security/Forbidden",
        "Your account may not do this. Ask an administrator of your tenant.",
    )


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Answer an address that leads nowhere, or to somebody else's."""
    return _answer(
        request, HTTPStatus.NOT_FOUND, "undefined/Not Found", "There is nothing at this address."
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when we failed; the database may be what failed, so nothing is read from it."""
    message = "Something went wrong on our side. Try again; if it stays, tell your administrator."
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    if _is_of_an_api(request):
        return refusal(request, ApiError(status, "undefined/serverError", message))
    page = render_to_string("error.html", {"status": status.value, "message": message})
    return HttpResponse(page, status=status)


def _answer(request: HttpRequest, status: HTTPStatus, error: str, message: str) -> HttpResponse:
    if _is_of_an_api(request):
        return refusal(request, ApiError(status, error, message))
    return render(
        request, "error.html", {"status": status.value, "message": message}, status=status
    )


def _is_of_an_api(request: HttpRequest) -> bool:
    return request.path.startswith(API_PREFIXES) or family_of(request.path) is not None
