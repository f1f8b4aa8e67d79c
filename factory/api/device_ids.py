"""Operations API: the device IDs of a type, registered by the set.

Source: Cirrent, Operations API.
"""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.http import HttpResponse

from bulk.errors import SecretsForbiddenError
from bulk.models import Existing
from bulk.preshared import Offer, register
from factory.api import descriptions as says
from factory.api.gate import device_type_of, ops_view
from factory.api.offers import Refused, entry_of, error_of, read_offers
from factory.api.reading import choice, flag, limit, read_cursor, read_object, write_cursor
from factory.api.refusals import ProblemError, bad_request, invalid, not_found
from factory.api.shapes import OFFERS_QUERY, RESULTS
from factory.devices import IN, Entry, delete_device
from factory.devices import device_ids as ids_of
from inventory.models import DeviceType
from tenants.api.describing import described
from tenants.api.gate import ApiRequest
from tenants.api.http import wire_time
from tenants.roles import Role

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
LATEST: Final = 253_370_764_800_000_000  # microseconds; the year 9999


@described(says.AREA, says.DEVICE_IDS, says.DEVICE_TYPE_ID, refusals=says.PROBLEMS)
@ops_view(GET=Role.DEVICE_CONTROL_READ, PUT=Role.DEVICE_CONTROL_ADMIN)
def device_ids(request: ApiRequest, device_type_id: str) -> HttpResponse:
    """List the device IDs of a type, or register a set of them.

    The set is added to what is there: IDs that are left out stay as they are.
    """
    device_type = device_type_of(request, device_type_id)
    if request.method == "PUT":
        return _register(request, device_type)
    size = limit(request)
    found = ids_of(device_type, limit=size + 1, after=_after(request))
    shown = found[:size]
    more = len(found) > size
    payload = {
        "device_ids": [represent(entry) for entry in shown],
        "next": write_cursor(*_place(shown[-1])) if more else None,
    }
    return HttpResponse(json.dumps(payload), content_type="application/json")


@described(
    says.AREA,
    says.ONE_DEVICE_ID,
    says.DEVICE_TYPE_ID,
    says.DEVICE_ID,
    refusals=says.PROBLEMS,
)
@ops_view(DELETE=Role.DEVICE_CONTROL_ADMIN)
def device_id(request: ApiRequest, device_type_id: str, device_id: str) -> HttpResponse:
    """Delete a device with its login, or take back a registration that is open."""
    device_type = device_type_of(request, device_type_id)
    if not delete_device(device_type, device_id, by=request.actor):
        raise not_found()
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def represent(entry: Entry) -> dict[str, Any]:
    """Return a device ID as JSON; nothing of its secret is known here."""
    last = entry.last_active_at
    return {
        "device_id": entry.device_id,
        "name": entry.name,
        "state": entry.state,
        "registered_at": wire_time(entry.registered_at),
        "last_active_at": wire_time(last) if last else None,
    }


def _place(entry: Entry) -> tuple[int, int, int]:
    part, when, number = entry.place
    return part, (when - EPOCH) // MICROSECOND, number


def _after(request: ApiRequest) -> tuple[int, datetime, int] | None:
    position = read_cursor(request, int, int, int)
    if position is None:
        return None
    part, when, number = position
    if part > IN or when > LATEST:
        raise bad_request("The query parameter cursor is not one that a page before gave as next.")
    return part, EPOCH + when * MICROSECOND, number


# --- Registering a set ----------------------------------------------------------------------


def _register(request: ApiRequest, device_type: DeviceType) -> HttpResponse:
    partial = flag(request, "partial", OFFERS_QUERY["partial"])
    on_existing = Existing(choice(request, "on_existing", OFFERS_QUERY["on_existing"]))
    read = read_offers(read_object(request, most=settings.OPS_MAX_BYTES))
    refused = [each for each in read if isinstance(each, Refused)]
    entries = {each.index: each.as_entry() for each in refused}
    errors = {each.index: each.as_error() for each in refused}
    offers = {index: each for index, each in enumerate(read) if isinstance(each, Offer)}
    batch = None
    if offers and (partial or not refused):
        try:
            outcome = register(
                device_type, list(offers.values()), by=request.actor, on_existing=on_existing,
                partial=partial,
            )  # fmt: skip
        except SecretsForbiddenError as error:
            raise ProblemError("secrets-forbidden") from error
        batch = outcome.batch
        for (index, offer), result in zip(offers.items(), outcome.results, strict=True):
            entries[index] = entry_of(index, result)
            if result.result == "failed":
                errors[index] = error_of(index, offer, result)
    if errors and (not partial or len(errors) == len(read)):
        raise _nothing_stored([errors[index] for index in sorted(errors)], len(read))
    results = [entries[index] for index in sorted(entries)]
    counts = Counter(entry["result"] for entry in results)
    payload = {
        "device_type_id": device_type.pk,
        "batch_id": str(batch.pk) if batch else None,
        "total": len(results),
        **{name: counts[name] for name in RESULTS},
        "results": results,
    }
    return HttpResponse(json.dumps(payload), content_type="application/json")


def _nothing_stored(errors: list[dict[str, Any]], total: int) -> ProblemError:
    items = "item" if total == 1 else "items"
    verb = "was" if len(errors) == 1 else "were"
    return invalid(
        errors, f"{len(errors):,} of {total:,} {items} {verb} refused; nothing was stored."
    )
