"""The fast lane: what is asked all the time and changes nothing, answered before Django.

Ten thousand devices poll while they wait, and every open console asks whether anything is new.
Both questions are a keyed hash and one prepared SELECT, so they are answered right here, in the
same process and on Django's own connection. Whatever is not the plain, quiet case falls through
to the view, which knows all rules; the lane knows none, it only recognises when nothing can
have changed.
"""

import sqlite3
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs
from weakref import WeakSet

import psycopg
from django.db import Error, connection

from registration.api.refusals import NOT_FOUND, not_yet_message
from registration.credentials import token_digest, tokens_match
from registration.device_ids import normalize_device_id
from registration.lifecycle import Status
from registration.live import LiveKey, version_text
from registration.models.registration import CONTACT_RESOLUTION
from tenants.api.http import ApiError, error_body, media_type, parse_object, says_json
from tenants.backends import login_digest
from tenants.models import MANAGEMENT, Tenant

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

POLL_PATH: Final = "/devicecontrol/deviceCredentials"
LIVE_PATH: Final = "/devices/registration/live"
MAX_POLL_BODY: Final = 8 * 1024  # bytes; an ID and a token of a thousand characters each fit

# A row comes back if the login was verified lately and still counts, the device is pending in a
# tenant this account may serve, and its last contact needs no writing.
POLL_SQL: Final = """
SELECT r.token_digest
  FROM tenants_verifiedlogin v
  JOIN tenants_user u ON u.id = v.user_id AND u.stamp = v.stamp AND u.is_active
  JOIN tenants_tenant ut ON ut.id = u.tenant_id AND ut.status = '{active}'
  JOIN registration_registration r ON r.device_id = {p2}
  JOIN tenants_tenant rt ON rt.id = r.tenant_id AND rt.status = '{active}'
 WHERE v.digest = {p1} AND v.expires_at > {now} AND v.may_bootstrap
   AND r.status = '{pending}' AND r.last_contact_at > {recent}
   AND (ut.id = '{management}' OR ut.id = rt.id)
"""
LIVE_SQL: Final = """
SELECT max(id), count(*)
  FROM (SELECT id FROM registration_registrationevent
         WHERE id > {p1}{scope} ORDER BY id DESC LIMIT 500) newest
"""


class FastLane:
    """A WSGI application in front of another one."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.statements = _Statements()

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
        stored = self.statements.poll(login_digest(header), canonical)
        if stored is None or not tokens_match(stored, token_digest(canonical, token)):
            return None
        return error_body(NOT_FOUND, not_yet_message(device_id, Status.PENDING_ACCEPTANCE))

    def _live(self, environ: Environ) -> str | None:
        """Return the version of the list that a console shows."""
        query = parse_qs(environ.get("QUERY_STRING", ""))
        key = LiveKey.read(query.get("key", [""])[0])
        if key is None:
            return None
        return version_text(*self.statements.live(key.scope, key.since))


class _Statements:
    """The two prepared statements, on the connection that Django holds for this thread."""

    # For the whole process, as the names of the statements are.
    prepared: ClassVar[WeakSet[Any]] = WeakSet()

    def poll(self, login: str, device_id: str) -> str | None:
        """Return the digest of the pending device's token, or None for anything but quiet."""
        connection.ensure_connection()
        raw: Any = connection.connection
        if "\x00" in device_id:
            return None
        if connection.vendor == "sqlite":
            now = datetime.now(UTC).replace(tzinfo=None)
            recent = now - timedelta(seconds=CONTACT_RESOLUTION)
            parameters = (device_id, login, now.isoformat(" "), recent.isoformat(" "))
            row = raw.execute(_SQLITE_POLL, parameters).fetchone()
            return None if row is None else str(row[0])
        rows = self._postgres(raw, b"gatehouse_poll", [login.encode(), device_id.encode()])
        value = rows.get_value(0, 0) if rows.ntuples else None
        return None if value is None else value.decode()

    def live(self, scope: str, since: int) -> tuple[int, int]:
        """Return the newest event id and how many events came after ``since``."""
        connection.ensure_connection()
        raw: Any = connection.connection
        everything = scope == MANAGEMENT
        if connection.vendor == "sqlite":
            sql = _SQLITE_LIVE_ALL if everything else _SQLITE_LIVE
            newest, number = raw.execute(sql, (since,) if everything else (since, scope)).fetchone()
            return newest or 0, number
        name = b"gatehouse_live_all" if everything else b"gatehouse_live"
        values = [b"%d" % since] if everything else [b"%d" % since, scope.encode()]
        rows = self._postgres(raw, name, values)
        return int(rows.get_value(0, 0) or 0), int(rows.get_value(0, 1))

    def _postgres(self, raw: Any, name: bytes, values: list[bytes]) -> Any:
        """Run a statement at the level of libpq, which costs half of what a cursor does."""
        if raw not in self.prepared:
            for each, sql in _POSTGRES.items():
                _check(raw.pgconn.prepare(each, sql.encode()))
            self.prepared.add(raw)
        return _check(raw.pgconn.exec_prepared(name, values))


def _check(result: Any) -> Any:
    if result.status not in {1, 2}:  # PGRES_COMMAND_OK, PGRES_TUPLES_OK
        raise Error(result.error_message.decode(errors="replace"))
    return result


_NAMES: Final = {
    "active": Tenant.Status.ACTIVE.value,
    "pending": Status.PENDING_ACCEPTANCE.value,
    "management": MANAGEMENT,
}
_SQLITE_POLL: Final = POLL_SQL.format(p2="?", p1="?", now="?", recent="?", **_NAMES)
_SQLITE_LIVE_ALL: Final = LIVE_SQL.format(p1="?", scope="")
_SQLITE_LIVE: Final = LIVE_SQL.format(p1="?", scope=" AND tenant_id = ?")
_POSTGRES: Final = {
    b"gatehouse_poll": POLL_SQL.format(
        p1="$1",
        p2="$2",
        now="now()",
        recent=f"now() - interval '{CONTACT_RESOLUTION} seconds'",
        **_NAMES,
    ),
    b"gatehouse_live_all": LIVE_SQL.format(p1="$1", scope=""),
    b"gatehouse_live": LIVE_SQL.format(p1="$1", scope=" AND tenant_id = $2"),
}


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
