"""Writing two chunks of one file at a time, each over a connection of its own.

While the database writes one chunk, the next one is judged and put into words; and the database
has two processors to use. They are committed in the order of the file, each with its checkpoint:
whoever is killed leaves the same behind as with one hand. Whatever one hand waits for that the
other one has, the database sees: where both wait, it lets one of them fail. A chunk that failed, or
that cannot be written beside another one, is given back and written by itself.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, Final
from zlib import crc32

from django.db import connection

from bulk.engine.sql import is_postgres
from bulk.models import Form, Import
from bulk.reading.header import Header
from bulk.reading.rows import Batch

HANDS: Final = 2
PATIENCE: Final = 20  # chunks that are written one by one after one that was given back
_TURNS: Final = 71_003  # a number of our own among the advisory locks of the database


class NotBesideError(Exception):
    """A chunk has to be written by itself, once those before it are."""


@dataclass
class Job:
    """A chunk on its way; ``before`` is where the one before it ends."""

    batch: Batch
    number: int
    before: dict[str, Any]
    marks: set[Any]  # of its devices
    begun: Event = field(default_factory=Event)
    done: "SimpleQueue[BaseException | None]" = field(default_factory=SimpleQueue)


def may_help(one: Import) -> bool:
    """Say whether two chunks of the file can be written at a time.

    Files of another form change counts of their tenant that the next chunk would wait for.
    """
    # Within a transaction of the caller, other connections would not see what we wrote.
    return one.form == Form.FULL and is_postgres() and not connection.in_atomic_block


class Hands:
    """Threads that write chunks; ``work`` writes one, in a thread of its own."""

    def __init__(self, one: Import, work: Callable[[int, Job], None]) -> None:
        self._work = work
        self._base = crc32(one.pk.bytes)
        self._has_names = bool(Header.from_dict(one.header).externals)
        self._jobs: list[SimpleQueue[Job | None]] = [SimpleQueue() for _ in range(HANDS)]
        self._threads: list[Thread] = []
        self._flying: deque[Job] = deque()
        self._number = 0

    @property
    def is_busy(self) -> bool:
        """Say whether any chunk is on its way."""
        return bool(self._flying)

    @property
    def is_full(self) -> bool:
        """Say whether the first chunk has to be waited for before another one can go."""
        return len(self._flying) == HANDS

    def meets(self, batch: Batch) -> bool:
        """Say whether a chunk has devices, or names, that one on its way has as well."""
        marks = self._marks(batch)
        return any(not job.marks.isdisjoint(marks) for job in self._flying)

    def _marks(self, batch: Batch) -> set[Any]:
        """Return what stands for the devices of a chunk: their keys, and names in other columns."""
        marks: set[Any] = {entry.key for entry in batch.entries}
        if self._has_names:
            for entry in batch.entries:
                marks |= {(entry.id_type, entry.device_id), *entry.external}
        return marks

    def give(self, batch: Batch, before: dict[str, Any]) -> None:
        """Let a chunk be written that comes right behind those on their way."""
        self._number += 1
        job = Job(batch, self._number, before, self._marks(batch))
        hand = self._number % HANDS
        if len(self._threads) < HANDS:
            thread = Thread(target=self._run, args=[hand], name=f"bulk-hand-{hand}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._flying.append(job)
        self._jobs[hand].put(job)
        job.begun.wait()

    def wait(self) -> Batch | None:
        """Wait for the first chunk on its way; return it if it was given back.

        Raises:
            Exception: what went wrong with it.
        """
        job = self._flying.popleft()
        error = job.done.get()
        if isinstance(error, NotBesideError):
            return job.batch
        if error is not None:
            raise error
        return None

    def close(self) -> None:
        """Wait for all that is on its way, and end."""
        for jobs in self._jobs:
            jobs.put(None)
        for thread in self._threads:
            thread.join()

    # --- In the threads ----------------------------------------------------------------

    def hold_turn(self, job: Job) -> None:
        """Let the next chunk wait for the end of this transaction, whatever it is."""
        self._lock("pg_advisory_xact_lock", job.number)
        job.begun.set()

    def await_turn(self, job: Job) -> None:
        """Wait for the end of the transaction before, where the database sees us wait.

        Whoever waits for us while we wait for them is found out by it, and one has to yield.
        """
        self._lock("pg_advisory_xact_lock_shared", job.number - 1)

    def _lock(self, function: str, number: int) -> None:
        # Two files with the same checksum wait for each other, and that is all.
        key = (self._base + number) % 2**32 - 2**31
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s, %s)", [_TURNS, key])

    def _run(self, hand: int) -> None:
        try:
            while (job := self._jobs[hand].get()) is not None:
                error: BaseException | None = None
                try:
                    self._work(hand, job)
                except BaseException as raised:  # noqa: BLE001 -- it is raised on the other side
                    error = raised
                job.begun.set()
                job.done.put(error)
        finally:
            connection.close()


@contextmanager
def hands(one: Import, work: Callable[["Hands", int, Job], None]) -> Iterator[Hands]:
    """Let chunks be written beside each other, and wait for them in the end."""
    found = Hands(one, lambda hand, job: work(found, hand, job))
    try:
        yield found
    finally:
        found.close()
