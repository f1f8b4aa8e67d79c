"""Registering: chunk after chunk of the file, each in one transaction with its own checkpoint."""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from django.db import DataError, IntegrityError, OperationalError, transaction
from django.utils import timezone

from bulk import files
from bulk.engine import ahead, full, lease, simple, sql, stopping
from bulk.engine.changes import Change, find_changes
from bulk.engine.grouping import Groups, Place, place_of
from bulk.engine.hands import HANDS, PATIENCE, Hands, Job, NotBesideError, hands, may_help
from bulk.engine.judging import Judge, Judged, Verdict
from bulk.engine.pace import Pace
from bulk.engine.repeats import Repeats
from bulk.errors import LostLeaseError
from bulk.models import Existing, Form, Import, ImportItem, ImportProblem, Outcome, State
from bulk.reading.header import Header
from bulk.reading.rows import Batch, Problem
from inventory.device_types import share_type
from inventory.locks import share_ids
from tenants import audit

logger = logging.getLogger("gatehouse.bulk")

ATTEMPTS: Final = 8  # for one chunk, while others change the same devices
REFUSED: Final = (
    "The database refused this row. Somebody may be changing the same device: try the row again."
)
_OUTCOMES: Final = {
    Verdict.CREATE: Outcome.CREATED,
    Verdict.UPDATE: Outcome.UPDATED,
    Verdict.UNCHANGED: Outcome.UNCHANGED,
    Verdict.SKIP: Outcome.SKIPPED,
    Verdict.FAIL: Outcome.FAILED,
}
_COUNTS: Final = {
    Verdict.CREATE: "created",
    Verdict.UPDATE: "updated",
    Verdict.UNCHANGED: "unchanged",
    Verdict.DUPLICATE: "unchanged",
    Verdict.SKIP: "skipped",
    Verdict.FAIL: "failed",
}
_ITEM: Final = ("owner", "line", "key", "outcome", "tenant_id", "number")
_PROBLEM: Final = ("owner", "line", "column", "code", "reason", "device_id", "cells")


def run(one: Import) -> None:
    """Register the rest of the file, as far as nobody stops it."""
    repeats = Repeats.within(one) if one.form == Form.PAIRS else None
    if stopping.is_ending():
        return
    chunks = _Chunks(one, repeats)
    with hands(one, chunks.write_beside) as helpers, ahead.batches(one, chunks.pace) as batches:
        for batch in batches:
            chunks.take(batch, helpers)
            ends = one.state != State.RUNNING or (not batch.is_last and stopping.is_asked())
            if ends or batch.is_last:
                chunks.wait_for_all(helpers)
                chunks.settle()
            if ends or one.state != State.RUNNING:
                return
    finish(one, State.FINISHED)


class _Chunks:
    """Writes one chunk after the other, or two at a time where nothing speaks against it."""

    def __init__(self, one: Import, repeats: Repeats | None) -> None:
        self.one = one
        self.pace = Pace()
        self.judge = Judge(one, Existing(one.on_existing), repeats)
        self.groups = Groups(one)
        self.header = Header.from_dict(one.header)
        self.ended = 0.0  # when the last chunk was
        self.next = dict(one.position)  # where the chunk begins that is to be taken
        self.alone = 0 if may_help(one) else None  # how many more chunks are written by themselves
        # What a hand remembers is its own: the other one may have to forget it.
        self.of_hands = [(Judge(one, Existing(one.on_existing)), Groups(one)) for _ in range(HANDS)]

    def take(self, batch: Batch, helpers: Hands) -> None:
        """Write a chunk, or let it be written when it is its turn."""
        before, self.next = self.next, batch.next.as_dict()
        is_only = batch.is_last and not helpers.is_busy
        if self.alone is None or self.alone or is_only or helpers.meets(batch):
            self.wait_for_all(helpers)
            if self.one.state == State.RUNNING:
                self.write(batch)
                self.alone = max(0, self.alone - 1) if self.alone is not None else None
            return
        if self.groups.look_up(self._places(batch)):
            self.wait_for_all(helpers)
            if self.one.state != State.RUNNING:
                return
            if self._make_groups(batch):
                self.write(batch)  # some rows have to fail
                return
        if helpers.is_full:
            self._wait_for_one(helpers)
        if self.one.state == State.RUNNING:
            helpers.give(batch, before)

    def wait_for_all(self, helpers: Hands) -> None:
        """Wait for all chunks on their way; those given back are written by themselves."""
        while helpers.is_busy:
            self._wait_for_one(helpers)

    def _wait_for_one(self, helpers: Hands) -> None:
        batch = helpers.wait()
        if batch is None:
            return
        self.alone = PATIENCE
        state = State(Import.objects.values_list("state", flat=True).get(pk=self.one.pk))
        if state != State.RUNNING:  # the chunk before was the last one that people wished for
            self.one.state = state
            return
        lease.read_anew(self.one)
        self.write(batch)

    def settle(self) -> None:
        """Note the changes of groups that were not noted at once."""
        for _, groups in (*self.of_hands, (None, self.groups)):
            groups.settle()

    def write(self, batch: Batch) -> None:
        """Write a chunk and where the next one begins; or begin anew if others interfere."""
        refused = self._make_groups(batch)
        for attempt in range(ATTEMPTS):
            started = time.monotonic()
            one_by_one = attempt == ATTEMPTS - 1
            try:
                with transaction.atomic():
                    self._write(batch, refused, started, one_by_one=one_by_one)
            except (IntegrityError, DataError, OperationalError) as error:
                # Somebody else has just registered one of these devices, or deleted a group.
                if one_by_one or not sql.may_pass(error):
                    raise
                self.groups.forget()
                time.sleep(0.01 * 2**attempt)
                refused = self._make_groups(batch)
                lease.read_anew(self.one)
            else:
                self.pace.took(time.monotonic() - started)
                return

    def write_beside(self, helpers: Hands, hand: int, job: Job) -> None:
        """Write a chunk beside the one before it, as far as that does not matter to either.

        Raises:
            NotBesideError: it has to be written by itself.
        """
        judge, groups = self.of_hands[hand]
        started = time.monotonic()
        try:
            with transaction.atomic():
                helpers.hold_turn(job)
                rows = self._judged(judge, job.batch)
                changes = find_changes(rows)
                _check_closed(rows, groups)
                full.write(self.one, rows, changes, groups)
                helpers.await_turn(job)
                self._check_turn(job)
                _take_places(rows, changes)
                self._conclude(job.batch, rows, started)
        except NotBesideError:
            groups.forget()
            raise
        except (IntegrityError, DataError, OperationalError) as error:
            if not sql.may_pass(error):
                raise
            groups.forget()
            raise NotBesideError from error
        self.pace.took(time.monotonic() - started)

    def _check_turn(self, job: Job) -> None:
        """See to it that the chunk before is written, and that nobody wants to stop behind it."""
        if self.one.state != State.RUNNING:
            raise NotBesideError
        try:
            lease.keep(self.one, lock=True)
        except LostLeaseError as error:  # or somebody has just stopped it: who waits for us looks
            raise NotBesideError from error
        position = Import.objects.values_list("position", flat=True).get(pk=self.one.pk)
        if position != job.before:
            raise NotBesideError

    def _places(self, batch: Batch) -> set[Place]:
        own, is_told = self.one.tenant_id, self.one.names_tenants
        return {
            (entry.tenant_id if is_told else own, entry.path)
            for entry in batch.entries
            if entry.path
        }

    def _make_groups(self, batch: Batch) -> dict[tuple[str, str], str]:
        """Make the groups that rows need and that are not there; return why some cannot be."""
        if not self.groups.look_up(self._places(batch)):
            return {}
        # Only for rows that will be written: one that fails leaves no group behind.
        rows = self.judge.judge(batch.entries, hold=False)
        find_changes(rows)
        missing = self.groups.find(rows)
        return self.groups.make(missing, lambda: lease.keep(self.one)) if missing else {}

    def _write(
        self,
        batch: Batch,
        refused: dict[tuple[str, str], str],
        started: float,
        *,
        one_by_one: bool,
    ) -> None:
        one = self.one
        lease.keep(one, lock=True)
        rows = self._judged(self.judge, batch)
        for row in rows:
            place = place_of(row)
            if place in refused:
                row.fail("path", "PATH", refused[place])
        changes = find_changes(rows) if one.form != Form.SIMPLE else {}
        if self.groups.find(rows):
            raise IntegrityError  # a group was deleted meanwhile: begin anew
        if one_by_one:
            self._write_one_by_one(rows, changes)
        else:
            write_rows(one, rows, changes, self.groups)
        self._conclude(batch, rows, started)

    def _judged(self, judge: Judge, batch: Batch) -> list[Judged]:
        """Hold still what the rows are about, and return what they come to."""
        share_ids()
        if self.one.device_type is not None:
            share_type(self.one.device_type)
        sql.check_keys_at_once()
        return judge.judge(batch.entries, hold=True)

    def _conclude(self, batch: Batch, rows: Sequence[Judged], started: float) -> None:
        """Note what became of a chunk and where the next one begins, and do what people wish."""
        one = self.one
        self._note(batch, rows)
        now = time.monotonic()
        one.worked += now - max(started, self.ended)
        self.ended = now
        state, wish = State(one.state), one.wish
        if wish == Import.Wish.PAUSE and not batch.is_last:
            one.state = State.PAUSED
        lease.save(one, "state", "seen", "position", "worked", *set(_COUNTS.values()))
        if wish == Import.Wish.CANCEL and not batch.is_last:
            one.state = state
            finish(one, State.CANCELLED)

    def _write_one_by_one(self, rows: Sequence[Judged], changes: dict[int, Change]) -> None:
        """Find out which rows the database refuses; all others are written."""
        for row in rows:
            try:
                with transaction.atomic():
                    write_rows(self.one, [row], changes, self.groups)
            except (IntegrityError, DataError):
                row.fail("database", "", REFUSED)

    def _note(self, batch: Batch, rows: Sequence[Judged]) -> None:
        """Write what became of each row, and count."""
        write_items(self.one, rows)
        problems = [*batch.problems, *(row.problem(self.header) for row in rows if row.code)]
        write_problems(self.one, sorted(problems, key=lambda problem: problem.line))
        count(self.one, rows, len(batch.problems))
        self.one.position = batch.next.as_dict()


def _check_closed(rows: Iterable[Judged], groups: Groups) -> None:
    """See to it that no registration goes: the next chunk would wait for its tenant's counts."""
    if any(row.is_open for row in rows) or groups.find(rows):
        raise NotBesideError


def _take_places(rows: Sequence[Judged], changes: dict[int, Change]) -> None:
    """Count devices that are written already: all of them need a place."""
    full.take_places(rows, changes)
    if any(row.code == full.NO_PLACE for row in rows):
        raise NotBesideError


def write_rows(
    one: Import, rows: Sequence[Judged], changes: dict[int, Change], groups: Groups
) -> None:
    """Write what rows come to; those that cannot be written fail."""
    if one.form == Form.SIMPLE:
        simple.write(one, rows, groups)
    else:
        full.take_places(rows, changes)
        full.write(one, rows, changes, groups)


def write_items(one: Import, rows: Iterable[Judged]) -> None:
    """Keep what became of each device, of an import that is held."""
    items = [
        (
            one.pk, row.entry.line, row.key, _OUTCOMES[row.verdict].value, row.tenant_id,
            number_of(one, row),
        )
        for row in rows
        if not row.is_again
    ]  # fmt: skip
    with sql.keys_held():
        sql.insert(ImportItem, _ITEM, items)


def count(one: Import, rows: Iterable[Judged], problems: int) -> None:
    """Add rows to the counts of an import, and problems to those that failed."""
    counts = Counter(row.verdict for row in rows)
    counts[Verdict.FAIL] += problems
    for verdict, name in _COUNTS.items():
        setattr(one, name, getattr(one, name) + counts[verdict])
    one.seen += counts.total()


def write_problems(one: Import, problems: Iterable[Problem]) -> None:
    """Keep rows that failed, without their secrets."""
    sql.insert(
        ImportProblem,
        _PROBLEM,
        [
            (
                one.pk, each.line, each.column[:300], each.code, each.reason[:1_500],
                each.device_id[:1_000], sql.plain(each.cells),
            )
            for each in problems
        ],
    )  # fmt: skip


def finish(one: Import, state: State) -> None:
    """End the work: nothing of the file is left, and the audit log has its line."""
    with transaction.atomic():
        lease.keep(one, lock=True)
        files.shred(one)
        one.state, one.finished_at, one.wish = state, timezone.now(), Import.Wish.NOTHING
        if state == State.FINISHED:
            one.rows = one.seen
        lease.save(one, "state", "wish", "finished_at", "file_key", "position", "rows", "seen")
        audit.record(
            one.actor, one.tenant_id, audit.Type.REGISTRATION,
            f"Bulk registration {State(state).label.lower()}", subject=str(one), text=told(one),
            severity=audit.Severity.WARNING if one.failed else audit.Severity.INFORMATION,
        )  # fmt: skip


def told(one: Import) -> str:
    """Return the counts as a sentence."""
    return (
        f"{one.created} created, {one.updated} updated, {one.unchanged} unchanged, "
        f"{one.skipped} left as they were, {one.failed} failed."
    )


def number_of(one: Import, row: Judged) -> int | None:
    """Return the ID of the device that a row is about, or of its registration, if it is there."""
    if row.number is not None:
        return row.number
    found = row.registration if one.form == Form.SIMPLE else row.device
    return found.pk if found is not None else None
