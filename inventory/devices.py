"""Devices coming into the inventory: let in by people, then reporting themselves."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from inventory.errors import ReportedError
from inventory.fragments import merged
from inventory.groups import add_to_group
from inventory.locks import keep_group
from inventory.models import (
    ChildLink,
    DeviceCredentials,
    DeviceEvent,
    DeviceGroup,
    DeviceType,
    Kind,
    ManagedObject,
    State,
    Tombstone,
)
from tenants.actors import Actor
from tenants.models import Tenant


def let_in(
    tenant: Tenant,
    device_id: str,
    password: str,
    *,
    by: Actor,
    group: ManagedObject | None = None,
    object_type: str = "",
    device_type: DeviceType | None = None,
    registered_at: datetime | None = None,
    registered_by: str = "",
) -> DeviceCredentials:
    """Give a device its login, and a place among the devices even before it reports.

    It joins ``group`` when it creates its device object; one that has done so joins at once.
    """
    with transaction.atomic():
        first = {
            "kind": Kind.DEVICE,
            "owner": DeviceCredentials.login_name(device_id),
            "type": object_type,
            "device_type": device_type,
            "created_at": registered_at or timezone.now(),
            "created_by_name": registered_by,
            "state": State.NEVER_CONNECTED,
            "group_to_join": group,
        }
        device, is_new = _held_or_new(tenant, device_id, first)
        credentials = DeviceCredentials.issue(tenant, device_id, password, managed_object=device)
        if not is_new:
            device.state = credentials.state
            device.group_to_join = group if device.reported_at is None else None
            device.device_type = device_type or device.device_type
            device.save(update_fields=["state", "group_to_join", "device_type"])
            if group is not None and device.reported_at is not None:
                add_to_group(_as_group(group), [device], by=by)
        Tombstone.objects.of(tenant.pk, device_id).delete()
    return credentials


def _held_or_new(
    tenant: Tenant, device_id: str, first: Mapping[str, Any]
) -> tuple[ManagedObject, bool]:
    """Return the device, held until the transaction ends, and whether it is made just now."""
    here = {"tenant": tenant, "device_id": device_id}
    while True:
        device, is_new = ManagedObject.objects.get_or_create(**here, defaults=first)
        if is_new:
            return device, True
        # The login first, then the device, as everybody locks; somebody may be deleting either.
        list(DeviceCredentials.objects.filter(**here).select_for_update().values_list("pk"))
        held = ManagedObject.objects.select_for_update().filter(pk=device.pk).first()
        if held is not None:
            return held, False


def set_group_to_join(tenant_id: str, device_id: str, group: ManagedObject | None) -> bool:
    """Change the group that a device will join; return False if it has reported already."""
    waiting = ManagedObject.objects.filter(
        tenant=tenant_id, device_id=device_id, reported_at__isnull=True
    )
    return bool(waiting.update(group_to_join=group))


def choose_group(device: ManagedObject, group: ManagedObject | None, *, by: Actor) -> None:
    """Say which group a device joins when it reports, where no registration says it.

    Raises:
        ReportedError: it has reported; it is put into groups now.
        ManagedObject.DoesNotExist: it is gone.
        GroupPathError: somebody has deleted the group.
    """
    with transaction.atomic():
        mine = ManagedObject.objects.filter(tenant=device.tenant_id)
        held = mine.select_for_update(of=("self",)).get(pk=device.pk)
        if held.reported_at is not None:
            msg = f"{held} has created its device object meanwhile. Put it into the group now."
            raise ReportedError(msg)
        if held.group_to_join_id == (group.pk if group else None):
            return
        keep_group(_as_group(group) if group else None)
        held.group_to_join = group
        held.save(update_fields=["group_to_join"])
        text = f"It will join “{_as_group(group)}”." if group else "It will join no group."
        DeviceEvent.record(
            DeviceEvent.Kind.CHANGED, by=by, tenant_id=held.tenant_id, managed_object=held,
            text=text,
        )  # fmt: skip


def has_reported(tenant_id: str, device_id: str) -> bool:
    """Say whether the device has created its object, so that it is in its groups by now."""
    there = ManagedObject.objects.filter(tenant=tenant_id, device_id=device_id)
    return there.reported().exists()


def withdraw(shells: Iterable[int | None]) -> None:
    """Take away devices that never reported, by their IDs; those that did, stay."""
    known = [pk for pk in shells if pk is not None]
    ManagedObject.objects.filter(pk__in=known, reported_at__isnull=True).delete()


def report(
    credentials: DeviceCredentials, *, name: str, kind: str, fragments: dict[str, Any], by: Actor
) -> tuple[ManagedObject, bool] | None:
    """Take what a device says of itself when it creates its device object.

    Return the object and whether it is new; None says that this is another device, one behind it.
    """
    with transaction.atomic():
        held = DeviceCredentials.objects.select_for_update().get(pk=credentials.pk)
        # Locked and read anew: the group that it is to join may be on its way out.
        mine = ManagedObject.objects.filter(tenant=held.tenant_id)
        device = mine.select_for_update(of=("self",)).filter(credentials=held).first()
        if device is None:
            device = ManagedObject(
                tenant_id=held.tenant_id,
                device_id=held.device_id,
                created_by_name=by.name[:255],
            )
        elif device.reported_at is not None:
            if not _is_itself(device, name, kind, fragments):
                return None
            device.fragments = merged(device.fragments, fragments)
            device.updated_at = timezone.now()
            device.save(update_fields=["fragments", "updated_at"])
            return device, False
        device.kind, device.owner, device.state = Kind.DEVICE, by.name, held.state
        device.type, device.fragments = kind, fragments
        device.rename(name)
        device.reported_at = device.updated_at = timezone.now()
        group, device.group_to_join = device.group_to_join, None
        device.save()
        if held.managed_object_id is None:
            held.managed_object = device
            held.save(update_fields=["managed_object"])
        DeviceEvent.record(
            DeviceEvent.Kind.REPORTED, by=by, tenant_id=device.tenant_id, managed_object=device
        )
        if group is not None:
            add_to_group(_as_group(group), [device], by=by)
    return device, True


def _is_itself(device: ManagedObject, name: str, kind: str, fragments: Mapping[str, Any]) -> bool:
    """Say whether a device that has its object already is creating that one again.

    One that crashed before it bound an external ID does not find its object. One that runs twice
    may have bound it in the other run; then it says of itself word for word what it said there, as
    nothing behind it does.
    """
    if (device.name, device.type) != (name, kind):
        return False
    if not device.external_ids.exists():
        return True
    there = device.fragments
    return bool(name) and all(
        fragment in there and there[fragment] == value for fragment, value in fragments.items()
    )


def _as_group(group: ManagedObject) -> DeviceGroup:
    return DeviceGroup.objects.for_tenant(group.tenant).get(pk=group.pk)


def parents_of(managed_object: ManagedObject, kind: ChildLink.Kind) -> "list[ManagedObject]":
    """Return the objects that this one is beneath."""
    links = ChildLink.objects.filter(child=managed_object, kind=kind).select_related("parent")
    return [link.parent for link in links.order_by("pk")]
