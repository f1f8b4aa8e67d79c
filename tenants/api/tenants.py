"""REST endpoints about the tenants that a tenant looks after.

Source: Cumulocity REST, tenants.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse

from tenants import mail
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
    text_field,
    validation_error,
    wire_time,
)
from tenants.deletion import delete_tenant
from tenants.links import make_link
from tenants.models import OneTimeLink, Tenant, User
from tenants.models.tenant import TenantQuerySet
from tenants.roles import Role
from tenants.subtenants import (
    DEFAULT_ADMINISTRATOR,
    Administrator,
    InvalidTenantError,
    TenantError,
    TenantRightError,
    activate_tenant,
    change_tenant,
    create_tenant,
    suspend_tenant,
    with_administrators,
)
from ui.text import storable

READ = Role.TENANT_MANAGEMENT_READ
CREATE = Role.TENANT_MANAGEMENT_CREATE
UPDATE = Role.TENANT_MANAGEMENT_UPDATE
ADMIN = Role.TENANT_MANAGEMENT_ADMIN

# Members of the body, and what they are called here.
TEXTS: Final = {
    "company": "company",
    "domain": "domain",
    "contactName": "contact_name",
    "contactPhone": "contact_phone",
}
MEMBERS: Final = {
    **{ours: theirs for theirs, ours in TEXTS.items()},
    "device_limit": "deviceLimit",
    "allow_create_tenants": "allowCreateTenants",
    "admin_username": "adminName",
    "admin_email": "adminEmail",
}
ADMINISTRATOR_WANTED: Final = (
    "A tenant needs a first administrator: send adminName with adminPass, or adminEmail with "
    "sendPasswordResetEmail."
)


@described("Tenants", says.TENANTS)
@api_view(GET=READ, POST=CREATE)
def tenants(request: ApiRequest) -> HttpResponse:
    """List the subtenants, or create one."""
    if request.method == "POST":
        return _create(request)
    found = _visible(request).exclude(pk=request.tenant.pk)
    for name, lookup in (("company", "company__iexact"), ("parent", "parent"), ("domain", "")):
        wanted = storable(request.GET.get(name, ""))
        if wanted:
            found = found.filter(**{lookup or "domain": wanted if lookup else wanted.lower()})
    return respond_page(
        request,
        found.order_by("pk"),
        collection="tenants",
        kind="tenantCollection",
        represent=lambda tenant: _payload(request, tenant),
        count=found.count,
    )


def _create(request: ApiRequest) -> HttpResponse:
    body = read_object(request)
    if body.get("company") is None:
        raise validation_error("Following mandatory fields should be included: company")
    status = _status(body)
    administrator = _administrator(body)
    with tenant_refusals(), transaction.atomic():
        tenant, admin = create_tenant(
            request.tenant,
            _details(body),
            administrator,
            tenant_id=text_field(body, "id") or "",
            by=request.actor,
        )
        if status is Tenant.Status.SUSPENDED:
            suspend_tenant(tenant, by=request.actor)
    if administrator.password is None:
        make_link(request, admin, OneTimeLink.Purpose.INVITATION, by=request.actor)
    created = _visible(request).get(pk=tenant.pk)
    return respond(request, _payload(request, created), "tenant", status=HTTPStatus.CREATED)


def _administrator(body: Mapping[str, Any]) -> Administrator:
    """Return who is to run a new tenant; by a password, or by a link that is sent."""
    name, email = text_field(body, "adminName"), text_field(body, "adminEmail") or ""
    password = text_field(body, "adminPass")
    if password:
        if not name:
            raise validation_error(ADMINISTRATOR_WANTED)
        try:
            validate_password(password, User(username=name, email=email))
        except ValidationError as error:
            raise validation_error("adminPass: " + " ".join(error.messages)) from error
        return Administrator(name, email=email, password=password)
    if not (email and _flag(body, "sendPasswordResetEmail")):
        raise validation_error(ADMINISTRATOR_WANTED)
    if not mail.can_send():
        raise validation_error(
            "No mail server is set, so no link can be sent to adminEmail. Send adminName with "
            "adminPass, or create the tenant in the console, which shows the link."
        )
    return Administrator(name or DEFAULT_ADMINISTRATOR, email=email)


@described("Tenants", says.ONE_TENANT, says.TENANT_ID)
@api_view(GET=READ, PUT=UPDATE, DELETE=ADMIN)
def tenant(request: ApiRequest, tenant_id: str) -> HttpResponse:
    """Read, change or delete one of the tenants that the caller's tenant looks after."""
    found = _visible(request).filter(pk=tenant_id).first()
    if found is None:
        raise _not_found(tenant_id)
    try:
        with tenant_refusals():
            if request.method == "DELETE":
                delete_tenant(found, by=request.actor)
                return HttpResponse(status=HTTPStatus.NO_CONTENT)
            if request.method == "PUT":
                _change(request, found)
    except Tenant.DoesNotExist as error:  # somebody else deleted it meanwhile
        raise _not_found(tenant_id) from error
    return respond(request, _payload(request, found), "tenant")


def _change(request: ApiRequest, tenant: Tenant) -> None:
    """Change what the body names; what a client reads and sends back unchanged is welcome."""
    body = read_object(request)
    for name, value in (("id", tenant.pk), ("parent", tenant.parent_id)):
        if body.get(name, value) != value:
            raise validation_error(f"The {name} of a tenant cannot be changed.")
    if body.get("adminPass") is not None:
        raise validation_error("A password is changed by whom it belongs to, not here.")
    status = _status(body)
    with transaction.atomic():
        change_tenant(tenant, _details(body), by=request.actor)
        if status is Tenant.Status.SUSPENDED:
            suspend_tenant(tenant, by=request.actor)
        elif status is Tenant.Status.ACTIVE:
            activate_tenant(tenant, by=request.actor)


def _visible(request: ApiRequest) -> TenantQuerySet:
    return with_administrators(Tenant.objects.for_tenant(request.tenant))


def _not_found(tenant_id: str) -> ApiError:
    return ApiError(
        HTTPStatus.NOT_FOUND, "security/Not Found", f"There is no tenant with id = {tenant_id}"
    )


@contextmanager
def tenant_refusals() -> Iterator[None]:
    """Say what a rule of tenants refuses in the contract's words."""
    try:
        yield
    except InvalidTenantError as error:
        field = MEMBERS.get(error.field, error.field)
        raise validation_error(f"{field}: {error}" if field else str(error)) from error
    except TenantRightError as error:
        raise ApiError(HTTPStatus.FORBIDDEN, "security/Forbidden", str(error)) from error
    except TenantError as error:
        raise ApiError(HTTPStatus.CONFLICT, "tenant/Conflict", str(error)) from error


# --- Reading and answering --------------------------------------------------------------------


def _details(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``body`` says about a tenant, by our names; what it leaves out stays."""
    details: dict[str, Any] = {
        ours: text_field(body, theirs) or "" for theirs, ours in TEXTS.items() if theirs in body
    }
    if "deviceLimit" in body:
        limit = body["deviceLimit"]
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int)):
            raise validation_error("Field deviceLimit must be a whole number, or null.")
        details["device_limit"] = limit
    if body.get("allowCreateTenants") is not None:
        details["allow_create_tenants"] = _flag(body, "allowCreateTenants")
    return details


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise validation_error(f"Field {name} must be true or false.")
    return bool(value)


def _status(body: Mapping[str, Any]) -> Tenant.Status | None:
    text = text_field(body, "status")
    if text is None:
        return None
    if text not in Tenant.Status.values:
        raise validation_error(f"Field status must be one of {', '.join(Tenant.Status.values)}.")
    return Tenant.Status(text)


def _payload(request: ApiRequest, tenant: Tenant) -> dict[str, Any]:
    first = next(iter(tenant.administrators), None)  # type: ignore[attr-defined]
    return {
        "id": tenant.pk,
        "self": self_url(request, "tenant", "tenants", tenant.pk),
        "domain": tenant.domain,
        "company": tenant.company,
        "contactName": tenant.contact_name,
        "contactPhone": tenant.contact_phone,
        "adminName": first.username if first else "",
        "adminEmail": first.email if first else "",
        "status": tenant.status,
        "creationTime": wire_time(tenant.created_at),
        "allowCreateTenants": tenant.may_own_tenants,
        "deviceLimit": tenant.device_limit,
        "customProperties": {},
        "applications": {"references": []},
        "ownedApplications": {"references": []},
        **({"parent": tenant.parent_id} if tenant.parent_id else {}),
    }
