"""What the database is asked about texts and fragments: the same answer from each of them.

A property of a fragment is found by its path, step by step through JSON objects. Where the path
leads to an array, its elements are compared: an object matches when one of them does. Values of
another type than the one they are compared with do not match; nothing is converted.
"""

import json
from collections.abc import Sequence
from typing import Any, Final, Literal

from django.db.models import BooleanField, F, Func, IntegerField, TextField

Sql = tuple[str, list[Any]]
Comparison = Literal["=", "<", "<=", ">", ">="]
Scalar = str | int | float | bool

# Strict, so that a step into an array does not go on into each of its elements; nothing is found
# then, without an error.
_LEAF: Final = "jsonb_path_query_first({it}, %s::jsonpath, '{}', true)"
# A lax path takes a single value for an array of one. json_each would also go through an object.
_EACH_POSTGRESQL: Final = (
    "EXISTS (SELECT 1 FROM jsonb_path_query({leaf}, 'lax $[*]') AS item(value) WHERE {condition})"
)
_EACH_SQLITE: Final = (
    "EXISTS (SELECT 1 FROM json_each({it}, %s) AS item"
    " WHERE json_type({it}, %s) <> 'object' AND {condition})"
)


class _Asked(Func):
    """SQL that each database has words of its own for; ``{it}`` stands for what it is about."""

    def as_sqlite(self, compiler: Any, *_connection: Any, **_extra: Any) -> Any:
        """Return the words of SQLite."""
        return self._about(compiler, self.in_sqlite())

    def as_postgresql(self, compiler: Any, *_connection: Any, **_extra: Any) -> Any:
        """Return the words of PostgreSQL."""
        return self._about(compiler, self.in_postgresql())

    def _about(self, compiler: Any, asked: Sql) -> Sql:
        # A column, which has no parameters of its own.
        it, _ = compiler.compile(self.get_source_expressions()[0])
        return asked[0].replace("{it}", it), asked[1]

    def in_sqlite(self) -> Sql:
        """Return the SQL, and its parameters."""
        raise NotImplementedError

    def in_postgresql(self) -> Sql:
        """Return the SQL, and its parameters."""
        raise NotImplementedError


class ByBytes(_Asked):
    """A text that compares and sorts byte by byte, whatever the language of the database."""

    output_field = TextField()

    def in_sqlite(self) -> Sql:
        """Take it as it is."""
        return "{it}", []

    def in_postgresql(self) -> Sql:
        """Ask for the order that SQLite has by itself."""
        return '({it} COLLATE "C")', []


class Matches(_Asked):
    """Whether a text is these pieces with anything, or nothing, between them."""

    output_field = BooleanField()

    def __init__(self, text: Any, pieces: Sequence[str]) -> None:
        super().__init__(text)
        self.pieces = tuple(pieces)

    def in_sqlite(self) -> Sql:
        """Use GLOB: LIKE takes capitals and small letters for the same here."""
        return "({it} GLOB %s)", [_glob(self.pieces)]

    def in_postgresql(self) -> Sql:
        """Use LIKE."""
        return "({it} LIKE %s)", [_like(self.pieces)]


class _OfFragment(_Asked):
    """Something about the property at ``path`` within the fragments."""

    def __init__(self, path: Sequence[str]) -> None:
        super().__init__(F("fragments"))
        self.path = tuple(path)

    @property
    def sqlite_path(self) -> str:
        """Return the path as SQLite writes it; keys are kept in ASCII, and so are its steps."""
        return "$" + "".join(f".{json.dumps(step)}" for step in self.path)

    @property
    def postgresql_path(self) -> str:
        """Return the path as PostgreSQL writes it."""
        return f"strict {self.sqlite_path}"


class HasFragment(_OfFragment):
    """Whether there is something at the path, even null."""

    output_field = BooleanField()

    def in_sqlite(self) -> Sql:
        """Ask for its type."""
        return "(json_type({it}, %s) IS NOT NULL)", [self.sqlite_path]

    def in_postgresql(self) -> Sql:
        """Ask for the key where there is one step, as an index would know it; else for a value."""
        if len(self.path) == 1:
            return "({it} ? %s)", [*self.path]
        return f"({_LEAF} IS NOT NULL)", [self.postgresql_path]


class FragmentIsNull(_OfFragment):
    """Whether there is nothing at the path, or null."""

    output_field = BooleanField()

    def in_sqlite(self) -> Sql:
        """Ask for its type."""
        return "(COALESCE(json_type({it}, %s), 'null') = 'null')", [self.sqlite_path]

    def in_postgresql(self) -> Sql:
        """Ask for its type."""
        return f"(COALESCE(jsonb_typeof({_LEAF}), 'null') = 'null')", [self.postgresql_path]


class _AnyValue(_OfFragment):
    """Whether the value at the path, or one of an array there, is as the subclass says."""

    output_field = BooleanField()

    def in_sqlite(self) -> Sql:
        """Go through the array."""
        condition, params = self.item_in_sqlite()
        path = self.sqlite_path
        return _EACH_SQLITE.replace("{condition}", condition), [path, path, *params]

    def in_postgresql(self) -> Sql:
        """Go through the array."""
        condition, params = self.item_in_postgresql()
        sql = _EACH_POSTGRESQL.replace("{leaf}", _LEAF).replace("{condition}", condition)
        return sql, [self.postgresql_path, *params]

    def item_in_sqlite(self) -> Sql:
        """Return the condition on one item."""
        raise NotImplementedError

    def item_in_postgresql(self) -> Sql:
        """Return the condition on one item."""
        raise NotImplementedError


class FragmentCompares(_AnyValue):
    """Whether the property is equal to, smaller or greater than a value of the same type."""

    def __init__(self, path: Sequence[str], comparison: Comparison, value: Scalar) -> None:
        super().__init__(path)
        self.comparison, self.value = comparison, value

    def item_in_sqlite(self) -> Sql:
        """Compare the value as SQLite keeps it."""
        if isinstance(self.value, bool):
            return "item.type = %s", [json.dumps(self.value)]
        types = "'text'" if isinstance(self.value, str) else "'integer', 'real'"
        return f"item.type IN ({types}) AND item.value {self.comparison} %s", [self.value]

    def item_in_postgresql(self) -> Sql:
        """Compare text as text, the rest as JSON: a cast could meet a value that it fails on."""
        if isinstance(self.value, str):
            item = "(item.value #>> '{}') COLLATE \"C\""
            sql = f"jsonb_typeof(item.value) = 'string' AND {item} {self.comparison} %s"
            return sql, [self.value]
        kind = "boolean" if isinstance(self.value, bool) else "number"
        sql = f"jsonb_typeof(item.value) = '{kind}' AND item.value {self.comparison} %s::jsonb"
        return sql, [json.dumps(self.value)]


class FragmentMatches(_AnyValue):
    """Whether the property is a text of these pieces with anything between them."""

    def __init__(self, path: Sequence[str], pieces: Sequence[str]) -> None:
        super().__init__(path)
        self.pieces = tuple(pieces)

    def item_in_sqlite(self) -> Sql:
        """Use GLOB, as for any text."""
        return "item.type = 'text' AND item.value GLOB %s", [_glob(self.pieces)]

    def item_in_postgresql(self) -> Sql:
        """Use LIKE."""
        sql = "jsonb_typeof(item.value) = 'string' AND (item.value #>> '{}') LIKE %s"
        return sql, [_like(self.pieces)]


class _Rank(_OfFragment):
    """Which values come first: nothing, numbers, texts, objects, arrays, false, true."""

    output_field = IntegerField()

    def in_sqlite(self) -> Sql:
        """Tell by the type."""
        sql = (
            "CASE json_type({it}, %s) WHEN 'integer' THEN 1 WHEN 'real' THEN 1 WHEN 'text' THEN 2"
            " WHEN 'object' THEN 3 WHEN 'array' THEN 4 WHEN 'false' THEN 5 WHEN 'true' THEN 6"
            " ELSE 0 END"
        )
        return sql, [self.sqlite_path]

    def in_postgresql(self) -> Sql:
        """Tell by the type."""
        sql = (
            f"CASE jsonb_typeof({_LEAF}) WHEN 'number' THEN 1 WHEN 'string' THEN 2"
            " WHEN 'object' THEN 3 WHEN 'array' THEN 4 WHEN 'boolean'"
            f" THEN CASE {_LEAF} WHEN 'false'::jsonb THEN 5 ELSE 6 END ELSE 0 END"
        )
        return sql, [self.postgresql_path] * 2


class _Key(_OfFragment):
    """What values of the same rank are sorted by: numbers by size, texts by their bytes."""

    output_field = TextField()

    def __init__(self, path: Sequence[str], kind: Literal["number", "string"]) -> None:
        super().__init__(path)
        self.kind = kind

    def in_sqlite(self) -> Sql:
        """Return the value if it is of the kind."""
        types = "'integer', 'real'" if self.kind == "number" else "'text'"
        sql = f"CASE WHEN json_type({{it}}, %s) IN ({types}) THEN json_extract({{it}}, %s) END"
        return sql, [self.sqlite_path] * 2

    def in_postgresql(self) -> Sql:
        """Return the value if it is of the kind; numbers as JSON, which compares them."""
        value = _LEAF if self.kind == "number" else f"({_LEAF} #>> '{{}}') COLLATE \"C\""
        sql = f"CASE WHEN jsonb_typeof({_LEAF}) = '{self.kind}' THEN {value} END"
        return sql, [self.postgresql_path] * 2


def fragment_order(path: Sequence[str]) -> tuple[Func, ...]:
    """Return what to sort by for the order of the values at ``path``."""
    return (_Rank(path), _Key(path, "number"), _Key(path, "string"))


def _glob(pieces: Sequence[str]) -> str:
    quoted = str.maketrans({"*": "[*]", "?": "[?]", "[": "[[]"})
    return "*".join(piece.translate(quoted) for piece in pieces)


def _like(pieces: Sequence[str]) -> str:
    quoted = str.maketrans({"%": r"\%", "_": r"\_", "\\": "\\\\"})
    return "%".join(piece.translate(quoted) for piece in pieces)
