"""Reading ahead: the same rows, whatever has to be fetched meanwhile, and nothing left running."""

import threading
from contextlib import closing
from datetime import timedelta

import pytest
from django.utils import timezone

from bulk import files, imports
from bulk.engine import ahead, lease
from bulk.engine.grouping import Groups
from bulk.engine.pace import Pace
from bulk.models import Existing, ImportBlock
from inventory.models import DeviceGroup
from tenants.actors import Actor
from tests.bulk.files import FULL, SECRET, received, registered

pytestmark = pytest.mark.django_db
BY = Actor("olga")
ROWS = "".join(f"press-{n:03};{SECRET}-{n};;;\n" for n in range(100))


@pytest.fixture
def begun(acme, monkeypatch):
    """Return an import in many small pieces, which somebody works on."""
    monkeypatch.setattr(files, "BLOCK", 64)
    one = received(acme, FULL + ROWS, BY)
    imports.start(one, on_existing=Existing.UPDATE, by=BY)
    held = lease.take(one.pk)
    return (held,)


def readers():
    return [thread for thread in threading.enumerate() if thread.name == "bulk-ahead"]


@pytest.mark.parametrize("rows", [1, 7, 100, 5_000])
def test_every_row_comes_once_and_in_order(begun, rows):
    with closing(ahead._Ahead(*begun, rows).batches()) as batches:
        found = [entry for batch in batches for entry in batch.entries]
    assert [entry.device_id for entry in found] == [f"press-{n:03}" for n in range(100)]
    assert all(entry.key and len(entry.digest) == 64 for entry in found)
    assert not readers()


@pytest.mark.parametrize("batches_seen", [0, 1, 3])
def test_whoever_stops_leaves_no_thread_behind(begun, batches_seen):
    with closing(ahead._Ahead(*begun, 7).batches()) as batches:
        for _ in range(batches_seen):
            next(batches)
    assert not readers()


def test_what_goes_wrong_while_reading_is_told(begun):
    (one,) = begun
    ImportBlock.objects.filter(owner=one, number__gte=20).delete()
    with closing(ahead._Ahead(one, 7).batches()) as batches:  # noqa: SIM117
        with pytest.raises(files.FileGoneError):
            list(batches)
    assert not readers()


def test_groups_are_noted_once_at_first_and_once_at_the_end(acme, monkeypatch):
    registered(acme, FULL + f"before;{SECRET};;;Hall\n", BY)
    monkeypatch.setattr(Pace, "__init__", lambda pace: vars(pace).update(is_shared=False, rows=5))
    monkeypatch.setattr(Pace, "took", lambda *_: age())
    hall, long_ago = DeviceGroup.objects.get(path="Hall"), timezone.now() - timedelta(hours=1)
    noted = []

    def age():
        rows = DeviceGroup.objects.filter(pk=hall.pk)
        noted.append(rows.get().updated_at > long_ago)
        rows.update(updated_at=long_ago)

    age()
    rows = "".join(f"press-{n:03};{SECRET};;;Hall\n" for n in range(20))
    registered(acme, FULL + rows, BY)
    assert noted == [True, True, False, False, False]
    assert DeviceGroup.objects.get(pk=hall.pk).updated_at > long_ago


def test_what_was_rolled_back_is_noted_again(acme):
    one = registered(acme, FULL + f"before;{SECRET};;;Hall\n", BY)
    hall, long_ago = DeviceGroup.objects.get(path="Hall"), timezone.now() - timedelta(hours=1)
    groups = Groups(one)
    groups.touch({hall.pk})
    DeviceGroup.objects.filter(pk=hall.pk).update(updated_at=long_ago)
    groups.forget()
    groups.touch({hall.pk})
    assert DeviceGroup.objects.get(pk=hall.pk).updated_at > long_ago
