"""Devices signing in with what they were given; the first time closes their hand-over."""

from collections.abc import Iterable, Mapping

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from inventory.callers import DeviceUser
from inventory.guessing import admits, note_unknown
from inventory.logins import note_return, note_use, returning, show_state
from inventory.models import DeviceCredentials
from registration.models import Registration
from tenants.actors import Actor
from tenants.usernames import DEVICE_PREFIX


def authenticate_device(
    request: HttpRequest, _header: str, logins: list[tuple[str, str]]
) -> DeviceUser | None:
    """Return the device behind a Basic header, which may be read in several ways."""
    passwords: dict[tuple[str, str], str] = {}
    for login, password in logins:
        tenant, slash, name = login.rpartition("/")
        if name.startswith(DEVICE_PREFIX) and bool(tenant) == bool(slash):
            passwords[tenant, name.removeprefix(DEVICE_PREFIX)] = password
    if not passwords:
        return None
    found = DeviceCredentials.objects.select_related("tenant").filter(
        device_id__in=[device_id for _, device_id in passwords]
    )
    tries = _tries(found, passwords)
    # A deleted device that knows its last password is no stranger who guesses.
    is_right = any(is_right for _, _, is_right in tries)
    gone = None if is_right else returning(passwords)
    if not tries and gone is None:
        note_unknown(request, *next(iter(passwords)))
    for credentials, password, is_right in tries:
        if admits(request, credentials, is_right=is_right):
            if not _has_logged_in(request, credentials):
                return None
            by = Actor.of(request, credentials.username)
            note_use(credentials, password, by=by)
            return DeviceUser(credentials)
    if gone is not None:
        note_return(gone, by=Actor.of(request, DeviceCredentials.login_name(gone.device_id)))
    return None


def _tries(
    found: Iterable[DeviceCredentials], passwords: Mapping[tuple[str, str], str]
) -> list[tuple[DeviceCredentials, str, bool]]:
    """Return the devices that may be meant, each with a password and whether it is right.

    A header that is right for one of them is no wrong one for the others.
    """
    tries = []
    for credentials in found:
        # A device that names no tenant is found by its ID, which is unique across all of them.
        for tenant in (credentials.tenant_id, ""):
            password = passwords.get((tenant, credentials.device_id))
            if password is None:
                continue
            if credentials.is_right(password):
                return [(credentials, password, True)]
            tries.append((credentials, password, False))
    return tries


def _has_logged_in(request: HttpRequest, credentials: DeviceCredentials) -> bool:
    """Close the hand-over at the first login; return False if the credentials went meanwhile.

    An operator may cancel the registration, open its hand-over again or disable the login in this
    very moment: then what the device holds is void, and it must not come in by it once more.
    """
    if credentials.first_login_at is not None:
        return True
    with transaction.atomic():
        # First the registration, then the credentials: everybody else locks in this order too.
        registration = (
            Registration.objects.for_tenant(credentials.tenant)
            .filter(device_id=credentials.device_id)
            .select_for_update()
            .first()
        )
        still_valid = DeviceCredentials.objects.filter(
            pk=credentials.pk, digest=credentials.digest, is_enabled=True
        ).update(first_login_at=timezone.now())
        if still_valid:
            credentials.refresh_from_db()
            if registration:
                registration.confirm(device=Actor.of(request, credentials.username))
            show_state(credentials)
    return bool(still_valid)
