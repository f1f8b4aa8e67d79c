"""What a reader of the API documentation is told before the first endpoint."""

from typing import Any, Final

INTRODUCTION: Final = """\
Everything that can be done by HTTP: the endpoints of Cumulocity's device registration and
inventory, which published clients use unmodified, and the operations API for factories.

**To try it out**, press *Authorize* and give a login or an API token, then *Try it out* at an
endpoint. API tokens are made in the console, on the page *Profile*. What you send is done for real,
in the tenant of the login.

**Bodies** are JSON. A `POST` or `PUT` without an `Accept` header is answered without a body, except
where credentials are handed over, and in the operations API. `X-HTTP-METHOD: PUT` on a `POST`
stands for the method.

**Lists** take `currentPage` and `pageSize`, those of the operations API `limit` and `cursor`. What
belongs to another tenant is answered 404, like what is not there. A slash in an ID is sent as
`%2F`.
"""

# In the order in which they are shown.
AREAS: Final[dict[str, str]] = {
    "Device registration": "Expect a device, accept it, hand over its credentials.",
    "Bulk registration": "Many devices by one file.",
    "Operations": "Device types, and sets of device IDs with their secrets.",
    "Inventory": "Devices, groups and whatever else is kept about them.",
    "Identity": "The IDs by which devices find their own object.",
    "Users": "Accounts of people, services and devices.",
    "Tenants": "Subtenants, and the own tenant.",
    "Options": "Settings of a tenant, and of the platform.",
    "Audit": "Who did what.",
    "Documentation": "What you are reading.",
}

SECURITY_SCHEMES: Final[dict[str, Any]] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API token, `ght_…`, made in the console on the page *Profile*.",
    },
    "person": {
        "type": "http",
        "scheme": "basic",
        "description": (
            "A person or a service: `tenant/user` and the password, such as `management/admin`. "
            "An API token may stand in place of the password."
        ),
    },
    "device": {
        "type": "http",
        "scheme": "basic",
        "description": "A device that was let in: `tenant/device_<ID>` and its own password.",
    },
    "bootstrap": {
        "type": "http",
        "scheme": "basic",
        "description": (
            "A device that has no credentials yet: `management/devicebootstrap`, the bootstrap "
            "account of a tenant, or a provisioning key."
        ),
    },
}
