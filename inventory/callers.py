"""The user behind a device's login, as the API sees it."""

from dataclasses import dataclass

from inventory.models import DeviceCredentials
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
