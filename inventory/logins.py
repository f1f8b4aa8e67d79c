"""The life of a device's login: used, shut and opened, renewed, taken away.

Everybody locks in one order: a registration, then the login, then the device, then the tenant.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from inventory.errors import LoginError
from inventory.models import DeviceCredentials, DeviceEvent, ManagedObject, State, Tombstone
from inventory.models.credentials import REVOKED, password_digest
from inventory.passwords import new_password
from tenants import audit, quota
from tenants.actors import Actor
from tenants.hashing import digests_match
from tenants.models import Tenant

USE_RESOLUTION: Final = timedelta(minutes=1)  # last use is not written more often than this
MAX_REASON_LENGTH: Final = 500  # characters

# What else counts a device as let in and has to let go of it first: called with the tenant's ID,
# the device's, and by whom, within the transaction and before the login is locked.
Release = Callable[[str, str, Actor], None]
_releases: list[Release] = []


def register_release(release: Release) -> None:
    """Let an app above this one know before a login is deleted."""
    _releases.append(release)


def note_use(credentials: DeviceCredentials, password: str, *, by: Actor) -> None:
    """Note that the device logged in with ``password``, which has been checked.

    The first use of a new password ends the time of the previous one.
    """
    now = timezone.now()
    if credentials.previous_digest and credentials.is_current(password):
        _end_rotation(credentials, by)
    if now - credentials.last_used_at < USE_RESOLUTION:
        return
    with transaction.atomic():
        used = DeviceCredentials.objects.filter(
            pk=credentials.pk, last_used_at__lte=now - USE_RESOLUTION
        ).update(last_used_at=now, last_used_from=by.source)
        if used and credentials.managed_object_id:
            ManagedObject.objects.filter(pk=credentials.managed_object_id).update(
                last_contact_at=now, last_contact_from=by.source
            )


def _end_rotation(credentials: DeviceCredentials, by: Actor) -> None:
    with transaction.atomic():
        ended = (
            DeviceCredentials.objects.filter(pk=credentials.pk, digest=credentials.digest)
            .exclude(previous_digest="")
            .update(previous_digest="", previous_until=None)
        )
        if ended:
            _record(DeviceEvent.Kind.ROTATION_DONE, credentials, by)


def show_state(credentials: DeviceCredentials) -> None:
    """Let the list of devices show the state of the login."""
    if credentials.managed_object_id:
        ManagedObject.objects.filter(pk=credentials.managed_object_id).update(
            state=credentials.state
        )


def disable(credentials: DeviceCredentials, *, by: Actor) -> None:
    """Shut the login, from the next request on, until somebody enables it."""
    _set_enabled(credentials, by, is_enabled=False)


def enable(credentials: DeviceCredentials, *, by: Actor) -> None:
    """Open the login again; the device's password is the same as before."""
    _set_enabled(credentials, by, is_enabled=True)


def _set_enabled(credentials: DeviceCredentials, by: Actor, *, is_enabled: bool) -> None:
    with transaction.atomic():
        held = _held(credentials)
        if held.is_enabled == is_enabled:
            return
        held.is_enabled = is_enabled
        held.save(update_fields=["is_enabled"])
        show_state(held)
        kind = DeviceEvent.Kind.ENABLED if is_enabled else DeviceEvent.Kind.DISABLED
        _record(kind, held, by)


def rotate(
    credentials: DeviceCredentials,
    *,
    overlap: timedelta,
    by: Actor,
    only_if_of: datetime | None = None,
) -> str:
    """Make a new password and return it; nobody can read it again.

    The one that the device used last counts until the new one has been used, ``overlap`` at the
    longest. A new one that was never used, because it got lost perhaps, is void with the next.
    ``only_if_of`` is when the present one was made, as far as whoever asks knows: a form that is
    sent twice must not void the password that the device has.

    Raises:
        LoginError: the device is being handed its first password right now, or somebody else has
            made a new one meanwhile.
    """
    with transaction.atomic():
        held = _held(credentials)
        if only_if_of not in {None, held.issued_at}:
            msg = f"A new password of {held} was made in the meantime. Look at it before you go on."
            raise LoginError(msg)
        if held.is_on_its_way:
            msg = (
                f"{held} has not logged in with its first password yet. Open the hand-over of its "
                "registration again instead, or revoke the password first."
            )
            raise LoginError(msg)
        password = new_password()
        keeps = overlap > timedelta(0) and not held.is_revoked
        # A previous one is there for as long as the one that followed it has not been used.
        held.previous_digest = (held.previous_digest or held.digest) if keeps else ""
        held.previous_until = timezone.now() + overlap if keeps else None
        held.digest = password_digest(held.device_id, password)
        held.issued_at = timezone.now()
        held.save(update_fields=["digest", "previous_digest", "previous_until", "issued_at"])
        show_state(held)
        until = f"{held.previous_until:%-d %b %Y, %H:%M} UTC" if held.previous_until else ""
        text = f"The old one counts until {until}, or until the new one is used."
        _record(DeviceEvent.Kind.ROTATED, held, by, text=text if until else "")
    return password


def revoke(credentials: DeviceCredentials, *, by: Actor) -> None:
    """Void every password of the device; it stays known and can be given a new one."""
    with transaction.atomic():
        held = _held(credentials)
        if held.is_revoked:
            return
        held.digest = REVOKED
        held.previous_digest, held.previous_until = "", None
        held.save(update_fields=["digest", "previous_digest", "previous_until"])
        show_state(held)
        _record(DeviceEvent.Kind.REVOKED, held, by)


def delete_login(credentials: DeviceCredentials, *, by: Actor, reason: str = "") -> None:
    """Delete the login; what is left is a tombstone, by which the device's return is noticed.

    The device's object stays, if it has reported. The place that it took is free again.
    """
    tenant_id, device_id = credentials.tenant_id, credentials.device_id
    with transaction.atomic():
        for release in _releases:
            release(tenant_id, device_id, by)
        held = _held(credentials)
        device = held.managed_object
        # Where the new password was never used, the device is likely to hold the one before it.
        digest = held.previous_digest or held.digest
        held.delete()
        if device is not None and device.reported_at is None:
            device.delete()
        elif device is not None:
            ManagedObject.objects.filter(pk=device.pk).update(state=State.NONE)
        Tombstone.objects.update_or_create(
            tenant_id=tenant_id,
            device_id=device_id,
            defaults={
                "digest": digest,
                "deleted_at": timezone.now(),
                "deleted_by_name": by.name,
                "reason": reason[:MAX_REASON_LENGTH],
                "returned_at": None,
                "returned_from": "",
            },
        )
        DeviceEvent.record(
            DeviceEvent.Kind.DELETED, by=by, tenant_id=tenant_id, device_id=device_id, text=reason,
            managed_object=device if device is not None and device.pk else None,
        )  # fmt: skip
        quota.free_places(tenant_id)


def note_return(tombstone: Tombstone, *, by: Actor) -> None:
    """Note that a deleted device was heard of; the first time it leaves an event."""
    now = timezone.now()
    if tombstone.returned_at and now - tombstone.returned_at < USE_RESOLUTION:
        return  # a stranger who knocks all day must not make us write all day
    with transaction.atomic():
        noted = Tombstone.objects.filter(pk=tombstone.pk, returned_at=tombstone.returned_at).update(
            returned_at=now, returned_from=by.source
        )
        if noted and tombstone.returned_at is None:
            DeviceEvent.record(
                DeviceEvent.Kind.RETURNED, by=by, tenant_id=tombstone.tenant_id,
                device_id=tombstone.device_id,
            )  # fmt: skip


def note_knock(tenant: Tenant, device_id: str, *, by: Actor) -> None:
    """Note a knock with the ID of a deleted device.

    ``tenant`` is whose bootstrap account was used; the management tenant's serves all of them.
    """
    for tombstone in Tombstone.objects.for_tenant(tenant).filter(device_id=device_id):
        note_return(tombstone, by=by)


def returning(passwords: Mapping[tuple[str, str], str]) -> Tombstone | None:
    """Return the deleted device that still knows its last password, if one is among these.

    ``passwords`` are by tenant and device ID; a device that names no tenant is found by its ID.
    One look-up whatever was sent: a stranger learns nothing from how long it takes.
    """
    found = Tombstone.objects.filter(device_id__in={device_id for _, device_id in passwords})
    for tombstone in found:
        for tenant in (tombstone.tenant_id, ""):
            tried = passwords.get((tenant, tombstone.device_id))
            if tried is not None and digests_match(
                tombstone.digest, password_digest(tombstone.device_id, tried)
            ):
                return tombstone
    return None


def forget(tombstone: Tombstone, *, by: Actor) -> None:
    """Take a tombstone away: should the device come back, it is a new one.

    Raises:
        Tombstone.DoesNotExist: somebody else has, or the device was let in again.
    """
    with transaction.atomic():
        gone, _ = Tombstone.objects.filter(pk=tombstone.pk, tenant=tombstone.tenant_id).delete()
        if not gone:
            raise Tombstone.DoesNotExist
        audit.record(
            by, tombstone.tenant_id, audit.Type.CREDENTIALS, "Deleted device forgotten",
            subject=tombstone.device_id,
        )  # fmt: skip


def _held(credentials: DeviceCredentials) -> DeviceCredentials:
    """Return the login as it is now, held until the transaction ends.

    Raises:
        DeviceCredentials.DoesNotExist: somebody else has deleted it.
    """
    mine = DeviceCredentials.objects.filter(tenant=credentials.tenant_id)
    return (
        mine.select_for_update(of=("self",)).select_related("managed_object").get(pk=credentials.pk)
    )


def _record(
    kind: DeviceEvent.Kind, credentials: DeviceCredentials, by: Actor, *, text: str = ""
) -> None:
    DeviceEvent.record(
        kind,
        by=by,
        tenant_id=credentials.tenant_id,
        managed_object=credentials.managed_object,
        device_id=credentials.device_id,
        text=text,
    )
