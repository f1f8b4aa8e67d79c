"""Devices signing in with what they were given; the first time closes their hand-over."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils import timezone

from inventory.models import DeviceCredentials
from registration.models import Registration
from tenants.actors import Actor
from tenants.backends import DEVICE_PREFIX
from tenants.models import Tenant
from tenants.roles import DEVICE, Role, effective_roles


@dataclass(frozen=True)
class DeviceUser:
    """The user behind a device's login."""

    credentials: DeviceCredentials

    @property
    def username(self) -> str:
        """Return the user name, without the tenant."""
        return self.credentials.username

    @property
    def tenant(self) -> Tenant:
        """Return the tenant the device belongs to."""
        return self.credentials.tenant

    @property
    def effective_roles(self) -> frozenset[str]:
        """Return what a device may do."""
        return effective_roles([str(role) for role in DEVICE])

    def has_role(self, role: Role) -> bool:
        """Say whether a device has ``role``."""
        return role in self.effective_roles


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
                _first_login(request, credentials)
                return DeviceUser(credentials)
    return None


def _first_login(request: HttpRequest, credentials: DeviceCredentials) -> None:
    if credentials.first_login_at is not None:
        return
    for registration in Registration.objects.filter(
        device_id=credentials.device_id, tenant=credentials.tenant
    ):
        registration.confirm(device=Actor.of(request, credentials.username))
    DeviceCredentials.objects.filter(pk=credentials.pk, first_login_at__isnull=True).update(
        first_login_at=timezone.now()
    )
