"""The rights of people and devices, by the names the REST contract gives them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """One right. Source: Cumulocity REST, roles."""

    DEVICE_BOOTSTRAP = "ROLE_DEVICE_BOOTSTRAP"
    DEVICE_CONTROL_READ = "ROLE_DEVICE_CONTROL_READ"
    DEVICE_CONTROL_ADMIN = "ROLE_DEVICE_CONTROL_ADMIN"
    DEVICE_TYPE_READ = "ROLE_DEVICE_TYPE_READ"
    DEVICE_TYPE_ADMIN = "ROLE_DEVICE_TYPE_ADMIN"
    INVENTORY_READ = "ROLE_INVENTORY_READ"
    INVENTORY_CREATE = "ROLE_INVENTORY_CREATE"
    INVENTORY_ADMIN = "ROLE_INVENTORY_ADMIN"
    IDENTITY_READ = "ROLE_IDENTITY_READ"
    IDENTITY_ADMIN = "ROLE_IDENTITY_ADMIN"
    OPTION_MANAGEMENT_READ = "ROLE_OPTION_MANAGEMENT_READ"
    OPTION_MANAGEMENT_ADMIN = "ROLE_OPTION_MANAGEMENT_ADMIN"
    USER_MANAGEMENT_READ = "ROLE_USER_MANAGEMENT_READ"
    USER_MANAGEMENT_ADMIN = "ROLE_USER_MANAGEMENT_ADMIN"
    USER_MANAGEMENT_OWN_READ = "ROLE_USER_MANAGEMENT_OWN_READ"
    TENANT_MANAGEMENT_READ = "ROLE_TENANT_MANAGEMENT_READ"
    TENANT_MANAGEMENT_CREATE = "ROLE_TENANT_MANAGEMENT_CREATE"
    TENANT_MANAGEMENT_UPDATE = "ROLE_TENANT_MANAGEMENT_UPDATE"
    TENANT_MANAGEMENT_ADMIN = "ROLE_TENANT_MANAGEMENT_ADMIN"
    AUDIT_READ = "ROLE_AUDIT_READ"
    AUDIT_ADMIN = "ROLE_AUDIT_ADMIN"


# What a person who gives out rights reads about each; nothing but these can be given.
DESCRIPTIONS: Final[dict[Role, str]] = {
    Role.DEVICE_CONTROL_READ: "See device registrations.",
    Role.DEVICE_CONTROL_ADMIN: "Register, accept, unblock and cancel devices.",
    Role.DEVICE_TYPE_READ: "See device types.",
    Role.DEVICE_TYPE_ADMIN: "Make device types, and provisioning keys for their devices.",
    Role.INVENTORY_READ: "See devices and groups.",
    Role.INVENTORY_CREATE: "Create devices through the API, and change one's own.",
    Role.INVENTORY_ADMIN: "Make groups, put devices into them, change and delete devices.",
    Role.IDENTITY_READ: "See external IDs through the API.",
    Role.IDENTITY_ADMIN: "Add and remove external IDs.",
    Role.OPTION_MANAGEMENT_READ: "See options, the security token policy among them.",
    Role.OPTION_MANAGEMENT_ADMIN: "Change options.",
    Role.USER_MANAGEMENT_READ: "See people, services and roles.",
    Role.USER_MANAGEMENT_ADMIN: "Invite people, give them roles, shut accounts.",
    Role.USER_MANAGEMENT_OWN_READ: "See the own account through the API.",
    Role.TENANT_MANAGEMENT_READ: "See subtenants.",
    Role.TENANT_MANAGEMENT_CREATE: "Create subtenants.",
    Role.TENANT_MANAGEMENT_UPDATE: "Change and suspend subtenants.",
    Role.TENANT_MANAGEMENT_ADMIN: "Create, change, suspend and delete subtenants.",
    Role.AUDIT_READ: "Read and export the audit log.",
    Role.AUDIT_ADMIN: "Read and export the audit log, which nobody can change.",
    Role.DEVICE_BOOTSTRAP: "Knock for devices that have no credentials yet. For services only.",
}

# Administering includes reading: nobody has to be given both.
INCLUDES: Final[dict[Role, frozenset[Role]]] = {
    Role.DEVICE_CONTROL_ADMIN: frozenset({Role.DEVICE_CONTROL_READ}),
    Role.DEVICE_TYPE_ADMIN: frozenset({Role.DEVICE_TYPE_READ}),
    Role.INVENTORY_ADMIN: frozenset({Role.INVENTORY_READ, Role.INVENTORY_CREATE}),
    Role.IDENTITY_ADMIN: frozenset({Role.IDENTITY_READ}),
    Role.OPTION_MANAGEMENT_ADMIN: frozenset({Role.OPTION_MANAGEMENT_READ}),
    Role.USER_MANAGEMENT_ADMIN: frozenset({Role.USER_MANAGEMENT_READ}),
    Role.TENANT_MANAGEMENT_CREATE: frozenset({Role.TENANT_MANAGEMENT_READ}),
    Role.TENANT_MANAGEMENT_UPDATE: frozenset({Role.TENANT_MANAGEMENT_READ}),
    Role.TENANT_MANAGEMENT_ADMIN: frozenset(
        {
            Role.TENANT_MANAGEMENT_READ,
            Role.TENANT_MANAGEMENT_CREATE,
            Role.TENANT_MANAGEMENT_UPDATE,
        }
    ),
    Role.AUDIT_ADMIN: frozenset({Role.AUDIT_READ}),
}
# These mean something only in a tenant that may own subtenants.
ABOUT_SUBTENANTS: Final = frozenset(
    {
        Role.TENANT_MANAGEMENT_READ,
        Role.TENANT_MANAGEMENT_CREATE,
        Role.TENANT_MANAGEMENT_UPDATE,
        Role.TENANT_MANAGEMENT_ADMIN,
    }
)

READER: Final = (
    Role.DEVICE_CONTROL_READ,
    Role.DEVICE_TYPE_READ,
    Role.INVENTORY_READ,
    Role.IDENTITY_READ,
    Role.OPTION_MANAGEMENT_READ,
    Role.USER_MANAGEMENT_OWN_READ,
)
OPERATOR: Final = (
    Role.DEVICE_CONTROL_ADMIN,
    Role.DEVICE_TYPE_READ,
    Role.INVENTORY_ADMIN,
    Role.IDENTITY_ADMIN,
    Role.OPTION_MANAGEMENT_READ,
    Role.USER_MANAGEMENT_OWN_READ,
)
ADMINISTRATOR: Final = (
    Role.DEVICE_CONTROL_ADMIN,
    Role.DEVICE_TYPE_ADMIN,
    Role.INVENTORY_ADMIN,
    Role.IDENTITY_ADMIN,
    Role.OPTION_MANAGEMENT_ADMIN,
    Role.USER_MANAGEMENT_ADMIN,
    Role.USER_MANAGEMENT_OWN_READ,
    Role.TENANT_MANAGEMENT_ADMIN,
    Role.AUDIT_ADMIN,
)
BOOTSTRAP: Final = (Role.DEVICE_BOOTSTRAP,)
# What a device makes is its own, and with that it may do everything.
DEVICE: Final = (Role.USER_MANAGEMENT_OWN_READ, Role.INVENTORY_CREATE)


@dataclass(frozen=True)
class Bundle:
    """A global role as every tenant gets it; each tenant may then change its own."""

    name: str
    description: str
    roles: tuple[Role, ...]


BUNDLES: Final = (
    Bundle(
        "administrator", "Runs the tenant: people, options and everything below.", ADMINISTRATOR
    ),
    Bundle("operator", "Registers devices and lets them in.", OPERATOR),
    Bundle("reader", "Looks, and changes nothing.", READER),
)
BUNDLE_NAMES: Final = frozenset(bundle.name for bundle in BUNDLES)


def effective_roles(roles: Iterable[str]) -> frozenset[str]:
    """Return ``roles`` with everything they include."""
    known = {str(role) for role in roles}
    for role, included in INCLUDES.items():
        if role in known:
            known |= {str(one) for one in included}
    return frozenset(known)
