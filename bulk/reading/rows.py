"""The rows of a file, a batch at a time: quickly where nothing is special, else with care.

Nearly all rows of nearly all files are plain. For these the loop in :class:`RowReader` does no
more than it must, and it accepts only: whatever it is not sure of, a :class:`Checker` judges.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final

from bulk.reading.cells import BLANKS, MoreLinesNeeded
from bulk.reading.checks import (
    AUTH_TYPES,
    IMEI_TYPES,
    MAX_ICCID,
    MAX_OTP,
    PASSWORD,
    SERIAL,
    Checker,
    is_imei,
    put,
)
from bulk.reading.columns import Form
from bulk.reading.dialect import Dialect
from bulk.reading.header import USED_BY_SIMPLE, Header
from bulk.reading.lines import Lines
from bulk.reading.pairs import Check, read_pairs
from bulk.reading.results import Batch, Entry, Position, Problem, Warning_
from inventory.models.external_id import MAX_EXTERNAL_ID_BYTES
from inventory.models.managed_object import MAX_NAME_LENGTH, MAX_TYPE_LENGTH
from registration.device_ids import RESERVED

__all__ = [
    "Batch",
    "Entry",
    "Position",
    "Problem",
    "RowReader",
    "Warning_",
    "batches_of",
    "read_batches",
]

PAIRS: Final = "pairs"  # the form of files that have no columns

REMEMBERED: Final = 10_000  # paths, types and tenants that were fine
MAX_BLOCKS: Final = 64  # read for one batch; endless blank lines do not keep anybody waiting
MAX_NAMED: Final = 10  # columns in one warning
# A quick yes to IDs of plain letters; anything else is looked at by the rule itself.
PLAIN_ID: Final = re.compile(r"[!-#%-*,-.0-\[\]-~]{1,1000}")
ENOUGH_IDS: Final = 20  # numbers seen before any of them is called short


NO_IDS: Final[tuple[tuple[str, str], ...]] = ()

Quick = Callable[[str, int], Entry | None]


class RowReader:
    """Reads the rows of one file; remembers what it has judged, and what IDs look like."""

    def __init__(self, header: Header, delimiter: str) -> None:
        self._header = header
        self._checker = Checker(header, delimiter)
        self._paths: dict[str, str] = {"": ""}
        self._id_types: dict[str, bool] = {}  # whether it is one of IMEIs
        self._tenants: set[str] = {""}
        self._quick = self._quick_one(delimiter)
        self._lengths: Counter[int] = Counter()  # how many IDs are numbers of that many digits
        self._usual = 0  # the length that most of them have

    def read(self, lines: Lines, start: int, most: int, batch: Batch) -> int:
        """Add at most ``most`` rows to ``batch``; return the index of the line behind them.

        It ends early where a row may go on in lines that have not been read yet.
        """
        found, problems, quick = batch.entries, batch.problems, self._quick
        every, first, index = lines.lines, lines.number, start
        stop = len(found) + len(problems) + most
        while index < len(every) and len(found) + len(problems) < stop:
            line = every[index]
            if not line:
                index += 1
                continue
            entry = quick(line, first + index)
            if entry is not None:
                index += 1
            else:
                try:
                    result, after, warnings = self._checker.check(
                        every, index, first + index, is_end=lines.is_end
                    )
                except MoreLinesNeeded:
                    break
                index = after
                batch.warnings += warnings
                if not isinstance(result, Entry):
                    if result is not None:
                        problems.append(result)
                    continue
                entry = result
                self._remember(entry)
            if entry.device_id.isdigit() and self._is_short(len(entry.device_id)):
                batch.warnings.append(self._lost_zeros(entry.line))
            found.append(entry)
        return index

    def _at(self, name: str) -> int:
        """Return where a standard column is; -1, behind the last one, if it is not read."""
        if self._header.form is Form.SIMPLE and name not in USED_BY_SIMPLE:
            return -1
        return self._header.standard.get(name, -1)

    def _quick_one(self, delimiter: str) -> Quick:
        """Return a function that reads a row if nothing about it is special."""
        at, header = self._at, self._header
        width, externals, customs = len(header.names), header.externals, header.customs
        at_id, at_tenant, at_path, at_shell = at("ID"), at("TENANT"), at("PATH"), at("SHELL")
        at_type, at_name, at_iccid, at_id_type = at("TYPE"), at("NAME"), at("ICCID"), at("IDTYPE")
        at_auth, at_password, at_otp = at("AUTH_TYPE"), at("CREDENTIALS"), at("ENROLLMENT_OTP")
        is_full = header.form is Form.FULL
        is_id, is_password, has_tabs = PLAIN_ID.fullmatch, PASSWORD.fullmatch, delimiter == "\t"
        between = f'"{delimiter}"'
        paths, id_types, tenants, auth_types = (
            self._paths, self._id_types, self._tenants, AUTH_TYPES,
        )  # fmt: skip
        # Values in columns without a name have to be looked for.
        room = -1 if header.nameless else self._checker.room

        def quick(line: str, number: int) -> Entry | None:
            shown = line.replace("\t", "") if has_tabs else line
            if "'" in line or len(line) > room or not shown.isprintable():
                return None
            is_quoted = '"' in line
            if not is_quoted:
                cells = line.split(delimiter)
            elif has_tabs and line.count("\t") >= width:
                return None
            elif line[0] == line[-1] == '"' and line.count('"') == 2 * width:
                cells = line[1:-1].split(between)  # in so many cells that no quote is left
            else:
                return None
            if len(cells) != width:
                return None
            cells.append("")  # what a column that is not there holds
            device_id = cells[at_id].strip()
            if not is_id(device_id) or device_id in RESERVED:
                return None
            certificate = auth_types.get(cells[at_auth])
            otp = cells[at_otp].strip()
            password = ""
            if certificate:
                if len(otp) > MAX_OTP:
                    return None
            elif certificate is None or otp:
                return None
            elif is_full:
                password = cells[at_password].strip()
                if not is_password(password):
                    return None
            tenant_id, name = cells[at_tenant].strip(), cells[at_name].strip()
            kind, iccid = cells[at_type].strip(), cells[at_iccid].strip()
            path = paths.get(cells[at_path].strip())
            id_type = cells[at_id_type].strip() or SERIAL
            is_imei_type = id_types.get(id_type)
            if (
                path is None
                or is_imei_type is None
                or tenant_id not in tenants
                or len(name) > MAX_NAME_LENGTH
                or len(kind) > MAX_TYPE_LENGTH
                or len(iccid) > MAX_ICCID
                or "+" in iccid[1:]
                or (is_imei_type and not is_imei(device_id))
            ):
                return None
            external = NO_IDS
            for position, kind_of_id in externals:
                value = cells[position].strip()
                if value:
                    if not value.isascii() or len(value) > MAX_EXTERNAL_ID_BYTES or "+" in value:
                        return None
                    pair = (kind_of_id, value)
                    if pair not in external and pair != (id_type, device_id):
                        external = (*external, pair)
            properties: dict[str, Any] = {}
            for position, members in customs:
                value = cells[position] if is_quoted else cells[position].strip()
                if value:
                    put(properties, members, value)
            return Entry(
                number, device_id, password, certificate, otp, tenant_id, kind, name, iccid,
                id_type, path, cells[at_shell].strip() == "1", external, properties,
            )  # fmt: skip

        return quick

    def _remember(self, entry: Entry) -> None:
        """Keep what was fine, so that the next row with it is plain."""
        if entry.id_type not in self._id_types:
            if len(self._id_types) >= REMEMBERED:
                self._id_types.clear()
            self._id_types[entry.id_type] = entry.id_type.lower() in IMEI_TYPES
        if len(self._paths) >= REMEMBERED:
            self._paths.clear()
            self._paths[""] = ""
        self._paths[entry.path] = entry.path
        if len(self._tenants) >= REMEMBERED:
            self._tenants.clear()
            self._tenants.add("")
        self._tenants.add(entry.tenant_id)

    def _is_short(self, length: int) -> bool:
        """Count an ID that is a number; say whether it has fewer digits than most others."""
        lengths = self._lengths
        lengths[length] += 1
        if lengths[length] > lengths[self._usual]:
            self._usual = length
        if length >= self._usual:
            return False
        usual = lengths[self._usual]
        return usual >= ENOUGH_IDS and usual * 4 >= 3 * lengths.total()

    def _lost_zeros(self, line: int) -> Warning_:
        return Warning_(
            line, self._header.name_of("ID"), "leading-zeros",
            f"The ID has fewer digits than most others, which have {self._usual}: a spreadsheet "
            "may have taken zeros off its front.",
        )  # fmt: skip


def batches_of(
    form: str,
    stream: BinaryIO,
    dialect: Dialect,
    header: Header,
    start: Position,
    *,
    most: int | Callable[[], int],
    check: Check | None = None,
) -> Iterator[Batch]:
    """Yield what is in a file of whichever form; ``check`` judges the values of pairs."""
    if form == PAIRS:
        return read_pairs(stream, start, most=most, check=check)
    return read_batches(stream, dialect, header, start, most=most)


def read_batches(
    stream: BinaryIO,
    dialect: Dialect,
    header: Header,
    start: Position,
    *,
    most: int | Callable[[], int],
) -> Iterator[Batch]:
    """Yield the rows from ``start`` on, at most ``most`` at once; the last batch says so.

    A batch may have no rows, where the file has long stretches of nothing.

    Whoever goes on from the ``next`` of a batch reads the very same rows; only the warnings about
    lost zeros know no more than what has been read since ``start``.
    """
    lines = Lines(stream, dialect, start)
    reader = RowReader(header, dialect.delimiter)
    index, row, is_last = 0, start.row, False
    while not is_last:
        batch = Batch([], [], [], start, is_last=False)
        if row == 0 and start.row == 0:
            batch.warnings += _about_columns(header)
        wanted = max(1, most() if callable(most) else most)
        until = lines.blocks + MAX_BLOCKS
        while True:
            index = reader.read(lines, index, wanted - _count(batch), batch)
            if _count(batch) >= wanted or lines.blocks >= until or not lines.more(index):
                break
            index = 0
        index = _behind_blank_lines(lines, index, until)
        is_last = lines.is_end and index == len(lines.lines)
        row += _count(batch)
        batch.next, batch.is_last = lines.position(index, row=row), is_last
        yield batch


def _count(batch: Batch) -> int:
    return len(batch.entries) + len(batch.problems)


def _behind_blank_lines(lines: Lines, index: int, until: int) -> int:
    """Return the index of the next line that is not blank, so that the last batch knows it is."""
    while True:
        while index < len(lines.lines) and not lines.lines[index].strip(BLANKS):
            index += 1
        if index < len(lines.lines) or lines.blocks >= until or not lines.more(index):
            return index
        index = 0


def _about_columns(header: Header) -> list[Warning_]:
    """Return the warning about columns that a simple file cannot use."""
    if not header.ignored:
        return []
    names = ", ".join(header.ignored[:MAX_NAMED])
    more = len(header.ignored) - MAX_NAMED
    return [
        Warning_(
            1, header.ignored[0], "ignored-column",
            "Without the column CREDENTIALS or AUTH_TYPE this is a simple registration, which uses "
            f"ID, PATH and TENANT alone. Not used: {names}{f' and {more} more' * (more > 0)}.",
        )
    ]  # fmt: skip
