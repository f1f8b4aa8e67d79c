"""Operations API: device types.

Source: Cirrent, Operations API.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from factory.api import descriptions as says
from factory.api.checking import flaws
from factory.api.gate import device_type_of, ops_view
from factory.api.reading import limit, read_cursor, read_object, write_cursor
from factory.api.refusals import ProblemError, invalid
from factory.api.shapes import CHANGED_DEVICE_TYPE, NEW_DEVICE_TYPE, Shape
from factory.devices import count_devices
from inventory import device_types
from inventory.device_types import TypeDetails
from inventory.errors import (
    DeviceTypeInUseError,
    DeviceTypeNameTakenError,
    InvalidDeviceTypeError,
    InventoryError,
)
from inventory.models import DeviceType
from tenants.api.describing import described
from tenants.api.gate import ApiRequest
from tenants.api.http import wire_time
from tenants.roles import Role
from ui.text import storable


@described(says.AREA, says.DEVICE_TYPES, refusals=says.PROBLEMS)
@ops_view(GET=Role.DEVICE_TYPE_READ, POST=Role.DEVICE_TYPE_ADMIN)
def types(request: ApiRequest) -> HttpResponse:
    """List the device types of the tenant by name, or make one."""
    if request.method == "POST":
        return _create(request)
    rows = DeviceType.objects.for_tenant(request.tenant)
    name = request.GET.get("name")
    if name is not None:
        rows = DeviceType.objects.for_tenant(request.tenant).named(request.tenant, storable(name))
    size = limit(request)
    after = read_cursor(request, str)
    if after is not None:
        rows = rows.filter(name_key__gt=after[0])
    found = list(rows.order_by("name_key")[: size + 1])
    shown = found[:size]
    counts = count_devices(shown)
    more = len(found) > size
    payload = {
        "device_types": [represent(each, counts) for each in shown],
        "next": write_cursor(shown[-1].name_key) if more else None,
    }
    return HttpResponse(json.dumps(payload), content_type="application/json")


@described(says.AREA, says.ONE_DEVICE_TYPE, says.DEVICE_TYPE_ID, refusals=says.PROBLEMS)
@ops_view(GET=Role.DEVICE_TYPE_READ, PATCH=Role.DEVICE_TYPE_ADMIN, DELETE=Role.DEVICE_TYPE_ADMIN)
def one_type(request: ApiRequest, device_type_id: str) -> HttpResponse:
    """Read, change or delete a device type."""
    device_type = device_type_of(request, device_type_id)
    try:
        if request.method == "DELETE":
            device_types.delete_type(device_type, by=request.actor)
            return HttpResponse(status=HTTPStatus.NO_CONTENT)
        if request.method == "PATCH":
            changes = _read(request, CHANGED_DEVICE_TYPE)
            details = TypeDetails(**{**asdict(TypeDetails.of(device_type)), **changes})
            device_type = device_types.change_type(device_type, details, by=request.actor)
    except InventoryError as error:
        raise _refusal(error) from error
    return _answer(device_type)


def represent(device_type: DeviceType, counts: Mapping[int, int]) -> dict[str, Any]:
    """Return a device type as JSON; ``counts`` are the devices of some, by their type's ID."""
    details = asdict(TypeDetails.of(device_type))
    return {
        "device_type_id": device_type.pk,
        **details,
        "device_id_pattern": device_type.device_id_pattern or None,
        "device_count": counts.get(device_type.pk, 0),
        "created_at": wire_time(device_type.created_at),
        "updated_at": wire_time(device_type.updated_at),
    }


def _create(request: ApiRequest) -> HttpResponse:
    details = TypeDetails(**_read(request, NEW_DEVICE_TYPE))
    try:
        made = device_types.create_type(request.tenant, details, by=request.actor)
    except InventoryError as error:
        raise _refusal(error) from error
    response = _answer(made, status=HTTPStatus.CREATED)
    response["Location"] = reverse("ops:device_type", args=[made.pk])
    return response


def _answer(device_type: DeviceType, *, status: int = HTTPStatus.OK) -> HttpResponse:
    payload = represent(device_type, count_devices([device_type]))
    return HttpResponse(json.dumps(payload), status=status, content_type="application/json")


def _read(request: ApiRequest, shape: Shape) -> dict[str, Any]:
    """Return the details in the body, as the inventory takes them.

    Raises:
        ProblemError: 422 some of them do not fit.
    """
    body = read_object(request)
    found = [flaw.as_error() for flaw in flaws(body, shape)]
    if found:
        raise invalid(found)
    if "device_id_pattern" in body:
        body["device_id_pattern"] = body["device_id_pattern"] or ""
    if "min_secret_length" in body:
        body["min_secret_length"] = int(body["min_secret_length"])  # it may be 8.0
    return body


def _refusal(error: InventoryError) -> ProblemError:
    if isinstance(error, InvalidDeviceTypeError):
        entry = {"pointer": f"#/{error.field}", "code": "invalid", "detail": str(error)}
        return invalid([entry])
    if isinstance(error, DeviceTypeNameTakenError):
        known: dict[str, Any] = {}
        if error.number is not None:
            known["device_type_id"] = error.number
        return ProblemError("name-taken", **known)
    if isinstance(error, DeviceTypeInUseError):
        return ProblemError("device-type-in-use", str(error))
    raise error
