"""REST endpoint of bulk registration: a file comes in, and is done when it is answered.

Source: Cumulocity REST, bulk new device requests.
"""

import time
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.http import HttpResponse

from bulk import engine, files, imports
from bulk.api import descriptions as says
from bulk.api.parts import read_upload, too_large
from bulk.api.payloads import NOT_FINISHED, not_finished, represent, whole_file_refusal
from bulk.errors import WrongStateError
from bulk.models import Door, Existing, Form, Import, State
from bulk.reading.dialect import Dialect
from bulk.reading.header import Header
from bulk.reading.problems import FileProblem
from bulk.reading.rows import Position, read_batches
from tenants.api.describing import described
from tenants.api.http import ApiError, ApiRequest, api_view, respond
from tenants.roles import Role

ROWS_AT_ONCE: Final = 1_000
PATIENCE: Final = 15 * 60  # seconds for which a file that others work on is waited for
PAUSE: Final = 0.2  # seconds between two looks at it


@described("Bulk registration", says.BULK_NEW_DEVICE_REQUESTS)
@api_view(POST=Role.DEVICE_CONTROL_ADMIN)
def bulk_new_device_requests(request: ApiRequest) -> HttpResponse:
    """Register what the file holds, and tell what became of each row.

    201 also where rows failed: clients look at the counts. The answer waits for the last row,
    because clients look for their devices right after it.
    """
    upload = read_upload(request)
    one = imports.receive(
        request.tenant,
        upload.blocks,
        by=request.actor,
        file_name=upload.file_name,
        door=Door.API,
    )
    if one.state == State.REFUSED:
        raise whole_file_refusal(one.refusal)
    # In the contract a simple file only ever adds, and a full one brings devices up to date.
    existing = Existing.UPDATE if one.form == Form.FULL else Existing.FAIL
    try:
        device_ids = _device_ids(one)
        imports.start(one, on_existing=existing, by=request.actor, call=False)
    except WrongStateError as error:  # somebody saw it in the console, and was quicker
        raise ApiError(HTTPStatus.CONFLICT, NOT_FINISHED, str(error)) from error
    carry_out(one)
    payload = represent(one, device_ids)
    return respond(request, payload, "bulkNewDeviceRequest", status=HTTPStatus.CREATED)


def _device_ids(one: Import) -> dict[int, str]:
    """Return the device IDs of the file, by their lines; the answer needs them.

    Raises:
        ApiError: 413 there are more rows than one request may bring.
    """
    most = settings.BULK_API_MAX_ROWS
    found: dict[int, str] = {}
    with files.open_file(one) as stream:
        batches = read_batches(
            stream,
            Dialect.from_dict(one.dialect),
            Header.from_dict(one.header),
            Position.from_dict(one.position),
            most=ROWS_AT_ONCE,
        )
        for batch in batches:
            if batch.next.row > most:
                refusal = too_large(f"The file has more than {most} rows.")
                imports.refuse(one, FileProblem(refusal.message))
                raise refusal
            found.update((entry.line, entry.device_id) for entry in batch.entries)
            one.rows = batch.next.row
    one.save(update_fields=["rows"])  # the console tells how far it is
    return found


def carry_out(one: Import) -> None:
    """Work on the import until it is done, also if a worker was quicker to take it.

    Raises:
        ApiError: somebody stopped it, or it takes too long.
    """
    end = time.monotonic() + PATIENCE
    while True:
        engine.carry_on(one.pk)
        one.refresh_from_db()
        if one.state == State.FINISHED:
            return
        if one.state == State.REFUSED:
            raise whole_file_refusal(one.refusal)
        if not one.is_at_work or time.monotonic() > end:
            raise not_finished(one)
        time.sleep(PAUSE)
