"""The prepared statements of the fast lane, on the connection that Django holds for this thread.

Each is written once and runs on both databases. Values travel as text; ``@1`` is the first one.
"""

from datetime import UTC, datetime
from typing import Any, ClassVar, Final
from weakref import WeakSet

from django.db import Error, connection

from registration.lifecycle import Status
from tenants.models import MANAGEMENT, Tenant

Row = tuple[str | None, ...]

# A row comes back if the login @1 was verified lately and still counts, and the device @2 is
# pending in a tenant that this account may serve, and of no type: those have keys. Its contact is
# fresh if it came after @4.
POLL: Final = f"""
SELECT r.token_digest, CASE WHEN r.last_contact_at > @4 THEN 'fresh' ELSE 'old' END
  FROM tenants_verifiedlogin v
  JOIN tenants_user u ON u.id = v.user_id AND u.stamp = v.stamp AND u.is_active
  JOIN tenants_tenant ut ON ut.id = u.tenant_id AND ut.status = '{Tenant.Status.ACTIVE.value}'
  JOIN registration_registration r ON r.device_id = @2
  JOIN tenants_tenant rt ON rt.id = r.tenant_id AND rt.status = '{Tenant.Status.ACTIVE.value}'
 WHERE v.digest = @1 AND v.expires_at > @3 AND v.may_bootstrap
   AND r.status = '{Status.PENDING_ACCEPTANCE.value}' AND r.device_type_id IS NULL
   AND (ut.id = '{MANAGEMENT}' OR ut.id = rt.id)
"""  # noqa: S608 -- constants
# The same for the provisioning key @1 with the digest @2, and the device @3 of its tenant and type:
# times @4 and @5. What a key does is noted once a minute, too.
POLL_BY_KEY: Final = f"""
SELECT r.token_digest, CASE WHEN r.last_contact_at > @5 THEN 'fresh' ELSE 'old' END,
       CASE WHEN k.last_used_at > @5 THEN 'fresh' ELSE 'old' END, k.tenant_id
  FROM registration_provisioningkey k
  JOIN tenants_tenant t ON t.id = k.tenant_id AND t.status = '{Tenant.Status.ACTIVE.value}'
  JOIN registration_registration r ON r.device_id = @3
 WHERE k.key_id = @1 AND k.digest = @2
   AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > @4)
   AND r.status = '{Status.PENDING_ACCEPTANCE.value}'
   AND r.tenant_id = k.tenant_id AND r.device_type_id = k.device_type_id
"""  # noqa: S608 -- constants
# Note the use at @2 from @3 of the provisioning key @1, unless another poll has done so since @4.
TOUCH_KEY: Final = """
UPDATE registration_provisioningkey SET last_used_at = @2, last_used_from = @3
 WHERE key_id = @1 AND (last_used_at IS NULL OR last_used_at <= @4)
"""
# Note the contact at @2 from @3 of the device @1, unless another poll has done so since @4.
TOUCH: Final = f"""
UPDATE registration_registration SET last_contact_at = @2, last_contact_from = @3
 WHERE device_id = @1 AND status = '{Status.PENDING_ACCEPTANCE.value}' AND last_contact_at <= @4
"""  # noqa: S608 -- constants
# The newest event after @1, and how many there are; of everybody, or of the tenant @2. For one
# that was suspended no row comes back: its open pages look again, and find the door shut.
LIVE_ALL: Final = """
SELECT max(id), count(*) FROM (
    SELECT id FROM registration_registrationevent WHERE id > @1 ORDER BY id DESC LIMIT 500
) newest
"""
LIVE: Final = f"""
SELECT newest, number FROM tenants_tenant t, (
    SELECT max(id) AS newest, count(*) AS number FROM (
        SELECT id FROM registration_registrationevent
         WHERE tenant_id = @2 AND id > @1 ORDER BY id DESC LIMIT 500
    ) events
) state
 WHERE t.id = @2 AND t.status = '{Tenant.Status.ACTIVE.value}'
"""  # noqa: S608 -- constants
_ALL: Final = (POLL, POLL_BY_KEY, TOUCH, TOUCH_KEY, LIVE_ALL, LIVE)
_FOR_SQLITE: Final = {sql: sql.replace("@", "?") for sql in _ALL}
_FOR_POSTGRES: Final = {
    sql: (b"gatehouse_%d" % number, sql.replace("@", "$").encode())
    for number, sql in enumerate(_ALL)
}


class Statements:
    """Runs a statement as cheaply as the driver can."""

    # For the whole process, as the names of the statements are.
    prepared: ClassVar[WeakSet[Any]] = WeakSet()

    def run(self, sql: str, *values: str) -> list[Row]:
        """Return the rows of one of the statements above, as text.

        Raises:
            Error: Django's or the driver's; the connection is then not to be trusted.
        """
        connection.ensure_connection()
        raw: Any = connection.connection
        if connection.vendor == "sqlite":
            rows = raw.execute(_FOR_SQLITE[sql], values).fetchall()
            return [tuple(None if one is None else str(one) for one in row) for row in rows]
        return self._on_postgres(raw, sql, values)

    def _on_postgres(self, raw: Any, sql: str, values: tuple[str, ...]) -> list[Row]:
        """Speak to libpq itself, which costs half of what a cursor does."""
        if raw not in self.prepared:
            for name, text in _FOR_POSTGRES.values():
                _check(raw.pgconn.prepare(name, text))
            self.prepared.add(raw)
        result = _check(
            raw.pgconn.exec_prepared(_FOR_POSTGRES[sql][0], [one.encode() for one in values])
        )
        return [
            tuple(_text(result.get_value(row, column)) for column in range(result.nfields))
            for row in range(result.ntuples)
        ]


def moment(when: datetime) -> str:
    """Return ``when`` as both databases keep it: SQLite as text in UTC, PostgreSQL reads any."""
    utc = when.astimezone(UTC)
    return str(utc.replace(tzinfo=None) if connection.vendor == "sqlite" else utc)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def _check(result: Any) -> Any:
    if result.status not in {1, 2}:  # PGRES_COMMAND_OK, PGRES_TUPLES_OK
        raise Error(result.error_message.decode(errors="replace"))
    return result
