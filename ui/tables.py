"""Lists: what all tables of the console share, and paging that stays quick at a million rows."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import django_tables2 as tables
from django.db.models import Model, Q, QuerySet

PAGE_SIZE = 50  # rows; fits two screens and keeps a page below ten milliseconds

M = TypeVar("M", bound=Model)


class ConsoleTable(tables.Table):  # type: ignore[misc]
    """Declares columns, headings and sorting; the row itself is one lean template.

    The library can draw every cell by itself, at about ten times the cost: a page of fifty rows
    spends its time there. So the table says *what* there is, ``row_template`` says how it looks.
    """

    row_template = ""

    class Meta:
        orderable = True
        order_by_field = "sort"


@dataclass(frozen=True)
class Page(Generic[M]):
    """One page of a list that is paged by key.

    ``first`` is the position of the first row, from 1; ``earlier`` and ``later`` are cursors for
    the neighbouring pages, empty at the ends. ``total`` is None when nobody keeps that count;
    ``total_is_capped`` says that there are more than ``total``.
    """

    rows: list[M]
    first: int
    total: int | None
    total_is_capped: bool
    earlier: str
    later: str

    @property
    def last(self) -> int:
        """Return the position of the last row."""
        return self.first + len(self.rows) - 1


class KeysetPaginator(Generic[M]):
    """Pages ``queryset`` in the order of one column, then the primary key.

    A page costs the same wherever it lies: it starts behind a key, not after counting off rows.
    ``column`` must not be null; the cursor carries the row's position so that a page can say
    "51 to 100 of 5,000" without counting.
    """

    def __init__(self, queryset: QuerySet[M], column: str, *, descending: bool) -> None:
        self.queryset = queryset
        self.column = column
        self.descending = descending

    def page(
        self,
        cursor: str,
        *,
        total: int | None = None,
        total_is_capped: bool = False,
        size: int = PAGE_SIZE,
    ) -> Page[M]:
        """Return the page that ``cursor`` names; the first one when it is empty or damaged."""
        at = _Cursor.read(cursor)
        backwards = at is not None and at.backwards
        rows = list(self._behind(at, backwards=backwards)[: size + 1])
        more = len(rows) > size
        rows = rows[:size]
        if backwards:
            rows.reverse()
        if at is None or (backwards and not more):
            first = 1
        elif not backwards:
            first = at.position + 1
        elif at.key is None:
            first = max(1, (total or 0) - len(rows) + 1)
        else:
            first = max(1, at.position - len(rows))
        has_earlier = more if backwards else at is not None and bool(rows)
        has_later = (at is not None and at.key is not None) if backwards else more
        return Page(
            rows=rows,
            first=first,
            total=total,
            total_is_capped=total_is_capped,
            earlier=self._cursor(rows[0], first, backwards=True) if has_earlier and rows else "",
            later=self._cursor(rows[-1], first + len(rows) - 1) if has_later and rows else "",
        )

    def _behind(self, at: "_Cursor | None", *, backwards: bool) -> QuerySet[M]:
        descending = self.descending != backwards
        sign = "-" if descending else ""
        ordered = self.queryset.order_by(f"{sign}{self.column}", f"{sign}pk")
        if at is None or at.key is None:
            return ordered
        value = at.value(self.queryset.model, self.column)
        if value is None:
            return ordered
        beyond = "lt" if descending else "gt"
        # The first condition is what the index can start from; the second breaks ties.
        return ordered.filter(
            Q(**{f"{self.column}__{beyond}e": value})
            & (Q(**{f"{self.column}__{beyond}": value}) | Q(**{f"pk__{beyond}": at.pk}))
        )

    def _cursor(self, row: M, position: int, *, backwards: bool = False) -> str:
        value = getattr(row, self.column)
        key = value.isoformat() if isinstance(value, datetime) else value
        return _Cursor(key, row.pk, position, backwards=backwards).text()


LAST_PAGE = base64.urlsafe_b64encode(b"[null,0,0,true]").decode().rstrip("=")


@dataclass(frozen=True)
class _Cursor:
    key: str | int | None  # None with ``backwards``: from the very end
    pk: int
    position: int
    backwards: bool

    @classmethod
    def read(cls, text: str) -> "_Cursor | None":
        if not text:
            return None
        try:
            padded = text + "=" * (-len(text) % 4)
            key, pk, position, backwards = json.loads(base64.urlsafe_b64decode(padded))
            if key is not None and not isinstance(key, str | int):
                return None
            return cls(key, int(pk), int(position), bool(backwards))
        except (ValueError, TypeError, binascii.Error):
            return None

    def text(self) -> str:
        packed = json.dumps([self.key, self.pk, self.position, self.backwards])
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")

    def value(self, model: type[Model], column: str) -> Any:
        """Return the key as the column's own type, or None if somebody edited the URL."""
        try:
            field: Any = model._meta.get_field(column)  # noqa: SLF001
            return field.to_python(self.key)
        except Exception:  # noqa: BLE001 -- every field raises its own kind of validation error
            return None
