"""Taking away what an import created, as far as nobody has used it since."""

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from bulk.engine import lease, sql, stopping
from bulk.engine.pace import Pace
from bulk.models import Form, Import, ImportGroup, ImportItem, Outcome, State
from inventory.group_paths import delete_groups, hold_groups
from inventory.many import AnyOf
from inventory.models import (
    ChildLink,
    DeviceCredentials,
    DeviceEvent,
    DeviceGroup,
    ExternalId,
    ManagedObject,
)
from inventory.models.credentials import REVOKED
from registration.lifecycle import Stage, Status
from registration.models import Registration, RegistrationEvent, Tally
from tenants import audit, quota
from tenants.models import Tenant

GROUPS: Final = 200  # that are taken away in one transaction
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
            take = _undo_registrations if one.form == Form.SIMPLE else _undo_devices
            gone = take(one, created)
            for outcome in (Outcome.UNDONE, Outcome.KEPT):
                pks = [x.pk for x in created if (x.pk in gone) == (outcome == Outcome.UNDONE)]
                ImportItem.objects.filter(AnyOf("pk", pks)).update(outcome=outcome)
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


@dataclass(frozen=True, slots=True)
class _Device:
    """What an undo has to know of a device: whose it is, and since when."""

    tenant_id: str
    device_id: str
    owner: str
    created_at: datetime


def _undo_devices(one: Import, items: Sequence[ImportItem]) -> set[int]:
    """Take devices away that never logged in and that nobody changed; return their items."""
    del one
    sql.check_keys_at_once()
    numbers = [item.number for item in items if item.number is not None]
    logins = DeviceCredentials.objects.filter(AnyOf("managed_object", numbers)).order_by("pk")
    held = {
        number: (is_enabled and digest != REVOKED and first_login_at is None, issued_at)
        for number, is_enabled, digest, first_login_at, issued_at in logins.select_for_update(
            of=("self",)
        ).values_list("managed_object_id", "is_enabled", "digest", "first_login_at", "issued_at")
        if number is not None
    }
    objects = ManagedObject.objects.filter(
        AnyOf("id", numbers), updated_at=F("reported_at")
    ).order_by("pk")
    devices = {
        pk: _Device(tenant_id, device_id, owner, created_at)
        for pk, tenant_id, device_id, owner, created_at in objects.select_for_update(
            of=("self",)
        ).values_list("pk", "tenant_id", "device_id", "owner", "created_at")
    }
    untouched = devices.keys() - _used(devices, held)
    gone = sorted(untouched)
    sql.delete(DeviceCredentials, "managed_object", gone)
    sql.delete(ExternalId, "managed_object", gone)
    sql.delete(ChildLink, "child", gone)
    sql.delete(ManagedObject, "id", gone)
    places = Counter(devices[pk].tenant_id for pk in held.keys() & untouched)
    for tenant_id, number in sorted(places.items()):
        quota.free_places(tenant_id, number)
    return {item.pk for item in items if item.number in untouched}


def _used(devices: Mapping[int, _Device], logins: Mapping[int, tuple[bool, datetime]]) -> set[int]:
    """Return the devices that logged in, or that somebody did something to or with.

    ``logins`` says of each whether it is as it was made, and when its password was. What was made
    together has one time; anything else came later.
    """
    numbers, tenants = list(devices), {device.tenant_id for device in devices.values()}
    used = {
        pk
        for pk, device in devices.items()
        if (login := logins.get(pk)) and login != (True, device.created_at)
    }
    events = DeviceEvent.objects.filter(AnyOf("object_number", numbers), tenant__in=tenants)
    used |= {pk for pk in events.values_list("object_number", flat=True) if pk is not None}
    beneath = ChildLink.objects.filter(AnyOf("parent", numbers))
    used |= set(beneath.values_list("parent_id", flat=True))
    above = ChildLink.objects.filter(AnyOf("child", numbers)).values_list("child_id", "kind")
    links = Counter(pk for pk, _ in above)  # a row puts its device into one group at most
    used |= {pk for pk, kind in above if kind != ChildLink.Kind.ASSET or links[pk] > 1}
    names = ExternalId.objects.filter(AnyOf("managed_object", numbers))
    used |= {
        pk
        for pk, created_at in names.values_list("managed_object_id", "created_at")
        if created_at != devices[pk].created_at
    }
    return used | _named_elsewhere(devices, tenants)


def _named_elsewhere(devices: Mapping[int, _Device], tenants: set[str]) -> set[int]:
    """Return the devices that own something else, or that are expected anew."""
    owners = {(device.tenant_id, device.owner): pk for pk, device in devices.items()}
    owned = ManagedObject.objects.filter(
        AnyOf("owner", [owner for _, owner in owners if owner]), tenant__in=tenants
    )
    used = {
        owners[tenant_id, owner]
        for pk, tenant_id, owner in owned.values_list("pk", "tenant_id", "owner")
        if owners.get((tenant_id, owner), pk) != pk
    }
    ids = {(device.tenant_id, device.device_id): pk for pk, device in devices.items()}
    expected = Registration.objects.filter(
        AnyOf("device_id", [device_id for _, device_id in ids]), tenant__in=tenants
    )
    return used | {
        ids[place] for place in expected.values_list("tenant_id", "device_id") if place in ids
    }


def _undo_registrations(one: Import, items: Sequence[ImportItem]) -> set[int]:
    """Take registrations away whose device never knocked; return their items."""
    numbers = [item.number for item in items if item.number is not None]
    found = Registration.objects.filter(AnyOf("id", numbers), status=Status.WAITING_FOR_CONNECTION)
    # One that was given to another tenant since is no longer this import's.
    tenants = {item.number: item.tenant_id for item in items}
    held = [
        each
        for each in found.order_by("pk").select_for_update(of=("self",))
        if each.tenant_id == tenants[each.pk]
    ]
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
    """Take groups away that the import made and that are empty."""
    while made := list(ImportGroup.objects.filter(owner=one).order_by("-pk")[:GROUPS]):
        numbers = [each.number for each in made]
        of = DeviceGroup.objects.filter(AnyOf("id", numbers))
        tenants = Tenant.objects.filter(pk__in=of.values("tenant")).order_by("pk")
        with transaction.atomic():
            lease.keep(one, lock=True)
            for tenant in tenants:
                held = hold_groups(tenant, numbers)
                delete_groups(tenant, held - _used_groups(held), by=one.actor)
            sql.delete(ImportGroup, "id", [each.pk for each in made])


def _used_groups(groups: Collection[int]) -> set[int]:
    """Return which groups hold anything, are to be joined, or are called by a name of their own.

    A group that holds nothing but groups which are not used is not used either.
    """
    expected = Registration.objects.filter(AnyOf("group", groups)).values_list("group")
    joining = ManagedObject.objects.filter(AnyOf("group_to_join", groups))
    named = ExternalId.objects.filter(AnyOf("managed_object", groups)).values_list("managed_object")
    rows = (*expected, *joining.values_list("group_to_join"), *named)
    used = {pk for (pk,) in rows if pk is not None}
    links = ChildLink.objects.filter(AnyOf("parent", groups)).values_list("parent_id", "child_id")
    parents = {child: parent for parent, child in links if child in groups}
    nearest = used | {parent for parent, child in links if child not in groups}
    while nearest:
        used |= nearest
        nearest = {parents[pk] for pk in nearest if pk in parents} - used
    return used
