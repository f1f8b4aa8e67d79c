"""The rows of the file of an import, whatever form it has."""

from collections.abc import Callable, Iterator
from functools import partial

from bulk import files
from bulk.files import Fetch
from bulk.models import Form, Import
from bulk.pair_rules import check_pair
from bulk.reading.dialect import Dialect
from bulk.reading.header import Header
from bulk.reading.rows import Batch, Position, batches_of


def rows_of(
    one: Import,
    *,
    most: int | Callable[[], int],
    from_start: bool = False,
    fetch: Fetch | None = None,
) -> Iterator[Batch]:
    """Return the rows from where the import stands, or all of them ``from_start``.

    From the start, pairs come as they are, whether or not the device type takes their values. With
    ``fetch``, which gets the pieces of the file, reading the rows asks the database for nothing.
    """
    dialect = Dialect.from_dict(one.dialect)
    # Pairs begin where the file does; only they are ever read from there.
    position = Position(dialect.bom, 1, 0) if from_start else Position.from_dict(one.position)
    check = None
    if one.form == Form.PAIRS and one.device_type is not None and not from_start:
        check = partial(check_pair, one.device_type)
    header, form = Header.from_dict(one.header), one.form

    def rows() -> Iterator[Batch]:
        with files.open_file(one, fetch) as stream:
            yield from batches_of(form, stream, dialect, header, position, most=most, check=check)

    return rows()
