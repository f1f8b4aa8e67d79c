"""Who works on an import: one at a time, by the clock of the database.

The lease is taken, kept and given back by single conditional updates. It is kept with every chunk,
in the transaction of the chunk: whoever has lost it loses the chunk as well, so that no row is
ever done twice.
"""

import os
import secrets
import socket
import uuid
from contextlib import suppress
from datetime import timedelta
from typing import Final

from django.db import connection
from django.db.models import DateTimeField, ExpressionWrapper, Func, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from bulk.errors import LostLeaseError
from bulk.models import AT_WORK, Import

LENGTH: Final = timedelta(seconds=15)  # without a sign of life for so long, others take over

_FREE: Final = Q(lease_until=None) | Q(lease_until__lt=Now())


def due() -> list[uuid.UUID]:
    """Return the imports that are to be worked on, and nobody does; the oldest first."""
    waiting = Import.objects.filter(_FREE, state__in=AT_WORK)
    return list(waiting.order_by("created_at").values_list("pk", flat=True))


def take(pk: uuid.UUID) -> Import | None:
    """Return the import, to be worked on by the caller alone; None if somebody else does."""
    holder = f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(8)}"
    waiting = Import.objects.filter(_FREE, pk=pk, state__in=AT_WORK)
    if not waiting.update(holder=holder, lease_until=_until()):
        return None
    found = Import.objects.select_related("tenant", "created_by").filter(pk=pk, holder=holder)
    return found.first()


def keep(one: Import, *, lock: bool = False) -> None:
    """Keep the lease, and read what people wish; with ``lock`` hold the row in a transaction.

    Raises:
        LostLeaseError: somebody else works on it, or it is no longer to be worked on.
    """
    mine = Import.objects.filter(pk=one.pk, holder=one.holder, state=one.state)
    if lock:
        mine = mine.select_for_update(of=("self",))
        wish = mine.values_list("wish", flat=True).first()
    else:
        kept = mine.update(lease_until=_until())
        wish = mine.values_list("wish", flat=True).first() if kept else None
    if wish is None:
        raise LostLeaseError
    one.wish = wish


def read_anew(one: Import) -> None:
    """Read the import as it is kept, after what was written was rolled back.

    Raises:
        LostLeaseError: somebody else works on it now, or it is no longer to be worked on.
    """
    mine = Import.objects.filter(holder=one.holder, state__in=AT_WORK)
    try:
        one.refresh_from_db(from_queryset=mine)
    except Import.DoesNotExist:
        raise LostLeaseError from None


def save(one: Import, *fields: str) -> None:
    """Save progress, and keep the lease; in the transaction of what was done.

    Raises:
        LostLeaseError: somebody else works on it.
    """
    values = {field: getattr(one, field) for field in fields}
    mine = Import.objects.filter(pk=one.pk, holder=one.holder)
    if not mine.update(lease_until=_until(), **values):
        raise LostLeaseError


def give_back(one: Import) -> None:
    """Let others have it at once."""
    Import.objects.filter(pk=one.pk, holder=one.holder).update(holder="", lease_until=None)


def free_dead() -> None:
    """Take the leases of processes of this machine that are no more."""
    mine = f"{socket.gethostname()[:30]}:"
    for pk, holder in Import.objects.filter(state__in=AT_WORK, holder__startswith=mine).values_list(
        "pk", "holder"
    ):
        pid = holder.removeprefix(mine).partition(":")[0]
        if pid.isdigit() and not _is_alive(int(pid)):
            Import.objects.filter(pk=pk, holder=holder).update(holder="", lease_until=None)


def _is_alive(pid: int) -> bool:
    with suppress(PermissionError):  # then it is somebody else's, and alive
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True


def _until() -> Combinable:
    # The clock of the statement, not of the transaction: a chunk may take its time.
    clock = Func(function="clock_timestamp", output_field=DateTimeField())
    now = Now() if connection.vendor == "sqlite" else clock
    return ExpressionWrapper(now + LENGTH, output_field=DateTimeField())
