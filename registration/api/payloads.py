"""Bodies of the registration endpoints, as they come in and as they go out."""

from dataclasses import dataclass
from typing import Any, Self

from django.http import HttpRequest

from inventory.models import MAX_ID_DIGITS
from registration.credentials import MAX_TOKEN_LENGTH
from registration.lifecycle import Status
from registration.models import Registration
from tenants.api.http import read_object, self_url, text_field, validation_error, wire_time

MAX_TYPE_LENGTH = 255  # characters


@dataclass(frozen=True)
class DeviceCredentialsPayload:
    """What a device says when it knocks."""

    device_id: str
    token: str

    @classmethod
    def read(cls, request: HttpRequest) -> Self:
        """Read a poll; an empty ID is no error of form, there just is no such registration."""
        body = read_object(request)
        device_id = text_field(body, "id", required=True) or ""
        return cls(device_id, _token(body))


@dataclass(frozen=True)
class NewRegistrationPayload:
    """What is needed to expect a device; members that we do not know are ignored."""

    device_id: str
    group_id: int | None
    tenant_id: str | None
    object_type: str
    custom_properties: dict[str, Any]

    @classmethod
    def read(cls, request: HttpRequest) -> Self:
        """Read the body of a new device request."""
        body = read_object(request)
        properties = body.get("customProperties") or {}
        if not isinstance(properties, dict):
            raise validation_error("Field customProperties must be an object.")
        object_type = text_field(body, "type") or ""
        if len(object_type) > MAX_TYPE_LENGTH:
            raise validation_error(f"Field type can have at most {MAX_TYPE_LENGTH} characters.")
        return cls(
            text_field(body, "id", required=True) or "",
            _group_id(body),
            text_field(body, "tenantId"),
            object_type,
            properties,
        )


@dataclass(frozen=True)
class ChangePayload:
    """A change of status, with the security token where one is checked; or of the tenant.

    The tenant is our own extension: a resource that is sent back as it was read names the one it
    has, which asks for nothing.
    """

    status: Status | None
    token: str
    tenant_id: str | None

    @classmethod
    def read(cls, request: HttpRequest, registration: Registration) -> Self:
        """Read the body of a PUT."""
        body = read_object(request)
        tenant_id = text_field(body, "tenantId")
        status = text_field(body, "status", required=tenant_id is None)
        if status is not None and status not in Status.values:
            allowed = ", ".join(Status.values)
            raise validation_error(f"Field status must be one of {allowed}.")
        target = tenant_id if tenant_id != registration.tenant_id else None
        if target is not None and status is not None:
            raise validation_error(
                "Send either status or tenantId: a registration is moved to another tenant first "
                "and changed afterwards."
            )
        return cls(Status(status) if status else None, _token(body), target)


def _token(body: dict[str, Any]) -> str:
    token = text_field(body, "securityToken") or ""
    if len(token) > MAX_TOKEN_LENGTH:
        raise validation_error(
            f"Field securityToken can have at most {MAX_TOKEN_LENGTH} characters."
        )
    return token


def _group_id(body: dict[str, Any]) -> int | None:
    value = body.get("groupId")
    if value is None or value == "":
        return None
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) < MAX_ID_DIGITS):
        raise validation_error("Field groupId must be the ID of a group, a whole number.")
    return int(text)


def represent(request: HttpRequest, registration: Registration) -> dict[str, Any]:
    """Return a registration in the contract's shape; no secret is part of it."""
    payload: dict[str, Any] = {
        "id": registration.device_id,
        "status": registration.status,
        "self": self_url(request, "devicecontrol", "newDeviceRequests", registration.device_id),
        "tenantId": registration.tenant_id,
        "owner": registration.created_by_name,
        "creationTime": wire_time(registration.created_at),
    }
    if registration.group_id:
        payload["groupId"] = str(registration.group_id)
    if registration.type:
        payload["type"] = registration.type
    if registration.custom_properties:
        payload["customProperties"] = registration.custom_properties
    return payload
