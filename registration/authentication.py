"""Devices signing in with what they were given; the first time closes their hand-over."""

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from inventory.callers import DeviceUser
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
    for credentials in found:
        # A device that names no tenant is found by its ID, which is unique across all of them.
        for tenant in (credentials.tenant_id, ""):
            tried = passwords.get((tenant, credentials.device_id))
            if tried is not None and credentials.check_password(tried):
                if not _has_logged_in(request, credentials):
                    return None
                by = Actor.of(request, credentials.username)
                note_use(credentials, tried, by=by)
                return DeviceUser(credentials)
    gone = returning(passwords)
    if gone is not None:
        note_return(gone, by=Actor.of(request, DeviceCredentials.login_name(gone.device_id)))
    return None


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
