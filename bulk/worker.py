"""What a worker process does all day: imports that it is called for, and those left by others."""

import gc
import logging
import time
import uuid
from datetime import timedelta
from typing import Final

from django.core.management import call_command
from django.db import Error, connection
from django.utils import timezone
from django_tasks_db.management.commands.db_worker import Worker as TaskRunner
from django_tasks_db.models import DBTaskResult

from bulk import engine, imports
from bulk.engine import lease, stopping
from bulk.turns import is_called, take_turn

logger = logging.getLogger("gatehouse.bulk")

POLL: Final = 0.2  # seconds between two looks whether somebody calls
LOOK: Final = 2.0  # seconds between two looks for imports whose worker is no more
TIDY: Final = 3_600.0  # seconds between two looks for what was left lying
AWAY: Final = 2.0  # seconds until a database that is away is tried again
KEEP_TASKS: Final = 7  # days
COLLECT_AFTER: Final = 50_000  # objects; Python's own number is 700


class Worker:
    """One process that works; there may be several, on several machines."""

    def __init__(self) -> None:
        self.name = str(uuid.uuid4())
        self._next_look = self._next_tidy = 0.0
        self._last_turn: dict[uuid.UUID, float] = {}
        self._not_before: dict[uuid.UUID, float] = {}
        self._is_away = False

    def run(self) -> None:
        """Work until this process is asked to end."""
        is_new = True
        while not stopping.is_ending():
            try:
                if is_new:
                    lease.free_dead()
                    is_new = False
                if not self._do_next():
                    time.sleep(POLL)
            except Error as error:
                self._wait_for_database(error)
            else:
                self._is_away = False

    def _do_next(self) -> bool:
        """Do what comes next; say whether there was anything to do."""
        if is_called():
            self._answer()
            return True
        if time.monotonic() >= self._next_tidy:
            self._next_tidy = time.monotonic() + TIDY
            tidy()
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK
            return self._take_up()
        return False

    def _answer(self) -> None:
        """Do one task; the library sees to it that no other worker does the same."""
        TaskRunner(
            queue_names=["*"], excluded_queue_names=[], backend_name="default",
            worker_id=self.name, batch=True, max_tasks=1, interval=0, startup_delay=False,
        ).run()  # fmt: skip
        self._next_look = 0.0  # it may have given way, and have more to do

    def _take_up(self) -> bool:
        """Carry on with what nobody works on, whoever has waited longest first."""
        now = time.monotonic()
        waiting = engine.due()
        self._last_turn = {pk: self._last_turn.get(pk, 0.0) for pk in waiting}
        self._not_before = {pk: self._not_before.get(pk, 0.0) for pk in waiting}
        ready = [pk for pk in waiting if self._not_before[pk] <= now]
        if not ready:
            return False
        pk = min(ready, key=self._last_turn.__getitem__)
        if not take_turn(pk):
            # Done, in other hands, or failed: not the same again at once.
            self._not_before[pk] = time.monotonic() + LOOK
        self._last_turn[pk] = time.monotonic()
        self._next_look = 0.0
        return True

    def _wait_for_database(self, error: Error) -> None:
        """Say once that the database is away, and try again in a while."""
        if not self._is_away:
            logger.warning("The database cannot be used: %s", " ".join(str(error).split()))
        self._is_away = True
        connection.close()
        end = time.monotonic() + AWAY
        while time.monotonic() < end and not stopping.is_ending():
            time.sleep(POLL)


def collect_less() -> None:
    """Let Python look through its objects for garbage as seldom as fits rows by the thousand.

    Nearly all of them go when their chunk does, without being looked for. Looking again and again,
    at what the process has loaded as well, takes a fifth of its time.
    """
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


def tidy() -> None:
    """Forget files that were left lying, and old tasks; also of workers that were killed."""
    imports.tidy()
    old = timezone.now() - timedelta(days=KEEP_TASKS)
    if DBTaskResult.objects.finished().filter(finished_at__lt=old).exists():
        call_command("prune_db_task_results", queue_name="*", min_age_days=KEEP_TASKS, verbosity=0)
    if DBTaskResult.objects.running().filter(started_at__lt=old).exists():
        DBTaskResult.objects.running().filter(started_at__lt=old).delete()
