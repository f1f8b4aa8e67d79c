"""Reading the next rows while the database writes the last ones.

A thread reads, judges the cells and works out the hashes. It never speaks to the database: what it
needs of the file that has not been fetched, it asks this side for.
"""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from queue import SimpleQueue
from threading import Thread
from typing import Final

from bulk import files
from bulk.engine.opening import rows_of
from bulk.engine.pace import Pace
from bulk.keys import item_key
from bulk.models import Import
from bulk.reading.rows import Batch
from inventory.models.credentials import password_digest

_STOP: Final = object()
_GO: Final = object()


class _StoppedError(Exception):
    """Nobody wants the rest of the file."""


@contextmanager
def batches(one: Import, pace: Pace) -> Iterator[Iterator[Batch]]:
    """Let the rest of the file be read, chunk after chunk.

    On SQLite each chunk is read when it is its turn: how long it may be, the last one has to tell,
    and the database works in this process, so that there is nothing to wait for.
    """
    if pace.is_shared:
        with closing(_Ahead(one, pace.rows).batches()) as found:
            yield found
        return
    yield rows_of(one, most=lambda: pace.rows)


class _Ahead:
    """One file, and the thread that reads it: always one batch ahead."""

    def __init__(self, one: Import, rows: int) -> None:
        self._one = one
        self._rows = rows_of(one, most=rows, fetch=self._piece)
        self._out: SimpleQueue[Batch | int | BaseException] = SimpleQueue()
        self._back: SimpleQueue[object] = SimpleQueue()
        self._fetched: dict[int, bytes | None] = {}  # pieces of the file, by their numbers
        self._last = -1  # the last one that the thread has got

    def batches(self) -> Generator[Batch]:
        """Yield the batches; ended early, the thread ends as well."""
        thread = Thread(target=self._read, name="bulk-ahead", daemon=True)
        thread.start()
        try:
            while True:
                batch = self._next()
                if not batch.is_last:
                    self._fetch(self._last + 1)
                    self._back.put(_GO)
                yield batch
                if batch.is_last:
                    return
        finally:
            self._back.put(_STOP)
            thread.join()

    # --- On this side ------------------------------------------------------------------

    def _next(self) -> Batch:
        while True:
            found = self._out.get()
            if isinstance(found, Batch):
                return found
            if isinstance(found, BaseException):
                raise found
            self._fetch(found)
            self._back.put(_GO)

    def _fetch(self, number: int) -> None:
        if number not in self._fetched:
            self._fetched = {number: files.sealed(self._one, number)}

    # --- In the thread -----------------------------------------------------------------

    def _read(self) -> None:
        try:
            for batch in self._rows:
                _prepare(batch)
                self._out.put(batch)
                if not batch.is_last:
                    self._wait()
        except _StoppedError:
            pass
        except BaseException as error:  # noqa: BLE001 -- it is raised on the other side
            self._out.put(error)

    def _piece(self, number: int) -> bytes | None:
        if number not in self._fetched:
            self._out.put(number)
            self._wait()
        self._last = number
        return self._fetched[number]

    def _wait(self) -> None:
        if self._back.get() is _STOP:
            raise _StoppedError


def _prepare(batch: Batch) -> None:
    for entry in batch.entries:
        entry.key = item_key(entry.device_id)
        if entry.password:
            entry.digest = password_digest(entry.device_id, entry.password)
