"""The one rule of device IDs, and that every door knows it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registration.device_ids import clean_device_id, is_forbidden, normalize_device_id
from registration.errors import DeviceIdError
from registration.models import Registration
from tests.support import REQUESTS, request_path

ALLOWED = [
    pytest.param("4711", id="digits"),
    pytest.param("aa:bb:cc:dd:ee:ff", id="colons-of-a-mac-address"),
    pytest.param("2001:db8::1", id="ipv6"),
    pytest.param("a%2Fb", id="percent"),
    pytest.param("what?is#this&that=1", id="marks-of-urls"),
    pytest.param("x;y,z", id="separators-of-csv"),
    pytest.param("it's\"<b>", id="marks-of-html"),
    pytest.param("*()!@~^`|{}[]_.-", id="other-marks"),
    pytest.param("...", id="three-dots"),
    pytest.param("Zähler-日本語-Ωμέγα", id="letters-of-any-script"),
    pytest.param("🌡-1", id="emoji"),
    pytest.param("نظام", id="right-to-left-letters"),
    pytest.param("a" * 1000, id="1000-bytes"),
    pytest.param("ä" * 500, id="1000-bytes-in-500-letters"),
]
FORBIDDEN = [
    pytest.param("", id="empty"),
    pytest.param("a b", id="space"),
    pytest.param(" a", id="space-before"),
    pytest.param("a ", id="space-after"),
    pytest.param("a\tb", id="tab"),
    pytest.param("a\nb", id="line-feed"),
    pytest.param("a\x7fb", id="delete"),
    pytest.param("a\x85b", id="control-of-the-upper-half"),
    pytest.param("a/b", id="slash"),
    pytest.param("a\\b", id="backslash"),
    pytest.param("a+b", id="plus"),
    pytest.param("a$b", id="dollar"),
    pytest.param("a\u00a0b", id="no-break-space"),
    pytest.param("a\u3000b", id="ideographic-space"),
    pytest.param("a\u2028b", id="line-separator"),
    pytest.param("a\u200bb", id="zero-width-space"),
    pytest.param("a\u200db", id="zero-width-joiner"),
    pytest.param("a\ufeffb", id="byte-order-mark"),
    pytest.param("a\u202eb", id="right-to-left-override"),
    pytest.param("a\u2066b", id="isolate"),
    pytest.param("a\u00adb", id="soft-hyphen"),
    pytest.param("a\ue000b", id="private-use"),
    pytest.param("a\uffffb", id="noncharacter"),
    pytest.param(".", id="dot"),
    pytest.param("..", id="two-dots"),
    pytest.param("acceptAll", id="a-word-of-the-api"),
    pytest.param("limit", id="another-word-of-the-api"),
    pytest.param("a" * 1001, id="1001-bytes"),
    pytest.param("ä" * 501, id="1002-bytes-in-501-letters"),
]
UNSTORABLE = [
    pytest.param("a\x00b", id="nul"),
    pytest.param("a\ud800b", id="half-of-a-surrogate-pair"),
]


@pytest.mark.parametrize("text", ALLOWED)
def test_allowed_id_is_taken_at_every_door(text, api, acme, operator):
    assert clean_device_id(text) == text
    answer = api("acme/operator").post(REQUESTS, {"id": text})
    assert answer.status_code == 201
    assert answer.json()["id"] == text
    Registration.objects.get(device_id=text).remove(by=operator)
    assert Registration.objects.register(acme, text, by=operator).device_id == text


@pytest.mark.parametrize("text", FORBIDDEN + UNSTORABLE)
def test_forbidden_id_is_refused_at_every_door(text, api, acme, operator):
    with pytest.raises(DeviceIdError):
        clean_device_id(text)
    with pytest.raises(DeviceIdError):
        Registration.objects.register(acme, text, by=operator)
    answer = api("acme/operator").post(REQUESTS, {"id": text})
    assert answer.status_code == 422
    assert answer.json()["error"] == "undefined/validationError"
    assert not Registration.objects.exists()


def test_refusal_names_the_character_in_the_words_of_the_contract(api):
    answer = api("acme/operator").post(REQUESTS, {"id": "a b"})
    assert answer.json()["message"] == (
        "Device id 'a b' contains ' ' character which is not permitted."
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a b", "space"),
        ("a$b", '"$"'),
        ("a\u200bb", "zero width space"),
        ("a\tb", "u+0009"),
    ],
)
def test_refusal_names_the_character_so_that_people_can_tell_it(text, said):
    with pytest.raises(DeviceIdError, match=r"contains invalid character") as refusal:
        clean_device_id(text)
    assert said in str(refusal.value).lower()


def test_ids_that_look_the_same_are_the_same(api, device, make_registration):
    composed, decomposed = "Zähler", unicodedata.normalize("NFD", "Zähler")
    assert composed != decomposed
    make_registration(decomposed)
    assert Registration.objects.get().device_id == composed
    operator = api("acme/operator")
    again = operator.post(REQUESTS, {"id": decomposed})
    assert again.json()["error"] == "devicecontrol/Non Unique Result"
    assert "PENDING_ACCEPTANCE" in device.poll(decomposed).json()["message"]
    assert operator.accept(decomposed).json()["status"] == "ACCEPTED"
    assert device.poll(composed).status_code == 201
    assert operator.delete(request_path(decomposed)).status_code == 204


@given(st.text())
def test_what_is_accepted_is_stable_and_contains_nothing_forbidden(text):
    try:
        device_id = clean_device_id(text)
    except DeviceIdError:
        return
    assert clean_device_id(device_id) == device_id == normalize_device_id(text)
    assert not any(is_forbidden(character) for character in device_id)
    assert 0 < len(device_id.encode()) <= 1000
