"""Who may do what with which object; every look-up of the API goes through here.

``ROLE_INVENTORY_READ`` sees all objects of the tenant, ``ROLE_INVENTORY_ADMIN`` does everything.
``ROLE_INVENTORY_CREATE`` makes objects, and with those that are its own it may do everything.
Making groups needs ``ROLE_INVENTORY_ADMIN``, as it does in the console, and so does giving an
object to somebody else. External IDs are for ``ROLE_IDENTITY_READ`` and ``ROLE_IDENTITY_ADMIN``,
and for the owner of the object.

Source: Cumulocity REST, roles of inventory and identity.
"""

from collections.abc import Mapping
from typing import Any, Final

from inventory.api.refusals import no_external_id, no_object
from inventory.callers import DeviceUser
from inventory.models import ExternalId, ManagedObject
from inventory.models.managed_object import IS_GROUP, ManagedObjectQuerySet
from inventory.query import parse_id
from tenants.api.http import ApiRequest, denied
from tenants.roles import Role

# Who passes the gate; what they then may do with one object is decided below.
READERS: Final = (Role.INVENTORY_READ, Role.INVENTORY_CREATE)
MAKERS: Final = (Role.INVENTORY_ADMIN, Role.INVENTORY_CREATE)
IDENTITY_READERS: Final = (Role.IDENTITY_READ, Role.INVENTORY_CREATE)
IDENTITY_MAKERS: Final = (Role.IDENTITY_ADMIN, Role.INVENTORY_CREATE)
DELETERS_OF_LOGINS: Final = (Role.DEVICE_CONTROL_ADMIN, Role.USER_MANAGEMENT_ADMIN)


def device_of(request: ApiRequest) -> DeviceUser | None:
    """Return the caller if it is a device."""
    return request.caller if isinstance(request.caller, DeviceUser) else None


def owner_only(request: ApiRequest, role: Role = Role.INVENTORY_READ) -> str | None:
    """Return the user to whose objects the caller is confined, or None if it has ``role``."""
    return None if request.caller.has_role(role) else request.caller.username


def visible(request: ApiRequest) -> ManagedObjectQuerySet:
    """Return the objects that the caller may see."""
    objects = _objects(request)
    owner = owner_only(request)
    return objects if owner is None else objects.filter(owner=owner)


def readable(request: ApiRequest, object_id: str) -> ManagedObject:
    """Return an object that the caller may see, or refuse."""
    return _found(request, object_id, Role.INVENTORY_READ)


def changeable(request: ApiRequest, object_id: str) -> ManagedObject:
    """Return an object that the caller may change, or refuse."""
    return _found(request, object_id, Role.INVENTORY_ADMIN)


def named(request: ApiRequest, object_id: str, *, to_change: bool) -> ManagedObject:
    """Return an object whose external IDs the caller may see, or change; or refuse."""
    return _found(request, object_id, _about_identity(to_change=to_change))


def external_id(request: ApiRequest, kind: str, value: str, *, to_change: bool) -> ExternalId:
    """Return an external ID that the caller may see, or take away; or refuse."""
    found = (
        ExternalId.objects.for_tenant(request.tenant)
        .filter(type=kind, value=value, managed_object__reported_at__isnull=False)
        .select_related("managed_object")
        .first()
    )
    if found is None:
        raise no_external_id(kind, value)
    _check(request, found.managed_object, _about_identity(to_change=to_change))
    return found


def check_new(request: ApiRequest, body: Mapping[str, Any]) -> None:
    """Refuse an object that only an administrator may make."""
    check_owner(request, body, request.caller.username)
    if body.get(IS_GROUP) is not None and not request.caller.has_role(Role.INVENTORY_ADMIN):
        raise denied()


def check_owner(request: ApiRequest, body: Mapping[str, Any], owner: str) -> None:
    """Refuse to give away what belongs to ``owner``, unless an administrator does."""
    new = body.get("owner")
    gives_away = isinstance(new, str) and new not in {"", owner}
    if gives_away and not request.caller.has_role(Role.INVENTORY_ADMIN):
        raise denied()


def check_deleting_logins(request: ApiRequest) -> None:
    """Refuse a caller who may not delete the logins of devices; a device never may."""
    if not any(request.caller.has_role(role) for role in DELETERS_OF_LOGINS):
        raise denied()


def _about_identity(*, to_change: bool) -> Role:
    return Role.IDENTITY_ADMIN if to_change else Role.IDENTITY_READ


def _objects(request: ApiRequest) -> ManagedObjectQuerySet:
    return ManagedObject.objects.for_tenant(request.tenant).reported()


def _found(request: ApiRequest, object_id: str, role: Role) -> ManagedObject:
    number = parse_id(object_id)
    objects = _objects(request).select_related("tenant")
    found = None if number is None else objects.filter(pk=number).first()
    if found is None:
        raise no_object(object_id)
    _check(request, found, role)
    return found


def _check(request: ApiRequest, managed_object: ManagedObject, role: Role) -> None:
    owner = owner_only(request, role)
    if owner is not None and managed_object.owner != owner:
        raise denied()
