"""People who come in between: discarding, cancelling and going on while others are at work."""

import pytest
from django.db import IntegrityError

from bulk import engine, files, imports
from bulk.engine import checking, full, lease, running
from bulk.errors import LostLeaseError, WrongStateError
from bulk.models import Existing, Import, ImportBlock, State
from bulk.reading.problems import FileProblem
from tenants.actors import Actor
from tests.bulk.files import FULL, SECRET, SIMPLE, carried_on, checked, counts, received

pytestmark = pytest.mark.django_db
BY = Actor("olga")
ROWS = FULL + "".join(f"d{number};{SECRET};;;\n" for number in range(50))


def test_a_file_that_is_discarded_while_it_is_checked_stays_discarded(
    acme, monkeypatch, django_capture_on_commit_callbacks
):
    one = received(acme, ROWS, BY)
    imports.check(one)
    add = checking.Plan.add

    def discarding(self, batch):
        add(self, batch)
        with django_capture_on_commit_callbacks(execute=True):
            imports.discard(Import.objects.get(pk=one.pk), by=BY)

    monkeypatch.setattr(checking.Plan, "add", discarding)
    one = carried_on(one)
    assert (one.state, bytes(one.file_key), one.refusal) == (State.DISCARDED, b"", {})
    assert not ImportBlock.objects.exists()


def test_a_check_that_finds_its_file_discarded_says_nothing_went_wrong(acme, monkeypatch):
    one = received(acme, ROWS, BY)
    imports.check(one)

    def discarding(self, batch):
        imports.discard(Import.objects.get(pk=one.pk), by=BY)
        raise files.FileGoneError

    monkeypatch.setattr(checking.Plan, "add", discarding)
    one = carried_on(one)
    assert (one.state, one.refusal) == (State.DISCARDED, {})


def test_a_check_that_stumbled_leaves_no_half_plan(acme, monkeypatch):
    one = received(acme, ROWS, BY)
    imports.check(one)
    monkeypatch.setattr(checking, "SIGN_OF_LIFE", -1.0)
    monkeypatch.setattr(checking, "ROWS", 20)
    add, seen = checking.Plan.add, []

    def broken(self, batch):
        seen.append(batch)
        if len(seen) > 1:
            raise ValueError
        add(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(checking.Plan, "add", broken)
        one = carried_on(one)
    assert (one.state, one.preview) == (State.READY, {})
    assert one.refusal
    imports.check(one)
    one = carried_on(one)
    assert (one.preview["create"], one.refusal) == (50, {})


def test_what_went_wrong_is_forgotten_when_it_goes_on(acme, monkeypatch):
    one = received(acme, ROWS, BY)
    imports.start(one, on_existing=Existing.UPDATE, by=BY)

    def broken(*_args):
        raise ValueError

    with monkeypatch.context() as patch:
        patch.setattr(full, "write", broken)
        one = carried_on(one)
    assert one.state == State.PAUSED
    assert one.refusal
    imports.go_on(one, by=BY)
    assert one.refusal == {}
    one = carried_on(one)
    assert (one.state, counts(one), one.refusal) == (State.FINISHED, {"created": 50}, {})


def test_a_pause_does_not_take_a_cancellation_back(acme):
    one = received(acme, ROWS, BY)
    imports.start(one, on_existing=Existing.UPDATE, by=BY)
    imports.cancel(one, by=BY)
    with pytest.raises(WrongStateError):
        imports.pause(one, by=BY)
    assert one.wish == Import.Wish.CANCEL


def test_whoever_lost_the_lease_in_a_failed_attempt_does_not_go_on_with_the_next_holders(
    acme, monkeypatch
):
    one = received(acme, ROWS, BY)
    imports.start(one, on_existing=Existing.UPDATE, by=BY)
    held = lease.take(one.pk)

    def refused(*_args):
        raise IntegrityError

    def lost(_seconds):
        Import.objects.filter(pk=one.pk).update(holder="somebody else")

    monkeypatch.setattr(full, "write", refused)
    monkeypatch.setattr(running.time, "sleep", lost)
    with pytest.raises(LostLeaseError):
        running.run(held)
    one.refresh_from_db()
    assert (one.holder, one.seen, one.failed) == ("somebody else", 0, 0)


def test_an_upload_that_breaks_off_leaves_nothing(acme):
    def blocks():
        yield b"ID;PATH\n"
        yield b"a;Plant\n" * 400_000
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        imports.receive(acme, blocks(), by=BY, door="console")
    assert not Import.objects.exists()
    assert not ImportBlock.objects.exists()


def test_a_second_start_is_refused(acme):
    one = checked(acme, SIMPLE + "a;\n", BY)
    again = Import.objects.get(pk=one.pk)
    imports.start(one, on_existing=Existing.UPDATE, by=BY)
    with pytest.raises(WrongStateError):
        imports.start(again, on_existing=Existing.SKIP, by=BY)
    one = carried_on(one)
    assert one.on_existing == Existing.UPDATE
    assert engine.due() == []


def test_a_file_that_is_registered_by_now_is_not_refused_any_more(acme):
    one = received(acme, ROWS, BY)
    other = Import.objects.get(pk=one.pk)
    imports.start(other, on_existing=Existing.UPDATE, by=BY)
    with pytest.raises(WrongStateError):
        imports.refuse(one, FileProblem("Too many rows."))
    one = carried_on(one)
    assert (one.state, counts(one)) == (State.FINISHED, {"created": 50})
