"""Fill a database for the measurements, set by set, in SQL.

Runs as a process of its own, once for each database: ``python -m bench.seed fill ROWS`` writes
everything and prints what the load generator needs to know, as JSON; ``python -m bench.seed
freshen`` makes the last contact of the polled devices now, as it is after a real poll.
"""

import json
import secrets
import sys
from collections.abc import Sequence
from typing import Any, Final

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.devices import fill_devices  # noqa: E402
from bench.sql import device_id, insert, moment, without_indexes, write  # noqa: E402
from inventory.models import Kind, ManagedObject  # noqa: E402
from registration.credentials import token_digest  # noqa: E402
from registration.lifecycle import Stage  # noqa: E402
from registration.live import LiveState  # noqa: E402
from registration.models import Registration, RegistrationEvent, Tally  # noqa: E402
from tenants.actors import Actor  # noqa: E402
from tenants.installation import prepare_installation  # noqa: E402
from tenants.models import Tenant, User  # noqa: E402
from tenants.roles import OPERATOR  # noqa: E402
from tenants.sessions import SessionStore  # noqa: E402
from tenants.tokens import make_token  # noqa: E402
from ui.tables import KeysetPaginator  # noqa: E402

POLLED: Final = 2000  # devices that poll, spread over the whole table
TENANT, OTHER = "bench", "other"  # four rows in five belong to the first
POLLED_FROM: Final = "192.0.2.1"  # marks them; an address for documentation, RFC 5737
# What stands where, of every twenty rows.
STAGES: Final = {
    Stage.PENDING: range(8),
    Stage.WAITING: range(8, 12),
    Stage.ACCEPTED: range(12, 14),
    Stage.DELIVERED: range(14, 15),
    Stage.CONFIRMED: range(15, 19),
    Stage.BLOCKED: range(19, 20),
}


def fill(rows: int) -> dict[str, Any]:
    """Write ``rows`` registrations with one event each; return what can be asked for."""
    call_command("migrate", verbosity=0, interactive=False)
    prepare_installation()
    management = Tenant.objects.get(pk="management")
    for name in (TENANT, OTHER):
        Tenant.objects.create(id=name, company=name.title(), parent=management)
    bench = Tenant.objects.get(pk=TENANT)
    operator = User.objects.create_user(
        bench, "operator", secrets.token_urlsafe(18), roles=OPERATOR
    )
    without_indexes(Registration, lambda: write(_registrations(), rows))
    without_indexes(RegistrationEvent, lambda: write(_events(), rows))
    _count()
    polled = _choose_polled(rows)
    devices = fill_devices(rows, TENANT, OTHER)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")
    return {
        "polled": polled,
        "live_key": LiveState.of(bench).key,
        "session": _session(operator),
        "middle": _middle(bench),
        "middle_device": _middle_device(bench),
        "token": _token(operator),
        **devices,
    }


def freshen() -> None:
    """Set the last contact of the polled devices to now."""
    Registration.objects.filter(last_contact_from=POLLED_FROM).update(
        last_contact_at=timezone.now()
    )


def _among(stages: Sequence[Stage]) -> str:
    numbers = ", ".join(str(number) for stage in stages for number in STAGES[stage])
    return f"n %% 20 IN ({numbers})"


def _registrations() -> str:
    delivered = _among((Stage.DELIVERED, Stage.CONFIRMED))
    now = moment("n")
    columns = {
        "tenant_id": f"CASE WHEN n %% 5 = 0 THEN '{OTHER}' ELSE '{TENANT}' END",
        "device_id": device_id(),
        "status": f"CASE WHEN {_among((Stage.PENDING,))} THEN 'PENDING_ACCEPTANCE'"
        f" WHEN {_among((Stage.WAITING,))} THEN 'WAITING_FOR_CONNECTION'"
        f" WHEN {_among((Stage.BLOCKED,))} THEN 'BLOCKED' ELSE 'ACCEPTED' END",
        "type": "''",
        "custom_properties": "'{}'",
        "created_at": moment("n"),
        "created_by_name": "'operator'",
        "token_digest": "''",
        "last_contact_at": moment("n"),
        "last_contact_from": "''",
        "failed_attempts": "0",
        "conflicts": "0",
        "last_conflict_from": "''",
        "handover_nonce": "''",
        "deliveries": f"CASE WHEN {delivered} THEN 1 ELSE 0 END",
        "accepted_at": f"CASE WHEN {delivered} OR {_among((Stage.ACCEPTED,))} THEN {now} END",
        "delivered_at": f"CASE WHEN {delivered} THEN {now} END",
        "confirmed_at": f"CASE WHEN {_among((Stage.CONFIRMED,))} THEN {now} END",
    }
    return insert("registration_registration", columns)


def _events() -> str:
    columns = {
        "tenant_id": f"CASE WHEN n %% 5 = 0 THEN '{OTHER}' ELSE '{TENANT}' END",
        "device_id": device_id(),
        "at": moment("n"),
        "kind": "'registered'",
        "from_status": "''",
        "to_status": "'WAITING_FOR_CONNECTION'",
        "actor_name": "'operator'",
        "source": "''",
        "request_id": "''",
        "reason": "''",
    }
    return insert("registration_registrationevent", columns)


def _count() -> None:
    for stage in Stage:
        for row in (
            Registration.objects.at_stage(stage)
            .values("tenant_id")
            .annotate(number=models.Count("pk"))
            .order_by("tenant_id")
        ):
            Tally.objects.create(stage=stage, **row)


def _choose_polled(rows: int) -> list[tuple[str, str]]:
    """Give some pending devices a security token; return their IDs and tokens."""
    pending = rows // 20 * len(STAGES[Stage.PENDING])
    step = max(1, pending // POLLED)
    # n % 20 < 8 is pending, so the k-th pending row has this number.
    numbers = [k // 8 * 20 + k % 8 for k in range(8, pending, step)][:POLLED]
    polled = [(f"bench-{n:07}", f"token-{n}") for n in numbers]
    found = Registration.objects.at_stage(Stage.PENDING).in_bulk(
        [one for one, _ in polled], field_name="device_id"
    )
    for one, token in polled:
        found[one].token_digest = token_digest(one, token)
        found[one].last_contact_from = POLLED_FROM
    Registration.objects.bulk_update(
        found.values(), ["token_digest", "last_contact_from"], batch_size=200
    )
    return polled


def _session(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def _middle(tenant: Tenant) -> str:
    """Return the cursor of the page in the middle of the list, as the page before links to it."""
    rows = Registration.objects.for_tenant(tenant).unfinished().with_display()
    at = rows.count() // 2
    row = rows.order_by("-created_at", "-pk")[at]
    paginator = KeysetPaginator(rows, "created_at", descending=True)
    return paginator._cursor(row, at)  # noqa: SLF001 -- the alternative is ten thousand clicks


def _middle_device(tenant: Tenant) -> str:
    rows = ManagedObject.objects.for_tenant(tenant).filter(kind=Kind.DEVICE)
    at = rows.count() // 2
    paginator = KeysetPaginator(rows, "created_at", descending=True)
    return paginator._cursor(rows.order_by("-created_at", "-pk")[at], at)  # noqa: SLF001


def _token(user: User) -> str:
    """Return an API token: a password would be checked slowly every few minutes."""
    by = Actor(user.username, user)
    return make_token(user, "bench", user.effective_roles, expires_at=None, by=by)[1]


if __name__ == "__main__":
    if sys.argv[1] == "fill":
        sys.stdout.write(json.dumps(fill(int(sys.argv[2]))))
    else:
        freshen()
