"""Device types through the Operations API."""

import pytest

from inventory.models import DeviceType
from registration.models import Registration
from tenants.models import AuditRecord
from tests.factory.api.calls import assert_problem, ids_of, pairs
from tests.factory.api.conftest import TYPES
from tests.support import Api

LEFT_OUT = {
    "description": "",
    "security_option": "shared_secret",
    "acceptance": "manual",
    "device_id_pattern": None,
    "min_secret_length": 8,
    "device_count": 0,
}


def names(answer):
    return [one["name"] for one in answer.json()["device_types"]]


def test_type_is_made_with_its_name_alone(ops):
    answer = ops.post(TYPES, {"name": " Thermostat T2 "})
    assert (answer.status_code, answer["Content-Type"]) == (201, "application/json")
    assert answer["Cache-Control"] == "no-store"
    made = answer.json()
    assert answer["Location"] == f"{TYPES}/{made['device_type_id']}"
    assert made == made | {"name": "Thermostat T2", **LEFT_OUT}
    assert len(made) == len(LEFT_OUT) + 4
    assert ops.get(answer["Location"]).json() == answer.json()
    assert AuditRecord.objects.latest("pk").activity == "Device type created"


def test_every_detail_is_kept(ops):
    details = {
        "name": "Gateway", "description": "In the hall.", "acceptance": "automatic",
        "security_option": "temporary_credentials", "device_id_pattern": "gw-[0-9]+",
        "min_secret_length": 12.0,
    }  # fmt: skip
    made = ops.post(TYPES, details).json()
    assert made | details == made


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "#/name", "missing"),
        ({"name": None}, "#/name", "wrong_type"),
        ({"name": ["x"]}, "#/name", "wrong_type"),
        ({"name": ""}, "#/name", "too_short"),
        ({"name": "  "}, "#/name", "invalid"),
        ({"name": "x" * 101}, "#/name", "too_long"),
        ({"name": "a\x00b"}, "#/name", "invalid"),
        ({"name": "a\ud800b"}, "#/name", "invalid"),
        ({"name": "x", "description": "\x00"}, "#/description", "invalid"),
        ({"name": "x", "description": "x" * 1001}, "#/description", "too_long"),
        ({"name": "x", "image_url": None}, "#", "unknown_member"),
        ({"name": "x", "security_option": "none"}, "#/security_option", "unknown_value"),
        ({"name": "x", "acceptance": "perhaps"}, "#/acceptance", "unknown_value"),
        ({"name": "x", "acceptance": True}, "#/acceptance", "wrong_type"),
        ({"name": "x", "device_id_pattern": "("}, "#/device_id_pattern", "invalid"),
        ({"name": "x", "device_id_pattern": "(?=a)"}, "#/device_id_pattern", "invalid"),
        ({"name": "x", "device_id_pattern": "x" * 201}, "#/device_id_pattern", "too_long"),
        ({"name": "x", "min_secret_length": 7}, "#/min_secret_length", "too_small"),
        ({"name": "x", "min_secret_length": 257}, "#/min_secret_length", "too_large"),
        ({"name": "x", "min_secret_length": 10**400}, "#/min_secret_length", "too_large"),
        ({"name": "x", "min_secret_length": 8.5}, "#/min_secret_length", "wrong_type"),
        ({"name": "x", "min_secret_length": True}, "#/min_secret_length", "wrong_type"),
        ({"name": "x", "min_secret_length": "8"}, "#/min_secret_length", "wrong_type"),
    ],
)
def test_detail_that_cannot_be_is_pointed_at(ops, body, pointer, code, thermostat):
    for method, path in (("POST", TYPES), ("PATCH", f"{TYPES}/{thermostat.pk}")):
        if code == "missing" and method == "PATCH":
            continue
        problem = assert_problem(ops.call(method, path, body), 422, "validation-error")
        assert (problem["errors_total"], len(problem["errors"])) == (1, 1)
        [error] = problem["errors"]
        assert (error["pointer"], error["code"]) == (pointer, code)
        assert error["detail"].endswith(".")
    assert DeviceType.objects.count() == 1


def test_all_that_is_wrong_is_told_at_once(ops):
    body = {"name": "", "acceptance": "no", "min_secret_length": 1}
    problem = assert_problem(ops.post(TYPES, body), 422, "validation-error")
    assert [one["code"] for one in problem["errors"]] == [
        "too_short", "unknown_value", "too_small"]  # fmt: skip


def test_name_that_is_taken_tells_by_which_type(ops, thermostat, make_type):
    other = make_type("Gateway")
    for answer in (
        ops.post(TYPES, {"name": "THERMOSTAT"}),
        ops.call("PATCH", f"{TYPES}/{other.pk}", {"name": "thermostat"}),
    ):
        assert assert_problem(answer, 409, "name-taken")["device_type_id"] == thermostat.pk


def test_list_is_by_name_and_found_by_name(ops, make_type, globex):
    for name in ("pump", "Valve", "Gateway"):
        make_type(name)
    make_type("Pump", tenant=globex)
    answer = ops.get(TYPES)
    assert (names(answer), answer.json()["next"]) == (["Gateway", "pump", "Valve"], None)
    assert names(ops.get(f"{TYPES}?name=PUMP")) == ["pump"]
    for name in ("pum", "", "\x00", "%00", "\ud800x"[1:] + "%ED%A0%80"):
        assert names(ops.get(f"{TYPES}?name={name}")) == []


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_pages_make_up_the_list(ops, make_type, size):
    for name in ("Ä pump", "Valve", "gateway", "Gauge"):
        make_type(name)
    seen, cursor = [], ""
    for _ in range(5):
        page = ops.get(f"{TYPES}?limit={size}{cursor}")
        seen += names(page)
        if page.json()["next"] is None:
            break
        cursor = f"&cursor={page.json()['next']}"
    assert seen == names(ops.get(TYPES))
    assert sorted(seen) == sorted(["Ä pump", "Valve", "gateway", "Gauge"])


BAD_PAGES = [
    "limit=0", "limit=201", "limit=x", "limit=", "limit=-1", "limit=1.5", "limit=" + "9" * 5000,
    "limit=%D9%A1", "cursor=", "cursor=x", "cursor=%00", "cursor=%FF", "cursor=" + "A" * 3000,
    "cursor=W10", "cursor=WzFd", "cursor=bnVsbA", "cursor=WyJcdTAwMDAiXQ", "cursor=WyJcdWQ4MDAiXQ",
    "cursor=WzIsMCwwXQ", "cursor=WzEsOTk5OTk5OTk5OTk5OTk5OTk5OTk5LDFd",
    "cursor=WzEsOTIyMzM3MjAzNjg1NDc3NTgwNywxXQ", "cursor=Wy0xLDAsMF0", "cursor=W3RydWUsMCwwXQ",
    "cursor=" + "W1tb" * 400,
]  # fmt: skip


@pytest.mark.parametrize("query", BAD_PAGES, ids=lambda query: query[:30])
def test_page_that_cannot_be_is_refused(ops, query, thermostat):
    for path in (TYPES, ids_of(thermostat)):
        assert_problem(ops.get(f"{path}?{query}"), 400, "bad-request")


def test_list_costs_the_same_however_long(ops, make_type, django_assert_max_num_queries):
    for number in range(5):
        make_type(f"Type {number}")
    ops.get(TYPES)
    with django_assert_max_num_queries(8):
        assert len(names(ops.get(TYPES))) == 5


def test_change_sets_what_is_sent_and_nothing_else(ops, make_type):
    device_type = make_type("Valve", description="Old.", device_id_pattern="v.*")
    before = ops.get(f"{TYPES}/{device_type.pk}").json()
    changed = ops.call("PATCH", f"{TYPES}/{device_type.pk}", {"device_id_pattern": None}).json()
    assert changed.pop("updated_at") >= before.pop("updated_at")
    assert changed == before | {"device_id_pattern": None}
    records = AuditRecord.objects.count()
    for body in ({}, {"device_id_pattern": ""}, {"name": "Valve"}):
        answer = ops.call("PATCH", f"{TYPES}/{device_type.pk}", body)
        assert answer.status_code == 200
    assert AuditRecord.objects.count() == records


def test_type_with_devices_keeps_its_option_and_stays(ops, thermostat):
    path = f"{TYPES}/{thermostat.pk}"
    assert ops.put(ids_of(thermostat), pairs(("d1", "secret-of-d1"))).status_code == 200
    assert ops.get(path).json()["device_count"] == 1
    option = {"security_option": "certificate"}
    assert_problem(ops.call("PATCH", path, option), 409, "device-type-in-use")
    assert_problem(ops.delete(path), 409, "device-type-in-use")
    assert ops.delete(f"{ids_of(thermostat)}/d1").status_code == 204
    assert ops.delete(path).status_code == 204
    assert_problem(ops.delete(path), 404, "not-found")
    assert_problem(ops.get(path), 404, "not-found")


def test_open_registration_keeps_its_type_too(ops, make_type, acme, operator):
    gateway = make_type("Gateway", security_option="temporary_credentials")
    Registration.objects.register(acme, "gw-1", by=operator, device_type=gateway)
    assert_problem(ops.delete(f"{TYPES}/{gateway.pk}"), 409, "device-type-in-use")


@pytest.mark.parametrize("login", ["globex/administrator", "management/administrator"])
def test_type_of_another_tenant_is_not_there(login, thermostat, ops):
    ops.put(ids_of(thermostat), pairs(("d1", "secret-of-d1")))
    stranger, path = Api(login), f"{TYPES}/{thermostat.pk}"
    assert names(stranger.get(TYPES)) == []
    assert names(stranger.get(f"{TYPES}?name=Thermostat")) == []
    calls = [
        ("GET", path), ("PATCH", path), ("DELETE", path), ("GET", ids_of(thermostat)),
        ("PUT", ids_of(thermostat)), ("DELETE", f"{ids_of(thermostat)}/d1"),
    ]  # fmt: skip
    for method, where in calls:
        problem = assert_problem(stranger.call(method, where, pairs()), 404, "not-found")
        assert problem["detail"] == assert_problem(
            stranger.call(method, where.replace(path, f"{TYPES}/999999"), pairs()),
            404, "not-found",
        )["detail"]  # fmt: skip
    assert ops.get(path).json()["device_count"] == 1


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.0", "%00", "9" * 30, "٣", "%F0%9F%98%80"])
def test_number_that_is_nobodys_is_not_found(ops, number):
    for path in (f"{TYPES}/{number}", f"{TYPES}/{number}/device_ids"):
        assert_problem(ops.get(path), 404, "not-found")
