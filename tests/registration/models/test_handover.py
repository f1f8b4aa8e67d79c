"""The hand-over: from delivery over a lost answer to the first login."""

from datetime import timedelta

import pytest
from django.db.models import F

from inventory.models import DeviceCredentials
from registration.errors import DuplicateError, TransitionError
from registration.lifecycle import Stage, Status
from registration.models import Registration
from tenants.actors import Actor
from tenants.options import set_option
from tests.support import DEVICE, Api, kinds, knock

TOKEN = "s3cret"


def works(device_id, password, tenant="acme"):
    """Say whether the device can log in."""
    answer = Api(f"{tenant}/device_{device_id}", password).get("/user/currentUser")
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


def later(registration, **age):
    """Let time pass since the delivery."""
    Registration.objects.filter(pk=registration.pk).update(
        delivered_at=F("delivered_at") - timedelta(**age)
    )


def test_lost_answer_is_given_again_the_same_and_works(make_registration):
    registration = make_registration(stage=Stage.ACCEPTED, token=TOKEN)
    passwords = {knock(registration, TOKEN) for _ in range(4)}
    assert len(passwords) == 1
    assert kinds(registration)[3:] == ["delivered"] + ["delivered-again"] * 3
    assert works(registration.device_id, passwords.pop())


def test_many_deliveries_are_counted_and_leave_ten_events(make_registration):
    registration = make_registration(stage=Stage.ACCEPTED)
    for _ in range(13):
        knock(registration)
    registration.refresh_from_db()
    assert registration.deliveries == 13
    assert len(kinds(registration)) == 3 + 10


def test_first_login_confirms_and_closes_the_hand_over(make_registration, device):
    registration = make_registration(stage=Stage.ACCEPTED)
    password = knock(registration)
    assert works(registration.device_id, password)
    registration.refresh_from_db()
    assert registration.stage is Stage.CONFIRMED
    assert registration.handover_nonce == ""
    answer = device.poll(registration.device_id)
    assert answer.status_code == 404
    assert answer.json()["message"] == (
        f"There is no newDeviceRequest for device id {registration.device_id}."
    )
    assert works(registration.device_id, password)
    assert kinds(registration)[-2:] == ["confirmed", "conflict"]


def test_later_logins_confirm_nothing_again(make_registration):
    registration = make_registration(stage=Stage.ACCEPTED)
    password = knock(registration)
    for _ in range(3):
        assert works(registration.device_id, password)
    assert kinds(registration).count("confirmed") == 1


def test_wrong_password_confirms_nothing(make_registration):
    registration = make_registration(stage=Stage.DELIVERED)
    assert not works(registration.device_id, "x" * 32)
    registration.refresh_from_db()
    assert registration.stage is Stage.DELIVERED


def test_hand_over_closes_when_its_time_is_over(make_registration, device):
    registration = make_registration(stage=Stage.DELIVERED)
    later(registration, hours=23, minutes=59)
    assert device.poll(registration.device_id).status_code == 201
    later(registration, minutes=2)
    answer = device.poll(registration.device_id)
    assert answer.status_code == 404
    assert "There is no newDeviceRequest" in answer.json()["message"]
    assert kinds(registration)[-1] == "conflict"


def test_time_limit_is_an_option_of_the_tenant(make_registration, acme, globex, operator):
    set_option(acme, "device-registration", "handover.time-limit.hours", "48", by=operator)
    registration = make_registration(stage=Stage.DELIVERED)
    elsewhere = make_registration(tenant=globex, stage=Stage.DELIVERED)
    for one in (registration, elsewhere):
        later(one, hours=30)
        one.refresh_from_db()
    assert registration.is_handover_open()
    assert not elsewhere.is_handover_open()


def test_password_still_works_after_the_time_for_fetching_it_again(make_registration):
    registration = make_registration(stage=Stage.ACCEPTED)
    password = knock(registration)
    later(registration, days=3)
    assert works(registration.device_id, password)
    registration.refresh_from_db()
    assert registration.stage is Stage.CONFIRMED


@pytest.mark.parametrize("token", ["", "another"], ids=["no-token", "wrong-token"])
@pytest.mark.parametrize("stage", [Stage.PENDING, Stage.ACCEPTED, Stage.DELIVERED])
def test_stranger_learns_nothing_and_leaves_one_conflict(stage, token, make_registration, device):
    registration = make_registration(stage=stage, token=TOKEN)
    before = kinds(registration)
    for _ in range(3):
        answer = device.poll(registration.device_id, token or None)
        assert answer.status_code == 404
        assert answer.json()["message"] == (
            f"NewDeviceRequest for device id {registration.device_id} is in state "
            "PENDING_ACCEPTANCE, not ACCEPTED."
        )
    registration.refresh_from_db()
    assert registration.stage is stage
    assert registration.conflicts == 3
    assert kinds(registration) == [*before, "conflict"]


def test_device_that_sent_no_token_is_not_served_to_one_that_does(make_registration):
    registration = make_registration(stage=Stage.ACCEPTED)
    assert knock(registration, "late idea") is Status.PENDING_ACCEPTANCE
    assert len(knock(registration)) == 32


def test_of_two_claimants_of_one_id_the_first_token_counts(make_registration, operator):
    registration = make_registration()
    knock(registration, "first")
    knock(registration, "second")
    registration.accept(by=operator, token="first")
    assert knock(registration, "second") is Status.PENDING_ACCEPTANCE
    assert len(knock(registration, "first")) == 32
    conflict = registration.events().get(kind="conflict")
    assert conflict.reason == "Somebody knocked with another security token."


def test_opening_again_makes_a_new_password_and_voids_the_old_one(make_registration, operator):
    registration = make_registration(stage=Stage.ACCEPTED)
    old = knock(registration)
    later(registration, days=2)
    assert knock(registration) is Status.ACCEPTED
    registration.hand_over_again(by=operator)
    assert registration.stage is Stage.ACCEPTED
    # Whoever got the first answer must not slip in between.
    assert not works(registration.device_id, old)
    new = knock(registration)
    assert new != old
    assert not works(registration.device_id, old)
    assert works(registration.device_id, new)


def test_removing_a_reopened_hand_over_leaves_no_password_behind(make_registration, operator):
    registration = make_registration(stage=Stage.ACCEPTED)
    password = knock(registration)
    registration.hand_over_again(by=operator)
    registration.remove(by=operator)
    assert not works(registration.device_id, password)


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.DELIVERED])
def test_only_a_delivered_hand_over_can_be_opened_again(stage, make_registration, operator):
    registration = make_registration(stage=stage)
    with pytest.raises(TransitionError):
        registration.hand_over_again(by=operator)


def test_removing_an_unconfirmed_hand_over_revokes_the_password(make_registration, operator):
    registration = make_registration(stage=Stage.ACCEPTED)
    password = knock(registration)
    registration.remove(by=operator)
    assert not DeviceCredentials.objects.exists()
    assert not works(registration.device_id, password)


def test_removing_a_confirmed_registration_leaves_the_device_in(make_registration, operator):
    registration = make_registration(stage=Stage.ACCEPTED)
    password = knock(registration)
    assert works(registration.device_id, password)
    registration.refresh_from_db()
    registration.remove(by=operator)
    assert works(registration.device_id, password)


def test_confirmed_device_can_be_registered_anew(make_registration, acme, operator):
    registration = make_registration("4711", stage=Stage.ACCEPTED)
    old = knock(registration)
    assert works("4711", old)
    again = make_registration("4711", stage=Stage.ACCEPTED)
    assert works("4711", old)
    new = knock(again)
    assert not works("4711", old)
    assert works("4711", new)
    assert "superseded" in kinds(again)
    assert Registration.objects.count() == 1


def test_confirmed_device_of_another_tenant_cannot_be_registered(
    make_registration, globex, globex_operator
):
    make_registration("4711", stage=Stage.CONFIRMED)
    with pytest.raises(DuplicateError):
        Registration.objects.register(globex, "4711", by=globex_operator)


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.CONFIRMED])
def test_open_registration_cannot_be_registered_twice(stage, make_registration, acme, operator):
    make_registration("4711", stage=stage)
    with pytest.raises(DuplicateError):
        Registration.objects.register(acme, "4711", by=operator)


def test_passwords_of_two_devices_and_two_hand_overs_differ(make_registration, operator):
    passwords = set()
    for _ in range(2):
        registration = make_registration(stage=Stage.ACCEPTED)
        passwords.add(knock(registration))
        registration.hand_over_again(by=operator)
        passwords.add(knock(registration))
    assert len(passwords) == 4


def test_last_contact_is_written_once_a_minute(make_registration):
    registration = make_registration(stage=Stage.PENDING)
    first = Registration.objects.get().last_contact_at
    knock(registration)
    assert Registration.objects.get().last_contact_at == first
    Registration.objects.update(last_contact_at=first - timedelta(seconds=61))
    elsewhere = Actor("device", source="203.0.113.9")
    knock(registration, device=elsewhere)
    row = Registration.objects.get()
    assert row.last_contact_at > first
    assert row.last_contact_from == "203.0.113.9"


def test_confirming_twice_is_one_step(make_registration):
    registration = make_registration(stage=Stage.DELIVERED)
    registration.confirm(device=DEVICE)
    registration.confirm(device=DEVICE)
    assert kinds(registration).count("confirmed") == 1
