"""REST endpoints about external IDs, by which devices find their own object.

Source: Cumulocity REST, identity.
"""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse

from inventory.api import access
from inventory.api import descriptions as says
from inventory.api.access import IDENTITY_MAKERS, IDENTITY_READERS
from inventory.api.refusals import contract_refusals, no_external_id
from inventory.api.representation import object_url
from inventory.identity import bind, unbind
from inventory.models import ExternalId
from tenants.api.describing import described
from tenants.api.http import ApiRequest, api_view, read_object, respond, self_url, text_field


@described("Identity", says.ONE_EXTERNAL_ID, says.EXTERNAL)
@api_view(GET=IDENTITY_READERS, DELETE=IDENTITY_MAKERS)
def external_id(request: ApiRequest, external: str) -> HttpResponse:
    """Find the object behind an external ID, or take the ID off it.

    Clients encode neither type nor ID: the type ends at the first slash, all behind it is the ID.
    """
    kind, _, value = external.partition("/")
    if request.method == "DELETE":
        found = access.external_id(request, kind, value, to_change=True)
        try:
            unbind(found, by=request.actor)
        except ExternalId.DoesNotExist as error:
            raise no_external_id(kind, value) from error
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    found = access.external_id(request, kind, value, to_change=False)
    return respond(request, _represent(request, found), "externalId")


@described("Identity", says.EXTERNAL_IDS, says.OBJECT_ID)
@api_view(GET=IDENTITY_READERS, POST=IDENTITY_MAKERS)
def external_ids(request: ApiRequest, object_id: str) -> HttpResponse:
    """List the external IDs of an object, all at once, or add one."""
    if request.method == "POST":
        named = access.named(request, object_id, to_change=True)
        body = read_object(request)
        kind = text_field(body, "type", required=True) or ""
        value = text_field(body, "externalId", required=True) or ""
        with contract_refusals(object_id):
            bound = bind(named, kind, value, by=request.actor)
        payload = _represent(request, bound)
        return respond(request, payload, "externalId", status=HTTPStatus.CREATED)
    named = access.named(request, object_id, to_change=False)
    payload = {
        "self": self_url(request, "identity", "globalIds", str(named.pk), "externalIds"),
        "externalIds": [
            _represent(request, one)
            for one in ExternalId.objects.for_tenant(request.tenant)
            .filter(managed_object=named)
            .order_by("pk")
        ],
    }
    return respond(request, payload, "externalIdCollection")


def _represent(request: ApiRequest, external_id: ExternalId) -> dict[str, Any]:
    number = external_id.managed_object_id
    return {
        "externalId": external_id.value,
        "type": external_id.type,
        "managedObject": {"id": str(number), "self": object_url(request, number)},
        "self": self_url(request, "identity", "externalIds", external_id.type, external_id.value),
    }
