"""Groups, inventory and identity by the published Cumulocity client for Python, as it is."""

import threading
import uuid

import pytest
from c8y_api import CumulocityApi, CumulocityDeviceRegistry, UnauthorizedError
from c8y_api.model import Device, DeviceGroup, ExternalId, ManagedObject

from tests.e2e.conftest import ADMIN_PASSWORD, BOOTSTRAP_PASSWORD

# The client leaves its sessions to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def c8y(server):
    return CumulocityApi(server.url, "management", "admin", ADMIN_PASSWORD)


@pytest.fixture
def mark():
    """A word that only this test uses; the server is shared."""
    return f"x{uuid.uuid4().hex[:12]}"


def numbers(objects):
    return sorted(one.id for one in objects)


# --- Inventory ------------------------------------------------------------------------------


def test_client_creates_reads_changes_and_deletes(c8y, mark):
    made = ManagedObject(c8y, name=f"{mark} Box", type=mark, acme_Lid={"closed": True}).create()
    assert made.id
    assert made.owner == "admin"
    assert made.creation_datetime <= made.update_datetime

    made.name = f"{mark} Crate"
    made.acme_Lid.closed = False
    made["acme_New"] = {"a": 1}
    changed = made.update()
    assert (changed.name, changed.acme_Lid.closed) == (f"{mark} Crate", False)
    read = c8y.inventory.get(made.id)
    assert read.name == f"{mark} Crate"
    assert read["acme_New"]["a"] == 1
    assert read.reload().type == mark

    read.delete()
    with pytest.raises(KeyError):
        c8y.inventory.get(made.id)
    with pytest.raises(KeyError):
        made.delete()


def test_client_works_on_many_at_once(c8y, mark):
    c8y.inventory.create(*(ManagedObject(name=f"{mark} {n}", type=mark) for n in range(7)))
    found = c8y.inventory.get_all(type=mark)
    assert len(found) == c8y.inventory.get_count(type=mark) == 7
    c8y.inventory.apply_to({"acme_X": {"y": 1}}, *(one.id for one in found[:3]))
    assert c8y.inventory.get_count(type=mark, fragment="acme_X") == 3
    for one in found:
        one.name = f"{mark} again"
    c8y.inventory.update(*found)
    assert c8y.inventory.get_count(name=f"{mark} again") == 7
    c8y.inventory.delete(*found)
    assert c8y.inventory.get_all(type=mark) == []


@pytest.mark.parametrize("page_size", [1, 3, 7, 1000])
def test_client_reads_page_after_page(page_size, c8y, mark):
    c8y.inventory.create(*(ManagedObject(name=f"{mark} {n}", type=mark) for n in range(7)))
    for asked in ({"type": mark}, {"name": f"{mark} *"}, {"type": mark, "order_by": "name desc"}):
        found = c8y.inventory.get_all(page_size=page_size, **asked)
        assert len({one.id for one in found}) == len(found) == 7
    assert [one.name[-1] for one in found] == list("6543210")
    assert len(c8y.inventory.get_all(type=mark, limit=4, page_size=page_size)) == 4
    assert len(list(c8y.inventory.select(type=mark, page_size=3, page_number=3))) == 1


@pytest.mark.parametrize("name", ["O'Hara's", "(a) and b", "50% of ü", "'", 'say "x"', "a*b"])
def test_client_finds_by_names_with_signs_in_them(name, c8y, mark):
    name = f"{mark} {name}"
    made = ManagedObject(c8y, name=name, type=mark).create()
    ManagedObject(c8y, name=f"{mark} other", type=mark).create()
    assert c8y.inventory.get_by(name=name).id == made.id
    assert numbers(c8y.inventory.get_all(name=name, type=mark)) == [made.id]


def test_client_combines_filters(c8y, mark):
    press = Device(c8y, name=f"{mark} Press", type=mark, acme_Heat={"limit": 40}).create()
    box = ManagedObject(c8y, name=f"{mark} Box", type=mark, owner=f"{mark}-owner").create()
    inventory = c8y.inventory
    assert numbers(inventory.get_all(ids=[press.id, box.id])) == sorted([press.id, box.id])
    assert numbers(inventory.get_all(owner=f"{mark}-owner")) == [box.id]
    assert numbers(inventory.get_all(fragments=["c8y_IsDevice", "acme_Heat"], type=mark)) == [
        press.id
    ]
    assert numbers(inventory.get_all(text=f"{mark} Pre")) == [press.id]
    assert numbers(inventory.get_all(query=f"$filter=(type eq '{mark}' and acme_Heat.limit gt 9)")
                   ) == [press.id]  # fmt: skip
    assert numbers(c8y.device_inventory.get_all(type=mark)) == [press.id]
    assert c8y.device_inventory.get_count(type=mark) == 1
    assert c8y.device_inventory.get_by(name=f"{mark} Press").id == press.id
    with pytest.raises(ValueError, match="No matching"):
        inventory.get_by(name=f"{mark} nothing")


def test_client_hears_what_is_wrong(c8y, mark):
    with pytest.raises(ValueError, match="Query could not be understood"):
        c8y.inventory.get_all(query="$filter=(name eq")
    with pytest.raises(ValueError, match="needs a name"):
        DeviceGroup(c8y, root=True).create()
    with pytest.raises(KeyError):
        c8y.inventory.get("0")


# --- Children -------------------------------------------------------------------------------


def test_client_links_children_of_every_kind(c8y, mark):
    parent = Device(c8y, name=f"{mark} parent").create()
    asset, device, addition = (
        Device(c8y, name=f"{mark} {n}").create() for n in ("asset", "device", "addition")
    )
    parent.add_child_asset(asset)
    parent.add_child_device(device.id)
    parent.add_child_addition(addition)
    read = parent.reload()
    assert [(one.id, one.name) for one in read.child_assets] == [(asset.id, asset.name)]
    assert [one.id for one in read.child_devices] == [device.id]
    assert [one.id for one in read.child_additions] == [addition.id]
    (shown,) = c8y.inventory.get_all(ids=[device.id], with_parents=True)
    assert [one.id for one in shown.parent_devices] == [parent.id]
    parent.unassign_child_asset(asset)
    parent.unassign_child_device(device)
    parent.unassign_child_addition(addition.id)
    read = c8y.device_inventory.get(parent.id, with_children_count=True)
    assert read.child_assets == read.child_devices == read.child_additions == []
    with pytest.raises(ValueError, match="no such child"):
        parent.unassign_child_asset(asset)


def test_client_deletes_a_device_with_what_is_behind_it(c8y, mark):
    gateway = Device(c8y, name=f"{mark} gateway", type=mark).create()
    behind = Device(c8y, name=f"{mark} behind", type=mark).create()
    gateway.add_child_device(behind)
    gateway.delete_tree()
    assert c8y.inventory.get_count(type=mark) == 0


# --- Groups ---------------------------------------------------------------------------------


def test_client_builds_a_tree_of_groups(c8y, mark):
    root = DeviceGroup(c8y, root=True, name=f"{mark} Plant").create()
    assert root.type == "c8y_DeviceGroup"
    hall = root.create_child("Hall 'A'")
    line = hall.create_child("Line")
    other = root.create_child("Hall B", acme_Area={"m2": 400})
    assert numbers(c8y.group_inventory.get_all(parent=root.id)) == sorted([hall.id, other.id])
    assert numbers(c8y.group_inventory.get_all(parent=root.id, name="Hall 'A'")) == [hall.id]
    assert c8y.group_inventory.get_count(parent=root.id) == 2
    (found,) = c8y.group_inventory.get_all(name=f"{mark} Plant")
    assert (found.id, found.type) == (root.id, "c8y_DeviceGroup")
    read = c8y.group_inventory.get(root.id)
    assert [(one.id, one.name) for one in read.child_assets] == [
        (hall.id, "Hall 'A'"),
        (other.id, "Hall B"),
    ]
    assert c8y.group_inventory.get(line.id).type == "c8y_DeviceSubGroup"
    (top,) = c8y.group_inventory.get_all(type="c8y_DeviceGroup", name=f"{mark} Plant")
    assert top.id == root.id


def test_client_moves_groups_by_taking_them_out_first(c8y, mark):
    plant, works = (DeviceGroup(c8y, root=True, name=f"{mark} {n}").create() for n in "PW")
    hall = plant.create_child(f"{mark} Hall")
    with pytest.raises(ValueError, match="Take it out of there first"):
        works.assign_child_group(hall)
    plant.unassign_child_group(hall)
    assert hall.reload().type == "c8y_DeviceGroup"
    works.assign_child_group(hall)
    assert [one.id for one in works.reload().child_assets] == [hall.id]
    assert plant.reload().child_assets == []
    c8y.group_inventory.unassign_children(works.id, hall.id)
    c8y.group_inventory.assign_children(plant.id, hall.id)
    assert [one.id for one in plant.reload().child_assets] == [hall.id]


def test_client_puts_devices_into_groups_and_takes_them_out(c8y, mark):
    plant, works = (DeviceGroup(c8y, root=True, name=f"{mark} {n}").create() for n in "PW")
    devices = [Device(c8y, name=f"{mark} {n}", type=mark).create() for n in range(3)]
    for device in devices:
        plant.add_child_asset(device)
    works.add_child_asset(devices[0])
    assert numbers(c8y.device_inventory.get_all(parent=plant.id)) == numbers(devices)
    assert c8y.device_inventory.get_count(parent=works.id) == 1
    (shown,) = c8y.device_inventory.get_all(ids=[devices[0].id], with_groups=True)
    assert sorted(one.name for one in shown.parent_assets) == [f"{mark} P", f"{mark} W"]
    c8y.group_inventory.unassign_children(plant.id, *(one.id for one in devices[:2]))
    assert numbers(c8y.device_inventory.get_all(parent=plant.id)) == [devices[2].id]
    assert c8y.device_inventory.get_count(type=mark) == 3


def test_client_deletes_groups_and_trees(c8y, mark):
    def plant():
        root = DeviceGroup(c8y, root=True, name=f"{mark} Plant", acme_Tree={}).create()
        hall = root.create_child("Hall", acme_Tree={})
        device = Device(c8y, name=f"{mark} device", type=mark).create()
        hall.add_child_asset(device)
        return root

    plant().delete()
    assert c8y.inventory.get_count(fragment="acme_Tree") == 0
    assert c8y.inventory.get_count(type=mark) == 1
    plant().delete_tree()
    assert c8y.inventory.get_count(fragment="acme_Tree") == 0
    assert c8y.inventory.get_count(type=mark) == 1
    c8y.group_inventory.delete_trees(plant().id)
    assert c8y.inventory.get_count(type=mark) == 1
    c8y.group_inventory.delete(plant())
    assert c8y.inventory.get_count(type=mark) == 2


# --- Identity -------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["4711", "aa:bb:cc", "a/b", "Zähler Ü", "100%"])
def test_client_names_objects(value, c8y, mark):
    value = f"{mark}{value}"
    device = Device(c8y, name=mark).create()
    with pytest.raises(KeyError):
        c8y.identity.get_id(value, "c8y_Serial")
    c8y.identity.create(value, "c8y_Serial", device.id)
    assert c8y.identity.get_id(value, "c8y_Serial") == device.id
    assert c8y.identity.get(value, "c8y_Serial").external_id == value
    assert c8y.identity.get_object(value, "c8y_Serial").name == mark
    with pytest.raises(ValueError, match="was already bound to different Global ID"):
        c8y.identity.create(value, "c8y_Serial", device.id)
    ExternalId(c8y, f"{mark}-imei", "c8y_IMEI", device.id).create()
    assert {one.external_id for one in c8y.identity.get_all(device.id)} == {
        value,
        f"{mark}-imei",
    }
    c8y.identity.delete(value, "c8y_Serial")
    with pytest.raises(KeyError):
        c8y.identity.delete(value, "c8y_Serial")


# --- A device's whole life ------------------------------------------------------------------


@pytest.mark.parametrize("device_id", ["{}", "{}:bb:cc", "{}-Zähler"])
def test_client_lets_a_device_in_and_deletes_it_again(device_id, c8y, server, mark):
    """Do what the client's own test of its registration does, to the end."""
    device_id = device_id.format(mark)
    registry = CumulocityDeviceRegistry(
        server.url, "management", "devicebootstrap", BOOTSTRAP_PASSWORD
    )
    c8y.device_inventory.request(device_id)
    connected = []
    waiting = threading.Thread(
        target=lambda: connected.append(registry.await_connection(device_id, "30s", "1s"))
    )
    waiting.start()
    while waiting.is_alive():
        try:
            c8y.device_inventory.accept(device_id)
            break
        except ValueError:  # the device has not knocked yet
            continue
    waiting.join()
    (as_device,) = connected

    device = Device(as_device, name=device_id, type="c8y_TestDevice").create()
    assert device.owner == device.get_username() == f"device_{device_id}"
    device.c8y = c8y
    assert device.get_user().username == f"device_{device_id}"
    as_device.identity.create(device_id, "c8y_Serial", device.id)
    assert as_device.identity.get_object(device_id, "c8y_Serial").id == device.id
    assert numbers(as_device.inventory.get_all()) == [device.id]

    device.c8y = as_device
    device.delete()
    with pytest.raises(KeyError):
        c8y.inventory.get(device.id)
    c8y.users.delete(f"device_{device_id}")
    with pytest.raises(KeyError):
        c8y.users.get(f"device_{device_id}")
    with pytest.raises(UnauthorizedError):
        as_device.inventory.get_all()


def test_client_deletes_a_device_with_its_user(c8y, server, mark):
    registry = CumulocityDeviceRegistry(
        server.url, "management", "devicebootstrap", BOOTSTRAP_PASSWORD
    )
    c8y.device_inventory.request(mark)
    with pytest.raises(TimeoutError):
        registry.await_credentials(mark, "1s", "1s")
    c8y.device_inventory.accept(mark)
    as_device = registry.await_connection(mark, "30s", "1s")
    made = Device(as_device, name=mark).create()
    c8y.device_inventory.get(made.id).delete(with_device_user=True)
    with pytest.raises(KeyError):
        c8y.users.get(f"device_{mark}")
