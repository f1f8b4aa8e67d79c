"""REST endpoints about managed objects.

Source: Cumulocity REST, inventory.
"""

import json
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpResponse

from inventory import objects
from inventory.api import access
from inventory.api import descriptions as says
from inventory.api.access import MAKERS, READERS
from inventory.api.refusals import contract_refusals
from inventory.api.representation import Representation, respond_objects
from inventory.devices import has_reported
from inventory.models import DeviceGroup, Kind, ManagedObject
from inventory.models.managed_object import ManagedObjectQuerySet
from inventory.query_filters import filter_objects
from tenants.api.describing import described
from tenants.api.http import ApiRequest, api_view, flag, read_object, respond
from tenants.roles import Role

MAX_OBJECT_BODY: Final = 512 * 1024  # bytes of JSON; there is room for what a client sends back
FILTERS: Final = {
    "type": "type",
    "fragmentType": "fragment_type",
    "owner": "owner",
    "ids": "ids",
    "text": "text",
    "query": "query",
    "q": "q",
    "childAssetId": "child_asset_id",
    "childDeviceId": "child_device_id",
    "childAdditionId": "child_addition_id",
}


@described("Inventory", says.OBJECTS)
@api_view(GET=READERS, POST=MAKERS)
def managed_objects(request: ApiRequest) -> HttpResponse:
    """List the objects that the caller may see, or make one."""
    if request.method == "POST":
        body = read_object(request, most=MAX_OBJECT_BODY)
        made = create(request, body)
        return respond_object(request, made, status=HTTPStatus.CREATED)
    return respond_objects(
        request, _filtered(request), collection="managedObjects", kind="managedObjectCollection"
    )


@described("Inventory", says.COUNT)
@api_view(GET=READERS)
def count(request: ApiRequest) -> HttpResponse:
    """Say how many objects the same filters find; the answer is the bare number."""
    number = _filtered(request).count()
    return HttpResponse(json.dumps(number), content_type="application/json")


@described("Inventory", says.ONE_OBJECT, says.OBJECT_ID)
@api_view(GET=READERS, PUT=MAKERS, DELETE=MAKERS)
def managed_object(request: ApiRequest, object_id: str) -> HttpResponse:
    """Read one object, merge into it, or delete it."""
    if request.method == "DELETE":
        _delete(request, object_id)
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    if request.method == "PUT":
        return respond_object(request, _change(request, object_id))
    return respond_object(request, access.readable(request, object_id))


def create(
    request: ApiRequest,
    body: dict[str, Any],
    *,
    beneath: ManagedObject | None = None,
    home: DeviceGroup | None = None,
) -> ManagedObject:
    """Make the object in ``body``; a group can be made within another, its ``home``, at once.

    The first device object that a device makes is the device itself; what it makes ``beneath``
    another object after that is always something else.
    """
    access.check_new(request, body)
    device = access.device_of(request)
    if device is not None and beneath is not None:
        held = device.credentials
        device = None if has_reported(held.tenant_id, held.device_id) else device
    with contract_refusals(beneath.pk if beneath else ""):
        made, _ = objects.create_object(
            request.tenant, body, by=request.actor, device=device, parent=home
        )
    return made


def respond_object(
    request: ApiRequest, managed_object: ManagedObject, *, status: int = HTTPStatus.OK
) -> HttpResponse:
    """Answer with one object."""
    payload = Representation.of_one(request, managed_object)
    return respond(request, payload, "managedObject", status=status)


def narrowed(
    request: ApiRequest, rows: ManagedObjectQuerySet, *, of_tenant: bool = False
) -> ManagedObjectQuerySet:
    """Narrow ``rows`` by what the request asks for; if that is nothing, their order stays.

    ``of_tenant`` says that they are all that the tenant has.
    """
    wanted = {ours: request.GET.get(theirs) for theirs, ours in FILTERS.items()}
    only_roots = flag(request, "onlyRoots")
    if not only_roots and all(value is None for value in wanted.values()):
        return rows
    with contract_refusals():
        return filter_objects(rows, **wanted, only_roots=only_roots, of_tenant=of_tenant)


def _filtered(request: ApiRequest) -> ManagedObjectQuerySet:
    rows = access.visible(request).order_by("pk")
    return narrowed(request, rows, of_tenant=access.owner_only(request) is None)


def _change(request: ApiRequest, object_id: str) -> ManagedObject:
    found = access.changeable(request, object_id)
    body = read_object(request, most=MAX_OBJECT_BODY)
    access.check_owner(request, body, found.owner)
    with contract_refusals(object_id):
        return objects.change_object(
            found, body, by=request.actor, is_device=access.device_of(request) is not None
        )


def _delete(request: ApiRequest, object_id: str) -> None:
    """Delete an object; a hierarchy goes with a device or a group, with others only by force."""
    found = access.changeable(request, object_id)
    has_hierarchy = found.kind in {Kind.DEVICE, Kind.GROUP}
    deletion = objects.Deletion(
        children=flag(request, "forceCascade") or (has_hierarchy and flag(request, "cascade")),
        logins=flag(request, "withDeviceUser"),
        only_of=access.owner_only(request, Role.INVENTORY_ADMIN),
    )
    if deletion.logins:
        access.check_deleting_logins(request)
    with contract_refusals(object_id):
        objects.delete_object(found, deletion, by=request.actor)
