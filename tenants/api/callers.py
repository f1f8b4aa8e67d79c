"""REST endpoints about tenants, their options and whoever is calling.

Source: Cumulocity REST, tenant options, login options, current tenant, current user.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port

from tenants.api import descriptions as says
from tenants.api.describing import described
from tenants.api.http import (
    PUBLIC,
    ApiRequest,
    absolute,
    api_view,
    respond,
    self_url,
)
from tenants.roles import Role


@described("Tenants", says.LOGIN_OPTIONS)
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


@described("Tenants", says.CURRENT_TENANT)
@api_view(GET=(Role.USER_MANAGEMENT_OWN_READ,))
def current_tenant(request: ApiRequest) -> HttpResponse:
    """Describe the caller's tenant; ``name`` is its ID."""
    tenant = request.tenant
    payload: dict[str, Any] = {
        "name": tenant.id,
        "domainName": tenant.domain or split_domain_port(request.get_host())[0],
        "allowCreateTenants": tenant.may_own_tenants,
        "customProperties": {},
        "applications": {"references": []},
        "self": self_url(request, "tenant", "currentTenant"),
    }
    if request.GET.get("withParent", "").lower() == "true" and tenant.parent:
        payload["parent"] = tenant.parent.id
    return respond(request, payload, "currentTenant")


@described("Users", says.CURRENT_USER)
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
