"""What holds for all of the Operations API: logins, bodies that are none, pace, help pages."""

import json
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client

from config.bodies import MAX_CHUNKED_BODY, ChunkedBodies, WholeBodies
from factory.api import urls
from factory.problems import BY_STATUS, CODES, PROBLEMS
from inventory.models import DeviceCredentials, DeviceType
from tenants.actors import Actor
from tenants.models import FailedSignIns
from tenants.tokens import make_token, revoke_token
from tests.consoles import read
from tests.factory.api.calls import PROBLEM_TYPE, assert_problem, ids_of, pairs
from tests.factory.api.conftest import TYPES
from tests.support import Api, at_once, basic

READ, ADMIN = "ROLE_DEVICE_TYPE_READ", "ROLE_DEVICE_TYPE_ADMIN"


@pytest.fixture
def make(person):
    """Make an API token; return it with its text."""

    def make_(*scopes, login="acme/administrator"):
        user = person(login)
        by = Actor(user.username, user)
        return make_token(user, "t", scopes or [ADMIN], expires_at=None, by=by)

    return make_


def bearer(text):
    caller = Api()
    caller.headers["Authorization"] = f"Bearer {text}"
    return caller


# --- Who may call ---------------------------------------------------------------------------


def test_token_opens_as_bearer_and_as_the_password_of_its_start(make):
    token, text = make()
    for caller in (bearer(text), Api(token.start, text), Api("acme/administrator", text)):
        assert caller.post(TYPES, {"name": text[-8:] + str(len(caller.headers))}).status_code in {
            201, 409}  # fmt: skip
    assert_problem(bearer(make(READ)[1]).post(TYPES, {"name": "x"}), 403, "forbidden")


@pytest.mark.parametrize(
    "header",
    [None, "", "Basic", "Basic !!", "Basic =", "Bearer", "Bearer ", "Bearer ght_nobody", "Token x",
     "Basic " + "QQ" * 40_000, basic("acme/administrator", "wrong"), basic("nobody", "x"),
     "Bearer \xff", basic("ght_nobody", "ght_nobody"), "Digest username=x"],
)  # fmt: skip
def test_every_login_that_is_none_hears_the_same(header, house):
    caller = Api()
    answer = caller.get(TYPES, Authorization=header)
    problem = assert_problem(answer, 401, "unauthorized")
    assert problem["detail"] == PROBLEMS["unauthorized"].detail
    assert answer["WWW-Authenticate"] == 'Basic realm="Gatehouse"'


def test_revoked_token_hears_the_same(make):
    token, text = make()
    revoke_token(token, by=Actor("x"))
    answers = [caller.get(TYPES) for caller in (bearer(text), Api(token.start, text))]
    details = {assert_problem(each, 401, "unauthorized")["detail"] for each in answers}
    assert details == {PROBLEMS["unauthorized"].detail}


def test_devices_and_bootstrap_accounts_have_no_business_here(acme, thermostat, house):
    DeviceCredentials.issue(acme, "d1", "x" * 32)
    for caller in (Api("acme/device_d1", "x" * 32), Api("acme/devicebootstrap")):
        for path in (TYPES, ids_of(thermostat)):
            assert_problem(caller.get(path), 403, "forbidden")
        assert_problem(caller.put(ids_of(thermostat), pairs()), 403, "forbidden")


def test_session_of_the_console_counts_for_nothing(person, client):
    client.force_login(person("acme/administrator"))
    for method in ("get", "post"):
        assert_problem(getattr(client, method)(TYPES), 401, "unauthorized")


def test_rights_of_a_person_count(api, thermostat):
    assert api("acme/reader").get(TYPES).status_code == 200
    assert_problem(api("acme/operator").post(TYPES, {"name": "x"}), 403, "forbidden")
    assert api("acme/operator").put(ids_of(thermostat), pairs()).status_code == 200
    assert_problem(api("acme/reader").put(ids_of(thermostat), pairs()), 403, "forbidden")


# --- Bodies and addresses -------------------------------------------------------------------

BODIES = {
    "empty": b"",
    "blank": b"  ",
    "half": b'{"name": "x"',
    "two": b'{"name": "x"}{}',
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "NUL": b'\x00{"name": "x"}',
    "raw NUL in text": b'{"name": "a\x00b"}',
    "control in text": b'{"name": "a\nb"}',
    "array": b"[]",
    "array of objects": b'[{"name": "x"}]',
    "text": b'"x"',
    "number": b"1",
    "null": b"null",
    "NaN": b'{"name": "x", "min_secret_length": NaN}',
    "infinite": b'{"name": "x", "min_secret_length": -Infinity}',
    "digits": b'{"name": "x", "min_secret_length": ' + b"9" * 5_000 + b"}",
    "deep arrays": b"[" * 30_000,
    "deep objects": b'{"a":' * 12_000,
    "twice": b'{"name": "x", "name": "y"}',
    "twice inside": b'{"device_ids": [{"device_id": "d1", "device_id": "d2"}]}',
    "form": b"name=x",
}


@pytest.mark.parametrize("name", BODIES)
def test_body_that_cannot_be_read_is_refused(ops, thermostat, name):
    for method, path in (("POST", TYPES), ("PATCH", f"{TYPES}/{thermostat.pk}"),
                         ("PUT", ids_of(thermostat))):  # fmt: skip
        assert_problem(ops.call(method, path, BODIES[name]), 400, "bad-request")
    assert DeviceType.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [b'{"name": 1e999}', b'{"name": "x", "min_secret_length": 1e999}',
     b'{"\\u0000": 1, "name": "x"}', b'{"name": "x", "\\ud800": {}}', b'{"name": {"a": [[[[]]]]}}',
     b'{"name": "x", "description": ' + b"[" * 500 + b"]" * 500 + b"}"],
)  # fmt: skip
def test_body_with_odd_values_is_refused_as_invalid(ops, body):
    problem = assert_problem(ops.post(TYPES, body), 422, "validation-error")
    assert problem["errors_total"] == len(problem["errors"]) >= 1


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x",
                     "application/jsonp", "text/json; charset=utf-8"],
)  # fmt: skip
def test_other_media_types_are_refused(ops, thermostat, content_type):
    for method, path in (("POST", TYPES), ("PUT", ids_of(thermostat))):
        answer = ops.call(method, path, b"{}", content_type=content_type)
        assert_problem(answer, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", ""]
)
def test_json_is_read_however_it_is_called(ops, content_type):
    assert ops.call("POST", TYPES, {"name": "x"}, content_type=content_type).status_code == 201


@pytest.mark.parametrize("endpoint", urls.endpoints, ids=lambda one: one.name)
def test_other_methods_are_named(ops, endpoint, thermostat):
    path = "/" + str(endpoint.pattern).replace("<str:device_type_id>", str(thermostat.pk)).replace(
        "<str:device_id>", "d1")  # fmt: skip
    roles = endpoint.callback.required_roles
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - roles.keys():
        answer = ops.call(method, path, {})
        assert_problem(answer, 405, "method-not-allowed")
        assert answer["Allow"] == ", ".join(sorted(roles))


@pytest.mark.parametrize(
    "path", ["/api/ops/v1", "/api/ops/v1/", f"{TYPES}/", f"{TYPES}/1/", "/api/ops/v1/x?secret=1",
             f"{TYPES}/1/device_ids/", f"{TYPES}/1/device_ids/a/b", f"{TYPES}//device_ids"],
)  # fmt: skip
def test_unknown_address_is_a_problem_as_well(ops, path):
    for caller in (ops, Api()):
        for method in ("GET", "POST"):
            answer = caller.call(method, path, {})
            if answer.status_code == 401:  # an address with something missing in it
                continue
            problem = assert_problem(answer, 404, "not-found")
            assert problem["instance"] == path.partition("?")[0]


def test_host_that_nobody_told_us_about_is_a_problem_too(ops):
    assert_problem(ops.get(TYPES, Host="evil.example.com"), 400, "bad-request")


def test_failure_of_ours_is_a_problem_too(ops, monkeypatch):
    def fail(*_args):
        raise RuntimeError("secretfordevice1")

    monkeypatch.setattr("factory.api.device_types.represent", fail)
    client = Client(raise_request_exception=False)
    headers = {"Authorization": basic("acme/administrator")}
    answer = client.post(TYPES, {"name": "x"}, content_type="application/json", headers=headers)
    assert_problem(answer, 500, "server-error")


@pytest.mark.parametrize(
    ("environ", "status", "name"),
    [
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, 413, "too-large"),
        ({"CONTENT_LENGTH": "10"}, 408, "request-timeout"),
    ],
)
def test_body_that_no_view_ever_sees_is_a_problem_too(environ, status, name):
    class Endless:
        def read(self, size=-1):
            return b"" if status == 408 else b"x" * min(size, MAX_CHUNKED_BODY)

    answered = []
    [body] = WholeBodies(ChunkedBodies(lambda environ, _: [environ["wsgi.input"].read()]))(
        {"PATH_INFO": TYPES, "REQUEST_METHOD": "PUT", "wsgi.input": Endless(),
         "SERVER_NAME": "localhost", "SERVER_PORT": "80", **environ},
        lambda *args: answered.append(args),
    )  # fmt: skip
    [(line, headers)] = answered
    assert line.startswith(str(status))
    assert ("Content-Type", PROBLEM_TYPE) in headers
    assert json.loads(body)["type"] == f"/problems/{name}"


# --- Pace -----------------------------------------------------------------------------------


def test_writes_of_a_login_end_for_a_minute(make, settings, thermostat):
    settings.OPS_WRITES_PER_MINUTE = 3
    _, text = make()
    caller, body = bearer(text), {"description": "x"}
    path = f"{TYPES}/{thermostat.pk}"
    assert [caller.call("PATCH", path, body).status_code for _ in range(2)] == [200, 200]
    assert caller.post(TYPES, b"no JSON").status_code == 400  # it counts as well
    answer = caller.call("PATCH", path, body)
    assert_problem(answer, 429, "too-many-requests")
    assert 1 <= int(answer["Retry-After"]) <= 61
    # Reading goes on, and so do other logins, another token of the same owner among them.
    assert caller.get(path).status_code == 200
    for other in (bearer(make()[1]), Api("acme/administrator")):
        assert other.call("PATCH", path, body).status_code == 200
    FailedSignIns.objects.update(window_ends_at=F("window_ends_at") - timedelta(minutes=1))
    assert caller.call("PATCH", path, body).status_code == 200


def test_writes_that_are_not_allowed_are_not_counted(make, settings):
    settings.OPS_WRITES_PER_MINUTE = 1
    caller = bearer(make(READ)[1])
    assert {caller.post(TYPES, {}).status_code for _ in range(3)} == {403}


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_writes_at_the_same_moment_are_all_counted(make, settings):
    settings.OPS_WRITES_PER_MINUTE = 3
    text = make()[1]
    codes = at_once(*[lambda: bearer(text).post(TYPES, {}).status_code for _ in range(8)])
    assert sorted(codes) == [422] * 3 + [429] * 5


# --- Help pages -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROBLEMS)
def test_problem_has_a_page_that_anybody_may_read(name, client):
    answer = client.get(f"/problems/{name}")
    assert answer.status_code == 200
    page = read(answer)
    assert PROBLEMS[name].title in page.text
    assert PROBLEMS[name].remedy in page.text
    for code in CODES:
        assert (code in page.text) == (name == "validation-error") or code in PROBLEMS[name].remedy
    assert client.post(f"/problems/{name}").status_code == 405


def test_problems_are_listed(client):
    page = read(client.get("/problems/"))
    links = {link.attrs["href"] for link in page.all("a")}
    assert {problem.uri for problem in PROBLEMS.values()} <= links
    assert client.get("/problems/nothing").status_code == 404
    assert {400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 500, 503} == set(BY_STATUS)
