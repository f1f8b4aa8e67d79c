"""``/devicecontrol/deviceCredentials``: what a device hears that knocks."""

import pytest

from registration.lifecycle import Stage
from registration.models import Registration
from tests.support import CREDENTIALS, ERROR_TYPE, knock

CREDENTIALS_TYPE = "application/vnd.com.nsn.cumulocity.deviceCredentials+json;charset=UTF-8;ver=0.9"


def test_accepted_device_gets_its_credentials(device, make_registration):
    make_registration("4711", stage=Stage.ACCEPTED)
    answer = device.poll("4711")
    assert answer.status_code == 201
    assert answer["Content-Type"] == CREDENTIALS_TYPE
    body = answer.json()
    password = body.pop("password")
    assert body == {
        "id": "4711",
        "self": "http://testserver/devicecontrol/deviceCredentials/4711",
        "tenantId": "acme",
        "username": "device_4711",
    }
    assert len(password) == 32
    assert password.isalnum()
    assert password.isascii()


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/plain"])
def test_credentials_are_sent_whether_or_not_they_were_asked_for(accept, device, make_registration):
    make_registration("4711", stage=Stage.ACCEPTED)
    answer = device.post(CREDENTIALS, {"id": "4711"}, Accept=accept)
    assert answer.json()["password"]


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        (Stage.WAITING, "is in state PENDING_ACCEPTANCE, not ACCEPTED."),
        (Stage.PENDING, "is in state PENDING_ACCEPTANCE, not ACCEPTED."),
        (Stage.BLOCKED, "is in state BLOCKED, not ACCEPTED."),
    ],
)
def test_waiting_device_hears_why_and_keeps_polling(stage, message, device, make_registration):
    make_registration("4711", stage=stage)
    answer = device.poll("4711")
    assert (answer.status_code, answer["Content-Type"]) == (404, ERROR_TYPE)
    assert answer.json()["error"] == "devicecontrol/Not Found"
    assert answer.json()["message"] == f"NewDeviceRequest for device id 4711 {message}"


@pytest.mark.parametrize("device_id", ["4711", "", "a/b", "x" * 5000, "Zähler"])
def test_device_that_nobody_expects_hears_that(device_id, device):
    answer = device.poll(device_id)
    assert (answer.status_code, answer["Content-Type"]) == (404, ERROR_TYPE)
    assert answer.json()["message"] == f"There is no newDeviceRequest for device id {device_id}."


def test_cancelled_and_registered_again_recovers_a_blocked_device(
    device, make_registration, operator
):
    make_registration("4711", stage=Stage.BLOCKED).remove(by=operator)
    assert "There is no" in device.poll("4711").json()["message"]
    make_registration("4711")
    assert "PENDING_ACCEPTANCE" in device.poll("4711").json()["message"]


def test_missing_id_is_named(device):
    answer = device.post(CREDENTIALS, {})
    assert answer.status_code == 422
    assert answer.json()["message"] == "Following mandatory fields should be included: id"


@pytest.mark.parametrize("token", [0, False, 1, [], {}, "x" * 1001])
def test_token_that_is_no_token_is_refused(token, device, make_registration):
    make_registration("4711", stage=Stage.PENDING)
    answer = device.post(CREDENTIALS, {"id": "4711", "securityToken": token})
    assert answer.status_code == 422


@pytest.mark.parametrize("token", [None, ""])
def test_empty_token_is_none(token, device, make_registration):
    registration = make_registration("4711")
    device.post(CREDENTIALS, {"id": "4711", "securityToken": token})
    registration.refresh_from_db()
    assert not registration.sends_token


def test_token_may_have_a_thousand_characters_of_any_script(device, make_registration, api):
    make_registration("4711")
    token = "Ω日" * 500
    device.poll("4711", token)
    assert api("acme/operator").accept("4711", token).status_code == 200
    assert device.poll("4711", token).status_code == 201


@pytest.mark.parametrize("login", ["acme/administrator", "acme/operator", "acme/reader"])
def test_people_cannot_collect_credentials(login, api, make_registration):
    make_registration("4711", stage=Stage.ACCEPTED)
    answer = api(login).poll("4711")
    assert (answer.status_code, answer["Content-Type"]) == (403, ERROR_TYPE)
    assert answer.json()["message"] == "Access is denied"


def test_devices_cannot_collect_credentials_of_others(api, make_registration):
    make_registration("4711", stage=Stage.ACCEPTED)
    password = knock(make_registration("4712", stage=Stage.ACCEPTED))
    assert api("acme/device_4712", password).poll("4711").status_code == 403


def test_wrong_bootstrap_secret_is_refused(api):
    answer = api("management/devicebootstrap", "guess").poll("4711")
    assert (answer.status_code, answer["Content-Type"]) == (401, ERROR_TYPE)
    assert answer.json()["message"] == "Invalid credentials! : Bad credentials"


@pytest.mark.parametrize("stage", [Stage.WAITING, Stage.PENDING, Stage.ACCEPTED])
def test_bootstrap_account_of_a_tenant_serves_that_tenant_only(
    stage, api, make_registration, globex
):
    registration = make_registration("4711", tenant=globex, stage=stage)
    answer = api("acme/devicebootstrap").poll("4711")
    assert answer.status_code == 404
    assert "There is no newDeviceRequest" in answer.json()["message"]
    registration.refresh_from_db()
    assert registration.stage is stage
    assert "There is no" not in api("globex/devicebootstrap").poll("4711").json().get("message", "")


@pytest.mark.parametrize("stage", [Stage.WAITING, Stage.PENDING, Stage.ACCEPTED, Stage.DELIVERED])
def test_devices_of_a_suspended_tenant_get_nothing(stage, device, make_registration, acme):
    registration = make_registration("4711", stage=stage)
    acme.status = "SUSPENDED"
    acme.save()
    answer = device.poll("4711")
    assert answer.status_code == 404
    assert "There is no newDeviceRequest" in answer.json()["message"]
    assert Registration.objects.get(pk=registration.pk).stage is stage


def test_pickup_needs_few_queries(device, make_registration, django_assert_max_num_queries):
    for number in range(3):
        make_registration(f"device-{number}", stage=Stage.ACCEPTED)
    device.poll("device-0")
    with django_assert_max_num_queries(26):
        assert device.poll("device-1").status_code == 201
