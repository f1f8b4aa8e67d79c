"""A column for device IDs that sorts and ranges by bytes on every database."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, Q

MAX_DEVICE_ID_BYTES = 1000  # of UTF-8; a PostgreSQL index entry ends at 2,704


class DeviceIdField(models.CharField):  # type: ignore[type-arg]
    """Text compared byte by byte: a prefix is a range of the one index that also sorts."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", MAX_DEVICE_ID_BYTES)
        super().__init__(*args, **kwargs)

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        """Ask PostgreSQL for the collation that SQLite has by itself."""
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters


def starts_with(column: str, text: str) -> Q:
    """Return the condition that ``column`` starts with ``text``, as a range of its index."""
    return Q(**{f"{column}__gte": text, f"{column}__lt": text + "\U0010ffff"})


class _AsWords(Func):
    """A device ID as text of the database's own language."""

    template = "%(expressions)s"

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        """Undo the collation by bytes, under which only A to Z have capitals."""
        return super().as_sql(
            compiler, connection, template='(%(expressions)s COLLATE "default")', **extra
        )


def as_words(column: str) -> Func:
    """Return ``column`` for a search that is to find Ü for ü."""
    return _AsWords(F(column), output_field=models.CharField())


def text_key(text: str, length: int = 200) -> str:
    """Return what ``text`` is sorted and searched by: without capitals, and not endless."""
    return text[:length].casefold()[:length]
