"""Managed objects over REST: made, read, merged into, deleted, listed."""

import random
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from inventory.devices import let_in
from inventory.groups import add_to_group
from inventory.models import ChildLink, DeviceCredentials, DeviceGroup, ManagedObject, Tombstone
from tenants.models import AuditRecord
from tests.inventory.api.calls import (
    NO_OBJECT,
    OBJECTS,
    UNKNOWN_IDS,
    ids,
    named,
    one,
    references,
    refused,
)
from tests.support import PASSWORD

OBJECT_TYPE = "application/vnd.com.nsn.cumulocity.managedObject+json;charset=UTF-8;ver=0.9"
GROUP = {"type": "c8y_DeviceGroup", "c8y_IsDeviceGroup": {}}
DEVICE: dict[str, object] = {"c8y_IsDevice": {}}
BLOCKS = {
    "childAssets", "childDevices", "childAdditions", "assetParents", "deviceParents",
    "additionParents",
}  # fmt: skip


def test_object_is_made_and_read_back(api, row):
    body = {
        "name": "Press 1",
        "type": "acme_Press",
        "c8y_IsDevice": {},
        "acme": {"deep": [1, None]},
    }
    answer = api("acme/operator").post(OBJECTS, body)
    assert (answer.status_code, answer["Content-Type"]) == (201, OBJECT_TYPE)
    made = answer.json()
    assert answer["Location"] == made["self"] == f"http://testserver{one(made['id'])}"
    assert body.items() <= made.items()
    assert made["owner"] == "operator"
    assert re.fullmatch(r"\d+", made["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["creationTime"])
    for block in BLOCKS:
        assert made[block] == {"self": f"{made['self']}/{block}", "references": []}
    assert api("acme/reader").get(one(made["id"])).json() == made
    assert row(made["id"]).tenant_id == "acme"


def test_name_and_type_that_are_not_there_are_left_out(api):
    made = api("acme/operator").post(OBJECTS, {"name": "", "type": None}).json()
    assert not {"name", "type"} & set(made)


def test_answer_is_empty_for_who_asks_for_none(api):
    operator = api("acme/operator")
    answer = operator.post(OBJECTS, DEVICE, Accept=None)
    assert (answer.status_code, answer.content) == (201, b"")
    path = answer["Location"].removeprefix("http://testserver")
    changed = operator.put(path, {"name": "x"}, Accept=None)
    assert (changed.status_code, changed.content) == (200, b"")
    assert operator.get(path).json()["name"] == "x"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/vnd.com.nsn.cumulocity.managedObject+json",
        "application/vnd.com.nsn.cumulocity.managedobject+json;charset=UTF-8;ver=0.9",
    ],
)
def test_object_comes_under_several_media_types(content_type, api):
    answer = api("acme/operator").post(OBJECTS, DEVICE, content_type=content_type)
    assert answer.status_code == 201


def test_what_is_the_servers_is_not_taken_from_a_body(api):
    body = {
        "id": "1", "self": "x", "creationTime": "x", "lastUpdated": 4, "childAssets": "x",
        "assetParents": {"references": [{"managedObject": {"id": "1"}}]}, "name": "Press",
    }  # fmt: skip
    made = api("acme/operator").post(OBJECTS, body).json()
    assert made["assetParents"]["references"] == []
    again = api("acme/operator").put(one(made["id"]), {**made, "name": "Press 2"}).json()
    assert again["id"] == made["id"]
    assert again["creationTime"] == made["creationTime"]
    assert ManagedObject.objects.get().fragments == {}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"name": 5}, "Field name must be text."),
        ({"type": ["a"]}, "Field type must be text."),
        ({"owner": {}}, "Field owner must be text."),
        ({"name": "x" * 501}, "Field name can have at most 500 characters."),
        ({"type": "x" * 256}, "Field type can have at most 255 characters."),
        ({"": 1}, "The name of a fragment has 1 to 255 characters."),
        ({"x" * 256: 1}, "The name of a fragment has 1 to 255 characters."),
        (
            {f"fragment_{number}": 1 for number in range(501)},
            "An object can have at most 500 fragments.",
        ),
        (
            {"c8y_IsDevice": {}, "c8y_IsDeviceGroup": {}, "name": "x"},
            "An object is a device (c8y_IsDevice) or a group (c8y_IsDeviceGroup), not both.",
        ),
        ({**GROUP, "name": "a/b"}, None),
        ({**GROUP, "name": "  "}, "A group needs a name."),
        (GROUP, "A group needs a name."),
        ({**GROUP, "name": "a\u200bb"}, None),
        (
            {"big": "x" * 300_000},
            "The fragments of an object can have at most 262144 bytes together.",
        ),
    ],
    ids=lambda value: None if isinstance(value, str) else str(value)[:40],
)
def test_object_that_cannot_be_is_refused(body, message, api):
    answer = api("acme/operator").post(OBJECTS, body)
    refused(answer, 422, "undefined/validationError", message)
    assert not ManagedObject.objects.exists()


def nested(depth):
    return b'{"a":' * depth + b"1" + b"}" * depth


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"", 400, id="empty"),
        pytest.param(b"{", 400, id="broken"),
        pytest.param(b"[]", 422, id="array"),
        pytest.param(b"null", 422, id="null"),
        pytest.param(b'{"a": NaN}', 400, id="nan"),
        pytest.param(b'{"a": 1e999}', 422, id="endless"),
        pytest.param(b'{"a\\u0000": 1}', 422, id="nul-in-a-name"),
        pytest.param(b'{"a": "\\ud800"}', 422, id="half-a-surrogate-pair"),
        pytest.param(nested(33), 422, id="nested"),
        pytest.param(nested(20_000), 400, id="nested-deeply"),
        pytest.param(b'{"a": "' + b"x" * 600_000 + b'"}', 413, id="large"),
        pytest.param(b'{"a": "' + b"x" * 3_000_000 + b'"}', 413, id="very-large"),
    ],
)
def test_body_that_makes_no_sense_is_refused(method, body, status, api, ours):
    path = one(ours(name="Press")) if method == "PUT" else OBJECTS
    answer = api("acme/operator").call(method, path, body)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "message", "info"}
    assert list(ManagedObject.objects.values_list("fragments", flat=True)) in ([], [{}])


def test_deep_but_not_too_deep_object_is_kept(api):
    made = api("acme/operator").post(OBJECTS, nested(32)).json()
    assert api("acme/operator").get(one(made["id"])).json()["a"] == made["a"]


UNUSUAL = {
    "name": "Прес \U0001f3ed ü' \" \\ </script>",
    "type": "ü/…",
    "unusual": {"ключ": "значение", "emoji": "\U0001f600", "empty": "", " ": []},
    "numbers": [0, -1, 2**70, 1.5, 1e-7, -0.25, 10**400],
    "flags": [True, False, None],
    "a.b.c": 1,
    "$filter": {"x": "y"},
}


def test_every_letter_and_number_survives(api):
    made = api("acme/operator").post(OBJECTS, UNUSUAL).json()
    shown = api("acme/operator").get(one(made["id"])).json()
    assert {name: shown[name] for name in UNUSUAL} == UNUSUAL


# --- Changing -------------------------------------------------------------------------------


def test_put_merges_by_name_and_null_removes(api, ours, row):
    object_id = ours(name="Press", kept={"a": 1}, changed={"a": 1, "b": 2}, gone=1)
    ManagedObject.objects.update(updated_at=timezone.now() - timedelta(hours=1))
    before = api("acme/operator").get(one(object_id)).json()
    answer = api("acme/operator").put(
        one(object_id), {"changed": {"a": 3}, "gone": None, "new": [], "type": "t"}
    )
    assert (answer.status_code, answer["Content-Type"]) == (200, OBJECT_TYPE)
    after = answer.json()
    assert after["kept"] == {"a": 1}
    assert after["changed"] == {"a": 3}  # replaced as a whole
    assert after["new"] == []
    assert "gone" not in after
    assert (after["name"], after["type"]) == ("Press", "t")
    assert after["lastUpdated"] > before["lastUpdated"]
    assert after["creationTime"] == before["creationTime"]


def test_method_in_a_header_changes_as_well(api, ours):
    answer = api("acme/operator").post(one(ours()), {"name": "x"}, X_HTTP_METHOD="PUT")
    assert answer.json()["name"] == "x"


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ({"name": "g", **GROUP}, {"c8y_IsDeviceGroup": None}),
        ({}, GROUP),
        (DEVICE, {**GROUP, "name": "g"}),
        (DEVICE, {"c8y_IsDeviceGroup": {}, "c8y_IsDevice": None}),
        ({"name": "g", **GROUP}, {"name": "a/b"}),
        ({"name": "g", **GROUP}, {"name": None}),
    ],
)
def test_change_that_cannot_be_is_refused(before, change, api, ours, row):
    object_id = ours(**before)
    was = row(object_id)
    refused(api("acme/operator").put(one(object_id), change), 422, "undefined/validationError")
    now = row(object_id)
    assert (now.kind, now.name, now.fragments) == (was.kind, was.name, was.fragments)


def test_object_becomes_a_device_and_stops_being_one(api, ours, row):
    object_id = ours(name="x")
    api("acme/operator").put(one(object_id), DEVICE)
    assert row(object_id).is_device
    api("acme/operator").put(one(object_id), {"c8y_IsDevice": None})
    assert not row(object_id).is_device


def test_group_is_renamed_with_its_path(api, ours, row):
    plant = ours(name="Plant", **GROUP)
    hall = api("acme/operator").post(one(plant, "childAssets"), {"name": "Hall", **GROUP}).json()
    assert api("acme/operator").put(one(plant), {"name": "Works"}).json()["name"] == "Works"
    assert row(hall["id"]).path == "Works/Hall"


def test_group_says_by_its_type_where_it_is(api, ours, row):
    plant = ours(name="Plant", **GROUP)
    hall = api("acme/operator").post(one(plant, "childAssets"), {"name": "Hall", **GROUP}).json()
    assert hall["type"] == "c8y_DeviceSubGroup"
    changed = api("acme/operator").put(one(hall["id"]), {"type": "c8y_DeviceGroup"}).json()
    assert changed["type"] == "c8y_DeviceSubGroup"
    assert api("acme/operator").put(one(hall["id"]), {"type": "mine"}).json()["type"] == "mine"


def test_second_group_of_a_name_is_a_conflict(api, ours):
    ours(name="Plant", **GROUP)
    other = ours(name="Works", **GROUP)
    answer = api("acme/operator").post(OBJECTS, {"name": "Plant", **GROUP})
    refused(answer, 409, "inventory/Conflict")
    assert "Choose another name" in answer.json()["message"]
    refused(api("acme/operator").put(one(other), {"name": "Plant"}), 409, "inventory/Conflict")
    assert api("globex/operator").post(OBJECTS, {"name": "Plant", **GROUP}).status_code == 201


def test_administrator_gives_an_object_to_another_user(api, ours):
    object_id = ours(owner="device_x")
    assert api("acme/operator").get(one(object_id)).json()["owner"] == "device_x"
    changed = api("acme/operator").put(one(object_id), {"owner": "device_y"})
    assert changed.json()["owner"] == "device_y"


def test_changes_of_people_are_in_the_audit_log(api, ours):
    object_id = ours(name="Box")
    api("acme/operator").put(one(object_id), {"name": "Crate", "acme_Lid": {}})
    api("acme/operator").delete(one(object_id))
    log = AuditRecord.objects.filter(tenant_id="acme").order_by("pk")
    assert [entry.activity for entry in log] == [
        "Managed object created", "Managed object changed", "Managed object deleted",
    ]  # fmt: skip
    assert {entry.actor_name for entry in log} == {"operator"}
    assert log[1].changes == [{"attribute": "name", "previousValue": "Box", "newValue": "Crate"}]


# --- Unknown, and other tenants' ------------------------------------------------------------


@pytest.mark.parametrize("object_id", UNKNOWN_IDS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_unknown_id_is_not_found(method, object_id, api):
    answer = api("acme/administrator").call(method, one(object_id), {})
    shown = object_id.replace("%20", " ")
    refused(answer, 404, "inventory/Not Found", NO_OBJECT.format(shown))


@pytest.mark.parametrize("login", ["acme/administrator", "management/administrator"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_objects_of_another_tenant_are_not_there(method, login, api, theirs, row):
    object_id = theirs(name="Theirs")
    answer = api(login).call(method, one(object_id), {"name": "Ours"})
    refused(answer, 404, "inventory/Not Found", NO_OBJECT.format(object_id))
    assert row(object_id).name == "Theirs"
    assert ids(api(login).get(OBJECTS)) == []


def test_device_that_has_not_reported_is_not_on_the_wire(api, acme, operator):
    let_in(acme, "press-1", PASSWORD, by=operator)
    shell = ManagedObject.objects.get()
    admin = api("acme/administrator")
    for method in ("GET", "PUT", "DELETE"):
        assert admin.call(method, one(shell.pk), {}).status_code == 404
    assert ids(admin.get(OBJECTS)) == ids(admin.get(f"{OBJECTS}?ids={shell.pk}")) == []
    path = f"/identity/globalIds/{shell.pk}/externalIds"
    assert admin.post(path, {"type": "t", "externalId": "x"}).status_code == 404


# --- Deleting -------------------------------------------------------------------------------


@pytest.fixture
def plant(api, ours):
    """A group with a subgroup, a device in each."""
    operator = api("acme/operator")
    plant = ours(name="Plant", **GROUP)
    hall = operator.post(one(plant, "childAssets"), {"name": "Hall", **GROUP}).json()["id"]
    outer, inner = ours(name="outer", **DEVICE), ours(name="inner", **DEVICE)
    assert operator.post(one(plant, "childAssets"), references(outer)).status_code == 201
    assert operator.post(one(hall, "childAssets"), references(inner)).status_code == 201
    return plant


def test_group_takes_its_subgroups_along_and_leaves_devices(plant, api):
    answer = api("acme/operator").delete(one(plant))
    assert (answer.status_code, answer.content) == (204, b"")
    assert named(api("acme/operator").get(OBJECTS)) == ["outer", "inner"]
    assert api("acme/operator").delete(one(plant)).status_code == 404


@pytest.mark.parametrize("how", ["cascade=true", "forceCascade=true", "cascade=TRUE"])
def test_group_takes_devices_along_only_when_told(how, plant, api, ours):
    other = ours(name="other", **DEVICE)
    assert api("acme/operator").delete(f"{one(plant)}?{how}").status_code == 204
    assert ids(api("acme/operator").get(OBJECTS)) == [other]


def test_children_of_a_device_go_only_when_told(api, ours):
    operator = api("acme/operator")

    def gateway():
        above, below = ours(name="gateway", **DEVICE), ours(name="behind", **DEVICE)
        lid = ours(name="lid")
        operator.post(one(above, "childDevices"), references(below))
        operator.post(one(below, "childAdditions"), references(lid))
        return above, below, lid

    above, below, lid = gateway()
    operator.delete(one(above))
    assert ids(operator.get(OBJECTS)) == [below, lid]
    operator.delete(f"{one(below)}?cascade=true")
    assert ids(operator.get(OBJECTS)) == []
    above, below, lid = gateway()
    operator.delete(f"{one(above)}?cascade=true")
    assert ids(operator.get(OBJECTS)) == []


def test_only_force_takes_along_what_is_beneath_neither_device_nor_group(api, ours):
    operator = api("acme/operator")
    box, lid = ours(name="box"), ours(name="lid")
    operator.post(one(box, "childAdditions"), references(lid))
    operator.delete(f"{one(box)}?cascade=true")
    assert ids(operator.get(OBJECTS)) == [lid]
    box = ours(name="box")
    operator.post(one(box, "childAdditions"), references(lid))
    operator.delete(f"{one(box)}?forceCascade=true")
    assert ids(operator.get(OBJECTS)) == []


def test_login_goes_with_the_device_only_when_told(api, device_user):
    first = device_user("press-1").post(OBJECTS, DEVICE).json()["id"]
    second = device_user("press-2").post(OBJECTS, {"name": "2", **DEVICE}).json()["id"]
    api("acme/operator").delete(one(first))
    api("acme/operator").delete(f"{one(second)}?withDeviceUser=true")
    assert [one.device_id for one in DeviceCredentials.objects.all()] == ["press-1"]
    assert [one.device_id for one in Tombstone.objects.all()] == ["press-2"]
    assert not ManagedObject.objects.exists()


def test_external_ids_go_with_the_object_and_can_be_used_again(api, ours):
    operator = api("acme/operator")
    first = ours(**DEVICE)
    path = "/identity/globalIds/{}/externalIds"
    body = {"type": "c8y_Serial", "externalId": "1"}
    assert operator.post(path.format(first), body).status_code == 201
    operator.delete(one(first))
    assert operator.get("/identity/externalIds/c8y_Serial/1").status_code == 404
    assert operator.post(path.format(ours(**DEVICE)), body).status_code == 201


# --- Lists ----------------------------------------------------------------------------------


def test_list_comes_in_pages(api, ours):
    made = [ours(name=f"object {number}") for number in range(7)]
    reader = api("acme/reader")
    first = reader.get(OBJECTS)
    assert ids(first) == made[:5]
    assert first.json()["statistics"] == {"currentPage": 1, "pageSize": 5}
    assert "currentPage=2" in first.json()["next"]
    last = reader.get(first.json()["next"].removeprefix("http://testserver"))
    assert ids(last) == made[5:]
    assert "next" not in last.json()
    beyond = reader.get(f"{OBJECTS}?currentPage=9").json()
    assert (beyond["managedObjects"], "next" in beyond) == ([], False)


@pytest.mark.parametrize(
    ("asked", "statistics"),
    [
        ("withTotalPages=true", {"totalPages": 4}),
        ("withTotalElements=true", {"totalElements": 7}),
        ("withTotalPages=true&withTotalElements=true", {"totalPages": 4, "totalElements": 7}),
    ],
)
def test_totals_are_counted_for_who_asks(asked, statistics, api, ours):
    for number in range(7):
        ours(name=f"object {number}")
    answer = api("acme/reader").get(f"{OBJECTS}?pageSize=2&{asked}").json()
    assert answer["statistics"] == {"currentPage": 1, "pageSize": 2, **statistics}


def test_count_is_a_bare_number(api, ours, theirs):
    ours(**DEVICE), ours(name="other"), theirs(**DEVICE)
    answer = api("acme/reader").get(f"{OBJECTS}/count?fragmentType=c8y_IsDevice")
    assert (answer.status_code, answer.json()) == (200, 1)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("", ["Press", "Group", "Box"]),
        ("type=acme_Press", ["Press"]),
        ("fragmentType=acme_Lid", ["Box"]),
        ("fragmentType=c8y_IsDevice", ["Press"]),
        ("owner=device_x", ["Box"]),
        ("text=bo", ["Box"]),
        ("query=$filter=(name+eq+'B*')", ["Box"]),
        ("query=$orderby=name+desc", ["Press", "Group", "Box"]),
        ("query=$filter=(has(c8y_IsDeviceGroup))+$orderby=name+asc&pageSize=25", ["Group"]),
        ("q=$filter=(name+eq+'*')", ["Press"]),
        ("onlyRoots=true", ["Group", "Box"]),
        ("type=nothing", []),
        ("unknown=1&foo", ["Press", "Group", "Box"]),
    ],
)
def test_list_is_filtered(asked, names, api, ours, theirs):
    press = ours(name="Press", type="acme_Press", **DEVICE)
    group = ours(name="Group", **GROUP)
    ours(name="Box", owner="device_x", acme_Lid={})
    theirs(name="Press", type="acme_Press", owner="device_x", acme_Lid={})
    api("acme/operator").post(one(group, "childAssets"), references(press))
    assert named(api("acme/reader").get(f"{OBJECTS}?{asked}")) == names


def test_list_of_ids_leaves_out_other_tenants(api, ours, theirs):
    mine, other = ours(), theirs()
    assert ids(api("acme/reader").get(f"{OBJECTS}?ids={mine},{other},0,x")) == [mine]


@pytest.mark.parametrize("path", [OBJECTS, f"{OBJECTS}/count"])
@pytest.mark.parametrize("asked", ["query=$filter=(name+eq+", "q=)", "query=name+is+x"])
def test_query_that_cannot_be_understood_is_refused(asked, path, api):
    refused(
        api("acme/reader").get(f"{path}?{asked}"), 422, "inventory/Invalid Data",
        "Find by filter query failed : Query could not be understood.",
    )  # fmt: skip


@pytest.mark.parametrize(
    "name", ["type", "fragmentType", "owner", "ids", "text", "query", "q", "childAssetId"]
)
@pytest.mark.parametrize("value", ["%00", "%ED%A0%80", "%FF", "'", "x" * 5_000, "9" * 30])
def test_no_filter_makes_us_fail(name, value, api, ours):
    ours(name="Press")
    answer = api("acme/reader").get(f"{OBJECTS}?{name}={value}")
    assert answer.status_code in {200, 422}


@pytest.mark.parametrize("asked", ["pageSize=0", "pageSize=x", "currentPage=-1", "pageSize=1e3"])
def test_page_that_cannot_be_is_refused(asked, api):
    refused(api("acme/reader").get(f"{OBJECTS}?{asked}"), 422, "undefined/validationError")


# --- What is around -------------------------------------------------------------------------


def mentioned(payload, block):
    return [
        (each["managedObject"]["id"], each["managedObject"].get("name"))
        for each in payload[block]["references"]
    ]


@pytest.fixture
def family(api, ours):
    """A group with a gateway in it, which has a device behind it and an addition."""
    operator = api("acme/operator")
    group, gateway = ours(name="Group", **GROUP), ours(name="Gateway", **DEVICE)
    behind, lid = ours(name="Behind", **DEVICE), ours(name="Lid")
    operator.post(one(group, "childAssets"), references(gateway))
    operator.post(one(gateway, "childDevices"), references(behind))
    operator.post(one(gateway, "childAdditions"), references(lid))
    return group, gateway, behind, lid


def test_one_object_shows_its_children(family, api):
    _group, gateway, behind, lid = family
    shown = api("acme/reader").get(one(gateway)).json()
    assert mentioned(shown, "childDevices") == [(behind, "Behind")]
    assert mentioned(shown, "childAdditions") == [(lid, "Lid")]
    assert mentioned(shown, "assetParents") == []
    (reference,) = shown["childDevices"]["references"]
    assert reference["self"] == f"{shown['self']}/childDevices/{behind}"
    assert reference["managedObject"]["self"] == f"http://testserver{one(behind)}"


@pytest.mark.parametrize(
    ("asked", "children", "parents", "count"),
    [
        ("", True, False, None),
        ("withChildren=false", False, False, None),
        ("withParents=true", True, True, None),
        ("withParents=true&withChildren=false", False, True, None),
        ("withGroups=true", True, True, None),
        ("withChildrenCount=true&withChildren=false", False, False, 1),
    ],
)
def test_client_says_what_it_wants_to_see_around(asked, children, parents, count, family, api):
    group, gateway, behind, _lid = family
    shown = api("acme/reader").get(f"{one(gateway)}?{asked}").json()
    assert mentioned(shown, "childDevices") == ([(behind, "Behind")] if children else [])
    assert mentioned(shown, "assetParents") == ([(group, "Group")] if parents else [])
    assert shown["childDevices"].get("count") == count


def test_names_of_children_are_left_out_on_demand(family, api):
    _group, gateway, behind, _lid = family
    shown = api("acme/reader").get(f"{one(gateway)}?skipChildrenNames=true").json()
    assert mentioned(shown, "childDevices") == [(behind, None)]


def test_list_shows_what_is_around_only_on_demand(family, api):
    group, gateway, behind, lid = family
    plain = api("acme/reader").get(OBJECTS).json()["managedObjects"]
    assert not any(shown[block]["references"] for shown in plain for block in BLOCKS)
    full = api("acme/reader").get(f"{OBJECTS}?withChildren=true&withParents=true").json()
    by_id = {shown["id"]: shown for shown in full["managedObjects"]}
    assert mentioned(by_id[group], "childAssets") == [(gateway, "Gateway")]
    assert mentioned(by_id[behind], "deviceParents") == [(gateway, "Gateway")]
    assert mentioned(by_id[lid], "additionParents") == [(gateway, "Gateway")]


def test_parents_that_are_no_groups_are_not_shown_as_such(family, api):
    _group, _gateway, behind, _lid = family
    shown = api("acme/reader").get(f"{one(behind)}?withGroups=true").json()
    assert mentioned(shown, "deviceParents") == []


@pytest.fixture
def crowd(acme, ours, operator):
    """A group with more devices in it than are shown at once."""
    plant = DeviceGroup.objects.get(pk=ours(name="Plant", **GROUP))
    now = timezone.now()
    devices = ManagedObject.objects.bulk_create(
        ManagedObject(tenant=acme, kind="device", name=f"d{number}", reported_at=now)
        for number in range(2_001)
    )
    ChildLink.objects.bulk_create(ChildLink(parent=plant, child=one) for one in devices[:-1])
    add_to_group(plant, devices[-1:], by=operator)
    return plant


def test_references_of_a_large_group_are_capped_and_say_so(crowd, api, ours):
    shown = api("acme/reader").get(f"{one(crowd.pk)}?withChildrenCount=true").json()
    assert len(shown["childAssets"]["references"]) == 2_000
    assert shown["childAssets"]["count"] == 2_001
    rest = shown["childAssets"]["next"].removeprefix("http://testserver")
    page = api("acme/reader").get(rest).json()
    assert len(page["references"]) == 2_000
    assert len(api("acme/reader").get(page["next"].removeprefix("http://testserver")).json()[
        "references"
    ]) == 1  # fmt: skip


def test_list_with_references_is_bounded(crowd, api):
    page = api("acme/reader").get(f"{OBJECTS}?withChildren=true&pageSize=2000").json()
    assert page["statistics"]["pageSize"] == len(page["managedObjects"]) == 100
    group = page["managedObjects"][0]
    assert len(group["childAssets"]["references"]) == 200
    assert group["childAssets"]["next"]


@pytest.mark.parametrize("size", [5, 60])
def test_queries_do_not_grow_with_the_page(size, crowd, api, django_assert_max_num_queries):
    reader = api("acme/reader")
    reader.get(OBJECTS)  # remembers the login
    with django_assert_max_num_queries(12):
        reader.get(f"{OBJECTS}?pageSize={size}&withChildren=true&withParents=true")
    with django_assert_max_num_queries(12):
        reader.get(f"{one(crowd.pk)}?withParents=true")
    with django_assert_max_num_queries(6):
        reader.get(f"{OBJECTS}?pageSize={size}")


def test_longest_texts_of_the_longest_letters_are_kept(api):
    """An index entry has an end on PostgreSQL, by bytes; letters of all kinds do not shrink."""
    letters = random.Random(4711)

    def text(length):
        return "".join(chr(letters.randrange(0x20000, 0x2A6D0)) for _ in range(length))

    for what in (DEVICE, GROUP, {}):
        answer = api("acme/operator").post(
            OBJECTS, {"name": text(500), "type": text(255), "owner": text(275), **what}
        )
        assert answer.status_code == 201, answer.content
    body = {"name": "x", "owner": text(1_100)}
    refused(api("acme/operator").post(OBJECTS, body), 422, "undefined/validationError")
    assert api("acme/operator").post(OBJECTS, {"owner": "x" * 1_100}).status_code == 201
