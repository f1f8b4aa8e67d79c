"""A worker comes when it is called, stops when it is told, and is in nobody's way."""

import signal
import time

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from bulk import imports, tasks
from bulk.models import Existing, Import, ImportBlock, State
from bulk.turns import take_turn
from bulk.worker import KEEP_TASKS, Worker, tidy
from tests.bulk.files import FULL, SECRET, received, registered
from tests.bulk.worker.conftest import finished, now, until
from tests.bulk.worker.test_kills import ROWS, file_of

ONE_ROW = f"{FULL}new-1;{SECRET};;;\n"


def test_worker_comes_soon_when_it_is_called(acme, operator, workers):
    workers.start()
    finished(start(acme, f"{FULL}first;{SECRET};;;\n", operator))
    waits = []
    for number in range(5):
        began = time.monotonic()
        finished(start(acme, f"{FULL}next-{number};{SECRET};;;\n", operator))
        waits.append(time.monotonic() - began)
    assert min(waits) < 1


def start(tenant, text, by):
    one = received(tenant, text, by)
    imports.start(one, on_existing=Existing.UPDATE, by=by)
    return one


def test_worker_that_is_told_to_end_gives_the_import_back(acme, operator, workers):
    one = start(acme, file_of("full"), operator)
    worker = workers.start()
    until(lambda: now(one).seen)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0
    found = now(one)
    assert (found.state, found.holder, found.lease_until) == (State.RUNNING, "", None)
    assert 0 < found.seen < ROWS
    assert workers.said() == ""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_worker_with_nothing_to_do_ends_at_once(name, workers, acme, operator):
    worker = workers.start()
    finished(start(acme, ONE_ROW, operator))
    worker.send_signal(getattr(signal, name))
    assert worker.wait(5) == 0
    assert workers.said() == ""


def test_companion_leaves_ctrl_c_to_its_parent(workers, acme, operator):
    import os

    worker = workers.start("--parent", str(os.getpid()))
    finished(start(acme, ONE_ROW, operator))
    worker.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert worker.poll() is None
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(5) == 0


def test_worker_whose_parent_is_another_ends(workers):
    worker = workers.start("--parent", "1")
    assert worker.wait(30) == 0


def test_small_file_need_not_wait_for_a_large_one(acme, globex, operator, globex_operator, workers):
    large = start(acme, file_of("full", 3 * ROWS), operator)
    workers.start()
    until(lambda: now(large).seen)
    small = start(globex, ONE_ROW, globex_operator)
    finished(small)
    assert now(large).state == State.RUNNING


def test_worker_with_nothing_to_do_only_looks(transactional_db):
    worker = Worker()
    while worker._do_next():
        pass
    worker._next_look = 0.0
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert not worker._do_next()
    said = [query["sql"] for query in queries]
    assert len(said) <= 3
    assert all(sql.startswith("SELECT") for sql in said), said


def test_task_holds_nothing_but_the_import(acme, operator, transactional_db):
    one = start(acme, ONE_ROW, operator)
    (kept,) = DBTaskResult.objects.all()
    assert kept.args_kwargs == {"args": [str(one.pk)], "kwargs": {}}
    assert Worker()._do_next()
    assert now(one).state == State.FINISHED
    kept.refresh_from_db()
    assert (kept.status, kept.return_value, kept.traceback) == ("SUCCESSFUL", None, "")


def test_task_of_an_import_that_is_no_more_does_nothing(acme, operator, transactional_db):
    one = start(acme, ONE_ROW, operator)
    tasks.call(one)
    Import.objects.filter(pk=one.pk).delete()
    worker = Worker()
    while worker._do_next():
        pass
    assert set(DBTaskResult.objects.values_list("status", flat=True)) == {"SUCCESSFUL"}


def test_words_of_a_failure_are_kept_nowhere(acme, operator, transactional_db, monkeypatch, caplog):
    one = start(acme, ONE_ROW, operator)

    def fail(pk):
        raise ValueError(SECRET)

    monkeypatch.setattr("bulk.engine.carry_on", fail)
    assert Worker()._do_next()
    assert SECRET not in caplog.text
    assert str(one.pk) in caplog.text
    assert SECRET not in str(list(DBTaskResult.objects.values()))


def test_imports_that_nobody_called_for_are_found(acme, operator, transactional_db):
    one = start(acme, ONE_ROW, operator)
    DBTaskResult.objects.all().delete()
    worker = Worker()
    while worker._do_next():
        pass
    assert now(one).state == State.FINISHED


def test_large_import_gives_way_and_goes_on(
    transactional_db, acme, globex, operator, globex_operator, monkeypatch
):
    monkeypatch.setattr("bulk.engine.stopping.TURN", 0.0)
    for name in ("ROWS", "FIRST", "MOST"):
        monkeypatch.setattr(f"bulk.engine.pace.{name}", 50)
    large = start(acme, file_of("full", 300), operator)
    DBTaskResult.objects.all().delete()
    assert not take_turn(large.pk)
    assert now(large).state == State.FINISHED  # nobody else waits
    large = start(acme, file_of("full", 300, "e"), operator)
    small = start(globex, ONE_ROW, globex_operator)
    assert take_turn(large.pk)
    assert (now(large).state, now(large).seen) == (State.RUNNING, 50)
    worker = Worker()
    while worker._do_next():
        pass
    assert now(large).state == now(small).state == State.FINISHED
    assert now(large).seen == 300


def test_old_tasks_and_files_left_lying_are_cleared_away(acme, operator, transactional_db):
    registered(acme, ONE_ROW, operator)
    left = received(acme, ONE_ROW, operator)
    old = timezone.now() - timezone.timedelta(days=KEEP_TASKS + 1)
    for status in ("SUCCESSFUL", "RUNNING", "READY"):
        tasks.call(left)
        kept = DBTaskResult.objects.order_by("enqueued_at").last()
        DBTaskResult.objects.filter(pk=kept.pk).update(
            status=status, started_at=old, finished_at=old
        )
    Import.objects.filter(pk=left.pk).update(created_at=old)
    before = DBTaskResult.objects.count()
    tidy()
    assert DBTaskResult.objects.count() == before - 2
    assert now(left).state == State.DISCARDED
    assert not ImportBlock.objects.exists()


@pytest.mark.postgres
def test_database_that_is_away_is_said_once(workers, acme, operator):
    worker = workers.start()
    finished(start(acme, ONE_ROW, operator))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    finished(start(acme, f"{FULL}later;{SECRET};;;\n", operator))
    assert worker.poll() is None
    assert "Traceback" not in workers.said()


def test_command_explains_itself(capsys):
    with pytest.raises(SystemExit):
        call_command("work", "--help")
    assert "--parent" not in capsys.readouterr().out
