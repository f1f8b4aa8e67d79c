"""REST endpoints about tenant options.

Source: Cumulocity REST, tenant options.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.http import HttpResponse

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
from tenants.models import TenantOption
from tenants.options import NotEditableError, OptionError, clear_option, set_option
from tenants.roles import Role

READ = Role.OPTION_MANAGEMENT_READ
ADMIN = Role.OPTION_MANAGEMENT_ADMIN


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
    return respond(request, {one.key: one.shown for one in own}, "option")


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
        with option_refusals():
            clear_option(request.tenant, category, key, by=request.actor)
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return respond(request, _payload(request, found), "option")


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
    return {
        "category": option.category,
        "key": option.key,
        "value": option.shown,
        "self": self_url(request, "tenant", "options", option.category, option.key),
    }
