"""What every answer carries, whoever wrote it."""

import re
import secrets
from collections.abc import Callable

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

GetResponse = Callable[[HttpRequest], HttpResponse]

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIdMiddleware:
    """Give each request a name that its answer, its events and its log lines share."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get("X-Request-ID", "")
        request_id = offered if REQUEST_ID.fullmatch(offered) else secrets.token_hex(8)
        request.META["gatehouse.request_id"] = request_id
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class ContentSecurityPolicyMiddleware:
    """Allow a page our own files and nothing else; there is no inline script or style."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if settings.STRICT_TRANSPORT_SECURITY:
            response["Strict-Transport-Security"] = settings.STRICT_TRANSPORT_SECURITY
        if not response.has_header("Cache-Control") and not request.path.startswith("/static/"):
            response["Cache-Control"] = "no-store"
        return response


class HtmxMessagesMiddleware:
    """Let messages travel with a fragment, so that feedback does not wait for the next page.

    A fragment is an answer to HTMX with a body; an answer without one (204, a redirect) leaves
    the messages where they are, for whatever is loaded next.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if (
            request.headers.get("HX-Request") == "true"
            and not response.streaming
            and response.status_code != 204
            and not 300 <= response.status_code < 400
            and not response.has_header("HX-Redirect")
            and response.get("Content-Type", "").startswith("text/html")
        ):
            messages = get_messages(request)
            if len(messages):
                response.write(
                    render_to_string(
                        "_messages.html", {"messages": messages, "out_of_band": True}, request
                    )
                )
        return response
