"""Writing devices that are expected: registrations that wait for connection."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from django.db import IntegrityError
from django.utils import timezone

from bulk.engine import sql
from bulk.engine.grouping import Groups
from bulk.engine.judging import Judged, Verdict
from bulk.models import Import
from inventory.locks import keep
from inventory.models import DeviceGroup, GroupPathError, ManagedObject
from registration.errors import RegistrationError
from registration.lifecycle import Stage, Status
from registration.models import Registration, RegistrationEvent, Tally

_REGISTRATION: Final = (
    "id", "tenant", "device_id", "status", "group", "device_type", "created_at", "created_by",
    "created_by_name",
)  # fmt: skip
_EVENT: Final = (
    "tenant", "device_id", "at", "kind", "to_status", "actor", "actor_name", "source", "request_id",
)  # fmt: skip


def write(owner: Import, rows: Sequence[Judged], groups: Groups) -> None:
    """Write the rows that are to be created or updated."""
    for row in rows:
        if row.verdict is Verdict.UPDATE:
            _adopt(row)
        if row.verdict is Verdict.UPDATE and row.entry.path and row.is_open:
            _change_group(owner, row, groups)
    new = [row for row in rows if row.verdict is Verdict.CREATE]
    for row in new:
        if row.registration is not None:  # its device is in long since
            row.registration.remove(by=owner.actor, kind=RegistrationEvent.Kind.SUPERSEDED)
    if new:
        keep([group for row in new if (group := _group(row, groups)) is not None])
        _insert(owner, new, groups)


def _insert(owner: Import, rows: Sequence[Judged], groups: Groups) -> None:
    now, by = timezone.now(), owner.actor
    user = by.user.pk if by.user else None
    registrations, events = [], []
    waiting = Status.WAITING_FOR_CONNECTION.value
    for row, pk in zip(rows, sql.new_ids(Registration, len(rows)), strict=True):
        device_id = row.entry.device_id
        row.number = pk
        registrations.append(
            (
                pk, row.tenant_id, device_id, waiting, _group(row, groups), row.type_id, now, user,
                by.name[:255],
            )
        )  # fmt: skip
        events.append(
            (
                row.tenant_id, device_id, now, RegistrationEvent.Kind.REGISTERED.value, waiting,
                user, by.name, by.source, by.request_id,
            )
        )  # fmt: skip
    sql.insert(Registration, _REGISTRATION, registrations)
    sql.insert(RegistrationEvent, _EVENT, events)
    for tenant_id, number in sorted(Counter(row.tenant_id for row in rows).items()):
        Tally.moved(tenant_id, None, Stage.WAITING, number)


def _adopt(row: Judged) -> None:
    """Let a registration or a device that has no device type have that of the row."""
    there = row.registration if row.is_open else row.device
    if row.type_id is None or there is None or there.device_type_id is not None:
        return
    there.device_type_id, fields = row.type_id, ["device_type"]
    if isinstance(there, ManagedObject):
        there.updated_at = timezone.now()
        fields.append("updated_at")
    there.save(update_fields=fields)


def _change_group(owner: Import, row: Judged, groups: Groups) -> None:
    assert row.registration is not None  # noqa: S101 -- there is nothing else to update
    group = DeviceGroup.objects.get(pk=groups.known[row.tenant_id, row.entry.path])
    try:
        row.registration.join_group(group, by=owner.actor)
    except RegistrationError as error:
        row.fail(error.code, "PATH", str(error))
    except GroupPathError as error:  # deleted in this very moment: begin anew
        raise IntegrityError from error


def _group(row: Judged, groups: Groups) -> int | None:
    return groups.known[row.tenant_id, row.entry.path] if row.entry.path else None
