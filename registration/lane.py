"""The fast lane: what is asked all the time and changes nothing, answered before Django.

Ten thousand devices poll while they wait, and every open console asks whether anything is new.
Both questions are a keyed hash and one prepared SELECT, so they are answered right here, in the
same process and on Django's own connection. Once a minute a device's last contact is written as
well. Whatever is not the plain, quiet case falls through to the view, which knows all rules; the
lane knows none, it only recognises when nothing can have changed.
"""

import sqlite3
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, Final
from urllib.parse import parse_qs

import psycopg
from django.db import Error, connection

from registration.api.refusals import NOT_FOUND, not_yet_message
from registration.credentials import token_digest, tokens_match
from registration.device_ids import normalize_device_id
from registration.lifecycle import Status
from registration.live import LiveKey, version_text
from registration.models.knocking import CONTACT_RESOLUTION
from registration.provisioning import Presented
from registration.statements import (
    LIVE,
    LIVE_ALL,
    POLL,
    POLL_BY_KEY,
    TOUCH,
    TOUCH_KEY,
    Statements,
    moment,
)
from tenants.addresses import client_address
from tenants.api.http import (
    ApiError,
    basic_logins,
    error_body,
    media_type,
    parse_object,
    says_json,
)
from tenants.backends import login_digest
from tenants.models import MANAGEMENT

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

POLL_PATH: Final = "/devicecontrol/deviceCredentials"
LIVE_PATH: Final = "/devices/registration/live"
MAX_POLL_BODY: Final = 8 * 1024  # bytes; an ID and a token of a thousand characters each fit


class FastLane:
    """A WSGI application in front of another one."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.statements = Statements()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the quiet case, or hand the request on as it came."""
        path = environ.get("PATH_INFO")
        try:
            if path == POLL_PATH and environ.get("REQUEST_METHOD") == "POST":
                body = self._poll(environ)
                if body is not None:
                    return _answer(start_response, "404 Not Found", media_type("error"), body)
            elif path == LIVE_PATH and environ.get("REQUEST_METHOD") == "GET":
                body = self._live(environ)
                if body is not None:
                    return _answer(start_response, "200 OK", "text/plain", body)
        except (Error, psycopg.Error, sqlite3.Error):
            # The view will meet the same trouble and knows how to report it.
            connection.close()
        return self.application(environ, start_response)

    def _poll(self, environ: Environ) -> str | None:
        """Return the answer to a device that waits and has said nothing new."""
        header = environ.get("HTTP_AUTHORIZATION")
        if not header or "HTTP_X_HTTP_METHOD" in environ:
            return None
        request = _read_json(environ)
        device_id, token = request.get("id"), request.get("securityToken")
        if token is None:
            token = ""
        if not isinstance(device_id, str) or not isinstance(token, str):
            return None
        canonical = normalize_device_id(device_id)
        now = datetime.now(UTC)
        times = moment(now), moment(now - timedelta(seconds=CONTACT_RESOLUTION))
        key = Presented.among(basic_logins(header))
        if key is None:
            found = self.statements.run(POLL, login_digest(header), canonical, *times)
        else:
            found = self.statements.run(POLL_BY_KEY, key.key_id, key.digest, canonical, *times)
            if found and key.tenant_id not in {"", found[0][3]}:
                return None
        if not found or not tokens_match(found[0][0] or "", token_digest(canonical, token)):
            return None
        address = client_address(environ)
        if found[0][1] == "old":
            self.statements.run(TOUCH, canonical, times[0], address, times[1])
        if key is not None and found[0][2] == "old":
            self.statements.run(TOUCH_KEY, key.key_id, times[0], address, times[1])
        return error_body(NOT_FOUND, not_yet_message(device_id, Status.PENDING_ACCEPTANCE))

    def _live(self, environ: Environ) -> str | None:
        """Return the version of the list that a console shows."""
        query = parse_qs(environ.get("QUERY_STRING", ""))
        key = LiveKey.read(query.get("key", [""])[0])
        if key is None:
            return None
        since = str(key.since)
        if key.scope == MANAGEMENT:
            found = self.statements.run(LIVE_ALL, since)
        else:
            found = self.statements.run(LIVE, since, key.scope)
        if not found:
            return None
        [(newest, number)] = found
        return version_text(int(newest or 0), int(number or 0))


def _read_json(environ: Environ) -> dict[str, Any]:
    """Read the body, leaving it in place for whoever comes next; {} if it is not for the lane."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not length.isdigit() or int(length) > MAX_POLL_BODY:
        return {}
    if not says_json(environ.get("CONTENT_TYPE") or ""):
        return {}
    body = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(body)
    try:
        return parse_object(body)
    except ApiError:  # the view says what is wrong with it
        return {}


def _answer(
    start_response: StartResponse, status: str, content_type: str, body: str
) -> list[bytes]:
    encoded = body.encode()
    start_response(
        status,
        [
            ("Content-Type", content_type),
            ("Content-Length", str(len(encoded))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ],
    )
    return [encoded]
