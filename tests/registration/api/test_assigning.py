"""Tenants in the contract: registering for one, moving to one, and how many devices it may have."""

import pytest

from inventory.groups import group_at
from registration.lifecycle import Stage
from registration.models import Registration
from tenants.actors import SYSTEM
from tests.consoles import suspend
from tests.support import REQUESTS, request_path, set_limit

LIMIT = f"{REQUESTS}/limit"
REACHED = "You have reached devices limit. No more devices can be registered."


def owner(device_id="4711"):
    return Registration.objects.get(device_id=device_id).tenant_id


@pytest.fixture
def desk(api):
    return api("management/operator")


# --- Registering ------------------------------------------------------------------------------


def test_management_registers_for_a_tenant_or_into_a_group(desk, management):
    group = group_at(management, "Hall 2", by=SYSTEM)
    assert desk.post(REQUESTS, {"id": "4711", "tenantId": "acme"}).status_code == 201
    own = {"id": "4712", "tenantId": "management", "groupId": str(group.pk)}
    assert desk.post(REQUESTS, own).status_code == 201
    assert (owner("4711"), owner("4712")) == ("acme", "management")


@pytest.mark.parametrize("whose", ["acme", "management"])
def test_another_tenant_and_a_group_is_refused_with_a_sentence(desk, house, whose):
    group = group_at(house[whose], "Hall 2", by=SYSTEM)
    body = {"id": "4711", "tenantId": "acme", "groupId": str(group.pk)}
    answer = desk.post(REQUESTS, body)
    assert answer.status_code == 422
    assert "either tenantId of another tenant or groupId" in answer.json()["message"]
    assert not Registration.objects.exists()


# --- Moving -----------------------------------------------------------------------------------


def test_put_moves_to_another_tenant(desk, api, make_registration):
    make_registration("4711", stage=Stage.PENDING)
    answer = desk.put(request_path("4711"), {"tenantId": "globex"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["tenantId"], body["status"]) == ("globex", "PENDING_ACCEPTANCE")
    assert api("acme/operator").get(request_path("4711")).status_code == 404
    assert api("globex/operator").accept("4711").status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"tenantId": "globex", "status": "ACCEPTED"}, 422, "Send either status or tenantId"),
        ({"tenantId": "nowhere"}, 422, "There is no active tenant with ID nowhere."),
        ({"tenantId": ""}, 422, "There is no active tenant"),
        ({"tenantId": "x" * 5000}, 422, "There is no active tenant"),
        ({"tenantId": 7}, 422, "Field tenantId must be text."),
        ({"tenantId": "\x00"}, 422, "NUL"),
        ({}, 422, "mandatory fields should be included: status"),
        ({"tenantId": None}, 422, "mandatory fields should be included: status"),
        ({"tenantId": "acme"}, 200, ""),
        ({"tenantId": "acme", "status": "PENDING_ACCEPTANCE"}, 200, ""),
    ],
)
def test_move_that_cannot_be_is_refused(desk, make_registration, body, status, sentence):
    make_registration("4711", stage=Stage.PENDING)
    answer = desk.put(request_path("4711"), body)
    assert answer.status_code == status
    assert sentence in answer.json().get("message", "")
    assert owner() == "acme"


def test_resource_sent_back_as_read_with_a_new_status_is_accepted(api, make_registration):
    make_registration("4711", stage=Stage.PENDING)
    operator = api("acme/operator")
    body = operator.get(request_path("4711")).json() | {"status": "ACCEPTED"}
    assert operator.put(request_path("4711"), body).json()["status"] == "ACCEPTED"


@pytest.mark.parametrize("stage", [Stage.ACCEPTED, Stage.CONFIRMED])
def test_accepted_device_does_not_move(desk, make_registration, stage):
    make_registration("4711", stage=stage)
    answer = desk.put(request_path("4711"), {"tenantId": "globex"})
    assert answer.status_code == 422
    assert answer.json()["error"] == "devicecontrol/Unprocessable Entity"
    assert "has been accepted" in answer.json()["message"]


def test_nothing_moves_to_a_suspended_tenant(desk, make_registration, globex):
    make_registration("4711")
    suspend(globex)
    assert desk.put(request_path("4711"), {"tenantId": "globex"}).status_code == 422
    assert owner() == "acme"


@pytest.mark.parametrize(
    ("login", "status"),
    [("acme/administrator", 403), ("globex/administrator", 404), ("management/reader", 403)],
)
def test_nobody_else_moves(api, make_registration, login, status):
    make_registration("4711")
    answer = api(login).put(request_path("4711"), {"tenantId": "globex"})
    assert answer.status_code == status
    assert owner() == "acme"


def test_device_goes_on_knocking_after_a_move(desk, api, device, make_registration):
    make_registration("4711")
    assert device.poll("4711", "s3cret").status_code == 404
    desk.put(request_path("4711"), {"tenantId": "globex"})
    assert device.poll("4711", "s3cret").status_code == 404
    assert api("globex/operator").accept("4711", "s3cret").status_code == 200
    # The bootstrap account of the old tenant is none for it any more.
    assert api("acme/devicebootstrap").poll("4711", "s3cret").status_code == 404
    answer = api("globex/devicebootstrap").poll("4711", "s3cret")
    assert (answer.status_code, answer.json()["tenantId"]) == (201, "globex")


# --- The limit --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (None, {"isReached": False, "deviceCount": 2}),
        (3, {"isReached": False, "deviceCount": 2, "limit": 3}),
        (2, {"isReached": True, "deviceCount": 2, "limit": 2}),
        (0, {"isReached": True, "deviceCount": 2, "limit": 0}),
    ],
)
def test_limit_is_told_as_it_is(api, make_registration, acme, globex, limit, said):
    make_registration(stage=Stage.DELIVERED)
    make_registration(stage=Stage.ACCEPTED)
    make_registration(stage=Stage.PENDING)
    make_registration(tenant=globex, stage=Stage.DELIVERED)
    set_limit(acme, limit)
    assert api("acme/reader").get(LIMIT).json() == said


def test_acceptance_beyond_the_limit_is_refused_in_the_contracts_words(
    api, make_registration, acme
):
    make_registration("4711", stage=Stage.PENDING)
    set_limit(acme, 0)
    answer = api("acme/operator").accept("4711")
    assert answer.status_code == 422
    assert answer.json()["error"] == "devicecontrol/Unprocessable Entity"
    assert answer.json()["message"] == REACHED
    assert api("acme/operator").post(REQUESTS, {"id": "4712"}).status_code == 201


def test_accept_all_takes_as_many_as_there_is_room_for(api, make_registration, acme):
    for number in range(3):
        make_registration(f"d-{number}", stage=Stage.PENDING)
    set_limit(acme, 2)
    assert api("acme/operator").post(f"{REQUESTS}/acceptAll").json() == [
        {"id": "d-0", "successful": True},
        {"id": "d-1", "successful": True},
        {"id": "d-2", "successful": False, "error": "The tenant's device limit is reached."},
    ]
    assert api("acme/reader").get(LIMIT).json()["isReached"] is True
