"""Measure full registration of a file: ``python -m bench.bulk ROWS``.

On PostgreSQL it is compared with ``COPY`` of the same file into one table with a key. Runs in a
process of its own, because its memory is measured as well. The file is made on the way: neither
it nor anything as long as it is ever in memory.
"""

import re
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from bulk import engine, imports  # noqa: E402
from bulk.engine.pace import Pace  # noqa: E402
from bulk.models import Door, Existing, Import, ImportItem, State  # noqa: E402
from bulk.worker import collect_less  # noqa: E402
from inventory.models import (  # noqa: E402
    ChildLink,
    DeviceCredentials,
    ExternalId,
    ManagedObject,
)
from tenants.actors import Actor  # noqa: E402
from tenants.installation import prepare_installation  # noqa: E402
from tenants.models import Tenant  # noqa: E402

HEADER: Final = "ID;CREDENTIALS;TYPE;NAME;ICCID;IDTYPE;PATH;SHELL;AUTH_TYPE\n"
GROUPS: Final = 1_000
LINES_AT_ONCE: Final = 2_000
BLOCK: Final = 256 * 1024  # bytes
MIB: Final = 1024  # of what the system counts memory in, KiB


def blocks(rows: int, *, step: int = 7919, kind: str = "SN") -> Iterator[bytes]:
    """Yield the file: its IDs come in sweeps over all of them, or with a step of 1 in order."""
    yield HEADER.encode()
    for start in range(0, rows, LINES_AT_ONCE):
        yield "".join(
            f"{kind}-{n * step % 999_999_937:09}-{n:08};pw-{n:09}-{n * 31 % 1000003:07};c8y_Linux;"
            f"Press {n};8949{n:015};c8y_Serial;Plant {n % 10}/Hall {n % GROUPS};1;BASIC\n"
            for n in range(start, min(start + LINES_AT_ONCE, rows))
        ).encode()


def copied(rows: int) -> float:
    """Return the rows per second of ``COPY`` of the file into one table with a key."""
    names = HEADER.strip().lower().split(";")
    columns = ", ".join(f"{name} text" for name in names)
    with connection.cursor() as cursor, TemporaryFile() as file:
        for block in blocks(rows):
            file.write(block)
        file.seek(0)
        cursor.execute(f"CREATE TABLE bench_copy ({columns}, PRIMARY KEY (id))")
        copying = "COPY bench_copy FROM STDIN (FORMAT csv, DELIMITER ';', HEADER)"
        started = time.perf_counter()
        with cursor.connection.cursor() as raw, raw.copy(copying) as copy:
            while block := file.read(BLOCK):
                copy.write(block)
        spent = time.perf_counter() - started
        cursor.execute("DROP TABLE bench_copy")
    return rows / spent


def inserted(one: Import) -> float:
    """Return the rows per second of the database alone, for what a file became.

    The rows of all tables go once more into tables that are made like them, in one statement each:
    nothing is read, checked or looked up, and no foreign key is there. What is left are the rows
    and their entries in the indexes, those of lists included.
    """
    made = (ManagedObject, DeviceCredentials, ExternalId, ChildLink, ImportItem)
    spent = 0.0
    with connection.cursor() as cursor:
        for model in made:
            table = model._meta.db_table  # noqa: SLF001
            cursor.execute(f"CREATE TABLE bench_like (LIKE {table} INCLUDING ALL)")
            started = time.perf_counter()
            cursor.execute(f"INSERT INTO bench_like SELECT * FROM {table}")
            spent += time.perf_counter() - started
            cursor.execute("DROP TABLE bench_like")
    return one.succeeded / spent


class Watch:
    """Notes how long each chunk took, and how many rows it had."""

    def __init__(self) -> None:
        self.chunks: list[tuple[int, float]] = []
        took = Pace.took

        def noting(pace: Pace, seconds: float) -> None:
            self.chunks.append((pace.rows, seconds))
            took(pace, seconds)

        Pace.took = noting  # type: ignore[method-assign, assignment]

    def tenths(self) -> tuple[float, float]:
        """Return the seconds per row of the first and of the last tenth."""
        tenth = max(1, len(self.chunks) // 10)
        parts = (self.chunks[1 : tenth + 1], self.chunks[-tenth - 1 : -1] or self.chunks)
        first, last = (sum(s for _, s in part) / sum(r for r, _ in part) for part in parts)
        return first, last


def registered(tenant: Tenant, file: Iterator[bytes], rows: int) -> tuple[Import, float]:
    """Register a file; return the import and the seconds from the first row to the last."""
    by = Actor("bench")
    one = imports.receive(tenant, file, by=by, door=Door.CONSOLE, file_name="bench.csv")
    imports.start(one, on_existing=Existing.UPDATE, by=by, call=False)
    started = time.perf_counter()
    engine.carry_on(one.pk)
    spent = time.perf_counter() - started
    one = Import.objects.get(pk=one.pk)
    if one.state != State.FINISHED or one.succeeded != rows:
        raise SystemExit(f"The import is {one.state}: {one.refusal} {one.failed} failed")
    return one, spent


def undone(one: Import) -> float:
    """Undo an import; return the seconds that took."""
    imports.undo(one, by=Actor("bench"))
    started = time.perf_counter()
    engine.carry_on(one.pk)
    spent = time.perf_counter() - started
    one = Import.objects.get(pk=one.pk)
    if one.state != State.UNDONE or one.kept:
        raise SystemExit(f"The undo is {one.state}: {one.refusal} {one.kept} kept")
    return spent


def most_memory() -> int:
    """Return what this process had at most, in KiB; 0 where the system does not tell."""
    with suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
        return int(found[1]) if found else 0
    return 0


def main(rows: int) -> None:
    """Print ratios."""
    collect_less()  # as a worker does
    call_command("migrate", verbosity=0, interactive=False)
    prepare_installation()
    management = Tenant.objects.get(pk="management")
    tenant, _ = Tenant.objects.get_or_create(
        id="bulk", defaults={"company": "Bulk", "parent": management}
    )
    is_postgres = connection.vendor == "postgresql"
    print(f"  full registration of a file with {rows:,} rows")
    before = most_memory()
    reference = statistics.median(copied(rows) for _ in range(3)) if is_postgres else 0.0
    watch = Watch()
    one, spent = registered(tenant, blocks(rows), rows)
    rate = rows / spent
    first, last = watch.tenths()
    longest = max(seconds for _, seconds in watch.chunks)
    memory = most_memory()
    print(f"    {rate:,.0f} rows per second")
    if is_postgres:
        times = f"{reference / rate:.1f} times as many"
        print(f"    COPY of the same file into one keyed table: {reference:,.0f}, {times}")
        alone = inserted(one)
        times = f"{alone / rate:.2f} times as many"
        print(f"    the database alone, with nothing to check: {alone:,.0f}, {times}")
    print(f"    the last tenth took {last / first:.2f} times as long as the first")
    print(f"    longest transaction: {longest:.2f} s, of {len(watch.chunks)}")
    if memory:
        print(f"    memory: {memory / MIB:.0f} MiB at most; {before / MIB:.0f} MiB before")
    few = max(1, rows // 10)
    _, again = registered(tenant, blocks(few), few)
    print(f"    the first tenth once more, nothing to change: {few / again:,.0f} rows per second")
    one, pallet = registered(tenant, blocks(few, step=1, kind="TN"), few)
    print(f"    so many new ones in the order of their IDs: {few / pallet:,.0f} rows per second")
    print(f"    these taken away again by an undo: {few / undone(one):,.0f} rows per second")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
