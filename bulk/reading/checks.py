"""One row judged with care: the device it stands for, or one sentence about what is wrong.

What each sentence says is about the rule. It repeats nothing of the row: where cells have moved,
a password can stand anywhere.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from bulk.reading.cells import BLANKS, LongLine, QuoteProblem, Row, split
from bulk.reading.columns import REASON, Form
from bulk.reading.header import Header
from bulk.reading.results import Entry, Problem, Warning_
from inventory.errors import InvalidObjectError
from inventory.fragments import MAX_FRAGMENTS_BYTES
from inventory.identity import check_external_id
from inventory.models import PATH_SEPARATOR, GroupPathError, split_path
from inventory.models.managed_object import MAX_NAME_LENGTH, MAX_TYPE_LENGTH
from registration.device_ids import clean_device_id, spell
from registration.errors import DeviceIdError
from tenants.models.tenant import ID_RULE, MAX_TENANT_ID_LENGTH
from ui.csv_export import unguarded

SERIAL: Final = "c8y_Serial"
IMEI_TYPES: Final = frozenset({"c8y_imei", "imei"})  # in small letters
IMEI_DIGITS: Final = 15
MAX_ICCID: Final = 64  # characters; real ones have 19 or 20
MAX_OTP: Final = 32  # characters. Source: thin-edge.io, registration with the platform's CA
MOST_PROPERTIES: Final = MAX_FRAGMENTS_BYTES - 4_096  # bytes of JSON; the rest is for what we add
ESCAPED: Final = 12  # bytes of JSON that one character can take: two halves, like \\ud83d\\ude00
MAX_SHOWN: Final = 1_000  # characters of a cell, bytes of an ID, in a problem
# The contract's signs are all that ASCII has. It says at most 32; its clients make longer ones.
PASSWORD: Final = re.compile(r"[!-~]{8,255}")
TENANT: Final = re.compile(ID_RULE.regex)
SCIENTIFIC: Final = re.compile(r"\d(?:[.,]\d+)?E\+\d+", re.IGNORECASE)
# Controls but tab and line feed, separators of lines, and what is left of broken encodings.
_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LINE: Final = re.compile(r"[\t\n]")
SHORTEST_PASSWORD: Final = 8  # characters
AUTH_TYPES: Final = {"": False, "BASIC": False, "CERTIFICATES": True}
_SPREADSHEET: Final = "a spreadsheet has shortened a long number. Format its column as text."


class _Refusal(Exception):  # noqa: N818 - one row's verdict
    """The row stands for no device."""

    def __init__(self, column: str, code: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.code, self.reason = column, code, reason


class Checker:
    """Judges the rows of one file, one at a time."""

    def __init__(self, header: Header, delimiter: str) -> None:
        self._header, self._delimiter = header, delimiter
        self._width = len(header.names)
        self._is_full = header.form is Form.FULL
        at = header.standard
        self._read = frozenset(at.values()) if self._is_full else frozenset(
            at[name] for name in ("ID", "TENANT", "PATH") if name in at
        )  # fmt: skip
        names = json.dumps([members for _, members in header.customs])
        # A row with no more characters than this holds no more properties than a device can have.
        self.room = (MOST_PROPERTIES - 2 * len(names)) // ESCAPED
        self._kept = [
            (position, name)
            for position, name in enumerate(header.names)
            if name and name != REASON and position not in header.secrets
        ]

    def check(
        self, lines: Sequence[str], start: int, number: int, *, is_end: bool
    ) -> tuple[Entry | Problem | None, int, list[Warning_]]:
        """Return what the row at ``lines[start]`` is, the index behind it, and warnings.

        It is nothing if all its cells are empty. ``number`` is that of its physical line.

        Raises:
            MoreLinesNeeded: there may be more of it.
        """
        line = lines[start]
        if isinstance(line, LongLine):
            return (
                self._torn(line, number, "too-long", "This line is too long for a row."),
                start + 1,
                [],
            )
        try:
            row = split(lines, start, self._delimiter, is_end=is_end)
        except QuoteProblem as error:
            return self._torn(line, number, "quotes", str(error)), start + 1, []
        if not any(cell.strip(BLANKS) for cell in row.cells):
            return None, row.after, []
        warnings: list[Warning_] = []
        cells = self._plain(row)
        try:
            found: Entry | Problem = self._entry(row, cells, number, warnings)
        except _Refusal as refusal:
            found = self._problem(row, cells, number, refusal)
        return found, row.after, warnings

    def _plain(self, row: Row) -> list[str]:
        """Return the cells by the columns of the file, without what guards spreadsheets."""
        cells = row.cells[: self._width] + [""] * (self._width - len(row.cells))
        for position, cell in enumerate(cells):
            if cell[:1] == "'" and position not in self._header.secrets:
                cells[position] = unguarded(cell)
        return cells

    def _entry(self, row: Row, cells: list[str], number: int, warnings: list[Warning_]) -> Entry:
        self._check_cells(row, cells)
        cell = {
            name: cells[position].strip(BLANKS)
            for name, position in self._header.standard.items()
            if position in self._read
        }.get

        def warn(name: str, code: str, reason: str) -> None:
            warnings.append(Warning_(number, self._header.name_of(name), code, reason))

        def refuse(name: str, code: str, reason: str) -> _Refusal:
            return _Refusal(self._header.name_of(name), code, reason)

        text = cell("ID", "")
        if SCIENTIFIC.fullmatch(text):
            warn("ID", "scientific", f"The ID looks as if {_SPREADSHEET}")
            raise refuse("ID", "id", f"The ID looks as if {_SPREADSHEET}")
        try:
            device_id = clean_device_id(text)
        except DeviceIdError as error:
            raise refuse("ID", "id", _about(error, text)) from None
        tenant_id = cell("TENANT", "")
        if tenant_id and (len(tenant_id) > MAX_TENANT_ID_LENGTH or not TENANT.search(tenant_id)):
            raise refuse("TENANT", "tenant", "This cannot be the ID of a tenant: lower-case "
                         "letters, digits and hyphens.")  # fmt: skip
        certificate, password, otp = self._secrets(cell, refuse)
        kind, name = cell("TYPE", ""), cell("NAME", "")
        for column, value, most in (
            ("TYPE", kind, MAX_TYPE_LENGTH),
            ("NAME", name, MAX_NAME_LENGTH),
        ):
            if len(value) > most:
                raise refuse(column, column.lower(), f"A {column.lower()} can have at most {most} "
                             "characters.")  # fmt: skip
        iccid = cell("ICCID", "")
        if len(iccid) > MAX_ICCID:
            msg = f"An ICCID can have at most {MAX_ICCID} characters."
            raise refuse("ICCID", "iccid", msg)
        if SCIENTIFIC.fullmatch(iccid):
            warn("ICCID", "scientific", f"The ICCID looks as if {_SPREADSHEET}")
        id_type = cell("IDTYPE", "") or SERIAL
        self._check_external("IDTYPE", id_type, device_id)
        if id_type.lower() in IMEI_TYPES and not is_imei(device_id):
            warn("ID", "imei", "The ID is called an IMEI and is none: its last digit does not fit.")
        try:
            path = clean_path(cell("PATH", ""))
        except GroupPathError as error:
            raise refuse("PATH", "path", str(error)) from None
        return Entry(
            number, device_id, password, certificate, otp, tenant_id, kind, name, iccid, id_type,
            path, cell("SHELL", "") == "1",
            self._external(cells, id_type, device_id, number, warnings),
            self._properties(row, cells),
        )  # fmt: skip

    def _check_cells(self, row: Row, cells: list[str]) -> None:
        """Refuse a row that does not fit the header, or has characters that are no text."""
        names = self._header.names
        count = len(row.cells)
        if count > self._width and any(row.cells[self._width :]):
            raise _Refusal(
                "", "cells", f"The row has {count} cells, the header has {self._width}. Put cells "
                "that contain the separator into double quotes.",
            )  # fmt: skip
        for position in self._header.nameless:
            if cells[position]:
                msg = f"There is a value in column {position + 1}, which has no name."
                raise _Refusal("", "cells", msg)
        for position, cell in enumerate(cells):
            wrong = _NO_TEXT.search(cell) or (
                _LINE.search(cell.strip(BLANKS)) if position in self._read else None
            )
            if wrong:
                raise _Refusal(names[position], "characters", _unreadable(wrong[0]))

    def _secrets(self, cell: Any, refuse: Any) -> tuple[bool, str, str]:
        """Return whether the device has a certificate, its password and its one-time password."""
        if not self._is_full:
            return False, "", ""
        certificate = AUTH_TYPES.get(cell("AUTH_TYPE", "").upper())
        if certificate is None:
            msg = "The type of authentication is BASIC, CERTIFICATES or empty."
            raise refuse("AUTH_TYPE", "auth-type", msg)
        otp = cell("ENROLLMENT_OTP", "")
        if otp and not certificate:
            msg = "A one-time password is for devices whose AUTH_TYPE is CERTIFICATES."
            raise refuse("ENROLLMENT_OTP", "otp", msg)
        if len(otp) > MAX_OTP or not otp.isprintable():
            msg = f"A one-time password has at most {MAX_OTP} letters, digits and signs."
            raise refuse("ENROLLMENT_OTP", "otp", msg)
        password = "" if certificate else cell("CREDENTIALS", "")
        if not certificate and not PASSWORD.fullmatch(password):
            msg = (
                "The password has 8 to 255 letters, digits and signs of plain English, no spaces."
                if password
                else "A password is needed, or CERTIFICATES as AUTH_TYPE."
            )
            raise refuse("CREDENTIALS", "password", msg)
        return certificate, password, otp

    def _check_external(self, column: str, kind: str, value: str) -> None:
        try:
            check_external_id(kind, value)
        except InvalidObjectError as error:
            reason = str(error).replace("Field type", "The type of an ID").replace(
                "Field externalId", "An external ID"
            )  # fmt: skip
            name = self._header.name_of(column)
            raise _Refusal(name, "external-id", reason) from None

    def _external(
        self, cells: list[str], id_type: str, device_id: str, number: int, warnings: list[Warning_]
    ) -> tuple[tuple[str, str], ...]:
        """Return the further external IDs, each once."""
        found: dict[tuple[str, str], None] = {}
        for position, kind in self._header.externals:
            value = cells[position].strip(BLANKS)
            if value:
                name = self._header.names[position]
                self._check_external(name, kind, value)
                if SCIENTIFIC.fullmatch(value):
                    reason = f"The external ID looks as if {_SPREADSHEET}"
                    warnings.append(Warning_(number, name, "scientific", reason))
                found[kind, value] = None
        found.pop((id_type, device_id), None)
        return tuple(found)

    def _properties(self, row: Row, cells: list[str]) -> dict[str, Any]:
        """Return the properties, one within the other; cells that are empty are none."""
        properties: dict[str, Any] = {}
        for position, members in self._header.customs:
            if cells[position]:
                put(properties, members, cells[position])
        if sum(map(len, row.cells)) > self.room and len(json.dumps(properties)) > MOST_PROPERTIES:
            raise _Refusal("", "too-long", "The properties of this device are too long together.")
        return properties

    def _problem(self, row: Row, cells: list[str], number: int, refusal: _Refusal) -> Problem:
        # A cell too many, though empty, beside a password that is none: the rest of it may be in
        # the next cell, because it holds the separator.
        is_moved = len(row.cells) > self._width and refusal.code == "password"
        is_moved = is_moved or self._has_slipped(cells)
        fits = len(row.cells) >= self._width and refusal.code != "cells" and not is_moved
        end = self._width
        if refusal.code == "password" and self._is_begun(cells):
            end = min(self._header.secrets)
        position = self._header.standard["ID"]
        is_told = (fits and position < end) or self._header.is_id_safe
        shown = (
            {name: cut(cells[at]) for at, name in self._kept if cells[at] and at < end}
            if fits
            else {self._header.names[position]: cut(cells[position])} if is_told else {}
        )  # fmt: skip
        return Problem(
            number, refusal.column, refusal.code, refusal.reason,
            cut_bytes(cells[position].strip(BLANKS)) if is_told else "", shown,
        )  # fmt: skip

    def _is_begun(self, cells: list[str]) -> bool:
        """Say whether a password is too short: the rest of it may stand to the right.

        It may hold the separator, and the client wrote it as it is.
        """
        at = self._header.standard.get("CREDENTIALS")
        return at is not None and 0 < len(cells[at].strip(BLANKS)) < SHORTEST_PASSWORD

    def _has_slipped(self, cells: list[str]) -> bool:
        """Say whether a cell that holds one of few words holds another: perhaps the password."""
        at = self._header.standard.get("AUTH_TYPE")
        return at is not None and cells[at].strip(BLANKS).upper() not in AUTH_TYPES

    def _torn(self, line: str, number: int, code: str, reason: str) -> Problem:
        """Return the problem of a row whose cells cannot be told, but perhaps its ID."""
        position = self._header.standard["ID"]
        before = line.split('"', maxsplit=1)[0].split(self._delimiter)
        device_id = ""
        if self._header.is_id_safe and position < len(before) - 1:
            device_id = before[position].strip(BLANKS)
        shown = {self._header.names[position]: cut(device_id)} if device_id else {}
        return Problem(number, "", code, reason, cut_bytes(device_id), shown)


def put(properties: dict[str, Any], members: tuple[str, ...], value: str) -> None:
    """Set a member of a member of ``properties``; the header sees to it that it can be one."""
    for member in members[:-1]:
        properties = properties.setdefault(member, {})
    properties[members[-1]] = value


def clean_path(text: str) -> str:
    """Return a group path as groups have it, "" for none. Raises GroupPathError."""
    return PATH_SEPARATOR.join(split_path(text)) if text else ""


def is_imei(text: str) -> bool:
    """Say whether ``text`` can be an IMEI: its last digit checks the others (Luhn)."""
    if len(text) != IMEI_DIGITS or not (text.isascii() and text.isdigit()):
        return True  # no IMEI at all, but somebody's own number; nothing to be said
    return (
        sum(sum(divmod(int(digit) * (1 + at % 2), 10)) for at, digit in enumerate(text)) % 10 == 0
    )


def cut(text: str) -> str:
    """Return the beginning of a cell, as every database can keep it."""
    return _NO_TEXT.sub("\ufffd", text[:MAX_SHOWN])


def cut_bytes(text: str) -> str:
    """Return as much of an ID as an ID can have."""
    return cut(text).encode()[:MAX_SHOWN].decode(errors="ignore")


def _about(error: DeviceIdError, text: str) -> str:
    """Return what is wrong with an ID, without the ID."""
    if error.character:
        return f"An ID cannot contain this character: {spell(error.character)}."
    return str(error) if len(text) < MAX_SHOWN // 10 else "An ID can have at most 1,000 bytes."


def _unreadable(character: str) -> str:
    if character in "\t\n":
        what = "a tab" if character == "\t" else "a line break"
        return f"There is {what} in this cell."
    if "\ud800" <= character <= "\udfff":
        return "There are bytes in this cell that are no text. Save the list as “CSV UTF-8”."
    return f"There is a control character in this cell: U+{ord(character):04X}."
