"""The audit log: written with the change, chained after it, and found out when it was touched."""

import json
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import F

from tenants import audit
from tenants.actors import Actor
from tenants.models import AuditHead, AuditRecord
from tests.support import at_once

SOMEBODY = Actor("somebody", source="192.0.2.7", request_id="request-of-somebody")


def write(*names, tenant="acme"):
    for name in names:
        with transaction.atomic():
            audit.record(SOMEBODY, tenant, audit.Type.OPTION, "Option changed", subject=name)


def write_and_fail():
    with transaction.atomic():
        audit.record(SOMEBODY, "acme", audit.Type.OPTION, "undone")
        raise ZeroDivisionError


def numbered(number):
    return AuditRecord.objects.filter(number=number)


@pytest.fixture
def log(transactional_db):
    """Five entries, chained."""
    write("one", "two", "three", "four", "five")
    assert list(AuditRecord.objects.order_by("number").values_list("number", flat=True)) == [
        1, 2, 3, 4, 5]  # fmt: skip


def test_entry_says_who_what_where_and_what_changed(db, person):
    by = Actor("operator", person_in := person("acme/operator"), "192.0.2.10", "request-1")
    audit.record(
        by, "acme", audit.Type.USER, "User changed", subject="acme/anna",
        changes={"email": ("a@x.org", "b@x.org"), "same": (1, 1), "active": (True, False)},
    )  # fmt: skip
    entry = AuditRecord.objects.get()
    assert (entry.tenant_id, entry.type, entry.activity) == ("acme", "User", "User changed")
    assert (entry.actor_name, entry.actor_tenant) == ("operator", person_in.tenant_id)
    assert (entry.source, entry.request_id) == ("192.0.2.10", "request-1")
    assert entry.changes == [
        {"attribute": "email", "previousValue": "a@x.org", "newValue": "b@x.org"},
        {"attribute": "active", "previousValue": "true", "newValue": "false"},
    ]


@pytest.mark.django_db(transaction=True)
def test_change_that_is_undone_leaves_no_entry():
    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert not AuditRecord.objects.exists()
    write("after")
    assert numbered(1).get().subject == "after"


@pytest.mark.django_db(transaction=True)
def test_entries_of_one_transaction_are_chained_once_and_a_rolled_back_part_is_left_out():
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError):
            write_and_fail()
        for number in range(3):
            audit.record(SOMEBODY, "acme", audit.Type.OPTION, "kept", subject=str(number))
        chained = [entry for entry in connection.run_on_commit if entry[1] is audit.chain]
        assert len(chained) == 1
    assert AuditRecord.objects.exclude(number=None).count() == 3
    assert audit.verify().is_intact


def test_untouched_log_is_intact(log):
    found = audit.verify()
    assert (found.is_intact, found.number, found.broken_at) == (True, 5, None)
    assert found.digest == numbered(5).get().digest


def test_empty_log_is_intact(db):
    assert audit.verify() == audit.Finding(0, "")


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "other"}, {"tenant_id": "globex"}, {"actor_name": "nobody"},
        {"activity": "Nothing"}, {"text": "x"}, {"source": "10.0.0.1"}, {"request_id": "x"},
        {"changes": [{"attribute": "a", "previousValue": "", "newValue": "b"}]},
        {"severity": "WARNING"}, {"type": "User"}, {"actor_tenant": "globex"},
        {"at": F("at") + timedelta(seconds=1)}, {"digest": "0" * 64},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_altered_entry_is_named(log, change):
    numbered(3).update(**change)
    found = audit.verify()
    assert (found.broken_at, found.number) == (3, 2)
    assert "altered" in found.problem


def test_removed_entry_is_named(log):
    numbered(2).delete()
    found = audit.verify()
    assert (found.broken_at, found.problem) == (2, "The entry is missing.")


def test_removed_end_is_named(log):
    numbered(5).delete()
    found = audit.verify()
    assert (found.broken_at, found.problem) == (5, "The entry is missing at the end.")


def test_removed_first_entry_is_named(log):
    numbered(1).delete()
    assert audit.verify().broken_at == 1


def test_removed_entry_behind_which_all_were_renumbered_is_named(log):
    numbered(3).delete()
    for number in (4, 5):
        numbered(number).update(number=number - 1)
    AuditHead.objects.update(number=4)
    assert audit.verify().broken_at == 3


def test_swapped_entries_are_named(log):
    numbered(2).update(number=99)
    numbered(4).update(number=2)
    numbered(99).update(number=4)
    assert audit.verify().broken_at == 2


def test_inserted_entry_is_named(log):
    first = numbered(1).get()
    first.pk, first.number, first.subject = None, 6, "smuggled in"
    first.save()
    assert audit.verify().broken_at == 6


@pytest.mark.parametrize("digest", ["", "0" * 64, "of the first"])
def test_entry_inserted_for_the_next_writer_to_chain_is_named(log, digest):
    forged = numbered(1).get()
    forged.pk, forged.number, forged.subject = None, None, "smuggled in"
    forged.digest = forged.digest if digest == "of the first" else digest
    forged.save()
    write("seven")
    assert numbered(6).get().subject == "smuggled in"
    found = audit.verify()
    assert (found.broken_at, found.number) == (6, 5)


def test_entry_altered_before_it_was_chained_is_named(log):
    with transaction.atomic():
        audit.record(SOMEBODY, "acme", audit.Type.OPTION, "Option changed", subject="six")
        AuditRecord.objects.filter(subject="six").update(subject="other")
    assert audit.verify().broken_at == 6


def test_forged_end_is_named(log):
    AuditHead.objects.update(digest="0" * 64)
    assert audit.verify().broken_at == 6


def test_end_that_was_cut_off_with_its_mark_shows_by_what_was_kept_elsewhere(log):
    before = audit.verify()
    numbered(5).delete()
    AuditHead.objects.update(number=4, digest=numbered(4).get().digest)
    assert audit.verify().is_intact
    found = audit.verify(known=(before.number, before.digest))
    assert (found.broken_at, found.number) == (5, 4)


def test_log_that_was_begun_anew_shows_by_what_was_kept_elsewhere(log):
    found = audit.verify(known=(3, "0" * 64))
    assert found.broken_at == 3


@pytest.mark.django_db(transaction=True)
def test_entry_that_was_not_chained_before_a_crash_is_chained_by_the_next_one():
    entry = AuditRecord(
        tenant_id="acme", type=audit.Type.OPTION, activity="before the crash", actor_name="x"
    )
    entry.digest = audit.seal(entry)
    entry.save()
    write("after")
    assert [entry.activity for entry in AuditRecord.objects.order_by("number")] == [
        "before the crash", "Option changed"]  # fmt: skip
    assert audit.verify().number == 2


@pytest.mark.django_db(transaction=True)
def test_many_writers_at_once_make_one_chain_without_gaps():
    at_once(*[lambda name=str(number): write(name, name + "b") for number in range(20)])
    found = audit.verify()
    assert (found.is_intact, found.number) == (True, 40)


def test_text_that_no_database_takes_is_kept_as_well_as_it_goes(db):
    audit.record(
        SOMEBODY, "acme", audit.Type.OPTION, "x", subject="a\x00b\ud800", text="y" * 5000,
        changes={"value": ("\x00", "z" * 5000)},
    )  # fmt: skip
    entry = AuditRecord.objects.get()
    assert entry.subject == "ab?"
    assert len(entry.text) == 1500
    assert len(entry.changes[0]["newValue"]) == 500
    json.dumps(entry.changes).encode()
