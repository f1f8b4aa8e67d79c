"""What is beneath an object, over REST: linked, listed, taken out; groups move in their tree."""

from itertools import pairwise

import pytest

from inventory.models import ChildLink, DeviceEvent, DeviceGroup, ManagedObject
from tenants.models import AuditRecord
from tests.inventory.api.calls import (
    NO_OBJECT,
    OBJECTS,
    UNKNOWN_IDS,
    ids,
    one,
    reference,
    references,
    refused,
)

DEVICE: dict[str, object] = {"c8y_IsDevice": {}}
GROUP = {"type": "c8y_DeviceGroup", "c8y_IsDeviceGroup": {}}
LOOSE = {"type": "c8y_DeviceSubGroup", "c8y_IsDeviceGroup": {}}
WORDS = ["childAssets", "childDevices", "childAdditions"]
MEDIA_TYPE = "application/vnd.com.nsn.cumulocity.{}+json;charset=UTF-8;ver=0.9"
VENDOR = "application/vnd.com.nsn.cumulocity.{}+json"


@pytest.fixture
def operator_api(api):
    return api("acme/operator")


@pytest.fixture
def plant(ours):
    return ours(name="Plant", **GROUP)


def path_of(object_id):
    return DeviceGroup.objects.get(pk=int(object_id)).path


@pytest.mark.parametrize("word", WORDS)
def test_child_is_linked_listed_read_and_taken_out(word, operator_api, api, ours):
    parent, child = ours(name="parent", **DEVICE), ours(name="child", **DEVICE)
    answer = operator_api.post(one(parent, word), reference(child))
    assert answer.status_code == 201
    assert answer["Content-Type"] == MEDIA_TYPE.format("managedObjectReference")
    link = f"http://testserver{one(parent, word, child)}"
    assert answer["Location"] == answer.json()["self"] == link
    assert answer.json()["managedObject"]["id"] == child

    listed = api("acme/reader").get(one(parent, word))
    assert listed["Content-Type"] == MEDIA_TYPE.format("managedObjectReferenceCollection")
    (entry,) = listed.json()["references"]
    assert (entry["managedObject"]["name"], entry["self"]) == ("child", link)
    assert listed.json()["statistics"] == {"currentPage": 1, "pageSize": 5}

    read = api("acme/reader").get(one(parent, word, child))
    assert read.json()["managedObject"]["name"] == "child"
    for other in set(WORDS) - {word}:
        assert ids(api("acme/reader").get(one(parent, other)), "references") == []
        assert api("acme/reader").get(one(parent, other, child)).status_code == 404
        refused(operator_api.delete(one(parent, other, child)), 422, "inventory/Invalid Data")

    gone = operator_api.delete(one(parent, word, child))
    assert (gone.status_code, gone.content) == (204, b"")
    assert operator_api.get(one(parent, word)).json()["references"] == []
    refused(operator_api.delete(one(parent, word, child)), 422, "inventory/Invalid Data")
    assert operator_api.get(one(child)).status_code == 200


@pytest.mark.parametrize(
    ("content_type", "collection"),
    [
        ("application/json", False),
        (VENDOR.format("managedObjectReference"), False),
        (VENDOR.format("managedobjectreference") + ";charset=UTF-8;ver=0.9", False),
        ("application/json", True),
        (VENDOR.format("managedObjectReferenceCollection"), True),
    ],
)
def test_answer_mirrors_what_was_sent(content_type, collection, operator_api, ours, plant):
    first, second = ours(**DEVICE), ours(**DEVICE)
    body = references(first, second) if collection else reference(first)
    answer = operator_api.post(one(plant, "childAssets"), body, content_type=content_type)
    assert answer.status_code == 201
    if collection:
        assert ids(operator_api.get(one(plant, "childAssets")), "references") == [first, second]
        assert [each["managedObject"]["id"] for each in answer.json()["references"]] == [
            first,
            second,
        ]
    else:
        assert answer.json()["managedObject"]["id"] == first


def test_answer_is_empty_for_who_asks_for_none(operator_api, ours, plant):
    answer = operator_api.post(one(plant, "childAssets"), reference(ours()), Accept=None)
    assert (answer.status_code, answer.content) == (201, b"")


@pytest.mark.parametrize("content_type", ["application/json", VENDOR.format("managedObject")])
def test_new_object_is_made_beneath_another(content_type, operator_api, plant):
    answer = operator_api.post(
        one(plant, "childAssets"), {"name": "new", **DEVICE}, content_type=content_type
    )
    made = answer.json()
    assert (answer.status_code, made["name"], made["owner"]) == (201, "new", "operator")
    assert answer["Location"] == f"http://testserver{one(made['id'])}"
    assert ids(operator_api.get(one(plant, "childAssets")), "references") == [made["id"]]


def test_object_that_cannot_be_there_is_not_made_either(operator_api, ours):
    device = ours(name="device", **DEVICE)
    for word, body in (
        ("childAssets", {"name": "Hall", **LOOSE}),
        ("childAdditions", {"name": "Hall", **LOOSE}),
        ("childDevices", {"name": 5}),
    ):
        refused(operator_api.post(one(device, word), body), 422, "undefined/validationError")
    assert [str(each) for each in ManagedObject.objects.all()] == ["device"]


def test_repeated_link_changes_nothing(operator_api, ours, plant):
    hall, device = ours(name="Hall", **GROUP), ours(name="device", **DEVICE)
    for _ in range(2):
        assert operator_api.post(one(plant, "childAssets"), reference(hall)).status_code == 201
        answer = operator_api.post(one(plant, "childAssets"), references(device, device, hall))
        assert answer.status_code == 201
        answer = operator_api.post(one(device, "childDevices"), references(ours(name="c")))
        assert answer.status_code == 201
    assert ids(operator_api.get(one(plant, "childAssets")), "references") == [hall, device]
    assert DeviceEvent.objects.filter(kind="joined").count() == 1


def test_several_children_are_linked_all_or_none(operator_api, ours, plant):
    first = ours(**DEVICE)
    answer = operator_api.post(one(plant, "childAssets"), references(first, "999999"))
    refused(answer, 404, "inventory/Not Found", NO_OBJECT.format("999999"))
    answer = operator_api.post(one(plant, "childAssets"), references(first, plant))
    refused(answer, 422, "undefined/validationError")
    assert not ChildLink.objects.exists()


def test_several_children_are_taken_out_all_or_none(operator_api, ours, plant):
    first, second, third = (ours(name=name, **DEVICE) for name in "abc")
    operator_api.post(one(plant, "childAssets"), references(first, second))
    answer = operator_api.delete(one(plant, "childAssets"), body=references(first, third))
    refused(answer, 422, "inventory/Invalid Data")
    assert ids(operator_api.get(one(plant, "childAssets")), "references") == [first, second]
    answer = operator_api.delete(one(plant, "childAssets"), body=references(first, second))
    assert (answer.status_code, answer.content) == (204, b"")
    assert not ChildLink.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {"references": "x"},
        {"references": [1]},
        {"references": [{"managedObject": {}}]},
        {"references": [{"id": "1"}]},
        {"references": [reference(str(number)) for number in range(2_001)]},
        {"managedObject": "1"},
        {"managedObject": {"id": True}},
        {"managedObject": {"id": ["1"]}},
        {"managedObject": None},
    ],
    ids=lambda body: str(body)[:50],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_reference_that_makes_no_sense_is_refused(method, body, operator_api, plant):
    answer = operator_api.call(method, one(plant, "childAssets"), body)
    refused(answer, 422, "undefined/validationError")


def test_taking_out_nothing_is_refused(operator_api, plant):
    refused(
        operator_api.delete(one(plant, "childAssets"), body={}), 422, "undefined/validationError"
    )
    assert operator_api.delete(one(plant, "childAssets")).status_code == 400
    assert operator_api.get(one(plant)).status_code == 200


def test_id_may_be_a_number(operator_api, ours, plant):
    body = {"managedObject": {"id": int(ours())}}
    assert operator_api.post(one(plant, "childAssets"), body).status_code == 201


@pytest.mark.parametrize("object_id", UNKNOWN_IDS)
@pytest.mark.parametrize("word", WORDS)
def test_unknown_parent_or_child_is_not_found(word, object_id, operator_api, ours):
    known = ours(**DEVICE)
    shown = object_id.replace("%20", " ")
    for method in ("GET", "POST", "DELETE"):
        answer = operator_api.call(method, one(object_id, word), references(known))
        refused(answer, 404, "inventory/Not Found", NO_OBJECT.format(shown))
    answer = operator_api.post(one(known, word), reference(shown))
    refused(answer, 404, "inventory/Not Found", NO_OBJECT.format(shown))
    for method in ("GET", "DELETE"):
        answer = operator_api.call(method, one(known, word, object_id))
        refused(answer, 404, "inventory/Not Found", NO_OBJECT.format(shown))


@pytest.mark.parametrize("word", WORDS)
def test_objects_of_another_tenant_are_not_there(word, operator_api, ours, theirs):
    mine, other = ours(**DEVICE), theirs(**DEVICE)
    for answer in (
        operator_api.get(one(other, word)),
        operator_api.post(one(other, word), reference(mine)),
        operator_api.post(one(other, word), {"name": "new"}),
        operator_api.delete(one(other, word, mine)),
    ):
        refused(answer, 404, "inventory/Not Found", NO_OBJECT.format(other))
    for answer in (
        operator_api.post(one(mine, word), reference(other)),
        operator_api.delete(one(mine, word, other)),
        operator_api.delete(one(mine, word), body=references(other)),
    ):
        refused(answer, 404, "inventory/Not Found", NO_OBJECT.format(other))
    assert not ChildLink.objects.exists()


# --- Circles --------------------------------------------------------------------------------


@pytest.mark.parametrize("word", WORDS)
def test_nothing_is_beneath_itself(word, operator_api, ours):
    first, second, third = (ours(name=name, **DEVICE) for name in "abc")
    operator_api.post(one(first, "childDevices"), reference(second))
    operator_api.post(one(second, "childAssets"), reference(third))
    for parent, child in ((first, first), (second, first), (third, first)):
        answer = operator_api.post(one(parent, word), reference(child))
        refused(answer, 422, "undefined/validationError")
        assert "beneath itself" in answer.json()["message"]


def test_circles_are_looked_for_once_however_many_come_and_however_deep_it_is(
    operator_api, ours, django_assert_max_num_queries
):
    """Everybody who changes the tree of the tenant waits meanwhile."""
    top, *chain = (ours(**DEVICE) for _ in range(21))
    for upper, lower in pairwise([top, *chain]):
        ChildLink.objects.create(parent_id=upper, child_id=lower, kind="device")
    some = [ours(**DEVICE) for _ in range(10)]
    body = references(*some)
    with django_assert_max_num_queries(12 * len(some)):
        assert operator_api.post(one(chain[-1], "childDevices"), body).status_code == 201
    refused(
        operator_api.post(one(chain[-1], "childDevices"), references(ours(**DEVICE), top)),
        422, "undefined/validationError",
    )  # fmt: skip


def test_device_may_be_beneath_several_others(operator_api, ours, plant):
    works, device = ours(name="Works", **GROUP), ours(**DEVICE)
    for group in (plant, works):
        assert operator_api.post(one(group, "childAssets"), reference(device)).status_code == 201
    shown = operator_api.get(f"{one(device)}?withParents=true").json()
    parents = [each["managedObject"]["id"] for each in shown["assetParents"]["references"]]
    assert parents == [plant, works]


# --- Groups ---------------------------------------------------------------------------------


def test_subgroup_is_made_first_and_put_into_a_group_then(operator_api, ours, plant):
    hall = ours(name="Hall", **LOOSE)
    assert (path_of(hall), path_of(plant)) == ("", "Plant")
    operator_api.post(one(plant, "childAssets"), reference(hall))
    assert path_of(hall) == "Plant/Hall"
    line = operator_api.post(one(hall, "childAssets"), {"name": "Line", **LOOSE}).json()
    assert path_of(line["id"]) == "Plant/Hall/Line"
    assert line["type"] == "c8y_DeviceSubGroup"


def test_group_at_the_root_moves_with_everything_in_it(operator_api, ours, plant):
    works = ours(name="Works", **GROUP)
    hall = operator_api.post(one(works, "childAssets"), {"name": "Hall", **GROUP}).json()["id"]
    operator_api.post(one(plant, "childAssets"), reference(works))
    assert path_of(hall) == "Plant/Works/Hall"
    assert operator_api.get(one(works)).json()["type"] == "c8y_DeviceSubGroup"
    assert operator_api.delete(one(plant, "childAssets", works)).status_code == 204
    assert path_of(hall) == "Works/Hall"
    assert operator_api.get(one(works)).json()["type"] == "c8y_DeviceGroup"


def test_group_within_another_is_never_moved_silently(operator_api, ours, plant):
    hall = operator_api.post(one(plant, "childAssets"), {"name": "Hall", **GROUP}).json()["id"]
    works = ours(name="Works", **GROUP)
    refused(
        operator_api.post(one(works, "childAssets"), reference(hall)), 409, "inventory/Conflict",
        "“Hall” is in the group “Plant” already. Take it out of there first.",
    )  # fmt: skip
    assert path_of(hall) == "Plant/Hall"


def test_name_that_is_taken_is_a_conflict_in_and_out(operator_api, ours, plant):
    inner = operator_api.post(one(plant, "childAssets"), {"name": "Hall", **GROUP}).json()["id"]
    outer = ours(name="Hall", **GROUP)
    for answer in (
        operator_api.post(one(plant, "childAssets"), reference(outer)),
        operator_api.post(one(plant, "childAssets"), {"name": "Hall", **GROUP}),
        operator_api.delete(one(plant, "childAssets", inner)),
        operator_api.delete(one(plant, "childAssets"), body=references(inner)),
    ):
        refused(answer, 409, "inventory/Conflict")
        assert "Choose another name" in answer.json()["message"]
    assert (path_of(inner), path_of(outer)) == ("Plant/Hall", "Hall")
    assert DeviceGroup.objects.count() == 3


def test_group_cannot_be_within_itself(operator_api, ours, plant):
    hall = operator_api.post(one(plant, "childAssets"), {"name": "Hall", **GROUP}).json()["id"]
    for parent in (plant, hall):
        answer = operator_api.post(one(parent, "childAssets"), reference(plant))
        refused(answer, 422, "undefined/validationError")
        assert "within itself" in answer.json()["message"]
    assert path_of(hall) == "Plant/Hall"


def test_group_is_nowhere_but_within_groups(operator_api, ours, plant):
    device = ours(**DEVICE)
    for answer in (
        operator_api.post(one(device, "childAssets"), reference(plant)),
        operator_api.post(one(device, "childDevices"), reference(plant)),
        operator_api.post(one(plant, "childAdditions"), reference(ours(name="x", **LOOSE))),
    ):
        refused(answer, 422, "undefined/validationError")


def test_groups_and_devices_come_and_go_together(operator_api, ours, plant):
    hall, device = ours(name="Hall", **GROUP), ours(name="device", **DEVICE)
    operator_api.post(one(plant, "childAssets"), references(hall, device))
    assert ids(operator_api.get(one(plant, "childAssets")), "references") == [hall, device]
    operator_api.delete(one(plant, "childAssets"), body=references(hall, device))
    assert ids(operator_api.get(one(plant, "childAssets")), "references") == []
    assert path_of(hall) == "Hall"


def test_changes_are_in_the_audit_log(operator_api, ours, plant):
    device, hall = ours(name="device", **DEVICE), ours(name="Hall", **GROUP)
    AuditRecord.objects.all().delete()
    operator_api.post(one(plant, "childAssets"), references(device, hall))
    operator_api.post(one(device, "childAdditions"), reference(lid := ours(name="Lid")))
    operator_api.delete(one(device, "childAdditions", lid))
    log = AuditRecord.objects.filter(tenant_id="acme").order_by("pk")
    assert [entry.activity for entry in log] == [
        "Group moved", "Device: Put into a group", "Managed object created",
        "Child addition added", "Child addition removed",
    ]  # fmt: skip
    assert log[3].subject.startswith("device #")
    assert log[3].text.startswith("Lid #")


# --- Lists ----------------------------------------------------------------------------------


def test_children_come_in_pages_and_can_be_searched(api, operator_api, ours, plant):
    made = [ours(name=f"child {number}", **DEVICE) for number in range(7)]
    operator_api.post(one(plant, "childAssets"), references(*made))
    reader = api("acme/reader")
    first = reader.get(f"{one(plant, 'childAssets')}?withTotalPages=true")
    assert first.json()["statistics"] == {"currentPage": 1, "pageSize": 5, "totalPages": 2}
    rest = first.json()["next"].removeprefix("http://testserver")
    assert ids(first, "references") + ids(reader.get(rest), "references") == made
    beyond = reader.get(f"{one(plant, 'childAssets')}?currentPage=5").json()
    assert (beyond["references"], "statistics" in beyond) == ([], True)
    found = reader.get(f"{one(plant, 'childAssets')}?query=$filter=(name+eq+'*6')")
    assert ids(found, "references") == made[6:]
    wrong = reader.get(f"{one(plant, 'childAssets')}?query=)")
    refused(wrong, 422, "inventory/Invalid Data")


def test_list_of_children_shows_what_is_around_them_on_demand(operator_api, ours, plant):
    device, lid = ours(name="device", **DEVICE), ours(name="lid")
    operator_api.post(one(plant, "childAssets"), reference(device))
    operator_api.post(one(device, "childAdditions"), reference(lid))
    (entry,) = operator_api.get(
        f"{one(plant, 'childAssets')}?withChildren=true&withParents=true"
    ).json()["references"]
    for block, expected in (("childAdditions", lid), ("assetParents", plant)):
        (found,) = entry["managedObject"][block]["references"]
        assert found["managedObject"]["id"] == expected


def test_children_are_listed_in_few_queries(
    operator_api, ours, plant, django_assert_max_num_queries
):
    operator_api.post(one(plant, "childAssets"), references(*(ours(**DEVICE) for _ in range(30))))
    with django_assert_max_num_queries(6):
        operator_api.get(f"{one(plant, 'childAssets')}?pageSize=30")


def test_object_list_by_child(operator_api, ours, plant):
    device, gateway = ours(**DEVICE), ours(**DEVICE)
    operator_api.post(one(plant, "childAssets"), reference(device))
    operator_api.post(one(gateway, "childDevices"), reference(device))
    assert ids(operator_api.get(f"{OBJECTS}?childAssetId={device}")) == [plant]
    assert ids(operator_api.get(f"{OBJECTS}?childDeviceId={device}")) == [gateway]
    assert ids(operator_api.get(f"{OBJECTS}?childAdditionId={device}")) == []
