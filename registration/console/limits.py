"""How near tenants are to their device limit, for those who let devices in."""

from tenants.models import Tenant

NAMED = 5  # tenants named at once; the management tenant finds the rest in its list of tenants


def near_limit(viewer: Tenant, *, only: Tenant | None = None) -> list[Tenant]:
    """Return the tenants that ``viewer`` should know to be at their limit or near it.

    For the management tenant these are all, the fullest first; ``only`` narrows that to one.
    """
    if viewer.is_management and only is None:
        return list(Tenant.objects.near_device_limit()[:NAMED])
    tenant = only if viewer.is_management and only else viewer
    return [tenant] if tenant.is_near_device_limit else []
