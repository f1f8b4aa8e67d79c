"""Lists of device IDs with their secrets: ID, secret, ID, secret, and so on.

Fields are taken in twos, wherever lines end. If one is missing, every field behind it is taken for
what it is not, and secrets would be IDs that everybody sees: so such a list is refused as a whole,
and nothing of its fields is repeated.
Source: Cirrent, bulk upload.
"""

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from bulk.reading.checks import SERIAL
from bulk.reading.columns import STANDARD
from bulk.reading.dialect import Dialect
from bulk.reading.fields import MOST_KEPT, NOT_UTF8, Field, Fields
from bulk.reading.header import Header
from bulk.reading.problems import FileProblem
from bulk.reading.results import Batch, Entry, Position, Problem, Warning_

# What the engine takes for the columns: it knows rows of files.
HEADER: Final = Header.of(("ID", "CREDENTIALS"))
ID, SECRET = HEADER.names
LINE: Final = "LINE"  # a cell of each problem: the line of the list in which the pair begins
TEMPLATE: Final = "device-0001, {}\ndevice-0002, {}\ndevice-0003, {}\n"
TEMPLATE_SECRETS: Final = TEMPLATE.count("{}")

# Says what is wrong with an ID and a secret, as a code and a sentence.
Check = Callable[[str, str], tuple[str, str] | None]

_BOM: Final = b"\xef\xbb\xbf"
_LOOKED_AT: Final = 8_192  # bytes in which the first line is expected
_BINARIES: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b")  # workbooks, and packed files
_NO_LIST: Final = "This is a workbook or an archive, not a list. Save it as “CSV UTF-8”."
_EMPTY: Final = "There is nothing in this list. Add an ID and a secret for each device."
_SEMICOLONS: Final = (
    "The first line has semicolons and no comma. Separate each ID and each secret by a comma."
)
_OTHER_FORM: Final = (
    "This file names its columns, as files of the general bulk registration do. Upload it there: "
    "Bulk registration, General."
)
_HEAD_LINE: Final = "The first two fields name what the others are; they were skipped."
_ID_NAMES: Final = frozenset({"id", "device_id", "deviceid", "device id"})
_SECRET_NAMES: Final = frozenset({"secret", "device_secret", "devicesecret", "device secret"})
_VISIBLE: Final = re.compile(r"[ -~]*")  # all that ASCII can show
# What stands in an ID with one of these findings is hardly one: it may be the secret of another.
_HIDES_ID: Final = frozenset(
    {"empty_id", "invalid_characters", "invalid_device_id", "pattern_mismatch", "secret_equals_id"}
)


def survey(stream: BinaryIO) -> tuple[Dialect, Position]:
    """Look a list through from end to end; return how it is written, and where it begins.

    Raises:
        FileProblem: as a whole it makes no sense; it has a code.
    """
    stream.seek(0)
    lead = stream.read(_LOOKED_AT)
    bom = len(_BOM) if lead.startswith(_BOM) else 0
    _check_lead(lead[bom:])
    start = Position(bom, 1, 0)
    fields = Fields(stream, start)
    count, parity = 0, _Parity()
    is_first = True
    while (pair := fields.pair()) is not None:
        first, second = pair
        parity.add(first.line)
        count += 1
        if second is not None:
            parity.add(second.line)
            count += 1
            count -= 2 * (is_first and _is_head(first, second))
        is_first = False
    if count % 2:
        raise FileProblem(_odd(count, parity.odd_line()), code="odd_field_count")
    if not count:
        raise FileProblem(_EMPTY, line=1, code="empty_file")
    return Dialect("utf-8", bom, ",", "LF"), start


def read_pairs(
    stream: BinaryIO,
    start: Position,
    *,
    most: int | Callable[[], int],
    check: Check | None = None,
) -> Iterator[Batch]:
    """Yield the pairs from ``start`` on, at most ``most`` at once; the last batch says so.

    The ``line`` of what is found is the number of the pair, as there can be many in one line.
    Whoever goes on from the ``next`` of a batch reads the very same pairs.
    """
    fields = Fields(stream, start)
    row = start.row
    warnings: list[Warning_] = []
    while True:
        batch = Batch([], [], warnings, start, is_last=False)
        until = row + max(1, most() if callable(most) else most)
        while row < until and (pair := fields.pair()) is not None:
            first, second = pair
            if row == 0 and not batch.warnings and second and _is_head(first, second):
                batch.warnings.append(Warning_(first.line, "", "header", _HEAD_LINE))
                continue
            row += 1
            _take(batch, row, first, second or Field("", first.line), check)
        batch.is_last = fields.is_over()
        batch.next = fields.position(row)
        yield batch
        if batch.is_last:
            return
        warnings = []


def _take(batch: Batch, number: int, first: Field, second: Field, check: Check | None) -> None:
    device_id, secret = first.text, second.text
    wrong = _wrong(first, second) or (check(device_id, secret) if check else None)
    if wrong is None:
        batch.entries.append(
            Entry(
                number, device_id, secret, False, "", "", "", "", "", SERIAL, "", False, (), {},
                first.line,
            )
        )  # fmt: skip
        return
    code, reason = wrong
    told = "" if code in _HIDES_ID else device_id
    column = SECRET if "secret" in code else ID
    cells = {ID: told, LINE: str(first.line)}
    batch.problems.append(Problem(number, column, code, reason, told, cells))


def _wrong(first: Field, second: Field) -> tuple[str, str] | None:
    """Return what is wrong with a pair, whatever it is for."""
    if not first.text:
        return "empty_id", "The ID is missing: there is nothing between two commas."
    if not second.text:
        return "empty_secret", "The secret is empty."
    if not (_VISIBLE.fullmatch(first.text) and _VISIBLE.fullmatch(second.text)):
        return "invalid_characters", (
            "There is a line end, a control character or a letter beyond plain English in this "
            "pair. Write the ID and the secret with letters, digits and signs of plain English."
        )
    if first.is_long:
        return "invalid_device_id", f"The ID has more than {MOST_KEPT:,} characters."
    if second.is_long:
        return "secret_too_long", f"The secret has more than {MOST_KEPT:,} characters."
    return None


def _is_head(first: Field, second: Field) -> bool:
    """Say whether two fields name what a pair is, instead of being one."""
    return first.text.lower() in _ID_NAMES and second.text.lower() in _SECRET_NAMES


def _check_lead(lead: bytes) -> None:
    """Refuse what is no list of pairs, by how it begins."""
    if lead.startswith(_BINARIES):
        raise FileProblem(_NO_LIST, line=1, code="not_utf8")
    if lead.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in lead[:2]:
        raise FileProblem(NOT_UTF8, line=1, code="not_utf8")
    line = lead.lstrip().decode("utf-8", "replace").splitlines()[:1]
    text = line[0] if line else ""
    names = {name.strip(' \t"\ufeff').upper() for name in re.split("[;,\t]", text)}
    if "ID" in names and names & (STANDARD - {"ID"}):
        raise FileProblem(_OTHER_FORM, line=1, code="other_form")
    if ";" in text and "," not in text and not text.startswith('"'):
        raise FileProblem(_SEMICOLONS, line=1, code="other_form")


class _Parity:
    """Looks for a line in which a field may be missing."""

    def __init__(self) -> None:
        self._line = self._number = 0
        self._odd: list[int] = []  # the first two lines with an odd number of fields

    def add(self, line: int) -> None:
        """Count a field of a line; lines come in their order."""
        if line != self._line:
            self._end()
            self._line, self._number = line, 0
        self._number += 1

    def odd_line(self) -> int | None:
        """Return the only line with an odd number of fields, if there is just one."""
        self._end()
        return self._odd[0] if len(self._odd) == 1 else None

    def _end(self) -> None:
        if self._number % 2 and len(self._odd) < 2:
            self._odd.append(self._line)
        self._number = 0


def _odd(count: int, line: int | None) -> str:
    hint = (
        f" Line {line:,} is the only one with an odd number of fields: look there first."
        if line
        else ""
    )
    return (
        f"The list has {count:,} field{'' if count == 1 else 's'}, which is an odd number: an ID "
        f"or a secret is missing, or there is a comma too many.{hint}"
    )
