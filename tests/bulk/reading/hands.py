"""Reads a file that a test has written, from its bytes to its rows."""

import io
from dataclasses import dataclass

from bulk.reading.dialect import Detector, Dialect
from bulk.reading.header import Header, read_header
from bulk.reading.rows import Batch, Position, read_batches


@dataclass
class Found:
    """What is in a file."""

    dialect: Dialect
    header: Header
    start: Position
    batches: list[Batch]

    @property
    def entries(self):
        return [entry for batch in self.batches for entry in batch.entries]

    @property
    def problems(self):
        return [problem for batch in self.batches for problem in batch.problems]

    @property
    def warnings(self):
        return [warning for batch in self.batches for warning in batch.warnings]

    @property
    def problem(self):
        (one,) = self.problems
        return one

    @property
    def ids(self):
        return [entry.device_id for entry in self.entries]


def detected(data, *, block=65_536):
    """Return the dialect of a file that comes in blocks of that many bytes."""
    detector = Detector()
    for start in range(0, len(data), block):
        detector.feed(data[start : start + block])
    return detector.finish()


def found_in(data, *, most=1_000, block=65_536):
    """Return all there is in a file."""
    if isinstance(data, str):
        data = data.encode()
    dialect = detected(data, block=block)
    stream = io.BytesIO(data)
    header, start = read_header(stream, dialect)
    batches = list(read_batches(stream, dialect, header, start, most=most))
    return Found(dialect, header, start, batches)


def full(row, header="ID;CREDENTIALS"):
    """Return what is in a file of one row."""
    return found_in(f"{header}\n{row}\n")
