"""Lists: what all tables of the console share, and paging that stays quick at a million rows."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import django_tables2 as tables
from django.core.exceptions import ValidationError
from django.db.models import F, Model, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.db.models.functions import Coalesce

PAGE_SIZE = 50  # rows; fits two screens and keeps a page below ten milliseconds
MAX_CURSOR_LENGTH = 16 * 1024  # characters; a key of a thousand, each escaped, has room
MAX_NUMBER = 2**63 - 1  # of a 64-bit column

M = TypeVar("M", bound=Model)


class ConsoleTable(tables.Table):  # type: ignore[misc]
    """Declares columns, headings and sorting; the row itself is one lean template.

    The library can draw every cell by itself, at about ten times the cost: a page of fifty rows
    spends its time there. So the table says *what* there is, ``row_template`` says how it looks.
    """

    row_template = ""  # draws ``rows``, all of them in one loop

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

    ``is_short`` says that the rows are few and no index has them in this order. They are sorted
    after they were found; a database that guesses might walk through everything in the right order
    instead, and look for the few on its way.
    """

    def __init__(
        self, queryset: QuerySet[M], column: str, *, descending: bool, is_short: bool = False
    ) -> None:
        self.queryset = queryset
        self.column = column
        self.descending = descending
        self.is_short = is_short

    def page(
        self,
        cursor: str,
        *,
        total: int | None = None,
        total_is_capped: bool = False,
        size: int = PAGE_SIZE,
    ) -> Page[M]:
        """Return the page that ``cursor`` names; the first one when it is empty or damaged.

        Rows come and go while somebody pages: where nothing is left behind the cursor, the page
        nearest to it is returned, and a page reached backwards that would not be full is the
        first one.
        """
        at = _Cursor.read(cursor, self.queryset.model, self.column)
        backwards = at is not None and at.backwards
        rows = list(self._behind(at, backwards=backwards)[: size + 1])
        more = len(rows) > size
        if at is not None and ((backwards and not more) or not rows):
            nearest = "" if backwards else LAST_PAGE
            return self.page(nearest, total=total, total_is_capped=total_is_capped, size=size)
        rows = rows[:size]
        if backwards:
            rows.reverse()
        if at is None:
            first = 1
        elif not backwards:
            first = at.position + 1
        elif at.key is None:
            first = (total or 0) - len(rows) + 1
        else:
            first = at.position - len(rows)
        if total is not None and not total_is_capped:
            first = min(first, total - len(rows) + 1)
        first = max(1, first)
        has_earlier = at is not None
        has_later = (at is not None and at.key is not None) if backwards else more
        return Page(
            rows=rows,
            first=first,
            total=total,
            total_is_capped=total_is_capped,
            earlier=self._cursor(rows[0], first, backwards=True) if has_earlier else "",
            later=self._cursor(rows[-1], first + len(rows) - 1) if has_later else "",
        )

    def every(self, size: int) -> Iterator[list[M]]:
        """Yield all rows in order, ``size`` at a time; rows that come and go meanwhile may."""
        at: _Cursor | None = None
        while rows := list(self._behind(at, backwards=False)[:size]):
            yield rows
            if len(rows) < size:
                return
            at = _Cursor(getattr(rows[-1], self.column), rows[-1].pk, 0, backwards=False)

    def _behind(self, at: "_Cursor | None", *, backwards: bool) -> QuerySet[M]:
        descending = self.descending != backwards
        # No index is over what is computed, even if it is the column itself.
        plain = F(self.column)
        column = Coalesce(plain, plain) if self.is_short else plain
        ordered = self.queryset.order_by(
            OrderBy(column, descending=descending), "-pk" if descending else "pk"
        )
        if at is None or at.key is None:
            return ordered
        beyond = "lt" if descending else "gt"
        # The first condition is what the index can start from; the second breaks ties.
        return ordered.filter(
            Q(**{f"{self.column}__{beyond}e": at.key})
            & (Q(**{f"{self.column}__{beyond}": at.key}) | Q(**{f"pk__{beyond}": at.pk}))
        )

    def _cursor(self, row: M, position: int, *, backwards: bool = False) -> str:
        return _Cursor(getattr(row, self.column), row.pk, position, backwards=backwards).text()


LAST_PAGE = base64.urlsafe_b64encode(b"[null,0,0,true]").decode().rstrip("=")


@dataclass(frozen=True)
class _Cursor:
    """Where a page starts; it travels in the URL, so anything at all may come back."""

    key: Any  # as the column's own type; None with ``backwards``: from the very end
    pk: Any  # a number, or a text or UUID where the key is one
    position: int
    backwards: bool

    @classmethod
    def read(cls, text: str, model: type[Model], column: str) -> "_Cursor | None":
        """Return the cursor in ``text``, or None if it is none that we made."""
        if not text or len(text) > MAX_CURSOR_LENGTH:
            return None
        try:
            padded = text + "=" * (-len(text) % 4)
            key, pk, position, backwards = json.loads(base64.urlsafe_b64decode(padded))
            own = _typed(pk, model, model._meta.pk.name)  # noqa: SLF001
            cursor = cls(_typed(key, model, column), own, int(position), bool(backwards))
        except (ValueError, TypeError, OverflowError, RecursionError, ValidationError):
            return None
        is_whole = cursor.backwards or cursor.key is not None
        numbers = [one for one in (cursor.pk, cursor.position) if not isinstance(one, str | UUID)]
        fits = all(isinstance(one, int) and 0 <= one <= MAX_NUMBER for one in numbers)
        return cursor if is_whole and fits else None

    def text(self) -> str:
        key = self.key.isoformat() if isinstance(self.key, datetime) else self.key
        pk = str(self.pk) if isinstance(self.pk, UUID) else self.pk
        packed = json.dumps([key, pk, self.position, self.backwards])
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def _typed(key: Any, model: type[Model], column: str) -> Any:
    """Return the key of a cursor as the column's own type.

    Raises:
        ValueError, TypeError, OverflowError, ValidationError: no row can have it.
    """
    if key is None:
        return None
    if not isinstance(key, str | int):
        raise TypeError
    if "\x00" in str(key).encode().decode():  # which lone surrogates do not survive
        raise ValueError
    field: Any = model._meta.get_field(column)  # noqa: SLF001
    value = field.to_python(key)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError
        return value.astimezone(UTC)
    return value
