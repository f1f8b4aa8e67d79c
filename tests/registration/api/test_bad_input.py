"""Whatever is sent, the answer is a refusal in JSON: never a failure of ours."""

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registration.lifecycle import Stage
from registration.models import Registration
from tests.support import CREDENTIALS, ERROR_TYPE, REQUESTS, Api, request_path

ENDPOINTS = [
    pytest.param("POST", REQUESTS, "acme/administrator", id="register"),
    pytest.param("PUT", request_path("4711"), "acme/administrator", id="change"),
    pytest.param("POST", CREDENTIALS, "management/devicebootstrap", id="poll"),
    pytest.param("POST", "/tenant/options", "acme/administrator", id="set-option"),
    pytest.param("PUT", "/tenant/options/category", "acme/administrator", id="set-category"),
    pytest.param("PUT", "/tenant/options/category/key", "acme/administrator", id="put-option"),
]
HUGE = b'{"id": "' + b"x" * 70_000 + b'"}'
BODIES = [
    pytest.param(b"", 400, id="empty"),
    pytest.param(b"   ", 400, id="blanks"),
    pytest.param(b"{", 400, id="broken"),
    pytest.param(b"id=4711", 400, id="form"),
    pytest.param(b"\xff\xfe\x00", 400, id="no-utf-8"),
    pytest.param('{"id": "4711"}'.encode("utf-16"), 400, id="utf-16"),
    pytest.param(b'{"id": "\xff"}', 400, id="broken-utf-8"),
    pytest.param(b'{"id": "4711"} trailing', 400, id="trailing"),
    pytest.param(b"[" * 100_000, 413, id="deep-and-large"),
    pytest.param(b"[" * 60_000, 400, id="deep-array"),
    pytest.param(b'{"a":' * 12_000, 400, id="deep-object"),
    pytest.param(b"[" * 900 + b"]" * 900, 422, id="deep-and-valid"),
    pytest.param(b"1" * 5000, 400, id="endless-number"),
    pytest.param(b'{"id": NaN, "value": NaN}', 400, id="nan"),
    pytest.param(b'{"id": "a", "value": "v", "x": Infinity}', 400, id="infinity"),
    pytest.param(b'{"id": "a", "value": "v", "x": 1e999}', 422, id="overflow"),
    pytest.param(HUGE, 413, id="large"),
    pytest.param(b" " * (3 * 1024 * 1024), 413, id="very-large"),
    pytest.param(b"[]", 422, id="array"),
    pytest.param(b'[{"id": "4711"}]', 422, id="array-of-objects"),
    pytest.param(b'"4711"', 422, id="string"),
    pytest.param(b"4711", 422, id="number"),
    pytest.param(b"null", 422, id="null"),
    pytest.param(b"true", 422, id="true"),
    pytest.param(b'{"id": "a\\u0000", "value": "\\u0000"}', 422, id="nul"),
    pytest.param(b'{"id": "\\ud800", "value": "\\ud800"}', 422, id="half-a-surrogate-pair"),
    pytest.param(b'{"\\udfff": "4711"}', 422, id="half-a-surrogate-pair-as-key"),
    pytest.param(b'{"\\u0000": "4711"}', 422, id="nul-as-key"),
]


def refused(answer, status):
    assert answer.status_code == status
    assert answer["Content-Type"] == ERROR_TYPE
    assert set(answer.json()) == {"error", "message", "info"}


@pytest.mark.parametrize(("method", "path", "login"), ENDPOINTS)
@pytest.mark.parametrize(("body", "status"), BODIES)
def test_body_that_makes_no_sense_is_refused(
    method, path, login, body, status, api, make_registration
):
    make_registration("4711", stage=Stage.PENDING)
    refused(api(login).call(method, path, body), status)
    assert Registration.objects.get().stage is Stage.PENDING


@pytest.mark.parametrize(("method", "path", "login"), ENDPOINTS)
@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "text/json", "application/xml", "multipart/form-data; boundary=x", "x", "json"],
)
def test_other_media_types_are_refused(method, path, login, content_type, api, make_registration):
    make_registration("4711", stage=Stage.PENDING)
    body = b'{"id": "4712", "status": "ACCEPTED", "value": "x"}'
    refused(api(login).call(method, path, body, content_type=content_type), 415)


WRONG_TYPES = [0, 1, -1, 10**30, 1.5, True, False, [], [1], {}, {"a": 1}]
REGISTER_FIELDS = ["id", "tenantId", "type", "groupId", "customProperties"]


@pytest.mark.parametrize("value", [*WRONG_TYPES, "text", None], ids=repr)
@pytest.mark.parametrize("field", REGISTER_FIELDS)
def test_wrong_type_in_a_field_of_a_registration_is_refused(field, value, api):
    answer = api("acme/operator").post(REQUESTS, {"id": "4711", field: value})
    assert answer.status_code in {201, 403, 422}
    if value is None and field != "id":
        assert answer.status_code == 201
    elif field in {"id", "tenantId", "type"} and not isinstance(value, str):
        refused(answer, 422)


@pytest.mark.parametrize("value", WRONG_TYPES, ids=repr)
@pytest.mark.parametrize("field", ["status", "securityToken"])
def test_wrong_type_in_a_field_of_a_change_is_refused(field, value, api, make_registration):
    make_registration("4711", stage=Stage.PENDING)
    body = {"status": "ACCEPTED", field: value}
    refused(api("acme/operator").put(request_path("4711"), body), 422)


@pytest.mark.parametrize("value", WRONG_TYPES, ids=repr)
@pytest.mark.parametrize("field", ["id", "securityToken"])
def test_wrong_type_in_a_field_of_a_poll_is_refused(field, value, device, make_registration):
    make_registration("4711")
    refused(device.post(CREDENTIALS, {"id": "4711", field: value}), 422)


def test_text_that_only_looks_like_an_escape_is_text(api, device, make_registration):
    make_registration("4711")
    token = r"a\u0000b\ud800"
    assert device.poll("4711", token).status_code == 404
    assert api("acme/operator").accept("4711", token).status_code == 200


@pytest.mark.parametrize("depth", [1, 10, 30, 100, 500, 900, 950, 980, 990, 1000])
def test_nested_properties_are_kept_or_refused(depth, api):
    body = b'{"id": "4711", "customProperties": {"a": ' + b"[" * depth + b"]" * depth + b"}}"
    answer = api("acme/operator").post(REQUESTS, body)
    assert answer.status_code in {201, 400, 422}
    assert answer.status_code == 201 or depth > 30
    if answer.status_code == 201:
        assert api("acme/operator").get(request_path("4711")).status_code == 200
    else:
        assert "already exists" not in answer.json()["message"]


def test_type_that_is_too_long_is_refused(api):
    refused(api("acme/operator").post(REQUESTS, {"id": "4711", "type": "x" * 256}), 422)
    assert api("acme/operator").post(REQUESTS, {"id": "4711", "type": "x" * 255}).status_code == 201


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic Og",
        "Basic 4711",
        "Bearer token",
        "basic",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b":").decode(),
        "Basic " + base64.b64encode(b":password").decode(),
        "Basic " + base64.b64encode(b"acme/operator:").decode(),
        "Basic " + base64.b64encode(b"a\x00b:c").decode(),
        "Basic " + base64.b64encode(b"acme/device_a\x00:c").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        "Basic " + base64.b64encode("ä/ö:ü".encode()).decode(),
        "Basic " + base64.b64encode(b"device_" + b":" * 5000).decode(),
        "Basic " + base64.b64encode(b"x" * 50_000 + b":y").decode(),
        "Basic " + base64.b64encode(b"a/b/c/device_x:y").decode(),
        "Basic " + "A" * 100_001,
    ],
)
@pytest.mark.parametrize("path", [REQUESTS, "/user/currentUser"])
def test_header_that_cannot_be_read_is_a_wrong_login(header, path, api, house):
    refused(api().get(path, Authorization=header), 401)


@pytest.mark.parametrize(
    "path",
    [
        f"{REQUESTS}/%00",
        f"{REQUESTS}/a%00b",
        f"{REQUESTS}/%FF%FE",
        f"{REQUESTS}/%ED%A0%80",
        f"{REQUESTS}/" + "x" * 5000,
        f"{REQUESTS}/..%2F..%2Fetc%2Fpasswd",
        f"{REQUESTS}/%E2%80%AE",
        "/tenant/options/a/%00",
        "/tenant/options/%00/k",
        "/tenant/options/" + "x" * 5000 + "/k",
        "/tenant/options/%FF/%FF",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_path_that_can_be_nothing_of_ours_is_not_found(method, path, api, house):
    body = {"status": "ACCEPTED", "value": ["no text"]}
    answer = api("acme/administrator").call(method, path, body)
    nothing = "%00" in path or "options" not in path or method != "PUT"
    refused(answer, 404 if nothing else 422)


def test_category_that_can_be_nothing_of_ours_is_not_found(api, house):
    refused(api("acme/administrator").get("/tenant/options/%00"), 404)


@pytest.mark.parametrize("query", ["?%00=1", "?pageSize=%FF", "?a=1" * 50, "?" + "&x" * 500, "?\\"])
def test_query_that_makes_no_sense_is_no_failure(query, api, house):
    assert api("acme/reader").get(REQUESTS + query).status_code in {200, 422}


@pytest.mark.parametrize("size", [70_000, 3 * 1024 * 1024])
def test_large_body_is_refused_where_none_is_needed(size, api, house):
    refused(api("acme/operator").post(f"{REQUESTS}/acceptAll", b" " * size + b"{}"), 413)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [*REGISTER_FIELDS, "status", "securityToken", "category", "key", "value", "name"]
)


@pytest.mark.parametrize(("method", "path", "login"), ENDPOINTS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=st.dictionaries(FIELDS, JSON, max_size=4) | st.binary(max_size=30))
def test_nothing_that_is_sent_makes_us_fail(method, path, login, house, body):
    answer = Api(login).call(method, path, body)
    assert answer.status_code < 500
    assert "json" in answer["Content-Type"]
    if answer.status_code >= 400:
        assert answer.json()["message"]
