"""``/devicecontrol/newDeviceRequests``: the list, and what is added to it."""

from datetime import UTC, datetime, timedelta

import pytest

from inventory.groups import group_at
from registration.lifecycle import Stage
from registration.models import Registration
from tenants.actors import SYSTEM
from tests.support import PASSWORD, REQUESTS, basic, request_path

COLLECTION = (
    "application/vnd.com.nsn.cumulocity.newDeviceRequestCollection+json;charset=UTF-8;ver=0.9"
)
RESOURCE = "application/vnd.com.nsn.cumulocity.newDeviceRequest+json;charset=UTF-8;ver=0.9"


def ids(answer):
    return [entry["id"] for entry in answer.json()["newDeviceRequests"]]


def test_registering_answers_with_the_resource_and_where_it_is(api, acme):
    answer = api("acme/operator").post(REQUESTS, {"id": "4711"})
    assert answer.status_code == 201
    assert answer["Content-Type"] == RESOURCE
    body = answer.json()
    created = datetime.strptime(body.pop("creationTime"), "%Y-%m-%dT%H:%M:%S.%f%z")
    assert abs(datetime.now(UTC) - created) < timedelta(minutes=5)
    assert body == {
        "id": "4711",
        "status": "WAITING_FOR_CONNECTION",
        "self": "http://testserver/devicecontrol/newDeviceRequests/4711",
        "tenantId": "acme",
        "owner": "operator",
    }
    assert answer["Location"] == body["self"]


def test_everything_sent_is_kept(api, acme):
    group = group_at(acme, "Plant A/Hall 2", by=SYSTEM)
    sent = {
        "id": "4711",
        "groupId": str(group.pk),
        "type": "c8y_Pump",
        "customProperties": {"floor": 2, "tags": ["a", {"b": None}]},
    }
    answer = api("acme/operator").post(REQUESTS, sent)
    assert answer.json().items() >= sent.items()
    assert api("acme/reader").get(request_path("4711")).json() == answer.json()


@pytest.mark.parametrize("as_text", [str, int], ids=["text", "number"])
def test_group_id_may_be_text_or_a_number(as_text, api, acme):
    group = group_at(acme, "Plant A", by=SYSTEM)
    answer = api("acme/operator").post(REQUESTS, {"id": "4711", "groupId": as_text(group.pk)})
    assert answer.json()["groupId"] == str(group.pk)


@pytest.mark.parametrize("group_id", ["9999", "abc", "-1", "1.5", 1.5, True, [], {}, "1" * 30])
def test_unknown_group_is_refused(group_id, api):
    answer = api("acme/operator").post(REQUESTS, {"id": "4711", "groupId": group_id})
    assert answer.status_code == 422
    assert not Registration.objects.exists()


def test_group_of_another_tenant_is_unknown(api, globex):
    group = group_at(globex, "Secret lab", by=SYSTEM)
    answer = api("acme/operator").post(REQUESTS, {"id": "4711", "groupId": str(group.pk)})
    assert answer.status_code == 422
    assert "Secret" not in answer.content.decode()


def test_members_that_we_do_not_know_are_ignored(api):
    sent = {"id": "4711", "name": "Pump", "status": "ACCEPTED", "enrollmentToken": "x", "x": [1]}
    answer = api("acme/operator").post(REQUESTS, sent)
    assert answer.status_code == 201
    assert answer.json()["status"] == "WAITING_FOR_CONNECTION"
    assert "enrollmentToken" not in answer.json()


def test_client_that_wants_no_answer_gets_none(api, make_registration):
    registration = make_registration(stage=Stage.PENDING)
    operator = api("acme/operator")
    created = operator.post(REQUESTS, {"id": "4711"}, Accept=None)
    assert (created.status_code, created.content) == (201, b"")
    assert created["Location"].endswith("/4711")
    changed = operator.put(
        request_path(registration.device_id), {"status": "ACCEPTED"}, Accept=None
    )
    assert (changed.status_code, changed.content) == (200, b"")
    assert operator.get(request_path("4711"), Accept=None).json()["id"] == "4711"
    refused = operator.post(REQUESTS, {"id": "4711"}, Accept=None)
    assert "already exists" in refused.json()["message"]


@pytest.mark.parametrize(
    "accept", ["*/*", "text/html", "application/vnd.com.nsn.cumulocity.user+json;", ";;,", "x"]
)
def test_no_accept_header_is_ever_refused(accept, api):
    answer = api("acme/operator").post(REQUESTS, {"id": "4711"}, Accept=accept)
    assert (answer.status_code, answer["Content-Type"]) == (201, RESOURCE)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/vnd.com.nsn.cumulocity.newDeviceRequest+json;charset=UTF-8;ver=0.9",
        "application/vnd.com.nsn.cumulocity.newdevicerequest+json",
        "",
    ],
)
def test_every_spelling_of_the_media_type_is_read(content_type, api):
    answer = api("acme/operator").post(REQUESTS, {"id": "4711"}, content_type=content_type)
    assert answer.status_code == 201


def test_body_may_start_with_a_byte_order_mark(api):
    answer = api("acme/operator").post(REQUESTS, b'\xef\xbb\xbf{"id": "4711"}')
    assert answer.status_code == 201


def test_duplicate_is_refused_in_the_words_of_the_contract(api, make_registration):
    make_registration("4711")
    answer = api("acme/operator").post(REQUESTS, {"id": "4711"})
    assert answer.status_code == 422
    assert answer.json()["error"] == "devicecontrol/Non Unique Result"
    assert answer.json()["message"] == "NewDeviceRequest for id = 4711 already exists."


def test_id_that_another_tenant_expects_is_taken_and_nothing_else_is_said(
    api, make_registration, globex
):
    make_registration("4711", tenant=globex)
    answer = api("acme/operator").post(REQUESTS, {"id": "4711"})
    assert answer.json()["message"] == "NewDeviceRequest for id = 4711 already exists."
    assert "globex" not in answer.content.decode()


@pytest.mark.parametrize("body", [{}, {"id": None}, {"ID": "4711"}])
def test_missing_id_is_named(body, api):
    answer = api("acme/operator").post(REQUESTS, body)
    assert answer.status_code == 422
    assert answer.json() == {
        "error": "undefined/validationError",
        "message": "Following mandatory fields should be included: id",
        "info": answer.json()["info"],
    }


def test_management_registers_for_another_tenant(api):
    answer = api("management/operator").post(REQUESTS, {"id": "4711", "tenantId": "globex"})
    assert (answer.status_code, answer.json()["tenantId"]) == (201, "globex")


@pytest.mark.parametrize("tenant", ["nobody", "", "GLOBEX", "x" * 5000])
def test_management_cannot_register_for_a_tenant_that_is_not_there(tenant, api):
    answer = api("management/operator").post(REQUESTS, {"id": "4711", "tenantId": tenant})
    assert answer.status_code == 422


def test_management_cannot_register_for_a_suspended_tenant(api, globex):
    globex.status = "SUSPENDED"
    globex.save()
    answer = api("management/operator").post(REQUESTS, {"id": "4711", "tenantId": "globex"})
    assert answer.status_code == 422


@pytest.mark.parametrize("tenant", ["globex", "management", "nobody"])
def test_tenant_cannot_register_for_another_one(tenant, api):
    answer = api("acme/operator").post(REQUESTS, {"id": "4711", "tenantId": tenant})
    assert answer.status_code == 403
    assert answer.json()["error"] == "security/Forbidden"
    assert not Registration.objects.exists()


def test_tenant_may_name_itself(api):
    answer = api("acme/operator").post(REQUESTS, {"id": "4711", "tenantId": "acme"})
    assert answer.status_code == 201


def test_list_is_newest_first_and_by_number_where_times_are_equal(api, make_registration):
    now = datetime.now(UTC)
    for name, minutes in (("a", 3), ("b", 1), ("c", 1), ("d", 2)):
        make_registration(name)
        Registration.objects.filter(device_id=name).update(
            created_at=now - timedelta(minutes=minutes)
        )
    assert ids(api("acme/reader").get(REQUESTS)) == ["c", "b", "d", "a"]


def test_list_shows_the_tenants_own_and_management_all(api, make_registration, globex):
    make_registration("ours")
    make_registration("theirs", tenant=globex)
    assert ids(api("acme/reader").get(REQUESTS)) == ["ours"]
    assert ids(api("globex/reader").get(REQUESTS)) == ["theirs"]
    assert ids(api("management/reader").get(REQUESTS)) == ["theirs", "ours"]


def test_list_leaves_out_devices_that_are_in(api, make_registration):
    for stage in Stage:
        make_registration(str(stage), stage=stage)
    answer = api("acme/reader").get(f"{REQUESTS}?pageSize=100&withTotalElements=true")
    assert sorted(ids(answer)) == sorted(set(Stage.values) - {"confirmed"})
    assert answer.json()["statistics"]["totalElements"] == 5


def test_statuses_are_the_contracts(api, make_registration):
    for stage in Stage:
        make_registration(str(stage), stage=stage)
    entries = api("acme/reader").get(f"{REQUESTS}?pageSize=100").json()["newDeviceRequests"]
    assert {entry["id"]: entry["status"] for entry in entries} == {
        "waiting": "WAITING_FOR_CONNECTION",
        "pending": "PENDING_ACCEPTANCE",
        "accepted": "ACCEPTED",
        "delivered": "ACCEPTED",
        "blocked": "BLOCKED",
    }


def test_pages_lead_to_one_another(api, make_registration):
    for number in range(7):
        make_registration(f"device-{number}")
    reader = api("acme/reader")
    first = reader.get(f"{REQUESTS}?pageSize=3")
    assert first["Content-Type"] == COLLECTION
    assert "prev" not in first.json()
    second = reader.get(first.json()["next"])
    third = reader.get(second.json()["next"])
    assert "next" not in third.json()
    assert reader.get(third.json()["prev"]).json() == second.json()
    assert reader.get(second.json()["self"]).json() == second.json()
    assert ids(first) + ids(second) + ids(third) == [f"device-{n}" for n in range(6, -1, -1)]
    assert "currentPage=2" in first.json()["next"]
    assert second.json()["statistics"] == {"currentPage": 2, "pageSize": 3}


def test_page_has_five_entries_unless_asked_otherwise(api, make_registration):
    for _ in range(6):
        make_registration()
    answer = api("acme/reader").get(REQUESTS)
    assert len(ids(answer)) == 5
    assert answer.json()["statistics"] == {"currentPage": 1, "pageSize": 5}


def test_page_past_the_end_is_empty(api, make_registration):
    make_registration()
    for page in (2, 1000, 999_999_999):
        answer = api("acme/reader").get(f"{REQUESTS}?currentPage={page}&pageSize=2000")
        assert (answer.status_code, ids(answer)) == (200, [])
        assert "next" not in answer.json()


def test_page_size_is_trimmed(api):
    answer = api("acme/reader").get(f"{REQUESTS}?pageSize=1000000")
    assert answer.json()["statistics"]["pageSize"] == 2000


@pytest.mark.parametrize("name", ["pageSize", "currentPage"])
@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "²", "1" * 10, "%00", "1e3", "٣"])
def test_page_that_is_no_number_is_refused(name, value, api):
    answer = api("acme/reader").get(f"{REQUESTS}?{name}={value}")
    assert answer.status_code == 422
    assert name in answer.json()["message"]


def test_totals_come_only_for_those_who_ask(api, make_registration):
    for _ in range(3):
        make_registration()
    answer = api("acme/reader").get(f"{REQUESTS}?pageSize=2&withTotalPages=true")
    assert answer.json()["statistics"] == {"currentPage": 1, "pageSize": 2, "totalPages": 2}
    counted = api("acme/reader").get(f"{REQUESTS}?pageSize=1&withTotalPages=true")
    assert counted.json()["statistics"]["totalPages"] == 3


def test_list_needs_few_queries_however_long_it_is(
    api, make_registration, django_assert_max_num_queries
):
    for _ in range(30):
        make_registration(stage=Stage.PENDING)
    reader = api("acme/reader")
    reader.get(REQUESTS)
    with django_assert_max_num_queries(4):
        answer = reader.get(f"{REQUESTS}?pageSize=100&withTotalPages=true")
    assert len(ids(answer)) == 30


def test_public_address_stands_in_every_link(settings, api):
    settings.PUBLIC_URL = "https://gatehouse.example.com"
    answer = api("acme/operator").post(REQUESTS, {"id": "a:b%"})
    assert answer["Location"] == (
        "https://gatehouse.example.com/devicecontrol/newDeviceRequests/a%3Ab%25"
    )


def test_devices_are_counted_and_not_limited(api, make_registration, globex):
    make_registration(stage=Stage.DELIVERED)
    make_registration(tenant=globex, stage=Stage.DELIVERED)
    answer = api("acme/reader").get(f"{REQUESTS}/limit")
    assert answer.json() == {"isReached": False, "deviceCount": 1}


def test_login_without_tenant_is_understood_where_it_is_clear_who_is_meant(api, house, person):
    user = person("acme/operator")
    user.username = "unique"
    user.save()
    header = basic("unique", PASSWORD)
    assert api().get(REQUESTS, Authorization=header).status_code == 200
    me = api().get("/tenant/currentTenant", Authorization=basic("reader"))
    assert me.json()["name"] == "management"
    person("management/reader").delete()
    assert api().get(REQUESTS, Authorization=basic("reader")).status_code == 401
