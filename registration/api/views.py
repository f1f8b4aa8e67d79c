"""REST endpoints of device control: registrations, and devices that collect their credentials.

Source: Cumulocity REST, new device requests and device credentials.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.http import HttpResponse

from inventory import logins
from inventory.models import DeviceCredentials, DeviceGroup, GroupPathError
from registration import introducing
from registration.api import descriptions as says
from registration.api.payloads import (
    ChangePayload,
    DeviceCredentialsPayload,
    NewRegistrationPayload,
    represent,
)
from registration.api.refusals import no_request, not_found, not_yet, translate
from registration.device_ids import normalize_device_id
from registration.errors import (
    AlreadyAcceptedError,
    DeviceIdError,
    DevicePatternError,
    PollRefusedError,
    RegistrationError,
    TooManyIntroductionsError,
    TransitionError,
)
from registration.lifecycle import Stage, Status
from registration.models import BulkDecision, BulkDecisionItem, Registration, Tally
from registration.models.decisions import Outcome
from registration.provisioning import ProvisioningCaller
from tenants.actors import Actor
from tenants.api.describing import described
from tenants.api.http import (
    ApiError,
    ApiRequest,
    api_view,
    media_type,
    read_body,
    read_object,
    respond,
    respond_page,
    self_url,
    validation_error,
)
from tenants.models import Tenant
from tenants.roles import Role

READ = Role.DEVICE_CONTROL_READ
ADMIN = Role.DEVICE_CONTROL_ADMIN


@contextmanager
def contract_refusals(device_id: str = "") -> Iterator[None]:
    """Say what a rule refuses in the contract's words."""
    try:
        yield
    except RegistrationError as error:
        raise translate(error) from error
    except Registration.DoesNotExist as error:  # somebody else cancelled it meanwhile
        raise not_found(device_id) from error


@described("Device registration", says.DEVICE_CREDENTIALS)
@api_view(POST=Role.DEVICE_BOOTSTRAP)
def device_credentials(request: ApiRequest) -> HttpResponse:
    """Answer a device that polls for its credentials.

    201 with credentials once accepted; 404 until then, and the device keeps polling. A body is
    sent whether or not it was asked for: the password appears nowhere else.
    """
    poll = DeviceCredentialsPayload.read(request)
    device_id = normalize_device_id(poll.device_id)
    device = Actor.of(request, DeviceCredentials.login_name(device_id))
    try:
        registration, password = _knock(request, device_id, poll.token, device)
    except Registration.DoesNotExist as error:
        logins.note_knock(request.tenant, device_id, by=device)
        raise no_request(poll.device_id) from error
    except PollRefusedError as error:
        if error.status == Status.ACCEPTED:  # its hand-over is over
            raise no_request(poll.device_id) from error
        raise not_yet(poll.device_id, error.status) from error
    except TooManyIntroductionsError as error:
        raise ApiError(
            HTTPStatus.TOO_MANY_REQUESTS,
            "devicecontrol/TooManyRequests",
            str(error),
            retry_after=error.seconds,
        ) from error
    except (DeviceIdError, DevicePatternError) as error:
        raise translate(error) from error
    payload = {
        "id": device_id,
        "self": self_url(request, "devicecontrol", "deviceCredentials", device_id),
        "tenantId": registration.tenant_id,
        "username": DeviceCredentials.login_name(device_id),
        "password": password,
    }
    return HttpResponse(
        json.dumps(payload),
        status=HTTPStatus.CREATED,
        content_type=media_type("deviceCredentials"),
    )


def _knock(
    request: ApiRequest, device_id: str, token: str, device: Actor
) -> tuple[Registration, str]:
    """Return the registration of a device that knocks, and its password."""
    if isinstance(request.caller, ProvisioningCaller):
        return introducing.knock(
            request.caller.key, device_id, token=token, device=device, by=request.actor
        )
    # The bootstrap account of a tenant lets in that tenant's devices only, and none a key is for.
    registration = (
        Registration.objects.for_tenant(request.tenant)
        .without_key()
        .select_related("tenant__parent")
        .get(device_id=device_id, tenant__status=Tenant.Status.ACTIVE)
    )
    return registration, registration.poll(token=token, device=device)


@described("Device registration", says.NEW_DEVICE_REQUESTS)
@api_view(GET=READ, POST=ADMIN)
def new_device_requests(request: ApiRequest) -> HttpResponse:
    """List open registrations, newest first, or add one."""
    if request.method == "POST":
        return _register(request)
    visible = Registration.objects.for_tenant(request.tenant).unfinished()

    def count() -> int:
        counts = Tally.counts(request.tenant)
        return counts.total() - counts[Stage.CONFIRMED]

    return respond_page(
        request,
        visible.order_by("-created_at", "-pk"),
        collection="newDeviceRequests",
        kind="newDeviceRequestCollection",
        represent=lambda registration: represent(request, registration),
        count=count,
    )


def _register(request: ApiRequest) -> HttpResponse:
    body = NewRegistrationPayload.read(request)
    tenant = _target_tenant(request, body.tenant_id)
    group = None
    if body.group_id is not None:
        group = _group(request, tenant, body.group_id)
    try:
        with contract_refusals(body.device_id):
            registration = Registration.objects.register(
                tenant,
                body.device_id,
                by=request.actor,
                group=group,
                object_type=body.object_type,
                custom_properties=body.custom_properties,
            )
    except GroupPathError as error:  # somebody deleted the group meanwhile
        raise validation_error(str(error)) from error
    return respond(
        request, represent(request, registration), "newDeviceRequest", status=HTTPStatus.CREATED
    )


def _group(request: ApiRequest, tenant: Tenant, group_id: int) -> DeviceGroup:
    """Return a group of the caller's own tenant; the ones of other tenants are theirs to choose."""
    if not request.caller.has_role(Role.INVENTORY_READ):
        raise _denied()
    if tenant != request.tenant:
        raise validation_error(
            "Send either tenantId of another tenant or groupId: that tenant's own operators "
            "choose the group."
        )
    group = DeviceGroup.objects.for_tenant(tenant).filter(pk=group_id).first()
    if group is None:
        raise validation_error(f"There is no group with ID {group_id}.")
    return group


def _denied() -> ApiError:
    return ApiError(HTTPStatus.FORBIDDEN, "security/Forbidden", "Access is denied")


def _target_tenant(request: ApiRequest, tenant_id: str | None) -> Tenant:
    if tenant_id is None or tenant_id == request.tenant.id:
        return request.tenant
    if not request.tenant.is_management:
        raise _denied()
    tenant = Tenant.objects.filter(pk=tenant_id, status=Tenant.Status.ACTIVE).first()
    if tenant is None:
        raise validation_error(f"There is no active tenant with ID {tenant_id}.")
    return tenant


@described("Device registration", says.NEW_DEVICE_REQUEST, says.DEVICE_ID)
@api_view(GET=READ, PUT=ADMIN, DELETE=(ADMIN, Role.USER_MANAGEMENT_ADMIN))
def new_device_request(request: ApiRequest, device_id: str) -> HttpResponse:
    """Read, change, move or cancel one registration."""
    registration = (
        Registration.objects.for_tenant(request.tenant)
        .filter(device_id=normalize_device_id(device_id))
        .first()
    )
    if registration is None:
        raise not_found(device_id)
    if request.method == "DELETE":
        with contract_refusals(device_id):
            registration.remove(by=request.actor)
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    if request.method == "PUT":
        _change(request, registration)
    return respond(request, represent(request, registration), "newDeviceRequest")


def _change(request: ApiRequest, registration: Registration) -> None:
    """Take the step that the body asks for; asking for what is already so changes nothing."""
    body = ChangePayload.read(request, registration)
    with contract_refusals(registration.device_id):
        if body.tenant_id is not None:
            if not request.tenant.is_management:
                raise _denied()
            registration.move_to(_target_tenant(request, body.tenant_id), by=request.actor)
        elif body.status is None or body.status == registration.status:
            return
        elif body.status is Status.ACCEPTED:
            with suppress(AlreadyAcceptedError):
                registration.accept(by=request.actor, token=body.token)
        elif (
            body.status is Status.WAITING_FOR_CONNECTION
            and registration.status == Status.PENDING_ACCEPTANCE
        ):
            registration.reset(by=request.actor)
        else:
            raise TransitionError(
                registration.device_id, registration.status, Status.PENDING_ACCEPTANCE
            )


@described("Device registration", says.ACCEPT_ALL)
@api_view(POST=ADMIN)
def accept_all(request: ApiRequest) -> HttpResponse:
    """Accept every pending registration that can be accepted without a token.

    Answers with a bare array, one entry for each; those that failed say why.
    """
    if read_body(request).strip():
        read_object(request)
    with transaction.atomic():  # nobody else ever sees this decision
        decision = BulkDecision.about(
            Registration.objects.for_tenant(request.tenant).at_stage(Stage.PENDING),
            BulkDecision.Action.ACCEPT,
            tenant=request.tenant,
            by=request.actor,
            hand_picked=False,
        )
        decision.carry_out(by=request.actor)
        results = [_result(item) for item in decision.items.all()]
        decision.delete()
    return HttpResponse(json.dumps(results), content_type="application/json")


def _result(item: BulkDecisionItem) -> dict[str, object]:
    if item.outcome == Outcome.DONE:
        return {"id": item.device_id, "successful": True}
    reason = Outcome(item.outcome).label
    return {"id": item.device_id, "successful": False, "error": reason}


@described("Device registration", says.LIMIT)
@api_view(GET=READ)
def limit(request: ApiRequest) -> HttpResponse:
    """Say how many devices the tenant has let in, and whether it may let in more."""
    tenant = request.tenant
    payload: dict[str, Any] = {
        "isReached": tenant.is_at_device_limit,
        "deviceCount": tenant.device_count,
    }
    if tenant.device_limit is not None:
        payload["limit"] = tenant.device_limit
    return HttpResponse(json.dumps(payload), content_type="application/json")
