"""REST endpoints about what is beneath an object: members of groups, devices behind a gateway.

Source: Cumulocity REST, child operations.
"""

from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.http import HttpResponse

from inventory.api import access, objects
from inventory.api import descriptions as says
from inventory.api.access import MAKERS, READERS
from inventory.api.payloads import ChildrenPayload
from inventory.api.refusals import contract_refusals, no_object
from inventory.api.representation import CHILDREN, Representation, object_url, respond_objects
from inventory.children import add_children, children_of, remove_children
from inventory.models import ChildLink, DeviceGroup, ManagedObject
from inventory.models.managed_object import IS_GROUP, ManagedObjectQuerySet
from inventory.query import parse_id
from tenants.api.describing import described
from tenants.api.http import ApiRequest, api_view, respond, validation_error


@described("Inventory", says.CHILDREN, says.OBJECT_ID)
@api_view(GET=READERS, POST=MAKERS, DELETE=MAKERS)
def children(request: ApiRequest, object_id: str, kind: ChildLink.Kind) -> HttpResponse:
    """List the children of an object, add some, make one, or take some out."""
    if request.method == "POST":
        return _add(request, access.changeable(request, object_id), kind)
    if request.method == "DELETE":
        parent = access.changeable(request, object_id)
        body = ChildrenPayload.read(request)
        if body.new is not None:
            raise validation_error("Following mandatory fields should be included: references")
        return _remove(request, parent, body.ids, kind)
    parent = access.readable(request, object_id)

    def within(child: ManagedObject, payload: dict[str, Any]) -> dict[str, Any]:
        return {"managedObject": payload, "self": _link(request, parent, kind, child)}

    return respond_objects(
        request,
        objects.narrowed(request, _visible(request, parent, kind)),
        collection="references",
        kind="managedObjectReferenceCollection",
        within=within,
    )


@described("Inventory", says.ONE_CHILD, says.OBJECT_ID, says.CHILD_ID)
@api_view(GET=READERS, DELETE=MAKERS)
def child(request: ApiRequest, object_id: str, child_id: str, kind: ChildLink.Kind) -> HttpResponse:
    """Read one child of an object, or take it out; it stays in the inventory."""
    if request.method == "DELETE":
        return _remove(request, access.changeable(request, object_id), (child_id,), kind)
    parent = access.readable(request, object_id)
    number = parse_id(child_id)
    rows = _visible(request, parent, kind)
    found = None if number is None else rows.filter(pk=number).first()
    if found is None:
        raise no_object(child_id)
    payload = _reference(request, parent, kind, found)
    return respond(request, payload, "managedObjectReference")


def _visible(
    request: ApiRequest, parent: ManagedObject, kind: ChildLink.Kind
) -> ManagedObjectQuerySet:
    rows = children_of(parent, kind)
    owner = access.owner_only(request)
    return rows if owner is None else rows.filter(owner=owner)


def _add(request: ApiRequest, parent: ManagedObject, kind: ChildLink.Kind) -> HttpResponse:
    body = ChildrenPayload.read(request)
    if body.new is not None:
        made = _make(request, parent, kind, body.new)
        return objects.respond_object(request, made, status=HTTPStatus.CREATED)
    found = [access.changeable(request, one) for one in body.ids]
    with contract_refusals(parent.pk):
        add_children(parent, found, kind, by=request.actor)
    if body.is_single:
        payload = _reference(request, parent, kind, found[0])
        return respond(request, payload, "managedObjectReference", status=HTTPStatus.CREATED)
    payload = {
        "self": object_url(request, parent.pk, CHILDREN[kind]),
        "references": [_reference(request, parent, kind, one) for one in found],
    }
    return respond(request, payload, "managedObjectReferenceCollection", status=HTTPStatus.CREATED)


def _make(
    request: ApiRequest, parent: ManagedObject, kind: ChildLink.Kind, body: dict[str, Any]
) -> ManagedObject:
    """Make an object beneath ``parent``: both or neither."""
    home = None
    if body.get(IS_GROUP) is not None and kind is ChildLink.Kind.ASSET:
        home = DeviceGroup.objects.for_tenant(request.tenant).filter(pk=parent.pk).first()
    with transaction.atomic():
        made = objects.create(request, body, beneath=parent, home=home)
        if home is None:
            with contract_refusals(parent.pk):
                add_children(parent, [made], kind, by=request.actor)
    return made


def _remove(
    request: ApiRequest, parent: ManagedObject, ids: tuple[str, ...], kind: ChildLink.Kind
) -> HttpResponse:
    """Take children out; who may change the parent needs no right to each of them."""
    found = [_known(request, one) for one in ids]
    with contract_refusals(parent.pk):
        remove_children(parent, found, kind, by=request.actor)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def _known(request: ApiRequest, object_id: str) -> ManagedObject:
    number = parse_id(object_id)
    mine = ManagedObject.objects.for_tenant(request.tenant).reported().select_related("tenant")
    found = None if number is None else mine.filter(pk=number).first()
    if found is None:
        raise no_object(object_id)
    return found


def _reference(
    request: ApiRequest, parent: ManagedObject, kind: ChildLink.Kind, child: ManagedObject
) -> dict[str, Any]:
    payload = Representation(request).represent(child)
    return {"managedObject": payload, "self": _link(request, parent, kind, child)}


def _link(
    request: ApiRequest, parent: ManagedObject, kind: ChildLink.Kind, child: ManagedObject
) -> str:
    return object_url(request, parent.pk, CHILDREN[kind], str(child.pk))
