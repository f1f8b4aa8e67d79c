"""``/devicecontrol/newDeviceRequests/{id}``: reading, accepting and cancelling one."""

import pytest

from registration.lifecycle import Stage, Status
from registration.models import Registration
from tests.support import ERROR_TYPE, REQUESTS, give_rights, kinds, request_path

RIGHT, WRONG = "s3cret", "guess"
MISMATCH = "Provided security key does not match key stored for device 4711."
LAST = (
    "Reached maximum number of failed attempts while trying to register this device. Request will "
    "now be blocked and has to be removed manually to restart the process."
)
IDS = ["4711", "aa:bb:cc:dd:ee:ff", "a%2Fb", "50%", "what?", "a#b", "Zähler-Ω", "日本語", "a&b=c;d"]


@pytest.mark.parametrize("device_id", IDS)
def test_id_travels_in_the_path_percent_encoded(device_id, api, device, acme):
    operator = api("acme/operator")
    created = operator.post(REQUESTS, {"id": device_id})
    path = created["Location"].removeprefix("http://testserver")
    assert path == request_path(device_id)
    assert operator.get(path).json()["id"] == device_id
    assert device.poll(device_id).status_code == 404
    assert operator.put(path, {"status": "ACCEPTED"}).status_code == 200
    answer = device.poll(device_id)
    assert answer.status_code == 201
    credentials = answer.json()
    login = f"{credentials['tenantId']}/{credentials['username']}"
    me = api(login, credentials["password"]).get("/user/currentUser")
    assert (me.status_code, me.json()["userName"]) == (200, f"device_{device_id}")
    assert operator.delete(path).status_code == 204
    assert operator.get(path).status_code == 404


@pytest.mark.parametrize("path", ["aa:bb:cc", "Z%C3%A4hler", "a&b=c;d"])
def test_id_may_stand_in_the_path_unencoded_where_that_is_possible(path, api, make_registration):
    make_registration(path.replace("%C3%A4", "ä"))
    assert api("acme/reader").get(f"{REQUESTS}/{path}").status_code == 200


@pytest.mark.parametrize(
    ("policy", "sent", "given", "status", "message"),
    [
        pytest.param("IGNORED", None, None, 200, "", id="ignored-none-none"),
        pytest.param("IGNORED", RIGHT, None, 200, "", id="ignored-token-none"),
        pytest.param("IGNORED", RIGHT, WRONG, 200, "", id="ignored-token-wrong"),
        pytest.param("OPTIONAL", None, None, 200, "", id="optional-none-none"),
        pytest.param("OPTIONAL", None, WRONG, 200, "", id="optional-none-anything"),
        pytest.param("OPTIONAL", RIGHT, RIGHT, 200, "", id="optional-token-same"),
        pytest.param("OPTIONAL", RIGHT, WRONG, 422, MISMATCH, id="optional-token-wrong"),
        pytest.param("OPTIONAL", RIGHT, None, 422, MISMATCH, id="optional-token-none"),
        pytest.param("REQUIRED", RIGHT, RIGHT, 200, "", id="required-token-same"),
        pytest.param("REQUIRED", RIGHT, WRONG, 422, MISMATCH, id="required-token-wrong"),
        pytest.param("REQUIRED", RIGHT, None, 422, MISMATCH, id="required-token-none"),
        pytest.param("REQUIRED", RIGHT, "", 422, MISMATCH, id="required-token-empty"),
        pytest.param(
            "REQUIRED",
            None,
            None,
            422,
            "NewDeviceRequest for device id 4711 is in state BLOCKED, not PENDING_ACCEPTANCE.",
            id="required-none",
        ),
    ],
)
def test_acceptance_follows_the_policy(
    policy, sent, given, status, message, api, device, acme, set_policy, make_registration
):
    set_policy(acme, policy)
    registration = make_registration("4711")
    assert device.poll("4711", sent).status_code == 404
    answer = api("acme/operator").accept("4711", given)
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["status"] == "ACCEPTED"
        assert device.poll("4711", sent).status_code == 201
    else:
        assert answer["Content-Type"] == ERROR_TYPE
        assert answer.json()["error"] == "devicecontrol/Unprocessable Entity"
        assert answer.json()["message"] == message
        registration.refresh_from_db()
        assert registration.failed_attempts == (1 if message == MISMATCH else 0)


def test_last_wrong_token_blocks_and_then_even_the_right_one_is_refused(
    api, device, make_registration
):
    make_registration("4711", stage=Stage.PENDING, token=RIGHT)
    operator = api("acme/operator")
    messages = [operator.accept("4711", WRONG).json()["message"] for _ in range(3)]
    # The contract has no space between the two sentences.
    assert messages == [MISMATCH, MISMATCH, MISMATCH + LAST]
    answer = operator.accept("4711", RIGHT)
    assert answer.status_code == 422
    assert answer.json()["message"] == (
        "NewDeviceRequest for device id 4711 is in state BLOCKED, not PENDING_ACCEPTANCE."
    )
    poll = device.poll("4711", RIGHT)
    assert poll.status_code == 404
    assert "BLOCKED" in poll.json()["message"]


def test_policy_of_the_parent_tenant_counts_until_the_tenant_has_its_own(
    api, device, management, acme, globex, set_policy, make_registration
):
    set_policy(management, "REQUIRED")
    set_policy(globex, "OPTIONAL")
    for name, tenant, state in (("a", acme, "BLOCKED"), ("b", globex, "PENDING_ACCEPTANCE")):
        make_registration(name, tenant=tenant)
        assert state in device.poll(name).json()["message"]


@pytest.mark.parametrize("stage", [Stage.WAITING, Stage.BLOCKED])
def test_acceptance_without_a_waiting_device_is_refused(stage, api, make_registration):
    registration = make_registration("4711", stage=stage)
    answer = api("acme/operator").accept("4711")
    assert answer.status_code == 422
    assert answer.json()["message"] == (
        f"NewDeviceRequest for device id 4711 is in state {registration.status}, "
        "not PENDING_ACCEPTANCE."
    )


@pytest.mark.parametrize("stage", [Stage.ACCEPTED, Stage.DELIVERED, Stage.CONFIRMED])
def test_accepting_what_is_accepted_changes_nothing(stage, api, make_registration):
    registration = make_registration("4711", stage=stage)
    before = kinds(registration)
    answer = api("acme/operator").accept("4711", "anything")
    assert (answer.status_code, answer.json()["status"]) == (200, "ACCEPTED")
    assert kinds(registration) == before


@pytest.mark.parametrize("wanted", Status.values)
@pytest.mark.parametrize("stage", [s for s in Stage if s is not Stage.CONFIRMED])
def test_only_steps_of_the_contract_can_be_asked_for(stage, wanted, api, make_registration):
    registration = make_registration("4711", stage=stage)
    answer = api("acme/operator").put(request_path("4711"), {"status": wanted})
    allowed = {(Stage.PENDING, "ACCEPTED"), (Stage.PENDING, "WAITING_FOR_CONNECTION")}
    if wanted == registration.status or (stage, wanted) in allowed:
        assert (answer.status_code, answer.json()["status"]) == (200, wanted)
    else:
        assert answer.status_code == 422
        assert f"is in state {registration.status}" in answer.json()["message"]


def test_missing_status_is_named(api, make_registration):
    make_registration("4711")
    answer = api("acme/operator").put(request_path("4711"), {"securityToken": "x"})
    assert answer.status_code == 422
    assert answer.json()["message"] == "Following mandatory fields should be included: status"


@pytest.mark.parametrize("status", ["accepted", "", "DONE", 1, True, [], {}])
def test_unknown_status_is_refused(status, api, make_registration):
    make_registration("4711", stage=Stage.PENDING)
    answer = api("acme/operator").put(request_path("4711"), {"status": status})
    assert answer.status_code == 422


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("owner", ["nobody", "globex"])
def test_other_tenants_registration_is_not_there(
    method, owner, api, make_registration, management, globex
):
    if owner == "globex":
        make_registration("4711", tenant=globex, stage=Stage.PENDING)
    answer = api("acme/administrator").call(method, request_path("4711"), {"status": "ACCEPTED"})
    assert answer.status_code == 404
    assert answer["Content-Type"] == ERROR_TYPE
    assert answer.json()["error"] == "devicecontrol/Not Found"
    assert answer.json()["message"] == "Could not find newDeviceRequest by ID 4711"
    assert not Registration.objects.exclude(status="PENDING_ACCEPTANCE").exists()


def test_management_reads_accepts_and_cancels_everywhere(api, make_registration, globex):
    make_registration("4711", tenant=globex, stage=Stage.PENDING)
    operator = api("management/operator")
    assert operator.get(request_path("4711")).json()["tenantId"] == "globex"
    assert operator.accept("4711").status_code == 200
    assert operator.delete(request_path("4711")).status_code == 204
    assert not Registration.objects.exists()


@pytest.mark.parametrize("stage", Stage)
def test_registration_can_be_cancelled_at_every_stage(stage, api, make_registration):
    registration = make_registration(stage=stage)
    answer = api("acme/operator").delete(request_path(registration.device_id))
    assert (answer.status_code, answer.content) == (204, b"")
    assert kinds(registration)[-1] == "removed"


def test_user_administrator_may_cancel_and_nothing_more(api, make_registration, person):
    user = person("acme/reader")
    give_rights(user, "ROLE_USER_MANAGEMENT_ADMIN")
    make_registration("4711", stage=Stage.PENDING)
    caller = api("acme/reader")
    assert caller.get(request_path("4711")).status_code == 403
    assert caller.accept("4711").status_code == 403
    assert caller.delete(request_path("4711")).status_code == 204


@pytest.mark.parametrize("method", ["PUT", "put", "DELETE"])
def test_method_can_be_emulated(method, api, make_registration):
    registration = make_registration("4711", stage=Stage.PENDING)
    answer = api("acme/operator").post(
        request_path("4711"), {"status": "ACCEPTED"}, X_HTTP_METHOD=method
    )
    assert answer.status_code == (204 if method == "DELETE" else 200)
    assert kinds(registration)[-1] == ("removed" if method == "DELETE" else "accepted")


def test_emulated_method_needs_the_right_of_that_method(api, make_registration):
    make_registration("4711")
    answer = api("acme/reader").post(request_path("4711"), X_HTTP_METHOD="DELETE")
    assert answer.status_code == 403


@pytest.mark.parametrize("method", ["GET", "PATCH", "TRACE", "nonsense"])
def test_other_methods_are_not_emulated(method, api, make_registration):
    make_registration("4711")
    answer = api("acme/operator").post(request_path("4711"), {}, X_HTTP_METHOD=method)
    assert answer.status_code == 405


def test_head_answers_like_get_without_a_body(api, make_registration):
    make_registration("4711")
    answer = api("acme/reader").call("HEAD", request_path("4711"))
    assert (answer.status_code, answer.content) == (200, b"")
