"""Checking, pausing, cancelling, going on, undoing: what an import goes through."""

import pytest

from bulk import engine, imports
from bulk.engine import lease, stopping
from bulk.engine.pace import Pace
from bulk.errors import WrongStateError
from bulk.models import Existing, Import, State
from inventory.history import history_of
from inventory.models import DeviceCredentials, DeviceGroup, ExternalId, ManagedObject
from registration.models import Registration, Tally
from tenants.actors import Actor
from tenants.models import AuditRecord, Tenant
from tests.bulk.files import (
    FULL,
    SECRET,
    SIMPLE,
    carried_on,
    checked,
    counts,
    everything,
    outcomes,
    received,
    registered,
    undone,
)
from tests.logins import comes_in, let_in, login_of

pytestmark = pytest.mark.django_db
BY = Actor("olga")
ROWS = "".join(
    f"d-{number:03};{SECRET};press;Press {number};Plant/Hall {number % 7}\n"
    for number in range(450)
)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr("bulk.engine.pace.ROWS", 100)
    monkeypatch.setattr("bulk.engine.pace.FIRST", 100)
    monkeypatch.setattr("bulk.engine.pace.MOST", 100)


def stop_after(monkeypatch, chunks, do):
    """Call ``do`` when so many chunks have been written."""
    seen = []
    took = Pace.took

    def counting(self, seconds):
        took(self, seconds)
        seen.append(seconds)
        if len(seen) == chunks:
            do()

    monkeypatch.setattr(Pace, "took", counting)


def test_the_check_tells_everything_and_changes_nothing(acme, make_registration):
    let_in(make_registration, "old-1", reports=True)
    before = everything()
    text = FULL + (
        f"new-1;{SECRET};;;Plant/Hall 1\nold-1;{SECRET};;;\nbad id;{SECRET};;;\n"
        f"new-1;{SECRET};;;\nshort;x;;;\n"
    )
    one = checked(acme, text, BY)
    assert one.state == State.READY
    plan = one.preview
    assert {name: plan[name] for name in ("rows", "create", "update", "unchanged", "reject")} == {
        "rows": 5, "create": 1, "update": 1, "unchanged": 0, "reject": 3,
    }  # fmt: skip
    assert plan["groups"] == ["Plant", "Plant/Hall 1"]
    assert [(p["line"], p["column"]) for p in plan["problems"]] == [
        (4, "ID"), (5, "ID"), (6, "CREDENTIALS"),
    ]  # fmt: skip
    assert everything() == before
    assert SECRET not in str(plan)


def test_what_was_planned_is_what_is_done(acme):
    one = checked(acme, FULL + ROWS, BY)
    imports.start(one, on_existing=Existing.UPDATE, by=BY)
    one = carried_on(one)
    assert one.preview["create"] == one.created == 450
    assert one.preview["group_count"] == DeviceGroup.objects.count() == 8


def test_a_file_can_be_paused_and_goes_on_to_the_same_end(acme, globex, monkeypatch):
    one = received(acme, FULL + ROWS, BY)
    imports.start(one, on_existing=Existing.UPDATE, by=BY)
    stop_after(monkeypatch, 2, lambda: imports.pause(one, by=BY))
    one = carried_on(one)
    assert (one.state, one.seen) == (State.PAUSED, 300)
    assert one.holder == ""
    imports.go_on(one, by=BY)
    one = carried_on(one)
    assert (one.state, counts(one)) == (State.FINISHED, {"created": 450})
    assert ManagedObject.objects.devices().count() == 450


def test_a_cancelled_file_leaves_what_it_had_done_and_nothing_of_itself(acme, monkeypatch):
    one = received(acme, FULL + ROWS, BY)
    imports.start(one, on_existing=Existing.UPDATE, by=BY)
    stop_after(monkeypatch, 1, lambda: imports.cancel(one, by=BY))
    one = carried_on(one)
    assert (one.state, counts(one)) == (State.CANCELLED, {"created": 200})
    assert bytes(one.file_key) == b""
    assert DeviceCredentials.objects.count() == 200


def test_a_paused_file_can_be_cancelled(acme, monkeypatch):
    one = received(acme, FULL + ROWS, BY)
    imports.start(one, on_existing=Existing.UPDATE, by=BY)
    stop_after(monkeypatch, 1, lambda: imports.pause(one, by=BY))
    one = carried_on(one)
    imports.cancel(one, by=BY)
    assert one.state == State.CANCELLED
    assert bytes(one.file_key) == b""


def test_whoever_is_asked_to_stop_gives_the_lease_back(acme, monkeypatch):
    one = received(acme, FULL + ROWS, BY)
    imports.start(one, on_existing=Existing.UPDATE, by=BY)
    monkeypatch.setattr(stopping, "_asked", False)  # as it is again after the test
    stop_after(monkeypatch, 1, stopping.ask)
    one = carried_on(one)
    assert (one.state, one.seen, one.lease_until) == (State.RUNNING, 100, None)
    assert engine.due() == [one.pk]
    monkeypatch.setattr(stopping, "_asked", False)
    assert carried_on(one).created == 450


def test_only_one_works_on_an_import(acme):
    one = received(acme, FULL + ROWS, BY)
    imports.start(one, on_existing=Existing.UPDATE, by=BY)
    assert lease.take(one.pk) is not None
    assert lease.take(one.pk) is None
    assert engine.due() == []
    assert carried_on(one).seen == 0


def test_whoever_lost_the_lease_loses_the_chunk(acme, monkeypatch):
    one = received(acme, FULL + ROWS, BY)
    imports.start(one, on_existing=Existing.UPDATE, by=BY)
    stop_after(monkeypatch, 1, lambda: Import.objects.update(holder="somebody else"))
    one = carried_on(one)
    assert (one.seen, one.holder) == (100, "somebody else")
    assert DeviceCredentials.objects.count() == 100


def test_undoing_takes_away_what_nobody_used(acme):
    one = registered(acme, FULL + ROWS, BY)
    assert comes_in(login_of("d-003"), SECRET)
    one = undone(one, BY)
    assert (one.state, one.undone, one.kept) == (State.UNDONE, 449, 1)
    assert [login.device_id for login in DeviceCredentials.objects.all()] == ["d-003"]
    assert ExternalId.objects.count() == 1
    assert sorted(DeviceGroup.objects.values_list("path", flat=True)) == ["Plant", "Plant/Hall 3"]
    assert Tenant.objects.get(pk="acme").device_count == 1
    assert outcomes(one)[5] == "KEPT"
    assert outcomes(one)[6] == "UNDONE"


def test_undoing_leaves_alone_what_was_there_before(acme, make_registration):
    let_in(make_registration, "d-000", reports=True)
    one = registered(acme, FULL + f"d-000;{SECRET};;;Plant\nd-001;{SECRET};;;Plant\n", BY)
    one = undone(one, BY)
    assert (one.undone, one.kept) == (1, 0)
    assert comes_in(login_of("d-000"), SECRET)
    assert DeviceGroup.objects.get().path == "Plant"


def test_undoing_registrations_leaves_those_that_knocked(acme, make_registration):
    from tests.support import knock

    one = registered(acme, SIMPLE + "a;Plant\nb;Plant\n", BY)
    knock(Registration.objects.get(device_id="a"))
    one = undone(one, BY)
    assert (one.undone, one.kept) == (1, 1)
    assert [r.device_id for r in Registration.objects.all()] == ["a"]
    assert Tally.counts(acme).total() == 1


@pytest.mark.parametrize(
    "step",
    [
        lambda one: imports.start(one, on_existing=Existing.SKIP, by=BY),
        lambda one: imports.pause(one, by=BY),
        lambda one: imports.go_on(one, by=BY),
        lambda one: imports.cancel(one, by=BY),
        lambda one: imports.discard(one, by=BY),
        imports.check,
    ],
    ids=["start", "pause", "go on", "cancel", "discard", "check"],
)
def test_what_cannot_be_done_says_why(acme, step):
    one = registered(acme, SIMPLE + "a;\n", BY)
    with pytest.raises(WrongStateError, match="finished"):
        step(one)
    assert one.state == State.FINISHED


def test_a_discarded_file_is_gone(acme):
    one = checked(acme, SIMPLE + "a;\n", BY)
    imports.discard(one, by=BY)
    assert one.state == State.DISCARDED
    assert bytes(one.file_key) == b""


def test_files_left_lying_are_forgotten(acme):
    one = checked(acme, SIMPLE + "a;\n", BY)
    imports.tidy()
    one.refresh_from_db()
    assert one.state == State.READY
    Import.objects.update(created_at="2020-01-01 00:00Z")
    imports.tidy()
    one.refresh_from_db()
    assert one.state == State.DISCARDED


def test_every_step_stands_in_the_audit_log(acme):
    one = registered(acme, SIMPLE + "a;\n", BY)
    undone(one, BY)
    said = AuditRecord.objects.filter(subject="devices.csv").order_by("pk")
    assert list(said.values_list("activity", flat=True)) == [
        "Bulk registration started",
        "Bulk registration finished",
        "Bulk registration being undone",
        "Bulk registration undone",
    ]


def test_an_error_of_ours_pauses_instead_of_trying_for_ever(acme, monkeypatch, caplog):
    one = received(acme, FULL + ROWS, BY)
    imports.start(one, on_existing=Existing.UPDATE, by=BY)

    def broken(*_args):
        raise ValueError(SECRET)

    monkeypatch.setattr("bulk.engine.full.write", broken)
    one = carried_on(one)
    assert one.state == State.PAUSED
    assert "try again" in one.refusal["message"]
    assert SECRET not in caplog.text
    assert "ValueError at test_steps.py" in caplog.text


def test_a_device_tells_which_file_it_came_by(acme):
    registered(acme, FULL + f"press-1;{SECRET};;;\n", BY)
    told = history_of("acme", device_id="press-1", limit=10)
    assert [(one.what, one.who, one.why) for one in told] == [
        ("Registered by bulk registration", "olga", "Line 2 of devices.csv.")
    ]
    assert history_of("globex", device_id="press-1", limit=10) == []


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", None),
        (b"ID;PATH\n", 2),
        (b"ID;PATH", None),
        (b"\x00\x01", 1),
        (b"NAME;PATH\na;b\n", 1),
    ],
    ids=["empty", "header only", "header without an end", "binary", "no ID"],
)
def test_a_file_that_is_none_is_refused_as_a_whole(acme, data, line):
    one = received(acme, data, BY)
    assert one.state == State.REFUSED
    assert one.refusal["message"]
    assert line is None or one.refusal["line"] == line
    assert bytes(one.file_key) == b""
