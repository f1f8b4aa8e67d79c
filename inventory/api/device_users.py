"""REST endpoints about the users that devices log in with.

People and services are the tenants' part. One address serves both; the query, or the name, says
who is meant.
Source: Cumulocity REST, users and the user of a managed object.
"""

import unicodedata
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from inventory import logins
from inventory.api import descriptions as says
from inventory.fields import starts_with
from inventory.models import MAX_ID_DIGITS, DeviceCredentials, ManagedObject
from tenants.api import users as people
from tenants.api.describing import described
from tenants.api.descriptions import TENANT_ID, USERS
from tenants.api.http import (
    ApiError,
    ApiRequest,
    api_view,
    respond,
    respond_page,
    self_url,
)
from tenants.roles import DEVICE, Role
from tenants.usernames import DEVICE_PREFIX

SEE: Final = (Role.USER_MANAGEMENT_READ, Role.DEVICE_CONTROL_READ)
CHANGE: Final = (Role.USER_MANAGEMENT_ADMIN, Role.DEVICE_CONTROL_ADMIN)
OWN: Final = Role.USER_MANAGEMENT_OWN_READ  # which devices have


@described("Users", USERS, TENANT_ID)
@csrf_exempt
def users(request: HttpRequest, tenant_id: str) -> HttpResponse:
    """List people and services, or device users where ``onlyDevices`` asks for them."""
    only_devices = request.GET.get("onlyDevices", "").lower() == "true"
    answer: HttpResponse = (device_users if only_devices else people.users)(request, tenant_id)
    return answer


# Either gate asks for the same.
users.required_roles = people.users.required_roles  # type: ignore[attr-defined]


@api_view(GET=people.READ)
def device_users(request: ApiRequest, tenant_id: str) -> HttpResponse:
    """List device users by name; ``username`` narrows to names that begin so."""
    rows = _of_tenant(request, tenant_id).order_by("device_id")
    prefix = request.GET.get("username", "")
    if prefix.startswith(DEVICE_PREFIX) and "\x00" not in prefix:
        rows = rows.filter(starts_with("device_id", prefix.removeprefix(DEVICE_PREFIX)))
    elif not DEVICE_PREFIX.startswith(prefix):
        rows = rows.none()
    return respond_page(
        request,
        rows,
        collection="users",
        kind="userCollection",
        represent=lambda credentials: _user(request, credentials),
        count=rows.count,
    )


@described("Users", says.DEVICE_USER, TENANT_ID, says.DEVICE_ID)
@api_view(GET=(*SEE, OWN), PUT=CHANGE, DELETE=CHANGE)
def device_user(request: ApiRequest, tenant_id: str, device_id: str) -> HttpResponse:
    """Read the user of one device, enable or disable it, or delete it; a device reads its own."""
    device_id = unicodedata.normalize("NFC", device_id)
    name = DeviceCredentials.login_name(device_id)
    if not _has_any(request, SEE):
        _check_own(is_own=(tenant_id, name) == (request.tenant.pk, request.caller.username))
    try:
        credentials = _of_tenant(request, tenant_id).get(device_id=device_id)
        if request.method == "DELETE":
            logins.delete_login(credentials, by=request.actor)
            return HttpResponse(status=HTTPStatus.NO_CONTENT)
        if request.method == "PUT":
            _set_enabled(request, credentials, _user(request, credentials))
    except DeviceCredentials.DoesNotExist as error:  # or deleted at the same moment
        raise people.not_found(name) from error
    return respond(request, _user(request, credentials), "user")


@described("Inventory", says.USER_OF_OBJECT, says.OBJECT_ID)
@api_view(GET=(*SEE, Role.INVENTORY_READ, OWN), PUT=CHANGE)
def user_of_object(request: ApiRequest, object_id: str) -> HttpResponse:
    """Read the login of a device by its object, or enable or disable it."""
    number = int(object_id) if _is_number(object_id) else 0
    logins_here = DeviceCredentials.objects.for_tenant(request.tenant).filter(managed_object=number)
    if not _has_any(request, (*SEE, Role.INVENTORY_READ)):
        names = {each.username for each in logins_here}
        _check_own(is_own=request.caller.username in names)
    if not ManagedObject.objects.for_tenant(request.tenant).reported().filter(pk=number).exists():
        raise ApiError(
            HTTPStatus.NOT_FOUND,
            "inventory/Not Found",
            f"Finding device data from database failed : No managedObject for id '{object_id}'!",
        )
    try:
        found = logins_here.get()
        if request.method == "PUT":
            _set_enabled(request, found, _user_of_object(request, number, found))
    except DeviceCredentials.DoesNotExist as error:
        raise ApiError(
            HTTPStatus.NOT_FOUND, "user/Not Found", f"Device {object_id} has no user."
        ) from error
    return respond(request, _user_of_object(request, number, found), "managedObjectUser")


def _of_tenant(request: ApiRequest, tenant_id: str) -> QuerySet[DeviceCredentials]:
    people.check_tenant(request, tenant_id)
    return DeviceCredentials.objects.for_tenant(request.tenant)


def _has_any(request: ApiRequest, roles: tuple[Role, ...]) -> bool:
    return any(request.caller.has_role(role) for role in roles)


def _check_own(*, is_own: bool) -> None:
    """Let a device look at itself; it does not even learn whether another one is there."""
    if not is_own:
        raise ApiError(HTTPStatus.FORBIDDEN, "security/Forbidden", "Access is denied")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < MAX_ID_DIGITS


def _set_enabled(
    request: ApiRequest, credentials: DeviceCredentials, shown: Mapping[str, Any]
) -> None:
    """Enable or disable the login; other members may come along as they were shown.

    Raises:
        ApiError: 422 something else is to be changed.
        DeviceCredentials.DoesNotExist: somebody else has deleted it.
    """
    is_enabled = people.read_enabled(request, shown)
    step = logins.enable if is_enabled else logins.disable
    step(credentials, by=request.actor)
    credentials.is_enabled = is_enabled


def _user(request: ApiRequest, credentials: DeviceCredentials) -> dict[str, Any]:
    this = ("user", credentials.tenant_id, "users", credentials.username)
    return {
        "id": credentials.username,
        "userName": credentials.username,
        "enabled": credentials.is_enabled,
        "shouldResetPassword": False,
        "twoFactorAuthenticationEnabled": False,
        "groups": {"references": [], "self": self_url(request, *this, "groups")},
        "roles": {
            "references": [people.role_reference(request, role) for role in sorted(DEVICE)],
            "self": self_url(request, *this, "roles"),
        },
        "devicePermissions": {},
        "customProperties": {},
        "self": self_url(request, *this),
    }


def _user_of_object(
    request: ApiRequest, number: int, credentials: DeviceCredentials
) -> dict[str, Any]:
    return {
        "userName": credentials.username,
        "enabled": credentials.is_enabled,
        "self": self_url(request, "inventory", "managedObjects", str(number), "user"),
    }
