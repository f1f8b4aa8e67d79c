"""The fast lane says what the view says, or nothing; and it loses nothing on the way."""

import json
from datetime import timedelta
from io import BytesIO

import pytest
from django.core.signals import request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone

from config.bodies import ChunkedBodies
from inventory.device_types import TypeDetails, create_type
from registration.lane import MAX_POLL_BODY, FastLane
from registration.lifecycle import Stage
from registration.models import ProvisioningKey, Registration
from registration.provisioning import make_key, revoke_key
from tenants.models import VerifiedLogin
from tests.support import CREDENTIALS, Api, basic

BOOTSTRAP = "management/devicebootstrap"


class Behind:
    """A WSGI application that remembers what reached it."""

    def __init__(self):
        self.bodies = []

    def __call__(self, environ, start_response):
        length = environ.get("CONTENT_LENGTH") or ""
        self.bodies.append(environ["wsgi.input"].read(int(length) if length.isdigit() else 0))
        start_response("299 Fell Through", [])
        return [b""]


class EndlessInput(BytesIO):
    """The input of a chunked request, which gives at most a few bytes at a time."""

    def read(self, size=-1):
        return super().read(min(size, 5) if size > 0 else 5)


def send(application, method, path, body=b"", *, login=BOOTSTRAP, password="", query="", **extra):
    """Send a request through WSGI; return status, content type and body."""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "198.51.100.7",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": basic(login, password) if password else basic(login),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": BytesIO(),
        **extra,
    }
    answer = {}

    def start_response(status, headers):
        answer.update(status=int(status.split()[0]), headers=dict(headers))

    present = {name: value for name, value in environ.items() if value is not None}
    # Like Django's own test client: the connection is the test's, and in its transaction.
    request_started.disconnect(close_old_connections)
    try:
        content = b"".join(application(present, start_response))
    finally:
        request_started.connect(close_old_connections)
    assert answer["status"] < 500
    return answer["status"], answer["headers"].get("Content-Type"), content


def poll(application, device_id="4711", token=None, **more):
    body = {"id": device_id} if token is None else {"id": device_id, "securityToken": token}
    return send(application, "POST", CREDENTIALS, json.dumps(body).encode(), **more)


@pytest.fixture
def behind():
    return Behind()


@pytest.fixture
def lane(behind):
    return FastLane(behind)


@pytest.fixture
def pending(make_registration, device):
    """A device that waits, and whose bootstrap login was checked a moment ago."""
    registration = make_registration("4711", stage=Stage.PENDING, token="s3cret")
    device.poll("4711", "s3cret")
    return registration


def falls_through(answer):
    return answer[0] == 299


@pytest.mark.parametrize(
    ("device_id", "token"),
    [
        ("4711", None),
        ("4711", "s3cret"),
        ("aa:bb:cc", None),
        ("Zähler-日本語", "Ω"),
        ("Za\u0308hler", None),
        ("it's\"<b>", None),
        ("x" * 1000, "y" * 1000),
    ],
)
def test_waiting_device_hears_from_the_lane_what_the_view_says(
    device_id, token, lane, behind, device, make_registration
):
    make_registration(device_id, stage=Stage.PENDING, token=token or "")
    view = device.poll(device_id, token)
    assert poll(lane, device_id, token) == (404, view["Content-Type"], view.content)
    assert behind.bodies == []


def test_answer_says_its_length_and_is_not_kept(lane, pending):
    headers = {}
    body = b'{"id": "4711", "securityToken": "s3cret"}'
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": CREDENTIALS,
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": basic(BOOTSTRAP),
        "wsgi.input": BytesIO(body),
    }
    (content,) = lane(environ, lambda _status, pairs: headers.update(pairs))
    assert headers["Content-Length"] == str(len(content))
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


NOT_QUIET = {
    "wrong-secret": {"password": "guess"},
    "no-login": {"HTTP_AUTHORIZATION": None},
    "empty-login": {"HTTP_AUTHORIZATION": ""},
    "login-that-may-not-knock": {"login": "acme/operator"},
    "bootstrap-account-of-another-tenant": {"login": "globex/devicebootstrap"},
    "other-token": {"body": b'{"id": "4711", "securityToken": "other"}'},
    "no-token": {"body": b'{"id": "4711"}'},
    "token-null": {"body": b'{"id": "4711", "securityToken": null}'},
    "token-zero": {"body": b'{"id": "4711", "securityToken": 0}'},
    "token-false": {"body": b'{"id": "4711", "securityToken": false}'},
    "other-id": {"body": b'{"id": "4712", "securityToken": "s3cret"}'},
    "no-id": {"body": b'{"securityToken": "s3cret"}'},
    "id-number": {"body": b'{"id": 4711, "securityToken": "s3cret"}'},
    "broken-json": {"body": b'{"id": "4711"'},
    "array": {"body": b'["4711"]'},
    "utf-16": {"body": '{"id": "4711", "securityToken": "s3cret"}'.encode("utf-16")},
    "nul": {"body": b'{"id": "4711\\u0000", "securityToken": "s3cret"}'},
    "half-surrogate": {"body": b'{"id": "\\ud800", "securityToken": "s3cret"}'},
    "nul-elsewhere": {"body": b'{"id": "4711", "securityToken": "s3cret", "x": "\\u0000"}'},
    "nan-elsewhere": {"body": b'{"id": "4711", "securityToken": "s3cret", "x": NaN}'},
    "deep": {"body": b'{"id": "4711", "securityToken": "s3cret", "x": ' + b"[" * 3000},
    "empty-body": {"body": b""},
    "other-media-type": {"CONTENT_TYPE": "text/plain"},
    "other-json": {"CONTENT_TYPE": "text/json"},
    "get": {"method": "GET"},
    "put": {"method": "PUT"},
    "emulated": {"HTTP_X_HTTP_METHOD": "PUT"},
    "other-path": {"path": CREDENTIALS + "/"},
    "length-not-said": {"CONTENT_LENGTH": None},
    "length-no-number": {"CONTENT_LENGTH": "x"},
}
QUIET_BODY = b'{"id": "4711", "securityToken": "s3cret"}'


def irregular(case):
    more = {"method": "POST", "path": CREDENTIALS, "body": QUIET_BODY, **NOT_QUIET[case]}
    return [more.pop("method"), more.pop("path"), more.pop("body")], more


@pytest.mark.parametrize("case", NOT_QUIET)
def test_whatever_is_not_quiet_falls_through_with_its_body(case, lane, behind, pending, api):
    for login in ("acme/operator", "globex/devicebootstrap"):
        api(login).post(CREDENTIALS, {"id": "4711"})  # whose logins are verified as well
    Registration.objects.update(conflicts=0)
    arguments, more = irregular(case)
    assert falls_through(send(lane, *arguments, **more))
    length = more.get("CONTENT_LENGTH", str(len(arguments[2])))
    if length is not None and length.isdigit():
        assert behind.bodies == [arguments[2]]


@pytest.mark.parametrize("case", [case for case in NOT_QUIET if not case.startswith("length")])
def test_with_and_without_the_lane_the_answer_is_the_same(case, pending, api):
    django = get_wsgi_application()
    arguments, more = irregular(case)
    assert send(FastLane(django), *arguments, **more) == send(django, *arguments, **more)


def test_large_body_is_not_even_read(lane, behind, pending):
    body = QUIET_BODY + b" " * MAX_POLL_BODY
    assert falls_through(send(lane, "POST", CREDENTIALS, body))
    assert behind.bodies == [body]


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.PENDING])
def test_device_at_any_other_stage_falls_through(stage, lane, make_registration, device):
    make_registration("4711", stage=stage)
    device.poll("unknown")
    assert falls_through(poll(lane))


def suspend_tenant(registration, api):
    registration.tenant.status = "SUSPENDED"
    registration.tenant.save()


def suspend_management(registration, api):
    management = registration.tenant.parent
    management.status = "SUSPENDED"
    management.save()


def let_login_expire(registration, api):
    VerifiedLogin.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def change_account(registration, api):
    VerifiedLogin.objects.get(may_bootstrap=True).user.save()


def deactivate_account(registration, api):
    user = VerifiedLogin.objects.get(may_bootstrap=True).user
    type(user).objects.filter(pk=user.pk).update(is_active=False)


def cancel(registration, api):
    registration.delete()


@pytest.mark.parametrize(
    "change",
    [
        suspend_tenant,
        suspend_management,
        let_login_expire,
        change_account,
        deactivate_account,
        cancel,
    ],
)
def test_change_is_noticed_at_the_next_poll(change, lane, pending, api):
    assert poll(lane, token="s3cret")[0] == 404
    change(pending, api)
    assert falls_through(poll(lane, token="s3cret"))


def test_bootstrap_account_of_the_tenant_is_served(lane, pending, api):
    view = api("acme/devicebootstrap").poll("4711", "s3cret")
    answer = poll(lane, token="s3cret", login="acme/devicebootstrap")
    assert answer == (404, view["Content-Type"], view.content)


def test_lane_writes_nothing(lane, pending):
    before = Registration.objects.values().get()
    poll(lane, token="s3cret")
    assert Registration.objects.values().get() == before


def test_accepted_device_gets_its_password_through_the_lane(pending, operator):
    whole = ChunkedBodies(FastLane(get_wsgi_application()))
    assert poll(whole, token="s3cret")[0] == 404
    pending.accept(by=operator, token="s3cret")
    status, _, content = poll(whole, token="s3cret")
    assert status == 201
    password = json.loads(content)["password"]
    assert Api("acme/device_4711", password).get("/user/currentUser").status_code == 200


@pytest.mark.parametrize("coding", ["chunked", "Chunked", "gzip, chunked"])
def test_body_in_chunks_is_read_whole(coding, pending):
    whole = ChunkedBodies(FastLane(get_wsgi_application()))
    chunks = {
        "CONTENT_LENGTH": None,
        "HTTP_TRANSFER_ENCODING": coding,
        "wsgi.input": EndlessInput(QUIET_BODY),
    }
    assert send(whole, "POST", CREDENTIALS, **chunks) == poll(whole, token="s3cret")


def test_body_in_chunks_that_does_not_end_is_refused(monkeypatch, behind):
    monkeypatch.setattr("config.bodies.MAX_CHUNKED_BODY", 100)
    chunks = {
        "CONTENT_LENGTH": None,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": EndlessInput(b"x" * 101),
    }
    assert send(ChunkedBodies(behind), "POST", "/", **chunks)[0] == 413
    assert behind.bodies == []


@pytest.mark.parametrize(("age", "writes"), [(59, False), (61, True)], ids=["fresh", "old"])
def test_last_contact_that_grew_old_is_written_by_the_lane(pending, lane, behind, age, writes):
    contact = timezone.now() - timedelta(seconds=age)
    Registration.objects.update(last_contact_at=contact, last_contact_from="192.0.2.1")
    poll = json.dumps({"id": "4711", "securityToken": "s3cret"}).encode()
    assert send(lane, "POST", CREDENTIALS, poll)[0] == 404
    pending.refresh_from_db()
    assert (pending.last_contact_at > contact) is writes
    assert pending.last_contact_from == ("198.51.100.7" if writes else "192.0.2.1")
    assert behind.bodies == []


# --- With a provisioning key ---------------------------------------------------------------------


@pytest.fixture
def key(acme, operator):
    """A provisioning key with its secret, by which the device 4711 has knocked."""
    details = TypeDetails("Thermostat", security_option="temporary_credentials")
    made, secret = make_key(create_type(acme, details, by=operator), "Line 3", by=operator)
    Api(made.login, secret).poll("4711", "s3cret")
    return made, {"login": made.login, "password": secret}


def test_device_with_a_key_hears_from_the_lane_what_the_view_says(key, lane, behind):
    made, login = key
    view = Api(*login.values()).poll("4711", "s3cret")
    assert poll(lane, token="s3cret", **login) == (404, view["Content-Type"], view.content)
    plain = {**login, "login": made.key_id}
    assert poll(lane, token="s3cret", **plain) == (404, view["Content-Type"], view.content)
    assert behind.bodies == []


@pytest.mark.parametrize(
    ("device_id", "token", "more"),
    [
        ("4711", None, {}),
        ("4712", "s3cret", {}),
        ("4711", "s3cret", {"password": "gpk_guess"}),
        ("4711", "s3cret", {"login": "globex/provision_x"}),
    ],
    ids=["no-token", "unknown", "wrong-secret", "unknown-key"],
)
def test_whatever_is_not_quiet_with_a_key_falls_through(device_id, token, more, key, lane):
    assert falls_through(poll(lane, device_id, token, **{**key[1], **more}))


def revoke(made, registration, operator):
    revoke_key(made, by=operator)


def let_key_expire(made, registration, operator):
    ProvisioningKey.objects.update(expires_at=timezone.now())


def suspend_its_tenant(made, registration, operator):
    suspend_tenant(registration, None)


def accept_device(made, registration, operator):
    registration.accept(by=operator, token="s3cret")


def give_it_another_type(made, registration, operator):
    details = TypeDetails("Other", security_option="temporary_credentials")
    Registration.objects.update(device_type=create_type(made.tenant, details, by=operator))


@pytest.mark.parametrize(
    "change", [revoke, let_key_expire, suspend_its_tenant, accept_device, give_it_another_type]
)
def test_change_of_a_key_is_noticed_at_the_next_poll(change, key, lane, operator):
    assert poll(lane, token="s3cret", **key[1])[0] == 404
    change(key[0], Registration.objects.get(), operator)
    assert falls_through(poll(lane, token="s3cret", **key[1]))


@pytest.mark.parametrize(("age", "writes"), [(59, False), (61, True)], ids=["fresh", "old"])
def test_use_of_a_key_is_noted_once_a_minute(age, writes, key, lane):
    before = timezone.now() - timedelta(seconds=age)
    ProvisioningKey.objects.update(last_used_at=before, last_used_from="192.0.2.1")
    Registration.objects.update(last_contact_at=before)
    assert poll(lane, token="s3cret", **key[1])[0] == 404
    made = ProvisioningKey.objects.get()
    assert (made.last_used_at > before) is writes
    assert made.last_used_from == ("198.51.100.7" if writes else "192.0.2.1")
    assert (Registration.objects.get().last_contact_at > before) is writes
