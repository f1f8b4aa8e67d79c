"""Rows as PostgreSQL's ``COPY`` reads them: formatted a column at a time, which is quickest."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any, Final

NULL: Final = "\\N"
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copied(rows: Sequence[Sequence[Any]], tail: Sequence[Any] = ()) -> bytes:
    """Return the lines of ``rows``, each with the cells of ``tail`` behind its own.

    Raises:
        TypeError: a value is of no type that is known here.
    """
    columns: list[Iterable[str]] = [_cells(column) for column in zip(*rows, strict=True)]
    end = "\t".join(["", *map(_cell, tail)]) + "\n"
    return (end.join(map("\t".join, zip(*columns, strict=True))) + end).encode()


def _cells(column: Sequence[Any]) -> Iterable[str]:
    kinds = set(map(type, column))
    if len(kinds) == 1 and column[0] == column[-1] and len(set(column)) == 1:
        return repeat(_cell(column[0]), len(column))
    if kinds == {int}:
        return map(str, column)
    if kinds == {str}:
        every = "".join(column)
        if not ("\\" in every or "\t" in every or "\n" in every or "\r" in every):
            return column
    return map(_cell, column)


def _cell(value: Any) -> str:
    if value is None:
        return NULL
    if isinstance(value, str):
        return str.__str__(value).translate(_ESCAPES)
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, int | float | uuid.UUID):
        return str(value)
    msg = f"There is no way to copy a value of type {type(value).__name__}."
    raise TypeError(msg)
