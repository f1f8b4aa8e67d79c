"""External IDs: bound to an object and taken off, each time with an event."""

import pytest

from inventory import identity
from inventory.errors import ExternalIdTakenError, InvalidObjectError
from inventory.identity import bind, unbind
from inventory.models import DeviceEvent, ExternalId, ManagedObject


@pytest.fixture
def press(acme):
    return ManagedObject.objects.create(tenant=acme, kind="device", name="Press")


def test_id_is_bound_and_taken_off_with_events(press, operator):
    bound = bind(press, "c8y_Serial", "4711", by=operator)
    assert str(bound) == "c8y_Serial 4711"
    unbind(bound, by=operator)
    assert not ExternalId.objects.exists()
    events = DeviceEvent.objects.order_by("pk")
    assert [(one.kind, one.text, one.actor_name) for one in events] == [
        ("bound", "c8y_Serial 4711", "operator"),
        ("unbound", "c8y_Serial 4711", "operator"),
    ]


def test_id_is_taken_off_once(press, operator):
    bound = bind(press, "c8y_Serial", "4711", by=operator)
    stale = ExternalId.objects.get()
    unbind(bound, by=operator)
    with pytest.raises(ExternalId.DoesNotExist):
        unbind(stale, by=operator)
    assert DeviceEvent.objects.count() == 2


def test_taken_id_leaves_no_event(press, operator):
    bind(press, "c8y_Serial", "4711", by=operator)
    with pytest.raises(ExternalIdTakenError, match="was already bound to different Global ID"):
        bind(press, "c8y_Serial", "4711", by=operator)
    assert DeviceEvent.objects.count() == 1


def test_ids_differ_by_every_letter(press, operator):
    for value in ("a", "A", "ä", "a ", "a\u0308"):
        bind(press, "c8y_Serial", value, by=operator)
    assert ExternalId.objects.count() == 5


def test_object_that_is_gone_gets_no_id(press, operator):
    ManagedObject.objects.all().delete()
    with pytest.raises(ManagedObject.DoesNotExist):
        bind(press, "c8y_Serial", "4711", by=operator)


def test_object_has_no_more_ids_than_can_be_shown(press, operator, monkeypatch):
    monkeypatch.setattr(identity, "MAX_EXTERNAL_IDS", 2)
    bind(press, "t", "1", by=operator)
    bind(press, "t", "2", by=operator)
    with pytest.raises(InvalidObjectError, match="at most 2"):
        bind(press, "t", "3", by=operator)
