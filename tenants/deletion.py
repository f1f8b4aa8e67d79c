"""Deleting a tenant with everything it has; the audit log keeps its records."""

import logging
from typing import Final

from django.db import IntegrityError, OperationalError, transaction

from tenants import audit
from tenants.actors import Actor
from tenants.holdings import remove_all, what_goes_with
from tenants.models import MANAGEMENT, Tenant
from tenants.subtenants import DELETED, TenantError, TenantRightError, facts_of, suspend_tenant

logger = logging.getLogger("gatehouse.tenants")

ATTEMPTS: Final = 3  # at a deletion that comes into somebody's way


def check_deletable(tenant: Tenant, *, by: Actor) -> None:
    """Refuse a deletion that must not be.

    Raises:
        TenantRightError: only the management tenant deletes.
        TenantError: this tenant must stay, or others must go before.
    """
    if tenant.is_management:
        raise TenantError("The management tenant runs this Gatehouse; it cannot be deleted.")
    if by.user is not None and by.user.tenant_id != MANAGEMENT:
        raise TenantRightError(
            "Only the management tenant deletes tenants. You can suspend this one instead."
        )
    below = list(tenant.subtenants.order_by("pk").values_list("pk", flat=True)[:4])
    if below:
        named = ", ".join(below[:3]) + (", …" if len(below) > 3 else "")
        msg = f"Tenant {tenant} has subtenants ({named}). Delete these first."
        raise TenantError(msg)


def delete_tenant(tenant: Tenant, *, by: Actor) -> None:
    """Delete ``tenant`` with everything it has, for good; the audit log keeps its records.

    It is suspended first, so that nothing new comes in while it is taken apart. What somebody
    was doing there at that very moment may come in the way; then it is tried again.

    Raises:
        TenantRightError, TenantError: as :func:`check_deletable` says.
    """
    check_deletable(tenant, by=by)
    suspend_tenant(tenant, by=by)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _remove(tenant, by=by)
        except (IntegrityError, OperationalError) as error:
            if attempt == ATTEMPTS:
                msg = f"Something is being done in tenant {tenant} right now. Try again."
                raise TenantError(msg) from error
            logger.info("A deletion is tried again: %s", type(error).__name__)
        else:
            return


def _remove(tenant: Tenant, *, by: Actor) -> None:
    """Remove the rows, the tenant's own last: everybody else locks in this order too."""
    with transaction.atomic():
        gone = what_goes_with(tenant)
        remove_all(tenant)
        row = Tenant.objects.select_for_update().get(pk=tenant.pk)
        check_deletable(row, by=by)
        audit.record(
            by,
            row.pk,
            audit.Type.TENANT,
            DELETED,
            subject=row.pk,
            text=", ".join(f"{number:,} {label}" for label, number in gone.items()),
            changes={name: (before, "") for name, before in facts_of(row).items()},
            severity=audit.Severity.WARNING,
        )
        row.delete()
