"""Where a registration can be moved to."""

from typing import TYPE_CHECKING

from registration.errors import MoveRefusedError
from tenants.models import Tenant

if TYPE_CHECKING:
    from registration.models.registration import Registration


def check_target(registration: "Registration", tenant: Tenant) -> Tenant:
    """Return the tenant to move to, held so that it cannot be suspended or deleted now.

    Raises:
        MoveRefusedError: the registration cannot go there; it says why.
    """
    name = f'"{registration.device_id}"'
    if not registration.is_movable:
        why = f"{name} has been accepted. Only a device that is not let in yet can be moved."
    elif tenant.pk == registration.tenant_id:
        why = f"{name} is in tenant {tenant.pk} already."
    elif registration.credentials().exists():
        why = f"{name} has credentials in tenant {registration.tenant_id}, so it cannot leave it."
    else:
        held = Tenant.objects.active().select_for_update(no_key=True).filter(pk=tenant.pk)
        target = held.first()
        if target:
            return target
        why = f"There is no active tenant with ID {tenant.pk}."
    raise MoveRefusedError(registration.device_id, registration.status, why)
