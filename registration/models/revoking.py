"""Passwords that were delivered and never used, made void."""

from typing import TYPE_CHECKING

from inventory import devices
from tenants import audit
from tenants.actors import Actor

if TYPE_CHECKING:
    from registration.models.registration import Registration


def revoke_unused(registration: "Registration", by: Actor) -> None:
    """Void the password of this hand-over, unless the device has come in with it."""
    unused = registration.credentials().filter(first_login_at__isnull=True)
    shells = list(unused.values_list("managed_object", flat=True))
    revoked, _ = unused.delete()
    devices.withdraw(shells)
    if revoked:
        audit.record(
            by,
            registration.tenant_id,
            audit.Type.CREDENTIALS,
            "Device credentials revoked",
            subject=registration.device_id,
            text="They were delivered and never used.",
        )
