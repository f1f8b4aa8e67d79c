"""Writing devices that are let in at once: object, login, external IDs, group."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.db import IntegrityError
from django.utils import timezone

from bulk.engine import sql
from bulk.engine.changes import Change
from bulk.engine.grouping import Groups
from bulk.engine.judging import Judged, Verdict
from bulk.models import Import
from inventory.fields import text_key
from inventory.locks import keep, keep_tenants
from inventory.many import AnyOf
from inventory.models import (
    ChildLink,
    DeviceCredentials,
    ExternalId,
    Kind,
    ManagedObject,
    State,
    Tombstone,
)
from inventory.models.credentials import password_digest
from inventory.models.managed_object import KEY_LENGTH
from registration.lifecycle import Stage
from registration.models import Registration, RegistrationEvent, Tally
from tenants import quota

DEFAULT_TYPE: Final = "c8y_DefaultDevice"  # Source: Cumulocity, bulk device registration

NO_PLACE: Final = "device_limit"

_OBJECT: Final = (
    "id", "tenant", "kind", "name", "name_key", "type", "owner", "fragments", "created_at",
    "created_by_name", "reported_at", "updated_at", "device_id", "state", "device_type",
)  # fmt: skip
_LOGIN: Final = ("tenant", "device_id", "digest", "issued_at", "managed_object")
_NAME: Final = ("tenant", "type", "value", "managed_object", "created_at")
_EVENT: Final = (
    "tenant", "device_id", "at", "kind", "from_status", "actor", "actor_name", "source",
    "request_id",
)  # fmt: skip
_LINK: Final = ("parent", "child", "kind")


def take_places(every: Sequence[Judged], changes: dict[int, Change]) -> None:
    """Count the devices that are to be let in; those for which there is no place fail."""
    rows = [row for row in every if row.login is None and _needs_place(row, changes)]
    wanted = Counter(row.tenant_id for row in rows)
    given = quota.take_places(wanted) if wanted else {}
    for row in rows:
        if given[row.tenant_id] <= 0:
            row.fail(
                NO_PLACE,
                "",
                "You have reached devices limit. No more devices can be registered.",
            )
        given[row.tenant_id] -= 1


def write(
    owner: Import, rows: Sequence[Judged], changes: dict[int, Change], groups: Groups
) -> None:
    """Write the rows that are to be created or updated, and that have a place."""
    _supersede(owner, rows)
    new = [row for row in rows if row.verdict is Verdict.CREATE]
    changed = [row for row in rows if row.verdict is Verdict.UPDATE]
    bare = [row for row in changed if row.device is None]  # a login without an object
    made = {row.entry.line for row in bare}
    joining = [row for row in new if row.entry.path]
    joining += [
        row
        for row in changed
        if row.entry.path and (row.entry.line in made or changes[row.entry.line].joins)
    ]
    _hold({row.tenant_id for row in (*new, *bare)}, {_group(row, groups) for row in joining})
    now = timezone.now()  # one for all: an undo knows by it what came later
    with sql.keys_held():
        _insert_objects(owner, [*new, *bare], now)
        _insert_logins(
            [row for row in [*new, *changed] if row.login is None and row.entry.password], now
        )
        _insert_names(((row, row.names()) for row in new), now)
        _insert_names(
            (
                (row, row.names() if row.entry.line in made else changes[row.entry.line].names)
                for row in changed
            ),
            now,
        )
        _join(joining, groups)
    _join_chosen(new, changed, groups)
    _update_objects(changed, changes)
    _update_logins([row for row in changed if row.login is not None], changes)
    _forget_deleted(rows)


def _needs_place(row: Judged, changes: dict[int, Change]) -> bool:
    """Say whether a row lets one more device in."""
    if row.verdict is Verdict.CREATE:
        return bool(row.entry.password)
    return row.verdict is Verdict.UPDATE and changes[row.entry.line].digest is not None


def _supersede(owner: Import, rows: Iterable[Judged]) -> None:
    """Let registrations go for which nobody has knocked: their devices need not any more."""
    found = [
        row.registration
        for row in rows
        if row.registration is not None and row.is_open and _is_written(row)
    ]
    by, now = owner.actor, timezone.now()
    sql.insert(
        RegistrationEvent,
        _EVENT,
        [
            (
                each.tenant_id, each.device_id, now, RegistrationEvent.Kind.SUPERSEDED.value,
                each.status, by.user.pk if by.user else None, by.name, by.source, by.request_id,
            )
            for each in found
        ],
    )  # fmt: skip
    sql.delete(Registration, "id", [each.pk for each in found])
    for tenant_id, number in sorted(Counter(each.tenant_id for each in found).items()):
        Tally.moved(tenant_id, Stage.WAITING, None, number)


def _is_written(row: Judged) -> bool:
    return row.verdict in {Verdict.CREATE, Verdict.UPDATE}


def _insert_objects(owner: Import, rows: Sequence[Judged], now: datetime) -> None:
    if not rows:
        return
    by = owner.created_by_name[:255]
    values = []
    for row, pk in zip(rows, sql.new_ids(ManagedObject, len(rows)), strict=True):
        entry = row.entry
        name = entry.name or entry.device_id
        row.number = pk
        has_login = bool(entry.password) or row.login is not None
        values.append(
            (
                pk, row.tenant_id, Kind.DEVICE.value, name, text_key(name, KEY_LENGTH),
                entry.type or DEFAULT_TYPE, DeviceCredentials.login_name(entry.device_id),
                json.dumps(entry.fragments()), now, by, now, now, entry.device_id,
                (State.NEVER_CONNECTED if has_login else State.NONE).value, row.type_id,
            )
        )  # fmt: skip
    sql.insert(ManagedObject, _OBJECT, values)


def _insert_logins(rows: Sequence[Judged], now: datetime) -> None:
    sql.insert(
        DeviceCredentials,
        _LOGIN,
        [
            (
                row.tenant_id,
                row.entry.device_id,
                row.entry.digest or password_digest(row.entry.device_id, row.entry.password),
                now,
                _pk(row),
            )
            for row in rows
        ],
    )


def _insert_names(named: Iterable[tuple[Judged, Iterable[tuple[str, str]]]], now: datetime) -> None:
    sql.insert(
        ExternalId,
        _NAME,
        [
            (row.tenant_id, kind, value, _pk(row), now)
            for row, names in named
            for kind, value in names
        ],
    )


def _group(row: Judged, groups: Groups) -> int:
    return groups.known[row.tenant_id, row.entry.path]


def _hold(tenants: set[str], groups: set[int]) -> None:
    """Keep what the new rows point to; their device type and the devices are held already.

    Raises:
        django.db.IntegrityError: somebody has deleted one of them.
    """
    if keep(groups) != groups or keep_tenants(tenants) != tenants:
        raise IntegrityError


def _join(rows: Sequence[Judged], groups: Groups) -> None:
    links = [(_group(row, groups), _pk(row), ChildLink.Kind.ASSET.value) for row in rows]
    sql.insert(ChildLink, _LINK, links)
    groups.touch({parent for parent, _, _ in links})


def _join_chosen(new: Iterable[Judged], changed: Iterable[Judged], groups: Groups) -> None:
    """Put devices that had not reported into the groups that people chose for then."""
    waiting = {
        row.device.pk: row.device.group_to_join_id
        for row in changed
        if row.device is not None and row.device.group_to_join_id is not None
    }
    waiting |= {
        _pk(row): row.registration.group_id
        for row in new
        if row.is_open and row.registration is not None and row.registration.group_id is not None
        if not row.entry.path  # a group that the row names counts instead
    }
    if not waiting:
        return
    there = ChildLink.objects.filter(AnyOf("child", list(waiting)), kind=ChildLink.Kind.ASSET)
    places = set(there.values_list("child_id", "parent_id"))
    links = [
        (group, pk, ChildLink.Kind.ASSET.value)
        for pk, group in waiting.items()
        if (pk, group) not in places  # where the row puts it too
    ]
    sql.insert(ChildLink, _LINK, links)
    groups.touch({parent for parent, _, _ in links})
    ManagedObject.objects.filter(AnyOf("id", list(waiting))).update(group_to_join=None)


def _update_objects(rows: Sequence[Judged], changes: dict[int, Change]) -> None:
    now = timezone.now()
    values = []
    for row in rows:
        change, device = changes[row.entry.line], row.device
        if device is None or not change.has_object:  # it has just been made
            continue
        name = device.name if change.name is None else change.name
        fragments = device.fragments if change.fragments is None else change.fragments
        values.append(
            (
                device.pk, name, text_key(name, KEY_LENGTH),
                device.type if change.type is None else change.type, json.dumps(fragments),
                device.device_id or row.entry.device_id, now, device.reported_at or now,
                _state_after(row, change).value,
                device.device_type_id if change.type_id is None else change.type_id,
            )
        )  # fmt: skip
    columns = (
        "name", "name_key", "type", "fragments", "device_id", "updated_at", "reported_at", "state",
        "device_type",
    )  # fmt: skip
    sql.update(ManagedObject, columns, values)


def _state_after(row: Judged, change: Change) -> State:
    if row.login is None:
        return State.NEVER_CONNECTED if change.digest else State.NONE
    row.login.digest = row.login.digest if change.digest is None else change.digest
    return row.login.state


def _update_logins(rows: Sequence[Judged], changes: dict[int, Change]) -> None:
    """Replace passwords: the new one counts at once, and alone. Shut logins stay shut."""
    now = timezone.now()
    values = [
        (row.login.pk, digest, "", None, now, _pk(row))
        for row in rows
        if row.login is not None
        and ((digest := changes[row.entry.line].digest) or row.login.managed_object_id is None)
    ]
    known = {row.login.pk: row.login for row in rows if row.login is not None}
    columns = ("digest", "previous_digest", "previous_until", "issued_at", "managed_object")
    sql.update(
        DeviceCredentials,
        columns,
        [(pk, digest or known[pk].digest, *rest) for pk, digest, *rest in values],
    )


def _forget_deleted(rows: Iterable[Judged]) -> None:
    """Let tombstones go of devices that are in again."""
    back = [row for row in rows if row.returns and _is_written(row) and row.entry.password]
    for tenant_id in {row.tenant_id for row in back}:
        ids = [row.entry.device_id for row in back if row.tenant_id == tenant_id]
        Tombstone.objects.filter(AnyOf("device_id", ids), tenant=tenant_id).delete()


def _pk(row: Judged) -> int:
    """Return the ID of the row's object: it was there, or has just been made."""
    if row.number is None:
        assert row.device is not None  # noqa: S101 -- one of the two is so
        row.number = row.device.pk
    return row.number
