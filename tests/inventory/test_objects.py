"""Managed objects: what they hold, what they become, what goes with them."""

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from inventory import objects
from inventory.children import add_children
from inventory.devices import let_in
from inventory.errors import GroupConflictError, InvalidObjectError, NotTheOwnerError
from inventory.fragments import MAX_FRAGMENTS, MAX_FRAGMENTS_BYTES, kind_of, merged
from inventory.identity import bind
from inventory.models import (
    ChildLink,
    DeviceCredentials,
    DeviceEvent,
    DeviceGroup,
    Kind,
    ManagedObject,
    State,
)
from inventory.objects import Deletion, change_object, create_object, delete_object
from registration.lifecycle import Stage
from tenants.models import AuditRecord, Tenant
from tests.support import PASSWORD, at_once, counted_devices

DEVICE: dict[str, object] = {"c8y_IsDevice": {}}
GROUP = {"type": "c8y_DeviceGroup", "c8y_IsDeviceGroup": {}}
ASSET, BEHIND = ChildLink.Kind.ASSET, ChildLink.Kind.DEVICE


@pytest.fixture
def make(acme, operator):
    """Make an object of acme."""

    def create(tenant=acme, **body):
        made, is_new = create_object(tenant, body, by=operator)
        assert is_new
        return ManagedObject.objects.get(pk=made.pk)

    return create


def there():
    return [str(one) for one in ManagedObject.objects.order_by("pk")]


@pytest.mark.parametrize(
    ("fragments", "kind"),
    [
        ({}, Kind.OTHER),
        ({"c8y_IsDevice": {}}, Kind.DEVICE),
        ({"c8y_IsDevice": False}, Kind.DEVICE),  # being there is what counts
        ({"c8y_IsDeviceGroup": {}}, Kind.GROUP),
        ({"c8y_isdevice": {}}, Kind.OTHER),
    ],
)
def test_fragments_say_what_an_object_is(fragments, kind):
    assert kind_of(fragments) is kind


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ({}, {"a": None}, {}),
        ({"a": 1}, {}, {"a": 1}),
        ({"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"y": 2}}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({"a": 1}, {"a": False, "b": [None]}, {"a": False, "b": [None]}),
    ],
)
def test_fragments_are_replaced_by_name(before, change, after):
    assert merged(before, change) == after


def test_fragments_have_limits_of_number_and_size():
    full = {str(number): 1 for number in range(MAX_FRAGMENTS)}
    assert merged(full, {"0": 2})["0"] == 2
    assert len(merged(full, {"0": None, "new": 1})) == MAX_FRAGMENTS
    with pytest.raises(InvalidObjectError, match="500 fragments"):
        merged(full, {"new": 1})
    half = {"a": "x" * (MAX_FRAGMENTS_BYTES // 2)}
    assert merged({}, half)
    with pytest.raises(InvalidObjectError, match="bytes together"):
        merged(half, {"b": half["a"]})


def test_object_belongs_to_whoever_made_it(make):
    made = make(name="Box")
    assert (made.owner, made.created_by_name, made.kind) == ("operator", "operator", Kind.OTHER)
    assert make(owner="device_x").owner == "device_x"


def test_device_that_people_make_has_no_login(make):
    made = make(name="Press", **DEVICE)
    assert (made.is_device, made.device_id, made.state) == (True, "", State.NONE)
    assert DeviceEvent.objects.get().kind == "created"


def test_change_is_made_to_the_object_as_it_is_now(make, operator):
    stale = make(name="Box", a=1)
    change_object(stale, {"b": 2}, by=operator)
    changed = change_object(stale, {"c": 3, "name": "Crate"}, by=operator)
    assert changed.fragments == {"a": 1, "b": 2, "c": 3}
    assert (changed.name, changed.name_key) == ("Crate", "crate")


def test_object_that_is_gone_is_not_changed(make, operator):
    made = make(name="Box")
    delete_object(made, Deletion(), by=operator)
    with pytest.raises(ManagedObject.DoesNotExist):
        change_object(made, {"a": 1}, by=operator)
    assert there() == []


def test_group_that_is_gone_is_not_changed_nor_deleted(make, operator):
    group = make(name="Plant", **GROUP)
    delete_object(group, Deletion(), by=operator)
    with pytest.raises(ManagedObject.DoesNotExist):
        change_object(group, {"name": "Works"}, by=operator)
    with pytest.raises(ManagedObject.DoesNotExist):
        delete_object(group, Deletion(), by=operator)


def test_change_that_fails_half_way_changes_nothing(make, operator):
    group = make(name="Plant", **GROUP)
    with pytest.raises(InvalidObjectError):
        change_object(group, {"name": "Works", "c8y_IsDeviceGroup": None}, by=operator)
    assert DeviceGroup.objects.get().path == "Plant"


def test_device_with_a_login_of_its_own_stays_a_device(acme, operator, make):
    let_in(acme, "press-1", PASSWORD, by=operator)
    ManagedObject.objects.update(reported_at=F("created_at"), fragments=DEVICE)
    with pytest.raises(InvalidObjectError, match="cannot stop being one"):
        change_object(ManagedObject.objects.get(), {"c8y_IsDevice": None}, by=operator)


def test_what_devices_say_all_day_is_not_in_the_audit_log(make, operator):
    made = make(name="Press", **DEVICE)
    entries = AuditRecord.objects.count()
    change_object(made, {"acme_Heat": 40}, by=operator, is_device=True)
    assert AuditRecord.objects.count() == entries
    change_object(made, {"name": "Press 1"}, by=operator, is_device=True)
    change_object(made, {"acme_Heat": 41}, by=operator)
    told = AuditRecord.objects.order_by("-pk")[: AuditRecord.objects.count() - entries]
    assert [entry.text for entry in told] == [
        "Fragments: acme_Heat.",
        "Name: Press → Press 1.",
    ]


def test_group_made_first_has_no_place_until_it_gets_one(make):
    loose = make(name="Hall", type="c8y_DeviceSubGroup", c8y_IsDeviceGroup={})
    again = make(name="Hall", type="c8y_DeviceSubGroup", c8y_IsDeviceGroup={})
    assert (loose.path, again.path) == ("", "")


def test_second_group_of_a_name_is_refused(make, globex):
    make(name="Plant", **GROUP)
    with pytest.raises(GroupConflictError):
        make(name=" Plant ", **GROUP)
    assert make(globex, name="Plant", **GROUP).path == "Plant"


# --- Deleting -------------------------------------------------------------------------------


@pytest.fixture
def plant(make, operator, globex):
    """A group in a group, a gateway in the inner one with a device behind it; and a bystander."""
    plant, hall = make(name="Plant", **GROUP), make(name="Hall", **GROUP)
    gateway, behind = make(name="gateway", **DEVICE), make(name="behind", **DEVICE)
    make(name="bystander", **DEVICE)
    make(globex, name="stranger", **DEVICE)
    add_children(plant, [hall], ASSET, by=operator)
    add_children(hall, [gateway], ASSET, by=operator)
    add_children(gateway, [behind], BEHIND, by=operator)
    return plant


@pytest.mark.parametrize(
    ("children", "left"),
    [
        (False, ["gateway", "behind", "bystander", "stranger"]),
        (True, ["behind", "bystander", "stranger"]),
    ],
)
def test_group_is_deleted_with_what_is_told(children, left, plant, operator):
    delete_object(plant, Deletion(children=children), by=operator)
    assert there() == left


def test_circle_of_devices_is_deleted_once(make, operator):
    first, second = make(name="a", **DEVICE), make(name="b", **DEVICE)
    for parent, child in ((first, second), (second, first)):
        ChildLink.objects.create(parent=parent, child=child, kind=BEHIND)
    delete_object(first, Deletion(children=True), by=operator)
    assert there() == []


def test_too_many_devices_are_not_deleted_at_once(plant, operator, monkeypatch):
    monkeypatch.setattr(objects, "MAX_CASCADE", 0)
    with pytest.raises(InvalidObjectError, match="smaller parts"):
        delete_object(plant, Deletion(children=True), by=operator)
    gateway = ManagedObject.objects.get(name="gateway")
    with pytest.raises(InvalidObjectError, match="smaller parts"):
        delete_object(gateway, Deletion(children=True), by=operator)
    assert len(there()) == 6


@pytest.mark.parametrize("name", ["Plant", "gateway"])
def test_what_devices_tell_is_not_read_to_find_those_that_go(name, plant, operator):
    """Ten thousand of them could have 256 KB each."""
    doomed = ManagedObject.objects.get(name=name)
    with CaptureQueriesContext(connection) as seen:
        delete_object(doomed, Deletion(children=True), by=operator)
    finding = [one["sql"] for one in seen if " IN (" in one["sql"] and "LIMIT" in one["sql"]]
    assert finding
    assert not [sql for sql in finding if "fragments" in sql]


def test_every_device_beneath_goes_though_many_are_beneath_several(make, operator, monkeypatch):
    monkeypatch.setattr(objects, "MAX_CASCADE", 8)
    root = make(name="root", **DEVICE)
    middle = [make(name=f"middle-{number}", **DEVICE) for number in range(4)]
    lowest = [make(name=f"lowest-{number}", **DEVICE) for number in range(4)]
    add_children(root, middle, BEHIND, by=operator)
    for one in middle:
        add_children(one, lowest, BEHIND, by=operator)
    delete_object(root, Deletion(children=True), by=operator)
    assert there() == []


@pytest.mark.parametrize("name", ["Plant", "gateway"])
def test_owner_deletes_nothing_of_others(name, plant, operator):
    ManagedObject.objects.filter(name__in=["Plant", "Hall", "gateway"]).update(owner="device_x")
    ManagedObject.objects.filter(name="gateway").update(owner="device_y")
    doomed = ManagedObject.objects.get(name=name)
    deletion = Deletion(children=True, only_of=doomed.owner)
    with pytest.raises(NotTheOwnerError):
        delete_object(doomed, deletion, by=operator)
    assert len(there()) == 6


def test_logins_that_go_along_free_their_places(make_registration, acme, operator):
    make_registration("press-1", stage=Stage.CONFIRMED)
    ManagedObject.objects.update(reported_at=F("created_at"), fragments=DEVICE)
    assert counted_devices(acme) == 1
    delete_object(ManagedObject.objects.get(), Deletion(logins=True), by=operator)
    assert counted_devices(acme) == 0
    assert not DeviceCredentials.objects.exists()
    assert there() == []


def test_deletion_tells_what_went_with_it(make, operator):
    made = make(name="Press", **DEVICE)
    bind(made, "c8y_Serial", "4711", by=operator)
    delete_object(made, Deletion(), by=operator)
    event = DeviceEvent.objects.latest("pk")
    assert (event.kind, event.object_number) == ("object-removed", made.pk)
    assert event.text == "With its external IDs c8y_Serial 4711."


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_hierarchies_deleted_at_once_go_without_a_deadlock(attempt, plant, operator):
    def doomed(name):
        return ManagedObject.objects.select_related("tenant").get(name=name)

    hall, gateway, behind = (doomed(name) for name in ("Hall", "gateway", "behind"))
    results = at_once(
        *[
            lambda one=one: delete_object(one, Deletion(children=True, logins=True), by=operator)
            for one in (plant, hall, gateway, behind, doomed("Plant"))
        ]
    )
    assert all(
        result is None or isinstance(result, ManagedObject.DoesNotExist) for result in results
    ), results
    assert there() == ["bystander", "stranger"]
    assert Tenant.objects.filter(pk="acme").exists()
