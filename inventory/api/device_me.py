"""What a device may ask about itself with the login it has, to see whether that works."""

import json
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse

from inventory.api.descriptions import DEVICE_ME
from inventory.callers import DeviceUser
from inventory.models import DeviceType
from tenants.api.describing import described
from tenants.api.http import ApiError, ApiRequest, api_view
from tenants.roles import Role


@described("Users", DEVICE_ME)
@api_view(GET=Role.USER_MANAGEMENT_OWN_READ)
def device_me(request: ApiRequest) -> HttpResponse:
    """Tell a device who it is: its tenant, its ID and its type.

    Whatever is wrong with its login, unknown, disabled or guessed at, the refusal is the same.
    """
    if not isinstance(request.caller, DeviceUser):  # a person, or a program
        raise ApiError(
            HTTPStatus.NOT_FOUND, "inventory/Not Found", "This is not the login of a device."
        )
    credentials = request.caller.credentials
    types = DeviceType.objects.for_tenant(request.tenant)
    device_type = types.filter(devices__credentials=credentials).first()
    payload: dict[str, Any] = {
        "tenant": credentials.tenant_id,
        "device_id": credentials.device_id,
        "device_type": device_type.name if device_type else None,
        "device_type_id": device_type.pk if device_type else None,
    }
    return HttpResponse(json.dumps(payload), content_type="application/json")
