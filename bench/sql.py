"""Rows by the million, in SQL that both databases understand: n is the number of each."""

from collections.abc import Callable

from django.db import connection, models, transaction


def insert(table: str, columns: dict[str, str], *, where: str = "1 = 1") -> str:
    """Return the statement that writes a row for each n from 1 to its parameter."""
    names, values = ", ".join(columns), ", ".join(columns.values())
    return f"INSERT INTO {table} ({names}) SELECT {values} FROM {_numbers()} WHERE {where}"


def _numbers() -> str:
    """Return a table n(n) of the whole numbers from 1 to a parameter."""
    if connection.vendor == "postgresql":
        return "(SELECT generate_series(1, %s) AS n) AS n"
    return (
        "(WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < %s)"
        " SELECT n FROM r) AS n"
    )


def number_of(n: str, prefix: str, digits: int) -> str:
    """Return the text of a number behind a prefix, with leading zeros."""
    if connection.vendor == "postgresql":
        return f"('{prefix}' || lpad(({n})::text, {digits}, '0'))"
    return f"printf('{prefix}%%0{digits}d', {n})"


def device_id() -> str:
    """Return the ID of device n."""
    return number_of("n", "bench-", 7)


def moment(n: str) -> str:
    """Return a time: one every ten seconds, the last one a while ago."""
    if connection.vendor == "postgresql":
        return f"(timestamptz '2025-01-01 00:00:00+00' + ({n}) * interval '10 seconds')"
    return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', '2025-01-01', (({n}) * 10) || ' seconds')"


def write(sql: str, rows: int) -> None:
    """Run a statement of :func:`insert` in a transaction of its own."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, [rows])


def without_indexes(model: type[models.Model], fill: Callable[[], None]) -> None:
    """Build the indexes after the rows: sorting once is quicker than inserting a million times."""
    indexes = model._meta.indexes  # noqa: SLF001
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.remove_index(model, index)
    fill()
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.add_index(model, index)
