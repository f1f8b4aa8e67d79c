"""Nothing that opens a door stands in the database."""

from django.apps import apps

from registration.lifecycle import Stage
from tests.support import PASSWORD, basic, knock

TOKEN = "a-very-secret-token"
GUESS = "a-wrong-token"


def everything():
    """Return the text of every column of every row of every table."""
    return "\n".join(
        repr(row) for model in apps.get_models() for row in model._base_manager.values()
    )


def test_no_secret_is_in_the_database(api, device, make_registration, operator):
    passwords = []
    for number in range(3):
        registration = make_registration(f"device-{number}")
        device.poll(registration.device_id, TOKEN)
        api("acme/operator").accept(registration.device_id, GUESS)
        assert api("acme/operator").accept(registration.device_id, TOKEN).status_code == 200
        passwords.append(device.poll(registration.device_id, TOKEN).json()["password"])
    device.poll("device-0", GUESS)
    assert api("acme/device_device-1", passwords[1]).get("/user/currentUser").status_code == 200
    api("acme/operator").get("/user/currentUser")
    text = everything()
    assert "device-0" in text
    header = basic("acme/operator").removeprefix("Basic ")
    for secret in (TOKEN, GUESS, PASSWORD, header, *passwords):
        assert secret not in text


def test_same_token_of_two_devices_cannot_be_told_from_what_is_kept(make_registration):
    one, other = (make_registration(stage=Stage.PENDING, token=TOKEN) for _ in range(2))
    assert one.token_digest != other.token_digest
    assert len(one.token_digest) == 64


def test_what_is_kept_is_worthless_without_the_key(make_registration, settings):
    registration = make_registration(stage=Stage.DELIVERED)
    assert registration.handover_nonce
    password = knock(registration)
    assert registration.handover_nonce not in password
    assert password not in everything()


def test_no_answer_repeats_a_token(api, device, make_registration):
    make_registration("4711", stage=Stage.PENDING, token=TOKEN)
    answers = [
        device.poll("4711", TOKEN),
        device.poll("4711", GUESS),
        api("acme/operator").accept("4711", GUESS),
        api("acme/operator").accept("4711", TOKEN),
        api("acme/operator").get("/devicecontrol/newDeviceRequests/4711"),
    ]
    for answer in answers:
        assert TOKEN not in answer.content.decode()
        assert GUESS not in answer.content.decode()
        assert "oken" not in answer.content.decode()
