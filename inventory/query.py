"""The query language of the inventory: text in, a tree of conditions out; nothing is looked up.

``$filter=(has(c8y_IsDevice) and name eq 'press*') $orderby=name asc,creationTime desc``

Source: Cumulocity REST, query language of managed objects; beyond it what published clients send:
values without quotes, ``ne``, numbers like ``10f``, a backslash before brackets in quoted text, and
``+`` for a space where a client encodes it twice.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

MAX_QUERY_LENGTH: Final = 4_000  # characters
MAX_DEPTH: Final = 16  # brackets inside one another
MAX_CONDITIONS: Final = 64
MAX_HIERARCHIES: Final = 4  # isinhierarchyof() in one query; each may walk through everything
MAX_ORDERS: Final = 8  # properties to sort by
MAX_PATH_STEPS: Final = 8  # of a fragment's path, a.b.c

STANDARD: Final = frozenset(
    {"id", "_id", "name", "type", "owner", "self", "creationTime", "lastUpdated"}
)  # properties that every object has, so has() is not for them

Operator = Literal["eq", "ne", "lt", "le", "gt", "ge"]
OPERATORS: Final[dict[str, Operator]] = {name: name for name in get_args(Operator)}


class QueryError(Exception):
    """The query could not be understood; the message says where."""


@dataclass(frozen=True)
class Value:
    """What a property is compared with: as text, whose pieces ``*`` separates, and as JSON."""

    pieces: tuple[str, ...]
    json: str | int | float | bool | None

    @property
    def text(self) -> str:
        """Return the value as it was written, for comparisons that know no wildcards."""
        return "*".join(self.pieces)

    @property
    def is_pattern(self) -> bool:
        """Say whether a wildcard is in it."""
        return len(self.pieces) > 1


@dataclass(frozen=True)
class Has:
    """The object has this fragment."""

    path: tuple[str, ...]


@dataclass(frozen=True)
class InGroup:
    """The object is a direct member of one of these groups."""

    group_ids: tuple[int, ...]


@dataclass(frozen=True)
class InHierarchy:
    """The object is one of these, or anywhere beneath one."""

    object_ids: tuple[int, ...]


@dataclass(frozen=True)
class Compare:
    """A property compared with a value."""

    path: tuple[str, ...]
    operator: Operator
    value: Value


@dataclass(frozen=True)
class Not:
    """The opposite of a condition."""

    condition: "Condition"


@dataclass(frozen=True)
class All:
    """Every one of these."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one of these."""

    conditions: tuple["Condition", ...]


Condition = Has | InGroup | InHierarchy | Compare | Not | All | AnyOf


@dataclass(frozen=True)
class Order:
    """Sorting by one property."""

    path: tuple[str, ...]
    is_descending: bool = False


@dataclass(frozen=True)
class Query:
    """What is looked for and in which order; without a condition, everything."""

    condition: Condition | None = None
    order: tuple[Order, ...] = ()


_QUOTED: Final = re.compile(r"'(?:[^']|'')*'")
_SECTION: Final = re.compile(r"\$(filter|orderby)\s*=", re.IGNORECASE)
_SPACE: Final = re.compile(r"[\s+]*")
_WORD: Final = re.compile(r"[(),']|[^\s(),'+]+")
_VALUE: Final = re.compile(r"'(?:[^']|'')*'|[^\s(),']+")  # a + within one is meant
_ESCAPED: Final = re.compile(r"''|\\([\[\]{}()*\\])|\*")
_NUMBER: Final = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)[fFdDlLmM]?")
_STEP: Final = re.compile(r"""[^\s.,*\[\]()@$/'"\\]+""")  # names of fragments have none of these
_KEYWORDS: Final = {"true": True, "false": False, "null": None}
_ID: Final = re.compile(r"[0-9]{1,18}")  # fits a 64-bit column


def parse_query(text: str) -> Query:
    """Return what ``text`` asks for.

    A query without ``$filter=`` is taken for the filter itself, as clients send both.

    Raises:
        QueryError: it cannot be understood, or is too large to be meant.
    """
    if len(text) > MAX_QUERY_LENGTH:
        msg = f"A query can have at most {MAX_QUERY_LENGTH} characters."
        raise QueryError(msg)
    if not is_storable(text):
        raise QueryError("The query contains characters that are in no object.")
    condition: Condition | None = None
    order: tuple[Order, ...] = ()
    for name, body in _sections(text):
        if name == "filter":
            condition = _Reader(body).whole_condition()
        else:
            order = _Reader(body).whole_order()
    return Query(condition, order)


def is_storable(text: str) -> bool:
    """Say whether a database can even look for ``text``: no NUL, no half surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= one <= "\udfff" for one in text)


def parse_id(text: str) -> int | None:
    """Return an object's ID, or None where ``text`` can be nobody's."""
    return int(text) if _ID.fullmatch(text) else None


def parse_path(word: str) -> tuple[str, ...]:
    """Return the steps to a property, outermost first.

    Raises:
        QueryError: nothing can be called that.
    """
    steps = word.split(".")
    if (
        len(steps) > MAX_PATH_STEPS
        or not all(_STEP.fullmatch(step) for step in steps)
        or not is_storable(word)
    ):
        msg = f"{word!r} is no property."
        raise QueryError(msg)
    return tuple(steps)


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Yield the parts of a query by their names; quoted text may look like one and is none."""
    outside = _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), text)
    starts = list(_SECTION.finditer(outside))
    if not starts:
        yield "filter", text
        return
    if _SPACE.sub("", text[: starts[0].start()]):
        raise QueryError("A query begins with $filter= or $orderby=.")
    names = [start[1].lower() for start in starts]
    if len(set(names)) < len(names):
        raise QueryError("A query has each of $filter= and $orderby= once.")
    ends = [start.start() for start in starts[1:]] + [len(text)]
    for start, end, name in zip(starts, ends, names, strict=True):
        yield name, text[start.end() : end]


class _Reader:
    """Reads conditions, one word after the other."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.number = 0
        self.hierarchies = 0

    def whole_condition(self) -> Condition | None:
        if not self._peek():
            return None
        condition = self._any()
        self._expect_end()
        return condition

    def whole_order(self) -> tuple[Order, ...]:
        order: list[Order] = []
        while self._peek():
            path = parse_path(self._take())
            direction = self._peek().lower()
            if direction in {"asc", "desc"}:
                self._take()
            order.append(Order(path, is_descending=direction == "desc"))
            if len(order) > MAX_ORDERS:
                msg = f"A query can sort by at most {MAX_ORDERS} properties."
                raise QueryError(msg)
            if self._peek() != ",":
                break
            self._take()
        self._expect_end()
        return tuple(order)

    def _any(self) -> Condition:
        found = [self._all()]
        while self._peek().lower() == "or":
            self._take()
            found.append(self._all())
        return found[0] if len(found) == 1 else AnyOf(tuple(found))

    def _all(self) -> Condition:
        found = [self._one()]
        while self._peek().lower() == "and":
            self._take()
            found.append(self._one())
        return found[0] if len(found) == 1 else All(tuple(found))

    def _one(self) -> Condition:
        self._count()
        word = self._take()
        if word == "(":
            return self._in_brackets()
        if word.lower() == "not":
            return Not(self._one())
        function = _FUNCTIONS.get(word.lower())
        if function is not None and self._peek() == "(":
            found = function(self._arguments())
            if isinstance(found, InHierarchy):
                self._count_hierarchy()
            return found
        path = parse_path(word)
        operator = OPERATORS.get(self._take().lower())
        if operator is None:
            msg = f"After {word!r} one of {', '.join(OPERATORS)} is expected."
            raise QueryError(msg)
        return Compare(path, operator, self._value())

    def _count(self) -> None:
        self.number += 1
        if self.number > MAX_CONDITIONS:
            msg = f"A query can have at most {MAX_CONDITIONS} conditions."
            raise QueryError(msg)

    def _count_hierarchy(self) -> None:
        self.hierarchies += 1
        if self.hierarchies > MAX_HIERARCHIES:
            msg = f"A query can ask for at most {MAX_HIERARCHIES} hierarchies."
            raise QueryError(msg)

    def _in_brackets(self) -> Condition:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise QueryError("The brackets of the query are nested too deeply.")
        condition = self._any()
        self._expect_closed()
        self.depth -= 1
        return condition

    def _arguments(self) -> list[str]:
        self._take()
        arguments = [self._value().text]
        while self._peek() == ",":
            self._take()
            self._count()  # each is a condition of its own
            arguments.append(self._value().text)
        self._expect_closed()
        return arguments

    def _value(self) -> Value:
        found = _VALUE.match(self.text, self._next())
        if found is None:
            raise QueryError("A value is missing, or a quote is not closed.")
        self.at = found.end()
        word = found[0]
        if word.startswith("'"):
            pieces = _unescaped(word[1:-1])
            return Value(pieces, "*".join(pieces))
        pieces = tuple(word.split("*"))
        if word in _KEYWORDS:
            return Value(pieces, _KEYWORDS[word])
        number = _NUMBER.fullmatch(word)
        return Value(pieces, _number(number[1]) if number else word)

    def _next(self) -> int:
        space = _SPACE.match(self.text, self.at)
        return space.end() if space else self.at

    def _peek(self) -> str:
        found = _WORD.match(self.text, self._next())
        return found[0] if found else ""

    def _take(self) -> str:
        found = _WORD.match(self.text, self._next())
        if found is None:
            raise QueryError("The query ends too early.")
        self.at = found.end()
        return found[0]

    def _expect_closed(self) -> None:
        if self._peek() != ")":
            raise QueryError("A closing bracket is missing.")
        self._take()

    def _expect_end(self) -> None:
        if self._peek():
            msg = f"{self._peek()!r} was not expected."
            raise QueryError(msg)


def _has(arguments: list[str]) -> Condition:
    paths = [parse_path(one) for one in arguments]
    for path in paths:
        if path[0] in STANDARD:
            msg = f"has() is for fragments, and {path[0]!r} is none."
            raise QueryError(msg)
    return Has(paths[0]) if len(paths) == 1 else AnyOf(tuple(Has(path) for path in paths))


def _in_group(arguments: list[str]) -> Condition:
    return InGroup(_ids(arguments))


def _in_hierarchy(arguments: list[str]) -> Condition:
    return InHierarchy(_ids(arguments))


_FUNCTIONS: Final[dict[str, Callable[[list[str]], Condition]]] = {
    "has": _has,
    "hasany": _has,
    "bygroupid": _in_group,
    "isinhierarchyof": _in_hierarchy,
}


def _ids(arguments: list[str]) -> tuple[int, ...]:
    """Return the IDs among the arguments; one that can be nobody's just finds nothing."""
    for one in arguments:
        if not (one.isascii() and one.isdigit()):
            msg = f"{one!r} is no ID."
            raise QueryError(msg)
    return tuple(number for one in arguments if (number := parse_id(one)) is not None)


def _unescaped(text: str) -> tuple[str, ...]:
    """Return quoted text as it was meant, apart at its wildcards."""
    pieces = [""]
    at = 0
    for found in _ESCAPED.finditer(text):
        pieces[-1] += text[at : found.start()]
        if found[0] == "*":
            pieces.append("")
        else:
            pieces[-1] += found[1] or "'"
        at = found.end()
    pieces[-1] += text[at:]
    return tuple(pieces)


def _number(text: str) -> int | float:
    if text.lstrip("-").isdigit():
        number = int(text)
        if abs(number) < 2**63:
            return number
    if not math.isfinite(float(text)):
        raise QueryError("A number in the query is too large.")
    return float(text)
