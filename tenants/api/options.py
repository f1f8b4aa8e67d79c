"""REST endpoints about tenant options.

Source: Cumulocity REST, tenant options.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse

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
)
from tenants.models import Tenant, TenantOption
from tenants.options import (
    NotEditableError,
    OptionError,
    clear_option,
    inherited,
    known_option,
    known_options,
    set_editable,
    set_option,
)
from tenants.roles import Role
from ui.text import storable

READ = Role.OPTION_MANAGEMENT_READ
ADMIN = Role.OPTION_MANAGEMENT_ADMIN
ANYBODY = tuple(Role)  # who is signed in, with whatever right
EDITABLE = "/editable"  # behind the key of an option that is to be reserved or released


@described("Options", says.OPTIONS)
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


@described("Options", says.CATEGORY_OF_OPTIONS, says.CATEGORY)
@api_view(GET=READ, PUT=ADMIN)
def category(request: ApiRequest, category: str) -> HttpResponse:
    """Read or set all options of a category, as a flat map of key to value."""
    if request.method == "PUT":
        body = read_object(request)
        with transaction.atomic():
            for key, value in body.items():
                _set(request, category, key, {"value": value})
    own = TenantOption.objects.for_tenant(request.tenant).filter(category=category)
    return respond(request, {one.key: one.shown for one in own}, "option")


@described("Options", says.ONE_OPTION, says.CATEGORY, says.KEY)
@api_view(GET=READ, PUT=ADMIN, DELETE=ADMIN)
def option(request: ApiRequest, category: str, key: str) -> HttpResponse:
    """Read, set or delete one option; for the management tenant, reserve one of another tenant.

    A key may contain slashes, also one that ends in ``/editable``: such an address is taken for
    the reservation of the option before it only when it is a PUT that names a ``targetTenant``,
    or whose body has ``editable`` and no ``value``. ``?evaluate=inherited`` reads what would count
    if the tenant had no value of its own.
    """
    if request.method == "PUT":
        body = read_object(request)
        reserved = key.removesuffix(EDITABLE)
        says_editable = "editable" in body and "value" not in body
        if reserved != key and reserved and ("targetTenant" in request.GET or says_editable):
            return _reserve(request, category, reserved, body)
        return respond(request, _payload(request, _set(request, category, key, body)), "option")
    if request.method != "DELETE" and request.GET.get("evaluate") == "inherited":
        return _inherited(request, category, key)
    found = (
        TenantOption.objects.for_tenant(request.tenant).filter(category=category, key=key).first()
    )
    if found is None:
        raise _not_found(key)
    if request.method == "DELETE":
        with option_refusals():
            clear_option(request.tenant, category, key, by=request.actor)
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return respond(request, _payload(request, found), "option")


@described("Options", says.SYSTEM_OPTIONS)
@api_view(GET=ANYBODY)
def system_options(request: ApiRequest) -> HttpResponse:
    """List what the platform itself sets: its version, and the defaults of what it reads."""
    return respond(
        request,
        {"options": [_system(*names, value) for names, value in _platform().items()]},
        "optionCollection",
    )


@described("Options", says.SYSTEM_OPTION, says.CATEGORY, says.KEY)
@api_view(GET=ANYBODY)
def system_option(request: ApiRequest, category: str, key: str) -> HttpResponse:
    """Read one option of the platform; clients take it where their tenant has none."""
    value = _platform().get((category, key))
    if value is None:
        raise _not_found(key)
    return respond(request, _system(category, key, value), "option")


def _platform() -> dict[tuple[str, str], str]:
    defaults = {(each.category, each.key): each.default for each in known_options()}
    return {**defaults, ("system", "version"): settings.VERSION}


def _system(category: str, key: str, value: str) -> dict[str, str]:
    return {"category": category, "key": key, "value": value}


def _inherited(request: ApiRequest, category: str, key: str) -> HttpResponse:
    nearest, default = inherited(request.tenant, category, key)
    if nearest is None and known_option(category, key) is None:
        raise _not_found(key)
    value = nearest.shown if nearest else default
    return respond(request, {**_named(request, category, key), "value": value}, "option")


def _reserve(request: ApiRequest, category: str, key: str, body: dict[str, Any]) -> HttpResponse:
    """Say whether another tenant may change one of its options."""
    if not request.tenant.is_management:
        raise ApiError(HTTPStatus.FORBIDDEN, "security/Forbidden", "Access is denied")
    said = str(body.get("editable")).lower()
    target = storable(request.GET.get("targetTenant", ""))
    if said not in {"true", "false"} or not target:
        raise ApiError(
            HTTPStatus.BAD_REQUEST,
            "options/Bad Request",
            'Name the tenant by ?targetTenant=, and send {"editable": "true"} or "false".',
        )
    owner = Tenant.objects.for_tenant(request.tenant).filter(pk=target).first()
    own = TenantOption.objects.for_tenant(owner) if owner else TenantOption.objects.none()
    found = own.filter(category=category, key=key).first()
    if found is None:
        raise _not_found(key)
    try:
        set_editable(found, is_editable=said == "true", by=request.actor)
    except TenantOption.DoesNotExist as error:
        raise _not_found(key) from error
    return respond(request, {**_payload(request, found), "editable": said}, "option")


def _not_found(key: str) -> ApiError:
    return ApiError(
        HTTPStatus.NOT_FOUND, "options/Not Found", f"Unable to find option by key: {key}"
    )


def _set(request: ApiRequest, category: str, key: str, body: dict[str, Any]) -> TenantOption:
    if body.get("value") is None:
        raise validation_error("Following mandatory fields should be included: value")
    with option_refusals():
        return set_option(request.tenant, category, key, body["value"], by=request.actor)


@contextmanager
def option_refusals() -> Iterator[None]:
    """Say what a rule of options refuses in the contract's words."""
    try:
        yield
    except NotEditableError as error:
        raise ApiError(HTTPStatus.FORBIDDEN, "security/Forbidden", str(error)) from error
    except OptionError as error:
        raise validation_error(str(error)) from error


def _payload(request: ApiRequest, option: TenantOption) -> dict[str, Any]:
    return {**_named(request, option.category, option.key), "value": option.shown}


def _named(request: ApiRequest, category: str, key: str) -> dict[str, Any]:
    return {
        "category": category,
        "key": key,
        "self": self_url(request, "tenant", "options", category, key),
    }
