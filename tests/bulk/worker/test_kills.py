"""Killed at any moment and started again, it comes to the same as if nothing had happened."""

import random
import time

import pytest
from django.db import transaction

from bulk import imports
from bulk.engine import lease
from bulk.models import Existing, Import, ImportBlock, ImportGroup, ImportItem, ImportProblem, State
from inventory.models import ManagedObject
from registration.models import Registration, Tally
from tenants.models import Tenant
from tests.bulk.files import SECRET, carried_on, counts, everything, received, registered, undone
from tests.bulk.worker.conftest import finished, now, until

ROWS = 20_000  # so many chunks that a kill finds one
KILLS = 8
FORMS = ["simple", "full"]


def file_of(form, rows=ROWS, name="d"):
    """Return a file with new and known devices, bad rows, repeated ones and many groups."""
    lines = ["ID;PATH" if form == "simple" else "ID;CREDENTIALS;NAME;IDTYPE;ICCID;PATH"]
    for number in range(rows):
        device = f"{name}-{number:06}"
        if number % 997 == 0:
            device = "not an ID"
        elif number % 613 == 0:
            device = f"{name}-{number - 1:06}"
        path = f"Plant {number % 7}/Hall {number // 100}" if number % 3 else ""
        password = "short" if number % 1_511 == 5 else f"{SECRET}{number}"
        lines.append(
            f"{device};{path}"
            if form == "simple"
            else f"{device};{password};Press {number};c8y_Serial;;{path}"
        )
    return "\n".join(lines)


def known_file(form):
    """Return a file with every fiftieth device of the other, a little different."""
    head, *lines = file_of(form).replace("Press", "Old press").splitlines()
    return "\n".join([head, *lines[::50]])


def all_of(one):
    """Return what is there after an import: the devices, and what is known of the rows."""
    made = ManagedObject.objects if one.form == "full" else Registration.objects
    ids = dict(made.values_list("pk", "device_id"))
    groups = dict(ManagedObject.objects.values_list("pk", "name"))
    return {
        **everything(),
        "items": [
            (line, key, outcome, tenant, ids.get(number))
            for line, key, outcome, tenant, number in ImportItem.objects.filter(owner=one)
            .order_by("line", "pk")
            .values_list("line", "key", "outcome", "tenant_id", "number")
        ],
        "problems": list(
            ImportProblem.objects.filter(owner=one)
            .order_by("line", "column", "code")
            .values_list("line", "column", "code", "reason", "device_id", "cells")
        ),
        "made": sorted(
            groups.get(number, "") for number in
            ImportGroup.objects.filter(owner=one).values_list("number", flat=True)
        ),
        "counts": counts(one),
        "rows": (one.rows, one.seen, one.state, one.position, bytes(one.file_key)),
        "devices counted": dict(Tenant.objects.values_list("pk", "device_count")),
        "tally": [+Tally.counts(tenant) for tenant in Tenant.objects.order_by("pk")],
    }  # fmt: skip


def uninterrupted(work):
    """Return what it comes to when nobody disturbs it; leave nothing of it."""
    with transaction.atomic():
        expected = all_of(work())
        transaction.set_rollback(True)
    return expected


def disturbed(one, workers, chance, *, kills, rows=ROWS):
    """Let workers come and be killed while they are at it; return how often that was."""
    state, killed, reached = one.state, 0, 0
    for threshold in sorted(chance.randrange(rows) for _ in range(kills)):
        worker = workers.start()
        wait_until_at(one, state, worker.pid, threshold)
        time.sleep(chance.uniform(0, 0.25))
        worker.kill()
        worker.wait()
        found = now(one)
        assert found.seen >= reached  # progress never goes back
        reached = found.seen
        if found.state != state:
            break
        killed += 1
    return killed


def wait_until_at(one, state, pid, threshold):
    """Wait until a worker has come so far, or to the end."""

    def is_there():
        found = now(one)
        return found.state != state or (f":{pid}:" in found.holder and found.seen >= threshold)

    until(is_there)


@pytest.mark.parametrize("form", FORMS)
def test_kills_change_nothing(form, acme, operator, workers):
    registered(acme, known_file(form), operator)
    expected = uninterrupted(lambda: registered(acme, file_of(form), operator))
    assert expected["counts"]["created"] > ROWS * 0.9
    one = received(acme, file_of(form), operator)
    imports.start(one, on_existing=Existing.UPDATE, by=operator)
    killed = disturbed(one, workers, random.Random(f"kills of {form}"), kills=KILLS)
    assert killed >= KILLS // 2
    workers.start()
    assert all_of(finished(one)) == expected
    until(lambda: not ImportBlock.objects.exists())
    assert SECRET not in workers.said()
    assert "Traceback" not in workers.said()


@pytest.mark.parametrize("form", FORMS)
def test_kills_do_not_change_an_undoing(form, acme, operator, workers):
    rows = ROWS
    registered(acme, known_file(form), operator)
    one = registered(acme, file_of(form, rows), operator)
    expected = uninterrupted(lambda: undone(one, operator))
    one = now(one)
    imports.undo(one, by=operator)
    chance = random.Random(f"undoing of {form}")
    assert disturbed(one, workers, chance, kills=3, rows=rows // 2)
    workers.start()
    assert all_of(finished(one, State.UNDONE)) == expected


def test_check_that_was_killed_is_begun_anew(acme, operator, workers):
    text = file_of("full")
    with transaction.atomic():
        expected = received(acme, text, operator)
        imports.check(expected)
        expected = carried_on(expected)
        transaction.set_rollback(True)
    one = received(acme, text, operator)
    imports.check(one)
    worker = workers.start()
    until(lambda: now(one).holder)
    worker.kill()
    worker.wait()
    before = everything()
    workers.start()
    found = finished(one, State.READY)
    assert found.preview == expected.preview
    assert everything() == before


@pytest.mark.postgres
def test_two_workers_do_two_imports_and_no_row_twice(acme, globex, operator, workers):
    texts = {acme: file_of("full", 6_000, "a"), globex: file_of("full", 6_000, "g")}
    expected = {}
    with transaction.atomic():
        for tenant, text in texts.items():
            expected[tenant] = counts(registered(tenant, text, operator))
        everything_done = everything()
        transaction.set_rollback(True)
    ones = {tenant: received(tenant, text, operator) for tenant, text in texts.items()}
    workers.start()
    workers.start()
    for one in ones.values():
        for _ in range(3):  # called more often than needed
            imports.tasks.call(one)
        imports.start(one, on_existing=Existing.UPDATE, by=operator)
    for tenant, one in ones.items():
        assert counts(finished(one)) == expected[tenant]
        lines = ImportItem.objects.filter(owner=one).values_list("line", flat=True)
        assert len(lines) == len(set(lines))
    assert everything() == everything_done


@pytest.mark.postgres
def test_another_worker_takes_over_what_a_killed_one_held(acme, operator, workers):
    one = received(acme, file_of("full", 15_000), operator)
    imports.start(one, on_existing=Existing.UPDATE, by=operator)
    first = workers.start()
    until(lambda: now(one).seen)
    second = workers.start()
    first.kill()
    first.wait()
    if now(one).state == State.RUNNING:  # as if its time had passed; it is not freed by a start
        Import.objects.filter(pk=one.pk).update(lease_until=now(one).started_at)
    assert finished(one).seen == 15_000
    assert second.poll() is None
    assert lease.due() == []
