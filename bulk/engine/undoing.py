"""Taking away what an import created, as far as nobody has used it since."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from bulk.engine import lease, sql, stopping
from bulk.engine.pace import Pace
from bulk.models import Form, Import, ImportGroup, ImportItem, Outcome, State
from inventory.groups import delete_group
from inventory.models import ChildLink, DeviceCredentials, DeviceGroup, ExternalId, ManagedObject
from registration.lifecycle import Stage, Status
from registration.models import Registration, RegistrationEvent, Tally
from tenants import audit, quota

_EVENT: Final = (
    "tenant", "device_id", "at", "kind", "from_status", "actor", "actor_name", "source",
    "request_id",
)  # fmt: skip


def undo(one: Import) -> None:
    """Go through what was created, chunk by chunk, then through the groups that were made."""
    pace = Pace()
    while items := _next_items(one, pace.rows):
        started = time.monotonic()
        with transaction.atomic():
            lease.keep(one, lock=True)
            created = [item for item in items if item.outcome == Outcome.CREATED]
            take = _undo_devices if one.form == Form.FULL else _undo_registrations
            gone = take(one, created)
            for outcome in (Outcome.UNDONE, Outcome.KEPT):
                pks = [x.pk for x in created if (x.pk in gone) == (outcome == Outcome.UNDONE)]
                ImportItem.objects.filter(sql.AnyOf("pk", pks)).update(outcome=outcome)
            one.undone += len(gone)
            one.kept += len(created) - len(gone)
            one.seen += len(items)
            one.position = {"line": items[-1].line}
            lease.save(one, "undone", "kept", "seen", "position")
        pace.took(time.monotonic() - started)
        if stopping.is_asked():
            return
    _undo_groups(one)
    with transaction.atomic():
        lease.keep(one, lock=True)
        one.state, one.position = State.UNDONE, {}
        lease.save(one, "state", "position")
        audit.record(
            one.actor, one.tenant_id, audit.Type.REGISTRATION, "Bulk registration undone",
            subject=str(one), text=f"{one.undone} taken away, {one.kept} kept.",
        )  # fmt: skip


def _next_items(one: Import, most: int) -> list[ImportItem]:
    after = one.position.get("line", 0)
    items = ImportItem.objects.filter(owner=one, line__gt=after).order_by("line")
    return list(items[:most])


def _undo_devices(one: Import, items: Sequence[ImportItem]) -> set[int]:
    """Take devices away that never logged in and that nobody changed; return their items."""
    numbers = [item.number for item in items if item.number is not None]
    logins = DeviceCredentials.objects.filter(sql.AnyOf("managed_object", numbers))
    held = {login.managed_object_id: login for login in logins.order_by("pk").select_for_update()}
    objects = ManagedObject.objects.filter(
        sql.AnyOf("id", numbers), updated_at=F("reported_at")
    ).order_by("pk")
    untouched = set(objects.select_for_update(of=("self",)).values_list("pk", flat=True))
    untouched -= set(
        ChildLink.objects.filter(sql.AnyOf("parent", numbers)).values_list("parent_id", flat=True)
    )
    for pk, login in held.items():
        made_since = one.finished_at is not None and login.issued_at > one.finished_at
        if login.first_login_at is not None or made_since:
            untouched.discard(pk)
    gone = sorted(untouched)
    sql.delete(DeviceCredentials, "managed_object", gone)
    sql.delete(ExternalId, "managed_object", gone)
    sql.delete(ChildLink, "child", gone)
    sql.delete(ManagedObject, "id", gone)
    places = Counter(item.tenant_id for item in items if item.number in held.keys() & untouched)
    for tenant_id, number in sorted(places.items()):
        quota.free_places(tenant_id, number)
    return {item.pk for item in items if item.number in untouched}


def _undo_registrations(one: Import, items: Sequence[ImportItem]) -> set[int]:
    """Take registrations away whose device never knocked; return their items."""
    numbers = [item.number for item in items if item.number is not None]
    found = Registration.objects.filter(
        sql.AnyOf("id", numbers), status=Status.WAITING_FOR_CONNECTION
    )
    held = list(found.order_by("pk").select_for_update(of=("self",)))
    by, now = one.actor, timezone.now()
    sql.insert(
        RegistrationEvent,
        _EVENT,
        [
            (
                each.tenant_id, each.device_id, now, RegistrationEvent.Kind.REMOVED.value,
                each.status, by.user.pk if by.user else None, by.name, by.source, by.request_id,
            )
            for each in held
        ],
    )  # fmt: skip
    gone = [each.pk for each in held]
    sql.delete(Registration, "id", gone)
    for tenant_id, number in sorted(Counter(each.tenant_id for each in held).items()):
        Tally.moved(tenant_id, Stage.WAITING, None, number)
    return {item.pk for item in items if item.number in set(gone)}


def _undo_groups(one: Import) -> None:
    """Take groups away that the import made and that are empty, the innermost first."""
    for made in ImportGroup.objects.filter(owner=one).order_by("-pk"):
        lease.keep(one)
        with transaction.atomic():
            group = DeviceGroup.objects.filter(pk=made.number).first()
            if group is not None and not ChildLink.objects.filter(parent=group).exists():
                delete_group(group, by=one.actor)
            made.delete()
