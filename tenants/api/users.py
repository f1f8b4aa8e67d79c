"""REST endpoints about the accounts of the caller's tenant.

Source: Cumulocity REST, users. Device users are not among them; the app that has devices answers
for those at the same addresses.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse

from tenants import people
from tenants.administration import AdministrationError
from tenants.api import descriptions as says
from tenants.api.describing import described
from tenants.api.http import (
    ApiError,
    ApiRequest,
    api_view,
    read_object,
    respond,
    respond_page,
    self_url,
    validation_error,
)
from tenants.models import Authenticator, User
from tenants.roles import Role

READ = Role.USER_MANAGEMENT_READ
ADMIN = Role.USER_MANAGEMENT_ADMIN


@api_view(GET=READ)
def users(request: ApiRequest, tenant_id: str) -> HttpResponse:
    """List people and services by user name; ``username`` narrows to names that begin so."""
    rows = _accounts(request, tenant_id).order_by("username")
    prefix = request.GET.get("username", "")
    if prefix:
        rows = rows.filter(username__startswith=prefix) if "\x00" not in prefix else rows.none()
    return respond_page(
        request,
        rows,
        collection="users",
        kind="userCollection",
        represent=lambda user: _payload(request, user),
        count=rows.count,
    )


@described("Users", says.ONE_USER, says.TENANT_ID, says.USER_ID)
@api_view(GET=READ, PUT=ADMIN)
def user(request: ApiRequest, tenant_id: str, user_id: str) -> HttpResponse:
    """Read one account, or enable or disable it."""
    found = _accounts(request, tenant_id).filter(username=user_id).first()
    if found is None:
        raise not_found(user_id)
    if request.method == "PUT":
        _set_enabled(request, found)
        found = _accounts(request, tenant_id).filter(pk=found.pk).first()
        if found is None:  # deleted at the same moment
            raise not_found(user_id)
    return respond(request, _payload(request, found), "user")


def check_tenant(request: ApiRequest, tenant_id: str) -> None:
    """Let a caller look at users of the own tenant only; others are not there.

    Raises:
        ApiError: 404, it is another one.
    """
    if tenant_id != request.tenant.pk:
        raise ApiError(
            HTTPStatus.NOT_FOUND, "user/Not Found", f"Unable to find tenant by ID: {tenant_id}"
        )


def _accounts(request: ApiRequest, tenant_id: str) -> QuerySet[User]:
    check_tenant(request, tenant_id)
    factors = Authenticator.objects.filter(user=OuterRef("pk"), confirmed=True)
    return (
        User.objects.for_tenant(request.tenant)
        .annotate(has_second_factor=Exists(factors))
        .select_related("tenant")
        .prefetch_related("global_roles")
    )


def read_enabled(request: ApiRequest, shown: Mapping[str, Any]) -> bool:
    """Return ``enabled`` of a body whose other members come along as they were ``shown``.

    Raises:
        ApiError: 422, something else is to be changed, or it is not said.
    """
    body = read_object(request)
    for name, value in body.items():
        if name != "enabled" and (name not in shown or shown[name] != value):
            raise validation_error(f"Field {name} cannot be changed here; use the console.")
    if "enabled" not in body:
        raise validation_error("Following mandatory fields should be included: enabled")
    if not isinstance(body["enabled"], bool):
        raise validation_error("Field enabled must be true or false.")
    return body["enabled"]


def _set_enabled(request: ApiRequest, user: User) -> None:
    is_enabled = read_enabled(request, _payload(request, user))
    step = people.activate if is_enabled else people.deactivate
    try:
        step(user, by=request.actor)
    except User.DoesNotExist as error:
        raise not_found(user.username) from error
    except AdministrationError as error:
        raise ApiError(HTTPStatus.CONFLICT, "user/Conflict", str(error)) from error


def not_found(user_id: str) -> ApiError:
    """Return the refusal where there is no such user."""
    return ApiError(
        HTTPStatus.NOT_FOUND, "user/Not Found", f"Unable to find user by user ID: {user_id}"
    )


def _payload(request: ApiRequest, user: User) -> dict[str, Any]:
    this = ("user", user.tenant_id, "users", user.username)
    return {
        "id": user.username,
        "userName": user.username,
        "displayName": user.full_name,
        "email": user.email,
        "enabled": user.is_active,
        "shouldResetPassword": False,
        "twoFactorAuthenticationEnabled": user.has_second_factor,  # type: ignore[attr-defined]
        "groups": {
            "references": [_group(request, user, role) for role in user.global_roles.all()],
            "self": self_url(request, *this, "groups"),
        },
        "roles": {
            "references": [role_reference(request, role) for role in sorted(user.roles)],
            "self": self_url(request, *this, "roles"),
        },
        "devicePermissions": {},
        "customProperties": {},
        "self": self_url(request, *this),
    }


def role_reference(request: ApiRequest, role: str) -> dict[str, Any]:
    """Return a right as it stands among those of a user."""
    this = self_url(request, "user", "roles", role)
    return {"role": {"id": role, "name": role, "self": this}}


def _group(request: ApiRequest, user: User, role: Any) -> dict[str, Any]:
    this = self_url(request, "user", user.tenant_id, "groups", str(role.pk))
    return {"group": {"id": role.pk, "name": role.name, "self": this}}
