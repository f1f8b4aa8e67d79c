"""Who may do what over REST: rights, owners, devices; each with what belongs to others."""

import pytest

from inventory.children import add_children
from inventory.devices import let_in
from inventory.identity import bind
from inventory.models import ChildLink, DeviceCredentials, ExternalId, ManagedObject, Tombstone
from tenants.roles import Role
from tests.inventory.api.calls import OBJECTS, ids, one, reference, references, refused
from tests.support import PASSWORD, Api

DEVICE: dict[str, object] = {"c8y_IsDevice": {}}
GROUP = {"type": "c8y_DeviceGroup", "c8y_IsDeviceGroup": {}}
DENIED = (403, "security/Forbidden", "Access is denied")
IDENTITY = {"type": "c8y_Serial", "externalId": "1"}
AT = "/identity/externalIds/c8y_Serial/1"


def of(object_id):
    return f"/identity/globalIds/{object_id}/externalIds"


CALLS = {
    "list": ("GET", OBJECTS, None),
    "count": ("GET", f"{OBJECTS}/count", None),
    "create": ("POST", OBJECTS, DEVICE),
    "create group": ("POST", OBJECTS, {"name": "New", **GROUP}),
    "read": ("GET", "{one}", None),
    "change": ("PUT", "{one}", {"name": "Changed"}),
    "give away": ("PUT", "{one}", {"owner": "somebody"}),
    "delete": ("DELETE", "{one}", None),
    "delete with login": ("DELETE", "{one}?withDeviceUser=true", None),
    "list children": ("GET", "{one}/childAssets", None),
    "add child": ("POST", "{one}/childDevices", "other"),
    "make child": ("POST", "{one}/childDevices", {"name": "child", **DEVICE}),
    "remove child": ("DELETE", "{one}/childAdditions/{child}", None),
    "read id": ("GET", AT, None),
    "list ids": ("GET", "{ids}", None),
    "add id": ("POST", "{ids}", {"type": "c8y_IMEI", "externalId": "2"}),
    "remove id": ("DELETE", AT, None),
}
READS = {"list", "count", "read", "list children"}
OWN = {"read", "change", "delete", "list children", "add child", "make child", "remove child",
       "read id", "list ids", "add id", "remove id"}  # fmt: skip
MAKES = {"list", "count", "create"}  # what INVENTORY_CREATE allows without owning anything


@pytest.fixture
def call(ours, row, operator):
    """Make an object of ``owner`` with everything around it, and do one of the calls to it."""

    def do(client, name, owner):
        target = ours(name="target", owner=owner, **DEVICE)
        other = ours(name="other", owner=owner, **DEVICE)
        child = ours(name="child", owner=owner)
        add_children(row(target), [row(child)], ChildLink.Kind.ADDITION, by=operator)
        bind(row(target), "c8y_Serial", "1", by=operator)
        method, path, body = CALLS[name]
        path = path.format(one=one(target), child=child, ids=of(target))
        body = reference(other) if body == "other" else body
        return client.call(method, path, *([body] if body is not None else []))

    return do


def is_allowed(answer):
    if answer.status_code == 403:
        refused(answer, *DENIED)
        return False
    assert answer.status_code in {200, 201, 204}, answer.content
    return True


RIGHTS = {
    "nothing": ((), set(), set()),
    "bootstrap": ((Role.DEVICE_BOOTSTRAP,), set(), set()),
    "device control": ((Role.DEVICE_CONTROL_ADMIN,), set(), set()),
    "read": ((Role.INVENTORY_READ,), READS, READS),
    "create": ((Role.INVENTORY_CREATE,), MAKES, MAKES | OWN),
    "create and delete logins": (
        (Role.INVENTORY_CREATE, Role.DEVICE_CONTROL_ADMIN),
        MAKES,
        MAKES | OWN | {"delete with login"},
    ),
    "create and manage users": (
        (Role.INVENTORY_CREATE, Role.USER_MANAGEMENT_ADMIN),
        MAKES,
        MAKES | OWN | {"delete with login"},
    ),
    "read and create": (
        (Role.INVENTORY_READ, Role.INVENTORY_CREATE),
        MAKES | READS,
        MAKES | READS | OWN,
    ),
    "read ids": ((Role.IDENTITY_READ,), {"read id", "list ids"}, {"read id", "list ids"}),
    "change ids": (
        (Role.IDENTITY_ADMIN,),
        {"read id", "list ids", "add id", "remove id"},
        {"read id", "list ids", "add id", "remove id"},
    ),
    "administer": (
        (Role.INVENTORY_ADMIN,),
        set(CALLS) - {"read id", "list ids", "add id", "remove id", "delete with login"},
        set(CALLS) - {"delete with login"},
    ),
    "operate": (
        (Role.INVENTORY_ADMIN, Role.IDENTITY_ADMIN, Role.DEVICE_CONTROL_ADMIN),
        set(CALLS),
        set(CALLS),
    ),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("right", RIGHTS)
@pytest.mark.parametrize("owner", ["somebody else", "reader"])
def test_right_allows_what_it_says_and_nothing_else(owner, right, name, caller, call):
    roles, of_others, of_own = RIGHTS[right]
    answer = call(caller(*roles), name, owner)
    assert is_allowed(answer) is (name in (of_own if owner == "reader" else of_others))


@pytest.mark.parametrize("name", CALLS)
def test_device_does_everything_with_its_own_and_nothing_with_what_is_not(name, device_user, call):
    device = device_user("press-1")
    assert is_allowed(call(device, name, "device_press-1")) is (name in MAKES | OWN)


@pytest.mark.parametrize("name", CALLS)
def test_device_does_nothing_with_what_belongs_to_another(name, device_user, call):
    assert is_allowed(call(device_user("press-1"), name, "device_press-2")) is (name in MAKES)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("login", [None, "acme/devicebootstrap", "management/devicebootstrap"])
def test_bootstrap_accounts_and_strangers_get_nowhere(login, name, api, call):
    answer = call(api(login), name, "devicebootstrap")
    assert answer.status_code == (401 if login is None else 403)


def test_namesake_of_another_tenant_owns_nothing_here(device_user, globex, ours, theirs):
    mine, other = ours(owner="device_press-1"), theirs(owner="device_press-2")
    device = device_user("press-2")
    assert ids(device.get(OBJECTS)) == []
    assert device.get(one(mine)).status_code == 403
    assert device.get(one(other)).status_code == 404
    assert device.put(one(other), {"name": "x"}).status_code == 404
    assert device.delete(one(other)).status_code == 404


def test_lists_show_only_what_is_ones_own(device_user, caller, ours):
    mine = ours(owner="device_press-1", name="mine")
    other = ours(owner="device_press-2", name="other")
    own = ours(owner="reader", name="own")
    device = device_user("press-1")
    for asked in ("", f"?ids={mine},{other},{own}", "?text=m", "?query=$filter=(name+ne+'x')"):
        assert ids(device.get(OBJECTS + asked)) == [mine]
    assert device.get(f"{OBJECTS}?withTotalElements=true").json()["statistics"][
        "totalElements"
    ] == 1  # fmt: skip
    assert device.get(f"{OBJECTS}/count").json() == 1
    assert ids(device.get(f"{OBJECTS}?owner=device_press-2")) == []
    assert ids(caller(Role.INVENTORY_CREATE).get(OBJECTS)) == [own]


def test_what_is_around_ones_own_is_shown_as_far_as_it_is_ones_own(device_user, api, ours):
    group = ours(name="Secret plant", **GROUP)
    mine = ours(owner="device_press-1", **DEVICE)
    child = ours(owner="device_press-1", **DEVICE)
    other = ours(owner="device_press-2", name="Secret", **DEVICE)
    operator = api("acme/operator")
    operator.post(one(group, "childAssets"), reference(mine))
    operator.post(one(mine, "childDevices"), references(child, other))
    device = device_user("press-1")
    answer = device.get(f"{one(mine)}?withParents=true&withChildrenCount=true")
    assert b"Secret" not in answer.content
    shown = answer.json()
    assert [each["managedObject"]["id"] for each in shown["childDevices"]["references"]] == [child]
    assert shown["childDevices"]["count"] == 1
    assert ids(device.get(one(mine, "childDevices")), "references") == [child]
    assert device.get(one(mine, "childDevices", other)).status_code == 404


def test_device_cannot_put_itself_into_a_group_or_take_others_as_children(device_user, ours, api):
    group = ours(name="Plant", **GROUP)
    mine = ours(owner="device_press-1", **DEVICE)
    other = ours(owner="device_press-2", **DEVICE)
    device = device_user("press-1")
    refused(device.post(one(group, "childAssets"), reference(mine)), *DENIED)
    refused(device.post(one(mine, "childDevices"), reference(other)), *DENIED)
    refused(device.post(one(mine, "childAssets"), references(other)), *DENIED)
    refused(device.post(one(other, "childDevices"), reference(mine)), *DENIED)
    refused(device.post(one(group, "childAssets"), {"name": "x", **DEVICE}), *DENIED)
    refused(device.post(one(mine, "childAssets"), {"name": "x", **GROUP}), *DENIED)
    assert ManagedObject.objects.reported().count() == 3


@pytest.mark.parametrize("word", ["childAssets", "childDevices", "childAdditions"])
def test_taking_out_what_is_not_there_tells_nothing_of_it(word, device_user, ours, api):
    """An ID is easily guessed; what is called that, and where, is not the caller's business."""
    plant = ours(name="Secret plant", **GROUP)
    hall = api("acme/operator").post(one(plant, "childAssets"), {"name": "Secret hall", **GROUP})
    other = ours(name="Secret press", owner="device_press-2", **DEVICE)
    mine = ours(owner="device_press-1", **DEVICE)
    device = device_user("press-1")
    for hidden in (plant, hall.json()["id"], other):
        for answer in (
            device.delete(one(mine, word, hidden)),
            device.call("DELETE", one(mine, word), references(hidden)),
        ):
            refused(answer, 422, "inventory/Invalid Data")
            assert "Secret" not in answer.json()["message"]


@pytest.mark.parametrize("how", ["cascade=true", "forceCascade=true"])
def test_nothing_of_others_goes_with_ones_own(how, device_user, ours, api):
    mine = ours(owner="device_press-1", **DEVICE)
    other = ours(owner="device_press-2", **DEVICE)
    api("acme/operator").post(one(mine, "childDevices"), reference(other))
    device = device_user("press-1")
    refused(device.delete(f"{one(mine)}?{how}"), *DENIED)
    assert ids(api("acme/reader").get(OBJECTS)) == [mine, other]
    assert device.delete(one(mine)).status_code == 204


@pytest.mark.parametrize("inside", ["device", "subgroup"])
def test_nothing_of_others_goes_with_ones_own_group(inside, caller, ours, api):
    plant = ours(name="Plant", owner="reader", **GROUP)
    body = DEVICE if inside == "device" else {"name": "Hall", **GROUP}
    api("acme/operator").post(one(plant, "childAssets"), body)
    refused(caller(Role.INVENTORY_CREATE).delete(f"{one(plant)}?cascade=true"), *DENIED)
    assert len(ids(api("acme/operator").get(OBJECTS))) == 2


def test_device_says_who_owns_its_object_only_if_that_is_itself(device_user):
    device = device_user("press-1")
    refused(device.post(OBJECTS, {"owner": "device_press-2", **DEVICE}), *DENIED)
    made = device.post(OBJECTS, {"owner": "device_press-1", **DEVICE}).json()
    assert made["owner"] == "device_press-1"
    refused(device.put(one(made["id"]), {"owner": "operator"}), *DENIED)
    same = device.put(one(made["id"]), {"owner": "device_press-1", "name": "x"})
    assert (same.json()["owner"], same.json()["name"]) == ("device_press-1", "x")


def test_device_deletes_its_object_but_not_its_login(device_user):
    device = device_user("press-1")
    made = device.post(OBJECTS, DEVICE).json()["id"]
    refused(device.delete(f"{one(made)}?withDeviceUser=true"), *DENIED)
    assert device.delete(one(made)).status_code == 204
    assert DeviceCredentials.objects.count() == 1
    assert device.get("/user/currentUser").status_code == 200


def test_device_whose_login_is_deleted_or_shut_is_out_at_once(device_user, api):
    device = device_user("press-1")
    made = device.post(OBJECTS, DEVICE).json()["id"]
    DeviceCredentials.objects.update(is_enabled=False)
    assert device.get(one(made)).status_code == 401
    DeviceCredentials.objects.update(is_enabled=True)
    api("acme/operator").delete(f"{one(made)}?withDeviceUser=true")
    assert device.get(OBJECTS).status_code == 401
    assert Tombstone.objects.get().device_id == "press-1"


def test_external_id_of_anothers_object_is_neither_shown_nor_taken(device_user, ours, api):
    other = ours(owner="device_press-2", **DEVICE)
    api("acme/operator").post(of(other), IDENTITY)
    device = device_user("press-1")
    mine = device.post(OBJECTS, DEVICE).json()["id"]
    refused(device.get(AT), *DENIED)
    refused(device.delete(AT), *DENIED)
    refused(device.post(of(mine), IDENTITY), 409, "identity/Conflict")
    assert ExternalId.objects.get().managed_object_id == int(other)


def test_device_of_another_tenant_hears_that_there_is_nothing(globex, globex_operator, ours, api):
    mine = ours(**DEVICE)
    api("acme/operator").post(of(mine), IDENTITY)
    let_in(globex, "press-9", PASSWORD, by=globex_operator)
    device = Api("globex/device_press-9")
    assert device.get(AT).status_code == device.get(one(mine)).status_code == 404
    assert device.get(of(mine)).status_code == 404
