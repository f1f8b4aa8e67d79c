"""Many rows in one go: ``COPY`` on PostgreSQL, one prepared statement on SQLite."""

import json
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import repeat
from typing import Any, Final

from django.db import DataError, IntegrityError, connection, models

from bulk.engine.copying import copied
from inventory.many import AnyOf

PRIVILEGES: Final = 150_000  # the first version of PostgreSQL where a role can be allowed to
Rows = Iterable[Sequence[Any]]
_PLAIN: Final = {str, int, float, bool, type(None)}
# How PostgreSQL is told what a list of texts stands for.
_TYPES: Final = {
    "BigAutoField": "bigint",
    "BigIntegerField": "bigint",
    "JSONField": "jsonb",
    "DateTimeField": "timestamptz",
    "BooleanField": "boolean",
}


def is_postgres() -> bool:
    """Say whether the database is PostgreSQL."""
    return connection.vendor == "postgresql"


def insert(model: type[models.Model], columns: Sequence[str], rows: Rows) -> None:
    """Insert ``rows``, tuples in the order of ``columns``; all others get their defaults.

    Raises:
        django.db.IntegrityError: one of them is there already.
    """
    rest = _defaults(model, columns)
    names = [*(_column(model, name) for name in columns), *rest]
    rows = list(rows)
    if not rows:
        return
    table, tail = model._meta.db_table, tuple(plain(value) for value in rest.values())
    with connection.cursor() as cursor:
        if not is_postgres():
            marks = ", ".join(["%s"] * len(names))
            cursor.executemany(
                f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",
                _plain_rows(rows, tail),
            )
            return
        copying = f"COPY {table} ({', '.join(names)}) FROM STDIN"
        with (
            connection.wrap_database_errors,
            cursor.connection.cursor() as raw,
            raw.copy(copying) as copy,
        ):
            copy.write(copied(rows, tail))


def update(model: type[models.Model], columns: Sequence[str], rows: Rows) -> None:
    """Set ``columns`` of rows; each tuple is the ID and then a value for each column."""
    names = [_column(model, name) for name in columns]
    table, key = model._meta.db_table, model._meta.pk.column
    rows = list(rows)
    if not rows:
        return
    with connection.cursor() as cursor:
        if not is_postgres():
            sets = ", ".join(f"{name} = %s" for name in names)
            cursor.executemany(
                f"UPDATE {table} SET {sets} WHERE {key} = %s",
                [(*map(plain, values), pk) for pk, *values in rows],
            )
            return
        fields = [model._meta.pk, *(model._meta.get_field(name) for name in columns)]
        arrays = ", ".join(f"%s::{_type(field)}[]" for field in fields)
        sets = ", ".join(f"{name} = v.{name}" for name in names)
        cursor.execute(
            f"UPDATE {table} t SET {sets} FROM unnest({arrays}) AS v ({key}, {', '.join(names)})"
            f" WHERE t.{key} = v.{key}",
            [list(column) for column in zip(*rows, strict=True)],
        )


def new_ids(model: type[models.Model], number: int) -> list[int]:
    """Return IDs that nobody else will get."""
    table, key = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        if is_postgres():
            cursor.execute(
                # The sequence is looked up once, not for each number.
                "SELECT nextval((SELECT pg_get_serial_sequence(%s, %s)::regclass))"
                " FROM generate_series(1, %s)",
                [table, key, number],
            )
            return [row[0] for row in cursor.fetchall()]
        # The transaction that this runs in holds the whole database.
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
        first = (row[0] if row else 0) + 1
        return list(range(first, first + number))


def _plain_rows(rows: Sequence[Sequence[Any]], tail: Iterable[Any]) -> list[tuple[Any, ...]]:
    ends = (repeat(one, len(rows)) for one in tail)
    return list(zip(*_plain_columns(rows), *ends, strict=True))


def _plain_columns(rows: Sequence[Sequence[Any]]) -> Iterator[Iterable[Any]]:
    """Yield the columns of rows as the driver takes them: most of them as they are."""
    for column in zip(*rows, strict=True):
        kinds = set(map(type, column))
        if kinds <= _PLAIN:
            yield column
        elif kinds == {datetime}:  # mostly one
            times = {time: plain(time) for time in set(column)}
            yield map(times.__getitem__, column)
        else:
            yield map(plain, column)


def plain(value: Any) -> Any:
    """Return a value as the driver takes it."""
    if isinstance(value, datetime) and not is_postgres():
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, uuid.UUID) and not is_postgres():
        return value.hex
    if isinstance(value, dict | list):
        return json.dumps(value)
    return value


def _type(field: Any) -> str:
    return _TYPES.get(type(getattr(field, "target_field", field)).__name__, "text")


def _column(model: type[models.Model], name: str) -> str:
    field: Any = model._meta.get_field(name)
    return connection.ops.quote_name(field.column)


def _defaults(model: type[models.Model], columns: Sequence[str]) -> dict[str, Any]:
    """Return what the columns hold that nobody names."""
    named = {model._meta.get_field(name).name for name in columns}
    return {
        connection.ops.quote_name(str(field.column)): field.get_default()
        for field in model._meta.concrete_fields
        if field.name not in named and not field.primary_key and field.get_default() is not None
    }


def check_keys_at_once() -> None:
    """Let foreign keys be checked with each statement, which is cheaper than at the commit.

    Nor is a whole table read, or helpers started, for a question about the rows of one chunk: what
    that costs grows with the table, or is more than the answer.
    """
    if not is_postgres():
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL enable_seqscan = off;"
            " SET LOCAL max_parallel_workers_per_gather = 0"
        )


@contextmanager
def keys_held() -> Iterator[None]:
    """Insert rows whose foreign keys all point to rows that this transaction made, or holds.

    PostgreSQL would look each of them up and lock it once more, which is a quarter of the work. A
    role that may not leave that out does it: nothing else is different.
    """
    is_left_out = is_postgres() and _replicates("replica")
    yield
    if is_left_out:  # after an error the transaction, or its part, is rolled back with this
        _replicates("origin")


def _replicates(role: str) -> bool:
    """Set the role of this transaction in replication, if that is allowed; say whether it is."""
    if connection.cursor().connection.info.server_version < PRIVILEGES:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('session_replication_role', %s, true)"
            " WHERE has_parameter_privilege('session_replication_role', 'SET')",
            [role],
        )
        return cursor.fetchone() is not None


def may_pass(error: Exception) -> bool:
    """Say whether the same may succeed when it is tried again: a race, a deadlock, a full queue."""
    if isinstance(error, IntegrityError | DataError):
        return True
    cause = type(error.__cause__).__name__
    return cause in {"DeadlockDetected", "SerializationFailure", "LockNotAvailable"} or (
        "locked" in str(error)
    )


def delete(model: type[models.Model], column: str, values: Collection[Any]) -> None:
    """Delete rows by one of their columns; what points at them must be gone already."""
    rows = model._base_manager.filter(AnyOf(column, values))
    rows._raw_delete(using="default")
