"""Which IDs and secrets a device of a type can have, before anything is looked up."""

import pytest

from bulk.pair_rules import check_pair
from inventory.models import DeviceType
from registration.device_ids import clean_device_id

PATTERN = r"T2-\d{4}"


def of_type(**details):
    return DeviceType(security_option="shared_secret", **details)


@pytest.mark.parametrize(
    ("device_id", "secret", "code"),
    [
        pytest.param("device1", "secretfordevice1", None, id="published-sample"),
        pytest.param("00-11-22-aa-bb-cc", "12345678", None, id="address-with-dashes"),
        pytest.param("d" * 255, "x" * 256, None, id="longest"),
        pytest.param("d", " !~with blanks ", None, id="blanks-in-a-secret"),
        pytest.param("d", "a:b:c:d:e", None, id="colons-in-a-secret"),
        pytest.param("", "12345678", "empty_id", id="no-id"),
        pytest.param("d\n1", "12345678", "invalid_characters", id="newline-in-an-id"),
        pytest.param("d\x00", "12345678", "invalid_characters", id="nul-in-an-id"),
        pytest.param("d\ud800", "12345678", "invalid_characters", id="half-a-letter"),
        pytest.param("gerät", "12345678", "invalid_characters", id="accent-in-an-id"),
        pytest.param("d" * 256, "12345678", "invalid_device_id", id="too-long-an-id"),
        pytest.param("d 1", "12345678", "invalid_device_id", id="blank-in-an-id"),
        pytest.param("d,1", "12345678", "invalid_device_id", id="comma-in-an-id"),
        pytest.param('d"', "12345678", "invalid_device_id", id="quote-in-an-id"),
        pytest.param("d\\1", "12345678", "invalid_device_id", id="backslash-in-an-id"),
        pytest.param("d/1", "12345678", "invalid_device_id", id="slash-in-an-id"),
        pytest.param("acceptAll", "12345678", "invalid_device_id", id="word-of-the-api"),
        pytest.param("00:11:22", "12345678", "invalid_device_id", id="colon-in-an-id"),
        pytest.param("d", "", "secret_required", id="no-secret"),
        pytest.param("d", "1234567", "secret_too_short", id="short-secret"),
        pytest.param("d", "x" * 257, "secret_too_long", id="long-secret"),
        pytest.param("d", "12345678\x00", "invalid_characters", id="nul-in-a-secret"),
        pytest.param("d", "geheim-für-d", "invalid_characters", id="umlaut-in-a-secret"),
        pytest.param("device-1", "device-1", "secret_equals_id", id="secret-is-the-id"),
    ],
)
def test_a_pair_has_plain_values(device_id, secret, code):
    found = check_pair(of_type(), device_id, secret)
    assert (found and found[0]) == code
    if code is None:
        assert clean_device_id(device_id) == device_id
        return
    assert found[1].endswith(".")
    for value in (device_id, secret):
        assert len(value) < 2 or value not in found[1]


@pytest.mark.parametrize(
    ("device_id", "secret", "code"),
    [
        ("T2-0001", "x" * 12, None),
        ("T2-0001", "x" * 11, "secret_too_short"),
        ("T2-00011", "x" * 12, "pattern_mismatch"),
        ("xT2-0001", "x" * 12, "pattern_mismatch"),
    ],
)
def test_a_type_asks_for_more(device_id, secret, code):
    device_type = of_type(device_id_pattern=PATTERN, min_secret_length=12)
    found = check_pair(device_type, device_id, secret)
    assert (found and found[0]) == code


def test_a_type_without_secrets_takes_addresses_with_colons():
    device_type = DeviceType(security_option="temporary_credentials")
    assert check_pair(device_type, "00:11:22:aa:bb:cc", "") is None
    assert check_pair(device_type, "d/1", "")[0] == "invalid_device_id"
