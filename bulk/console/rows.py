"""Rows of an import: those that failed, as a list and as a file, and what became of the others."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from bulk.console.shown import Shown
from bulk.models import AT_WORK, Door, Form, Import, ImportItem, ImportProblem, Outcome, State
from bulk.reading.dialect import Dialect
from bulk.reading.pairs import LINE
from bulk.reading.writing import write_rows
from inventory.models import ManagedObject
from registration.console.views import READ
from registration.models import Registration
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.roles import Role
from ui.csv_export import csv_pieces
from ui.htmx import render_page
from ui.tables import LAST_PAGE, PAGE_SIZE, KeysetPaginator, Page

FEW: Final = 10  # failed rows shown while more may come
READ_AT_ONCE: Final = 500  # rows on their way into a file
LABELS: Final = {  # what a list of rows is called, and which number of the import counts them
    Outcome.CREATED: ("Created", "created"),
    Outcome.UPDATED: ("Updated", "updated"),
    Outcome.UNCHANGED: ("Unchanged", "unchanged"),
    Outcome.SKIPPED: ("Left as they were", "skipped"),
    Outcome.KEPT: ("Kept, because they are in use", "kept"),
}


def _problems(one: Import) -> KeysetPaginator[ImportProblem]:
    found = ImportProblem.objects.filter(owner=one)
    return KeysetPaginator(found, "line", descending=False)


def problems_of(one: Import, cursor: str) -> Page[ImportProblem] | None:
    """Return a page of the rows that failed; the first of them while there may be more."""
    if not one.failed:
        return None
    is_growing = one.state in AT_WORK
    cursor, size = ("", FEW) if is_growing else (cursor, PAGE_SIZE)
    return _problems(one).page(cursor, total=one.failed, size=size)


@require_safe
@tenant_view(*READ)
def rejects(request: TenantRequest, import_pk: UUID) -> HttpResponse:
    """Send the rows that failed as a file to be corrected: the same columns, and the reason.

    Of pairs of IDs and secrets it says where each stands: without its secret none can be corrected.
    """
    one = get_object_or_404(Import.objects.for_tenant(request.tenant), pk=import_pk)
    if one.state == State.REFUSED:  # as a whole: there are no rows
        raise Http404
    if one.form == Form.PAIRS or one.door == Door.OPS:
        pieces = csv_pieces(("Pair", "Line", "Device ID", "Code", "Reason"), _failed_pairs(one))
    elif not one.dialect:
        raise Http404
    else:
        delimiter = Dialect.from_dict(one.dialect).delimiter
        written = write_rows(one.header["names"], delimiter, _cells(one))
        pieces = (piece.encode(errors="replace") for piece in written)
    response = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="rejects.csv"'
    # To Django a streamed answer is no HttpResponse, though it is treated as one everywhere.
    return cast("HttpResponse", response)


def _cells(one: Import) -> Iterator[tuple[Mapping[str, str], str]]:
    for some in _problems(one).every(READ_AT_ONCE):
        for row in some:
            yield row.cells, row.reason


def _failed_pairs(one: Import) -> Iterator[tuple[str, ...]]:
    for some in _problems(one).every(READ_AT_ONCE):
        for row in some:
            place = row.cells.get(LINE, "")
            yield str(row.line), place, row.device_id, row.code, row.reason


@dataclass(frozen=True)
class Row:
    """A row of the file and its device, as far as that is still there and may be seen."""

    line: int
    device_id: str
    name: str
    url: str


@dataclass(frozen=True)
class Chip:
    """One of the outcomes with its number, as it is drawn."""

    key: str
    label: str
    number: int
    is_current: bool


@require_safe
@tenant_view(*READ)
def rows(request: TenantRequest, import_pk: UUID) -> HttpResponse:
    """Show the rows of one outcome, in the order of the file; what is none shows the created."""
    one = get_object_or_404(Import.objects.for_tenant(request.tenant), pk=import_pk)
    counts = {each: getattr(one, count) for each, (_, count) in LABELS.items()}
    # What was taken away or kept is no longer among the created: a row has its last outcome.
    counts[Outcome.CREATED] -= one.undone + one.kept
    asked = request.GET.get("what", "")
    chosen = next((each for each in LABELS if each.name == asked), Outcome.CREATED)
    items = ImportItem.objects.filter(owner=one, outcome=chosen)
    if not counts[chosen]:
        items = items.none()  # instead of looking through a million others
    paginator = KeysetPaginator(items, "line", descending=False)
    page = paginator.page(request.GET.get("after", ""), total=counts[chosen])
    return render_page(
        request,
        "bulk/import_row_list.html",
        {
            "import": one,
            "shown": Shown(one),
            "page": page,
            "last_page": LAST_PAGE,
            "rows": _with_devices(request, one, page.rows),
            "chosen": LABELS[chosen][0],
            "chips": [
                Chip(each.name, label, counts[each], each is chosen)
                for each, (label, _) in LABELS.items()
                if counts[each] or each is chosen
            ],
        },
    )


def _with_devices(request: TenantRequest, one: Import, items: list[ImportItem]) -> list[Row]:
    numbers = [item.number for item in items if item.number is not None]
    found: Mapping[int, Any] = {}
    address = "registration:detail"
    if one.form == Form.SIMPLE:
        found = Registration.objects.for_tenant(request.tenant).in_bulk(numbers)
    elif request.user.has_role(Role.INVENTORY_READ):
        found = ManagedObject.objects.visible_to(request.tenant).in_bulk(numbers)
        address = "devices:detail"

    def row(item: ImportItem) -> Row:
        there = found.get(item.number or 0)
        if there is None:
            return Row(item.line, "", "", "")
        name = getattr(there, "name", "")
        return Row(item.line, there.device_id, name, reverse(address, args=[there.pk]))

    return [row(item) for item in items]
