"""Looking a file through from end to end, changing nothing: the plan that people see."""

import sqlite3
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from bulk.engine import lease, stopping
from bulk.engine.changes import find_changes
from bulk.engine.grouping import Groups
from bulk.engine.judging import Judge, Judged, Verdict
from bulk.engine.opening import rows_of
from bulk.engine.repeats import Repeats
from bulk.keys import item_key
from bulk.models import Existing, Form, Import, State
from bulk.reading.header import Header
from bulk.reading.pairs import LINE
from bulk.reading.rows import Batch, Problem
from inventory.group_paths import steps_of
from tenants.models import Tenant

SHOWN: Final = 100  # problems, warnings and groups that are listed
ROWS: Final = 5_000  # looked at together
SIGN_OF_LIFE: Final = 0.5  # seconds between two notes of how far it is


class Plan:
    """What is known so far of what a file would do."""

    def __init__(self, one: Import, repeats: Repeats | None) -> None:
        self.one = one
        # As if existing devices were updated: which ones there are is then seen.
        self.judge = Judge(one, Existing.UPDATE, repeats)
        self.groups = Groups(one)
        self.header = Header.from_dict(one.header)
        self.counts: Counter[Verdict] = Counter()
        self.tenants: Counter[str] = Counter()
        self.places: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.warnings: list[dict[str, Any]] = []
        self.warning_count = self.returning = self.new_secrets = 0
        # On disk, without a name: memory stays the same however long the file is.
        self.seen = sqlite3.connect("")
        self.seen.execute("CREATE TABLE seen (key INTEGER PRIMARY KEY, line INTEGER)")
        self.seen.execute(
            "CREATE TABLE made (tenant TEXT, path TEXT, PRIMARY KEY (tenant, path)) WITHOUT ROWID"
        )

    def add(self, batch: Batch) -> None:
        """Take in the next rows."""
        rows = self.judge.judge(batch.entries, hold=False)
        if self.judge.repeats is None:
            self._refuse_repeated(rows)
        changes = find_changes(rows) if self.one.form != Form.SIMPLE else {}
        for row in rows:
            self.counts[row.verdict] += 1
            change = changes.get(row.entry.line)
            is_known = row.verdict is Verdict.UPDATE and row.login is not None
            self.new_secrets += is_known and change is not None and change.digest is not None
            if self.one.names_tenants:
                self.tenants[row.tenant_id] += 1
            is_new = row.verdict is Verdict.CREATE
            self.returning += is_new and row.returns
            needs_place = is_new or (row.verdict is Verdict.UPDATE and row.login is None)
            if needs_place and row.entry.password:
                self.places[row.tenant_id] += 1
        self.counts[Verdict.FAIL] += len(batch.problems)
        self._list_problems(
            [*batch.problems, *(row.problem(self.header) for row in rows if row.code)]
        )
        self.warning_count += len(batch.warnings)
        for warning in batch.warnings[: SHOWN - len(self.warnings)]:
            self.warnings.append(
                {
                    "line": warning.line,
                    "column": warning.column,
                    "code": warning.code,
                    "reason": warning.reason,
                }
            )
        self._add_groups(rows)

    def _refuse_repeated(self, rows: Iterable[Judged]) -> None:
        for row in rows:
            key = item_key(row.entry.device_id)
            fresh = self.seen.execute(
                "INSERT OR IGNORE INTO seen VALUES (?, ?)", (key, row.entry.line)
            )
            if not fresh.rowcount:
                asked = self.seen.execute("SELECT line FROM seen WHERE key = ?", (key,))
                line = asked.fetchone()[0]
                row.fail("repeated", "ID", f"The same ID stands in line {line} already.")

    def _list_problems(self, problems: list[Problem]) -> None:
        room = SHOWN - len(self.problems)
        if room > 0:
            self.problems += sorted(problems, key=lambda problem: problem.line)[:room]

    def _add_groups(self, rows: Iterable[Judged]) -> None:
        # Those above count as well: they are made on the way.
        steps = {
            (tenant_id, step)
            for tenant_id, path in self.groups.find(rows)
            for step in steps_of(path)
        }
        missing = self.groups.look_up(steps)
        self.seen.executemany("INSERT OR IGNORE INTO made VALUES (?, ?)", missing)

    def told(self) -> dict[str, Any]:
        """Return the plan as it is kept."""
        groups = self.seen.execute("SELECT path FROM made ORDER BY path LIMIT ?", (SHOWN,))
        number = self.seen.execute("SELECT count(*) FROM made").fetchone()[0]
        return {
            "rows": self.counts.total(),
            "create": self.counts[Verdict.CREATE],
            "update": self.counts[Verdict.UPDATE],
            "unchanged": self.counts[Verdict.UNCHANGED],
            "duplicate": self.counts[Verdict.DUPLICATE],
            "new_secrets": self.new_secrets,
            "reject": self.counts[Verdict.FAIL],
            "returning": self.returning,
            "groups": [path for (path,) in groups],
            "group_count": number,
            "problems": [
                {
                    "line": each.line,
                    "column": each.column,
                    "code": each.code,
                    "reason": each.reason,
                    "device_id": each.device_id,
                    "place": each.cells.get(LINE, ""),
                }
                for each in self.problems
            ],
            "warnings": self.warnings,
            "warning_count": self.warning_count,
            "tenants": dict(self.tenants.most_common(SHOWN)),
            "over_limit": self._over_limit(),
        }

    def _over_limit(self) -> int:
        limited = Tenant.objects.filter(pk__in=list(self.places), device_limit__isnull=False)
        return sum(max(0, self.places[one.pk] - (one.places_left or 0)) for one in limited)


def check(one: Import) -> None:
    """Look at every row; begun anew if it was interrupted, because nothing was changed."""
    repeats = Repeats.within(one) if one.form == Form.PAIRS else None
    if stopping.is_ending():
        return
    plan = Plan(one, repeats)
    one.seen = 0
    started = time.monotonic()
    noted = started
    for batch in rows_of(one, most=ROWS):
        plan.add(batch)
        one.seen += len(batch.entries) + len(batch.problems)
        now = time.monotonic()
        if now - noted > SIGN_OF_LIFE:
            noted = now
            # Nobody knows yet how many rows there are: the place in the file says it.
            one.rows = max(one.seen, one.seen * one.size // max(1, batch.next.offset))
            one.worked, one.preview = now - started, plan.told()
            lease.save(one, "seen", "rows", "worked", "preview")
        if stopping.is_asked():
            return
    one.rows, one.preview, one.state = one.seen, plan.told(), State.READY
    lease.save(one, "seen", "rows", "preview", "state")
