"""The first line of a file: which column is where, and whether the file makes sense at all."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from bulk.reading.cells import LongLine
from bulk.reading.columns import (
    EXTERNAL,
    MAKES_FULL,
    MAX_COLUMNS,
    MAX_NAME,
    REASON,
    SECRETS,
    STANDARD,
    Form,
)
from bulk.reading.dialect import Dialect, header_names, is_separator_line
from bulk.reading.lines import Lines
from bulk.reading.problems import FileProblem
from bulk.reading.results import MOBILE, OPERATIONS, Position
from inventory.errors import InvalidObjectError
from inventory.fragments import COLUMNS, MAX_FRAGMENT_NAME, MAX_FRAGMENTS, OF_THE_SERVER
from inventory.identity import check_external_id
from inventory.models.managed_object import IS_GROUP

USED_BY_SIMPLE: Final = frozenset({"ID", "PATH", "TENANT"})
OURS: Final = 3  # fragments that we add: c8y_IsDevice, c8y_Mobile, c8y_SupportedOperations


@dataclass(frozen=True)
class Header:
    """The columns of a file by their positions, counted from 0."""

    names: tuple[str, ...]  # as they were written
    form: Form
    standard: dict[str, int]  # by their names in capitals
    externals: tuple[tuple[int, str], ...]  # with their types
    customs: tuple[tuple[int, tuple[str, ...]], ...]  # with the members, outermost first
    nameless: frozenset[int]
    secrets: frozenset[int]

    @classmethod
    def of(cls, names: Sequence[str], *, line: int = 1) -> "Header":
        """Return the header with these names.

        Raises:
            FileProblem: no row could be understood with it.
        """
        check = _Check(line)
        standard = check.standard(names)
        externals: list[tuple[int, str]] = []
        customs: list[tuple[int, tuple[str, ...]]] = []
        form = Form.FULL if MAKES_FULL & standard.keys() else Form.SIMPLE
        for position, name in enumerate(names):
            if not name or name.upper() in STANDARD or name == REASON:
                continue
            check.name(name)
            if name.upper().startswith(EXTERNAL):
                externals.append((position, check.external(name)))
            else:
                customs.append((position, tuple(name.split("."))))
        if form is Form.FULL:
            check.customs([members for _, members in customs], standard)
        return cls(
            names=tuple(names),
            form=form,
            standard=standard,
            externals=tuple(externals) if form is Form.FULL else (),
            customs=tuple(customs) if form is Form.FULL else (),
            nameless=frozenset(position for position, name in enumerate(names) if not name),
            secrets=frozenset(standard[name] for name in SECRETS & standard.keys()),
        )

    @property
    def ignored(self) -> list[str]:
        """Return the names of columns that mean nothing in a file of this form."""
        if self.form is Form.FULL:
            return []
        return [
            name for name in self.names if name and name.upper() not in USED_BY_SIMPLE | {REASON}
        ]

    @property
    def is_id_safe(self) -> bool:
        """Say whether the ID can be told even where the cells of a row do not fit the names."""
        return all(self.standard["ID"] < position for position in self.secrets)

    def name_of(self, standard: str) -> str:
        """Return how a standard column is written in this file; itself if it is not there."""
        return self.names[self.standard[standard]] if standard in self.standard else standard

    def as_dict(self) -> dict[str, Any]:
        """Return the header as JSON."""
        return {"names": list(self.names)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Header":
        """Return the header that :meth:`as_dict` wrote down."""
        return cls.of(data["names"])


class _Check:
    """What can be wrong with the names of columns."""

    def __init__(self, line: int) -> None:
        self.line = line

    def _refuse(self, message: str, column: str = "") -> FileProblem:
        return FileProblem(message, line=self.line, column=column)

    def standard(self, names: Sequence[str]) -> dict[str, int]:
        """Return where the standard columns are."""
        if len(names) > MAX_COLUMNS:
            msg = f"The first line names {len(names):,} columns; there can be {MAX_COLUMNS:,}."
            raise self._refuse(msg)
        found = [(name.upper(), position) for position, name in enumerate(names)]
        standard = {name: position for name, position in found if name in STANDARD}
        if "ID" not in standard:
            # Whatever stands there is not repeated: it may be a row of data, with its password.
            raise self._refuse(
                "There is no column called ID. The first line is to name the columns, separated "
                "by semicolons, commas or tabs.", "ID",
            )  # fmt: skip
        for name, count in Counter(name for name, _ in found).items():
            if name in STANDARD and count > 1:
                raise self._refuse(f"The column {name} is there {count} times. Leave one.", name)
        return standard

    def name(self, name: str) -> None:
        """See to it that a name can be kept and shown."""
        if len(name) > MAX_NAME:
            msg = f"The name of a column can have at most {MAX_NAME} characters."
            raise self._refuse(msg, name[:MAX_NAME])
        if not name.isprintable():
            shown = "".join(letter if letter.isprintable() else "?" for letter in name)
            msg = "The name of a column cannot have control or invisible characters."
            raise self._refuse(msg, shown)

    def external(self, name: str) -> str:
        """Return the type of external IDs that the name of a column ends with."""
        kind = name[len(EXTERNAL) :].strip()
        try:
            check_external_id(kind, "1")
        except InvalidObjectError:
            msg = (
                f"{name} is to be external- and a type of IDs, such as external-c8y_Imei: at most "
                "250 bytes and no slash."
            )
            raise self._refuse(msg, name) from None
        return kind

    def customs(self, paths: Iterable[tuple[str, ...]], standard: dict[str, int]) -> None:
        """See to it that the properties fit into one object."""
        leaves: set[tuple[str, ...]] = set()
        for members in paths:
            name = ".".join(members)
            if not all(member == member.strip() and member for member in members):
                msg = f"{name} is to be names joined by single dots, such as warehouse.shelf."
                raise self._refuse(msg, name)
            if max(map(len, members)) > MAX_FRAGMENT_NAME:
                msg = f"The name of a property can have at most {MAX_FRAGMENT_NAME} characters."
                raise self._refuse(msg, name)
            if members[0] in OF_THE_SERVER | COLUMNS | {IS_GROUP}:
                msg = f"{members[0]} cannot be a property: it is a member that every object has."
                if members[0] == IS_GROUP:
                    msg = f"{IS_GROUP} cannot be a property: a device is no group."
                raise self._refuse(msg, name)
            leaves.add(members)
        if len({members[0] for members in leaves}) > MAX_FRAGMENTS - OURS:
            msg = f"A device can have at most {MAX_FRAGMENTS - OURS} properties of its own."
            raise self._refuse(msg)
        self._conflicts(leaves, standard)

    def _conflicts(self, leaves: set[tuple[str, ...]], standard: dict[str, int]) -> None:
        """Refuse a property that is a value and holds others, here or by a standard column."""
        ours = {"ICCID": (MOBILE, "iccid"), "SHELL": (OPERATIONS,)}
        for column, members in ours.items():
            if column in standard and members in leaves:
                name = ".".join(members)
                raise self._refuse(f"{column} and {name} are the same. Leave one.", name)
        every = leaves | {members for column, members in ours.items() if column in standard}
        for members in every:
            for length in range(1, len(members)):
                if members[:length] in every:
                    outer, inner = ".".join(members[:length]), ".".join(members)
                    msg = f"{outer} cannot have a value of its own, because it holds {inner}."
                    raise self._refuse(msg, outer)


def read_header(stream: BinaryIO, dialect: Dialect) -> tuple[Header, Position]:
    """Return the header, and where the first row of data begins.

    Raises:
        FileProblem: there is none, or it makes no sense.
    """
    lines = Lines(stream, dialect, Position(dialect.bom, 1, 0))
    index = 0
    while True:
        if index == len(lines.lines):
            if not lines.more(index):
                raise FileProblem("The file is empty.", line=1)
            index = 0
            continue
        line = lines.lines[index].strip(" \ufeff")
        number = lines.number + index
        if isinstance(lines.lines[index], LongLine):
            raise FileProblem("The first line is too long to name columns.", line=number)
        index += 1
        if line.strip() and not is_separator_line(line):
            header = Header.of(header_names(line, dialect.delimiter), line=number)
            return header, lines.position(index, row=0)
