"""The rows of the file of an import, whatever form it has."""

from collections.abc import Callable, Iterator
from functools import partial

from bulk import files
from bulk.models import Form, Import
from bulk.pair_rules import check_pair
from bulk.reading.dialect import Dialect
from bulk.reading.header import Header
from bulk.reading.rows import Batch, Position, batches_of


def rows_of(
    one: Import, *, most: int | Callable[[], int], from_start: bool = False
) -> Iterator[Batch]:
    """Yield the rows from where the import stands, or all of them ``from_start``.

    From the start, pairs come as they are, whether or not the device type takes their values.
    """
    dialect = Dialect.from_dict(one.dialect)
    # Pairs begin where the file does; only they are ever read from there.
    position = Position(dialect.bom, 1, 0) if from_start else Position.from_dict(one.position)
    check = None
    if one.form == Form.PAIRS and one.device_type is not None and not from_start:
        check = partial(check_pair, one.device_type)
    header = Header.from_dict(one.header)
    with files.open_file(one) as stream:
        yield from batches_of(one.form, stream, dialect, header, position, most=most, check=check)
