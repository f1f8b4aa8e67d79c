"""``/devicecontrol/newDeviceRequests/acceptAll``: every pending device that can be."""

import pytest

from registration.lifecycle import Stage
from registration.models import BulkDecision
from tests.support import REQUESTS, kinds

PATH = f"{REQUESTS}/acceptAll"


def test_answer_is_a_bare_array_with_a_result_for_each(api, make_registration):
    make_registration("plain", stage=Stage.PENDING)
    make_registration("token", stage=Stage.PENDING, token="s3cret")
    make_registration("waiting")
    answer = api("acme/operator").post(PATH)
    assert answer.status_code == 200
    assert answer.json() == [
        {"id": "plain", "successful": True},
        {
            "id": "token",
            "successful": False,
            "error": "The device sent a security token: accept it by itself, with the token.",
        },
    ]
    assert not BulkDecision.objects.exists()


@pytest.mark.parametrize(
    ("policy", "token", "successful"),
    [
        ("IGNORED", "", True),
        ("IGNORED", "s3cret", False),
        ("OPTIONAL", "", True),
        ("OPTIONAL", "s3cret", False),
        ("REQUIRED", "", False),
        ("REQUIRED", "s3cret", False),
    ],
)
def test_policy_decides_who_can_be_accepted_together(
    policy, token, successful, api, acme, set_policy, make_registration
):
    registration = make_registration(stage=Stage.PENDING, token=token)
    set_policy(acme, policy)
    (result,) = api("acme/operator").post(PATH).json()
    assert result["successful"] is successful
    registration.refresh_from_db()
    assert registration.stage is (Stage.ACCEPTED if successful else Stage.PENDING)
    assert registration.failed_attempts == 0
    assert kinds(registration)[2:] == (["accepted"] if successful else [])


def test_with_nothing_pending_the_array_is_empty(api, make_registration):
    make_registration()
    assert api("acme/operator").post(PATH).json() == []


def test_tenant_accepts_its_own_and_management_all(api, make_registration, globex):
    ours = make_registration("ours", stage=Stage.PENDING)
    theirs = make_registration("theirs", tenant=globex, stage=Stage.PENDING)
    assert [one["id"] for one in api("acme/operator").post(PATH).json()] == ["ours"]
    theirs.refresh_from_db()
    assert theirs.stage is Stage.PENDING
    assert [one["id"] for one in api("management/operator").post(PATH).json()] == ["theirs"]
    assert kinds(ours).count("accepted") == 1


@pytest.mark.parametrize("body", [b"", b"  ", b"{}", b'{"anything": 1}'])
def test_body_is_not_needed(body, api, house):
    assert api("acme/operator").post(PATH, body, Accept="*/*").status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_fixed_words_are_no_device_ids(method, api, house):
    answer = api("acme/operator").call(method, PATH)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
