"""REST endpoints about tenants, their options and whoever is calling.

Source: Cumulocity REST, tenant options, login options, current tenant, current user.
"""

from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port

from tenants.api.http import (
    PUBLIC,
    ApiError,
    ApiRequest,
    absolute,
    api_view,
    read_object,
    respond,
    respond_page,
    self_url,
    text_field,
    validation_error,
)
from tenants.models import TenantOption
from tenants.options import OptionError, set_option
from tenants.roles import Role

READ = Role.OPTION_MANAGEMENT_READ
ADMIN = Role.OPTION_MANAGEMENT_ADMIN
SECRET_PREFIX = "credentials."  # noqa: S105 -- of keys whose values are never shown


@api_view(GET=PUBLIC)
def login_options(request: HttpRequest) -> HttpResponse:
    """Tell clients, before they sign in, how to: by Basic, which many take from the first entry."""
    this = absolute(request, "/tenant/loginOptions")
    basic = {
        "type": "BASIC",
        "userManagementSource": "INTERNAL",
        "grantType": "PASSWORD",
        "visibleOnLoginPage": True,
        "self": f"{this}/BASIC",
    }
    return respond(request, {"self": this, "loginOptions": [basic]}, "loginOptionCollection")


@api_view(GET=(Role.USER_MANAGEMENT_OWN_READ,))
def current_tenant(request: ApiRequest) -> HttpResponse:
    """Describe the caller's tenant; ``name`` is its ID."""
    tenant = request.tenant
    payload: dict[str, Any] = {
        "name": tenant.id,
        "domainName": tenant.domain or split_domain_port(request.get_host())[0],
        "allowCreateTenants": tenant.is_management,
        "customProperties": {},
        "applications": {"references": []},
        "self": self_url(request, "tenant", "currentTenant"),
    }
    if request.GET.get("withParent", "").lower() == "true" and tenant.parent:
        payload["parent"] = tenant.parent.id
    return respond(request, payload, "currentTenant")


@api_view(GET=(Role.USER_MANAGEMENT_OWN_READ,))
def current_user(request: ApiRequest) -> HttpResponse:
    """Describe the caller; devices call this to see whether their new login works."""
    caller = request.caller
    roles = [
        {"id": role, "name": role, "self": self_url(request, "user", "roles", role)}
        for role in sorted(caller.effective_roles)
    ]
    payload = {
        "id": caller.username,
        "userName": caller.username,
        "effectiveRoles": roles,
        "shouldResetPassword": False,
        "devicePermissions": {},
        "self": self_url(request, "user", "currentUser"),
    }
    return respond(request, payload, "currentUser")


@api_view(GET=READ, POST=ADMIN)
def options(request: ApiRequest) -> HttpResponse:
    """List the tenant's own options, or set one."""
    if request.method == "POST":
        body = read_object(request)
        option = _set(
            request,
            text_field(body, "category", required=True) or "",
            text_field(body, "key", required=True) or "",
            body,
        )
        # 200, not 201: the contract treats this as setting, not creating.
        return respond(request, _payload(request, option), "option")
    own = TenantOption.objects.for_tenant(request.tenant)
    return respond_page(
        request,
        own,
        collection="options",
        kind="optionCollection",
        represent=lambda option: _payload(request, option),
        count=own.count,
    )


@api_view(GET=READ, PUT=ADMIN)
def category(request: ApiRequest, category: str) -> HttpResponse:
    """Read or set all options of a category, as a flat map of key to value."""
    if request.method == "PUT":
        body = read_object(request)
        with transaction.atomic():
            for key, value in body.items():
                _set(request, category, key, {"value": value})
    own = TenantOption.objects.for_tenant(request.tenant).filter(category=category)
    return respond(request, {one.key: _shown(one) for one in own}, "option")


@api_view(GET=READ, PUT=ADMIN, DELETE=ADMIN)
def option(request: ApiRequest, category: str, key: str) -> HttpResponse:
    """Read, set or delete one option."""
    if request.method == "PUT":
        return respond(
            request,
            _payload(request, _set(request, category, key, read_object(request))),
            "option",
        )
    found = (
        TenantOption.objects.for_tenant(request.tenant).filter(category=category, key=key).first()
    )
    if found is None:
        raise ApiError(
            HTTPStatus.NOT_FOUND, "options/Not Found", f"Unable to find option by key: {key}"
        )
    if request.method == "DELETE":
        found.delete()
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return respond(request, _payload(request, found), "option")


def _set(request: ApiRequest, category: str, key: str, body: dict[str, Any]) -> TenantOption:
    if body.get("value") is None:
        raise validation_error("Following mandatory fields should be included: value")
    try:
        return set_option(request.tenant, category, key, body["value"], by=request.actor)
    except OptionError as error:
        raise validation_error(str(error)) from error


def _payload(request: ApiRequest, option: TenantOption) -> dict[str, Any]:
    return {
        "category": option.category,
        "key": option.key,
        "value": _shown(option),
        "self": self_url(request, "tenant", "options", option.category, option.key),
    }


def _shown(option: TenantOption) -> str:
    return "<<Encrypted>>" if option.key.startswith(SECRET_PREFIX) else option.value
