"""The rows of the file of an import, whatever form it has."""

from collections.abc import Callable, Iterator

from bulk import files
from bulk.models import Import
from bulk.reading.dialect import Dialect
from bulk.reading.header import Header
from bulk.reading.rows import Batch, Position, read_batches


def rows_of(
    one: Import, *, most: int | Callable[[], int], from_start: bool = False
) -> Iterator[Batch]:
    """Yield the rows from where the import stands, or all of them ``from_start``."""
    dialect = Dialect.from_dict(one.dialect)
    # Pairs begin where the file does; only they are ever read from there.
    position = Position(dialect.bom, 1, 0) if from_start else Position.from_dict(one.position)
    with files.open_file(one) as stream:
        yield from read_batches(stream, dialect, Header.from_dict(one.header), position, most=most)
