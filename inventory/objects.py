"""Managed objects as the inventory's clients make, change and delete them."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from inventory import devices, groups, logins
from inventory.callers import DeviceUser
from inventory.errors import InvalidObjectError, NotTheOwnerError
from inventory.fragments import fragments_of, kind_of, merged, name_of, owner_of, type_of
from inventory.models import (
    ChildLink,
    DeviceCredentials,
    DeviceEvent,
    DeviceGroup,
    Kind,
    ManagedObject,
)
from inventory.models.group import GROUP_TYPE, SUBGROUP_TYPE
from inventory.models.managed_object import ManagedObjectQuerySet
from tenants import audit
from tenants.actors import Actor
from tenants.models import Tenant

MAX_CASCADE = 10_000  # devices deleted together with a group
OF_PLACES = frozenset({GROUP_TYPE, SUBGROUP_TYPE})  # types that say where in the tree a group is


@dataclass(frozen=True)
class Deletion:
    """What goes with an object.

    ``children``: the devices of a group, or the children of a device. ``logins``: the device users.
    ``only_of``: the user whose objects may go, if the caller is not to delete those of others.
    """

    children: bool = False
    logins: bool = False
    only_of: str | None = None


def create_object(
    tenant: Tenant,
    body: Mapping[str, Any],
    *,
    by: Actor,
    device: DeviceUser | None = None,
    parent: DeviceGroup | None = None,
) -> tuple[ManagedObject, bool]:
    """Make the object in ``body``; return it and whether it is new.

    ``device`` is the caller, if it is one: its first device object is the device itself. A group
    comes into ``parent``; anything else is linked there by whoever calls.

    Raises:
        InvalidObjectError: it cannot be as it was sent.
        GroupPathError, GroupConflictError: it is a group and cannot be called that.
    """
    fragments = merged({}, fragments_of(body))
    name, type_ = name_of(body) or "", type_of(body) or ""
    kind = kind_of(fragments)
    owner = _owner(body, by, device)
    if kind is Kind.GROUP:
        is_loose = parent is None and type_ == SUBGROUP_TYPE
        says_place = type_ in OF_PLACES and not is_loose  # where it is decides, not what it says
        group = groups.create_group(
            tenant, name, parent=parent, by=by, owner=owner, kind="" if says_place else type_,
            fragments=fragments, is_loose=is_loose,
        )  # fmt: skip
        return group, True
    if kind is Kind.DEVICE and device is not None:
        reported = devices.report(
            device.credentials, name=name, kind=type_, fragments=fragments, by=by
        )
        if reported is not None:
            return reported
    now = timezone.now()
    made = ManagedObject(
        tenant=tenant, kind=kind, type=type_, owner=owner, fragments=fragments,
        created_at=now, reported_at=now, updated_at=now, created_by_name=by.name[:255],
    )  # fmt: skip
    made.rename(name)
    with transaction.atomic():
        made.save()
        if kind is Kind.DEVICE:
            DeviceEvent.record(
                DeviceEvent.Kind.CREATED, by=by, tenant_id=tenant.pk, managed_object=made
            )
        else:
            _record(by, made, "Managed object created")
    return made, True


def _owner(body: Mapping[str, Any], by: Actor, device: DeviceUser | None) -> str:
    """Return whose the object is: the caller's, unless a person says otherwise."""
    owner = owner_of(body)
    return by.name if device is not None or not owner else owner


def change_object(
    managed_object: ManagedObject, body: Mapping[str, Any], *, by: Actor, is_device: bool = False
) -> ManagedObject:
    """Merge ``body`` into the object and return it: fragments are replaced by name, null removes.

    What devices report of themselves all day (``is_device``) leaves no entry in the audit log.

    Raises:
        InvalidObjectError: it cannot be like that.
        GroupPathError, GroupConflictError: it is a group and cannot be called that.
        ManagedObject.DoesNotExist: it is gone.
    """
    name, type_, change = name_of(body), type_of(body), fragments_of(body)
    owner = None if is_device else owner_of(body)
    with transaction.atomic():
        if managed_object.is_group and name is not None and name != managed_object.name:
            groups.rename_group(_group(managed_object), name, by=by)
        mine = ManagedObject.objects.filter(tenant=managed_object.tenant_id)
        held = (
            mine.select_for_update(of=("self",)).select_related("tenant").get(pk=managed_object.pk)
        )
        before = {"name": held.name, "type": held.type, "owner": held.owner}
        if change:  # a device that has yet to report has no fragments that say what it is
            held.fragments = merged(held.fragments, change)
            _check_kind(held)
        if name is not None and not held.is_group:
            held.rename(name)
        if type_ is not None and not (held.is_group and {type_, held.type} <= OF_PLACES):
            held.type = type_
        held.owner = owner or held.owner
        held.updated_at = timezone.now()
        held.save()
        after = {"name": held.name, "type": held.type, "owner": held.owner}
        if after != before or (change and not is_device):
            changes: dict[str, tuple[Any, Any]] = {
                key: (value, after[key]) for key, value in before.items()
            }
            text = f"Fragments: {', '.join(sorted(change))}." if change else ""
            if held.is_device:
                DeviceEvent.record(
                    DeviceEvent.Kind.CHANGED, by=by, tenant_id=held.tenant_id,
                    managed_object=held, text=_told(changes) or text[:500], changes=changes,
                )  # fmt: skip
            else:
                _record(by, held, "Managed object changed", text=text, changes=changes)
    return held


def _told(changes: Mapping[str, tuple[Any, Any]]) -> str:
    """Return in words what changed of the columns."""
    return " ".join(
        f"{name.capitalize()}: {before or 'none'} → {after or 'none'}."
        for name, (before, after) in changes.items()
        if before != after
    )


def _check_kind(held: ManagedObject) -> None:
    """Let an object become a device or stop being one; groups and logins keep what they are.

    Raises:
        InvalidObjectError: it cannot become that.
    """
    kind = kind_of(held.fragments)
    if kind == held.kind:
        return
    if Kind.GROUP in {kind, held.kind}:
        raise InvalidObjectError("An object cannot become a group, nor stop being one.")
    if held.device_id:
        raise InvalidObjectError("A device with a login of its own cannot stop being one.")
    held.kind = kind


def delete_object(managed_object: ManagedObject, deletion: Deletion, *, by: Actor) -> None:
    """Delete an object. Groups take along the groups within them; devices in them stay, unless
    they are to go too.

    Devices go one after another, so that nobody has to wait for all of them: if something fails on
    the way, the ones before it are gone, and the same call again deletes the rest.

    Raises:
        NotTheOwnerError: something would go that is not the caller's to delete.
        InvalidObjectError: so many devices are not deleted in one request.
        ManagedObject.DoesNotExist: it is gone.
    """
    if managed_object.is_group:
        _delete_group(_group(managed_object), deletion, by)
        return
    doomed = [managed_object]
    if deletion.children:
        doomed += _below(managed_object)
    _check_owner(doomed, deletion)
    for one in reversed(doomed):
        _delete_one(one, by, with_login=deletion.logins)


def _delete_group(group: DeviceGroup, deletion: Deletion, by: Actor) -> None:
    within = groups.within(group)
    mine = ManagedObject.objects.filter(tenant=group.tenant_id)
    if deletion.only_of is not None:
        _check_owner(mine.filter(pk__in=within), deletion)
    if deletion.children:
        inside = mine.filter(
            parent_links__parent__in=within, parent_links__kind=ChildLink.Kind.ASSET
        ).exclude(kind=Kind.GROUP)
        doomed = _some(inside)
        if len(doomed) > MAX_CASCADE:
            raise _too_many()
        _check_owner(doomed, deletion)
        for one in doomed:
            _delete_one(one, by, with_login=deletion.logins)
    groups.delete_group(group, by=by)


def _below(managed_object: ManagedObject) -> list[ManagedObject]:
    """Return every object beneath this one that is no group, each once."""
    found: dict[int, ManagedObject] = {}
    nearest = [managed_object.pk]
    while nearest:
        children = ManagedObject.objects.filter(
            tenant=managed_object.tenant_id, parent_links__parent__in=nearest
        ).exclude(kind=Kind.GROUP)
        some = _some(children)
        new = {one.pk: one for one in some if one.pk not in found}
        new.pop(managed_object.pk, None)
        found |= new
        if len(found) > MAX_CASCADE or len(some) > MAX_CASCADE:
            raise _too_many()
        nearest = list(new)
    return list(found.values())


def _some(doomed: ManagedObjectQuerySet) -> list[ManagedObject]:
    """Return each of them once and without what clients keep at it; one too many at the most."""
    return list(doomed.defer("fragments").distinct().order_by("pk")[: MAX_CASCADE + 1])


def _too_many() -> InvalidObjectError:
    return InvalidObjectError(
        f"More than {MAX_CASCADE} devices would go with it; delete them in smaller parts."
    )


def _check_owner(doomed: Iterable[ManagedObject], deletion: Deletion) -> None:
    if deletion.only_of is not None and any(one.owner != deletion.only_of for one in doomed):
        raise NotTheOwnerError


def _delete_one(managed_object: ManagedObject, by: Actor, *, with_login: bool) -> None:
    with transaction.atomic():
        # The login first, as everybody locks; its device may be creating this object anew.
        logins_of = DeviceCredentials.objects.filter(managed_object=managed_object.pk)
        credentials = logins_of.first() if with_login else logins_of.select_for_update().first()
        if with_login and credentials is not None:
            with suppress(DeviceCredentials.DoesNotExist):  # somebody else has deleted it
                logins.delete_login(credentials, by=by)
        mine = ManagedObject.objects.filter(tenant=managed_object.tenant_id)
        held = mine.select_for_update().filter(pk=managed_object.pk).first()
        if held is None:
            return  # it went with its login, or by somebody else
        kept = list(held.external_ids.values_list("type", "value"))
        names = ", ".join(f"{kind} {value}" for kind, value in kept)
        text = f"With its external IDs {names}." if names else ""
        if held.is_device:
            DeviceEvent.record(
                DeviceEvent.Kind.REMOVED, by=by, tenant_id=held.tenant_id, managed_object=held,
                text=text,
            )  # fmt: skip
        else:
            _record(by, held, "Managed object deleted", text=text)
        held.delete()


def _group(managed_object: ManagedObject) -> DeviceGroup:
    return DeviceGroup.objects.for_tenant(managed_object.tenant).get(pk=managed_object.pk)


def _record(
    by: Actor, managed_object: ManagedObject, activity: str, *, text: str = "",
    changes: audit.Changes | None = None,
) -> None:  # fmt: skip
    audit.record(
        by, managed_object.tenant_id, audit.Type.INVENTORY, activity,
        subject=f"{managed_object} #{managed_object.pk}", text=text, changes=changes,
    )  # fmt: skip
