"""The rights of people and devices, by the names the REST contract gives them."""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """One right. Source: Cumulocity REST, roles of device control, options and users."""

    DEVICE_BOOTSTRAP = "ROLE_DEVICE_BOOTSTRAP"
    DEVICE_CONTROL_READ = "ROLE_DEVICE_CONTROL_READ"
    DEVICE_CONTROL_ADMIN = "ROLE_DEVICE_CONTROL_ADMIN"
    OPTION_MANAGEMENT_READ = "ROLE_OPTION_MANAGEMENT_READ"
    OPTION_MANAGEMENT_ADMIN = "ROLE_OPTION_MANAGEMENT_ADMIN"
    USER_MANAGEMENT_ADMIN = "ROLE_USER_MANAGEMENT_ADMIN"
    USER_MANAGEMENT_OWN_READ = "ROLE_USER_MANAGEMENT_OWN_READ"


# Administering includes reading: nobody has to be given both.
INCLUDES: Final[dict[Role, frozenset[Role]]] = {
    Role.DEVICE_CONTROL_ADMIN: frozenset({Role.DEVICE_CONTROL_READ}),
    Role.OPTION_MANAGEMENT_ADMIN: frozenset({Role.OPTION_MANAGEMENT_READ}),
}

READER: Final = (
    Role.DEVICE_CONTROL_READ,
    Role.OPTION_MANAGEMENT_READ,
    Role.USER_MANAGEMENT_OWN_READ,
)
OPERATOR: Final = (
    Role.DEVICE_CONTROL_ADMIN,
    Role.OPTION_MANAGEMENT_READ,
    Role.USER_MANAGEMENT_OWN_READ,
)
ADMINISTRATOR: Final = (
    Role.DEVICE_CONTROL_ADMIN,
    Role.OPTION_MANAGEMENT_ADMIN,
    Role.USER_MANAGEMENT_ADMIN,
    Role.USER_MANAGEMENT_OWN_READ,
)
BOOTSTRAP: Final = (Role.DEVICE_BOOTSTRAP,)
DEVICE: Final = (Role.USER_MANAGEMENT_OWN_READ,)


def effective_roles(roles: list[str]) -> frozenset[str]:
    """Return ``roles`` with everything they include."""
    known = {str(role) for role in roles}
    for role, included in INCLUDES.items():
        if role in known:
            known |= {str(one) for one in included}
    return frozenset(known)
