"""Devices that introduce themselves with a provisioning key.

Whoever has a key may make registrations of one device type in one tenant, so many and no more.
Whether the device is then let in says the type: an operator, or the key alone. An ID that somebody
else has, a device above all, is answered like one that nobody expects.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from inventory.device_types import matches_pattern, share_type
from inventory.locks import hold_id
from inventory.models import (
    Acceptance,
    DeviceCredentials,
    DeviceType,
    ManagedObject,
    Tombstone,
)
from registration import lifecycle, options
from registration.device_ids import clean_device_id
from registration.errors import (
    DeviceLimitReachedError,
    DevicePatternError,
    DuplicateError,
    PollRefusedError,
    TooManyIntroductionsError,
    TransitionError,
)
from registration.lifecycle import Status
from registration.models import ProvisioningKey, Registration
from registration.provisioning import note_used_up
from tenants.actors import Actor
from tenants.counting import count
from tenants.hashing import keyed_digest

ATTEMPTS: Final = 3  # while others do something to the same registration
RATE_WINDOW: Final = timedelta(minutes=1)


def knock(
    key: ProvisioningKey, device_id: str, *, token: str, device: Actor, by: Actor
) -> tuple[Registration, str]:
    """Answer a device that polls with a key: return its registration and its password.

    ``device`` is who knocks, ``by`` the key itself, which registers. The first poll never returns
    a password: credentials are there for a device that comes back.

    Raises:
        PollRefusedError: not yet; with the status that the device may be told.
        Registration.DoesNotExist: it is not this key's to introduce, or the key is used up.
        DeviceIdError: nothing of this ID can be registered.
        DevicePatternError: no device of the key's type has such an ID.
        TooManyIntroductionsError: so many new devices came by the key lately.
    """
    for _ in range(ATTEMPTS):
        # Of the key's own tenant, also where that is the one that serves all of them.
        mine = Registration.objects.filter(tenant=key.tenant_id, device_id=device_id)
        registration = mine.select_related("tenant__parent").first()
        if registration is not None and _has_knocked(registration, key):
            return registration, registration.poll(token=token, device=device)
        with suppress(DuplicateError, TransitionError):  # somebody was faster: look again
            status = _introduce(key, registration, device_id, token=token, device=device, by=by)
            raise PollRefusedError(device_id, status)
    raise Registration.DoesNotExist


def _has_knocked(registration: Registration, key: ProvisioningKey) -> bool:
    is_of_type = registration.device_type_id == key.device_type_id
    return is_of_type and registration.status != Status.WAITING_FOR_CONNECTION


def _introduce(
    key: ProvisioningKey,
    registration: Registration | None,
    device_id: str,
    *,
    token: str,
    device: Actor,
    by: Actor,
) -> Status:
    """Let a device knock for the first time; return where that led."""
    is_announced = registration is not None and registration.device_type_id == key.device_type_id
    if not is_announced:
        # Looked at before anything else, so that the answer does not tell whose the ID is.
        device_id = clean_device_id(device_id)
        if not matches_pattern(key.device_type, device_id):
            raise DevicePatternError(device_id, key.device_type.name)
    if key.is_used_up or not _is_free(key, registration, device_id):
        raise Registration.DoesNotExist
    if registration is None:
        _count_introduction(key)
    reason = f"It came by the provisioning key “{key}”."
    try:
        with transaction.atomic():
            hold_id(device_id)
            if registration is None and not _is_free(key, registration, device_id):
                raise Registration.DoesNotExist  # it came in by another door meanwhile
            device_type = share_type(key.device_type)
            if not device_type.has_provisioning_keys:
                raise Registration.DoesNotExist
            is_new = registration is None
            if registration is None:
                registration = _registered(key, device_type, device_id, by=by)
            status = registration.introduce(device_type, token=token, device=device, reason=reason)
            _take_place(key, by)
            if is_new or is_announced:
                _let_in_by_rule(registration, device_type, token=token, by=by)
    except DeviceType.DoesNotExist as error:
        raise Registration.DoesNotExist from error
    return status


def _is_free(key: ProvisioningKey, registration: Registration | None, device_id: str) -> bool:
    """Say whether the ID is waited for without another type, or nobody has it at all.

    The device that a login belongs to, or an object, is there already; nobody gets a second login
    by its serial number. A device that was deleted is gone, and may knock anew.
    """
    if registration is not None:
        is_waited_for = registration.status == Status.WAITING_FOR_CONNECTION
        return is_waited_for and registration.device_type_id in {None, key.device_type_id}
    if Registration.objects.filter(device_id=device_id).exists():
        return False
    if DeviceCredentials.objects.filter(device_id=device_id).exists():
        return False
    there = ManagedObject.objects.for_tenant(key.tenant).filter(device_id=device_id)
    return not there.exists() or Tombstone.objects.of(key.tenant_id, device_id).exists()


def _count_introduction(key: ProvisioningKey) -> None:
    """Count a new device against the rate of the key.

    Raises:
        TooManyIntroductionsError: it is one too many.
    """
    number, seconds = count(keyed_digest("introductions", str(key.pk)), RATE_WINDOW)
    if number > settings.PROVISIONING_RATE:
        raise TooManyIntroductionsError(seconds)


def _registered(
    key: ProvisioningKey, device_type: DeviceType, device_id: str, *, by: Actor
) -> Registration:
    """Register a device that nobody has announced.

    Raises:
        DuplicateError: somebody has done so meanwhile.
    """
    registration = Registration(
        tenant=key.tenant,
        device_id=device_id,
        status=Status.WAITING_FOR_CONNECTION,
        device_type=device_type,
        created_by_name=by.name,
    )
    registration.enter(by=by)
    return registration


def _take_place(key: ProvisioningKey, by: Actor) -> None:
    """Count the device among those of the key.

    Raises:
        Registration.DoesNotExist: there is no place left, or the key does not count any more.
    """
    if not key.take_place():
        raise Registration.DoesNotExist
    key.refresh_from_db(fields=["used", "max_devices"])
    if key.is_used_up:
        note_used_up(key, by=by)


def _let_in_by_rule(
    registration: Registration, device_type: DeviceType, *, token: str, by: Actor
) -> None:
    """Accept a device whose type says that the key is enough, unless a person has to decide.

    A person decides about a device that was deleted and comes back, one that has a login, where
    a security token is required, and where the tenant has no place left.
    """
    if device_type.acceptance != Acceptance.AUTOMATIC:
        return
    if registration.status != Status.PENDING_ACCEPTANCE:
        return
    if not lifecycle.may_accept_by_itself(options.token_policy(registration.tenant)):
        return
    if registration.is_returning or registration.credentials().exists():
        return
    with suppress(DeviceLimitReachedError):
        registration.accept(
            by=by, token=token, reason=f"Devices of {device_type} are accepted automatically."
        )
