"""What a client hears of the file it sent, in the contract's shape.

Source: Cumulocity REST, bulk new device requests.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from bulk.models import Import, ImportItem, ImportProblem, Outcome, State
from bulk.reading.header import Header
from tenants.api.http import ApiError, validation_error

MASK: Final = "***"
NOT_FINISHED: Final = "devicecontrol/Bulk Not Finished"
STUMBLED: Final = (
    "Something went wrong that is not the file's fault; the log of the server says what. The bulk "
    "registration stopped"
)
MAX_LINE: Final = 1_000  # characters of a failed row that are shown again


def represent(one: Import, device_ids: Mapping[int, str]) -> dict[str, Any]:
    """Return what became of the rows; ``device_ids`` are those of the file, by their lines.

    A device that was there counts as updated, whether or not anything had to be changed: it has
    the credentials of the file.
    """
    return {
        "numberOfAll": one.succeeded + one.skipped + one.failed,
        "numberOfCreated": one.created,
        "numberOfFailed": one.failed,
        "numberOfSuccessful": one.succeeded,
        "credentialUpdatedList": [
            {"bulkNewDeviceStatus": "CREDENTIAL_UPDATED", "deviceId": device_ids[line]}
            for line in _lines_of_updated(one)
        ],
        "failedCreationList": list(_failures(one)),
    }


def _lines_of_updated(one: Import) -> Iterator[int]:
    there = (Outcome.UPDATED, Outcome.UNCHANGED)
    items = ImportItem.objects.filter(owner=one, outcome__in=there)
    yield from items.order_by("line").values_list("line", flat=True).iterator()


def _failures(one: Import) -> Iterator[dict[str, Any]]:
    header = Header.from_dict(one.header)
    delimiter = one.dialect["delimiter"]
    problems = ImportProblem.objects.filter(owner=one).order_by("line", "pk")
    for problem in problems.iterator():
        failure = {"bulkNewDeviceStatus": "FAILED", "failureReason": problem.reason}
        if problem.device_id:
            failure["deviceId"] = problem.device_id
        line = _masked(problem.cells, header, delimiter)
        yield {**failure, "line": line, "lineNumber": problem.line}


def _masked(cells: Mapping[str, str], header: Header, delimiter: str) -> str:
    """Return a row as it was sent; every cell that is not surely free of secrets is masked.

    Empty cells are left out of ``cells``. Where nothing but the ID is kept, the others could not
    be told apart, or were empty.
    """
    others = "" if cells.keys() - {header.name_of("ID")} else MASK
    row = [
        MASK if position in header.secrets else cells.get(name, others)
        for position, name in enumerate(header.names)
    ]
    line = io.StringIO(newline="")
    csv.writer(line, delimiter=delimiter, lineterminator="").writerow(row)
    text = line.getvalue()
    return text if len(text) <= MAX_LINE else text[:MAX_LINE] + "…"


def whole_file_refusal(refusal: Mapping[str, Any]) -> ApiError:
    """Return the answer to a file of which no row was looked at."""
    place = f"Line {refusal['line']}" if refusal.get("line") else ""
    if refusal.get("column"):
        place = f"{place}, column {refusal['column']}" if place else f"Column {refusal['column']}"
    return validation_error(f"{place}: {refusal['message']}" if place else refusal["message"])


def not_finished(one: Import) -> ApiError:
    """Return the answer where not all rows were done; it says how far they are."""
    done = f"after {one.seen} of {one.rows} rows" if one.rows is not None else "before its end"
    stays = "What is registered stays."
    status = HTTPStatus.CONFLICT
    if one.state == State.PAUSED and one.refusal:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        message = f"{STUMBLED} {done}. {stays} Resume it in the console."
    elif one.state == State.PAUSED:
        message = f"The bulk registration was paused {done}. {stays} Resume it in the console."
    elif one.is_at_work:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        message = (
            "The bulk registration is still at work, and goes on without this request. The "
            "console shows what becomes of it."
        )
    else:
        message = f"The bulk registration was cancelled {done}. {stays}"
    return ApiError(status, NOT_FINISHED, message)
