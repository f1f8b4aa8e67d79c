"""Lists as CSV files: sent while they are read, and safe to open in a spreadsheet.

A spreadsheet takes a cell that begins with one of a few characters for a formula and runs it.
Device IDs and names come from outside, so such a cell gets an apostrophe in front, which makes it
text. Source: OWASP, CSV injection; ASVS 5.0, 1.2.10.
"""

import csv
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from django.http import StreamingHttpResponse
from django.utils import timezone

BOM: Final = "\ufeff"  # by which spreadsheets know UTF-8
GUARD: Final = "'"
LINES_AT_ONCE: Final = 200  # in one piece of the answer: few pieces, little memory

_STARTS_FORMULA: Final = frozenset("=+-@\u2212")
_STARTS_CELL: Final = frozenset("\t\r\n")
_QUOTES: Final = frozenset("\"'`\u00b4\u201a\u201e\uff02\uff07")
_SKIPPED: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Pi", "Pf"})


def needs_guard(text: str) -> bool:
    """Say whether a spreadsheet might take ``text`` for a formula.

    What stands before the formula does not disarm it: quotes and blanks are taken off by some
    readers, invisible characters are not seen. Full-width forms count as what they look like.
    """
    for character in text:
        if character in _STARTS_CELL or _plain(character) in _STARTS_FORMULA:
            return True
        if character not in _QUOTES and unicodedata.category(character) not in _SKIPPED:
            return False
    return False


def _plain(character: str) -> str:
    """Return the plain form of a full-width, small or raised character."""
    return unicodedata.normalize("NFKC", character)[:1]


def guarded(value: Any) -> str:
    """Return ``value`` as a cell that no spreadsheet runs."""
    text = "" if value is None else str(value)
    return GUARD + text if needs_guard(text) else text


def unguarded(cell: str) -> str:
    """Return what :func:`guarded` was given; for whoever reads our own files again."""
    text = cell.removeprefix(GUARD)
    return text if text != cell and needs_guard(text) else cell


class _Echo:
    """Takes the place of a file: what is written to it is handed back."""

    def write(self, text: str) -> str:
        return text


def csv_pieces(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Yield the file, a few lines at a time; every cell is quoted and guarded."""
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    lines = [BOM + writer.writerow([guarded(cell) for cell in header])]
    for row in rows:
        lines.append(writer.writerow([guarded(cell) for cell in row]))
        if len(lines) >= LINES_AT_ONCE:
            yield _bytes(lines)
            lines = []
    if lines:
        yield _bytes(lines)


def _bytes(lines: Sequence[str]) -> bytes:
    return "".join(lines).encode(errors="replace")


def csv_response(
    name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """Answer with a file called ``name`` and today's date; ``rows`` are read while it is sent."""
    response = StreamingHttpResponse(
        csv_pieces(header, rows), content_type="text/csv; charset=utf-8"
    )
    file_name = f"{name}-{timezone.now():%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response
