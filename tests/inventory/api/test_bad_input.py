"""Whatever is sent, it is kept as it was or refused in JSON: never a failure of ours."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.inventory.api.calls import OBJECTS, one
from tests.support import Api

DEVICE: dict[str, object] = {"c8y_IsDevice": {}}
NAMES = st.sampled_from(
    [
        "name", "type", "owner", "id", "self", "c8y_IsDevice", "c8y_IsDeviceGroup", "references",
        "managedObject", "childAssets", "externalId", "acme_X", "", "a.b",
    ]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
    | st.integers(min_value=10**300, max_value=10**301),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(NAMES | st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
BODIES = VALUES | st.dictionaries(NAMES | st.text(max_size=10), VALUES, max_size=8)
FUZZ = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def numbers_aside(answer):
    """Return what an answer says to a client whose only numbers are floating."""
    return json.loads(answer.content, parse_int=float)


def sent(method, path, body):
    """Send ``body``, and return what was answered; no answer may be a failure of ours."""
    answer = Api("acme/operator").call(method, path, json.dumps(body).encode())
    assert answer.status_code in {200, 201, 204, 400, 403, 404, 409, 422}, answer.content
    if answer.status_code >= 400:
        assert set(answer.json()) == {"error", "message", "info"}
    return answer


@given(body=BODIES)
@FUZZ
def test_any_body_makes_an_object_or_is_refused(body, house):
    answer = sent("POST", OBJECTS, body)
    if answer.status_code == 201:
        shown = Api("acme/operator").get(one(answer.json()["id"]))
        assert numbers_aside(shown) == numbers_aside(answer)
        assert Api("acme/operator").delete(one(answer.json()["id"])).status_code == 204


@given(body=BODIES, again=BODIES)
@FUZZ
def test_any_body_changes_an_object_or_is_refused(body, again, house):
    made = Api("acme/operator").post(OBJECTS, DEVICE).json()["id"]
    for each in (body, again):
        answer = sent("PUT", one(made), each)
        if answer.status_code == 200:
            shown = Api("acme/operator").get(one(made))
            assert numbers_aside(shown) == numbers_aside(answer)


@given(body=BODIES)
@FUZZ
def test_any_body_binds_an_external_id_or_is_refused(body, house):
    made = Api("acme/operator").post(OBJECTS, DEVICE).json()["id"]
    sent("POST", f"/identity/globalIds/{made}/externalIds", body)


@given(kind=st.text(max_size=20), value=st.text(max_size=40))
@FUZZ
def test_every_external_id_that_is_taken_is_found_by_its_address(kind, value, house):
    made = Api("acme/operator").post(OBJECTS, DEVICE).json()["id"]
    body = {"type": kind, "externalId": value}
    answer = sent("POST", f"/identity/globalIds/{made}/externalIds", body)
    if answer.status_code == 201:
        address = answer.json()["self"].removeprefix("http://testserver")
        assert Api("acme/operator").get(address).json() == answer.json()
        assert Api("acme/operator").delete(address).status_code == 204


@given(body=BODIES)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
@FUZZ
def test_any_body_links_children_or_is_refused(method, body, house):
    made = Api("acme/operator").post(OBJECTS, DEVICE).json()["id"]
    sent(method, one(made, "childAssets"), body)


@given(body=BODIES)
@FUZZ
def test_any_body_of_a_device_makes_an_object_or_is_refused(body, house, device_user):
    device = device_user("press-1")
    answer = device.post(OBJECTS, json.dumps(body).encode())
    assert answer.status_code in {201, 400, 403, 422}, answer.content


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_other_media_types_are_refused(method, kind, ours, api):
    path = OBJECTS if method == "POST" else one(ours())
    assert api("acme/operator").call(method, path, b"{}", content_type=kind).status_code == 415
