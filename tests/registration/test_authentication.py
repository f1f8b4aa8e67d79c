"""A device's first login meets an operator who takes the device back in that moment."""

from contextlib import contextmanager

import pytest
from django.db import connection

from inventory.models import DeviceCredentials
from registration.lifecycle import Stage
from registration.models import Registration
from tests.support import Api, knock


@contextmanager
def after_the_password_was_checked(happens):
    """Let something happen after a device's password was found right, before anything is locked."""
    happened = []

    def watch(execute, sql, params, many, context):
        if not happened and 'FROM "registration_registration"' in sql:
            happened.append(sql)
            happens()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield
    assert happened


@pytest.fixture
def delivered(make_registration):
    registration = make_registration("4711", stage=Stage.ACCEPTED)
    return registration, Api("acme/device_4711", knock(registration))


def test_first_login_is_refused_when_the_registration_is_cancelled_meanwhile(delivered, operator):
    registration, device = delivered
    with after_the_password_was_checked(lambda: registration.remove(by=operator)):
        assert device.get("/user/currentUser").status_code == 401
    assert not DeviceCredentials.objects.filter(device_id="4711").exists()


def test_first_login_confirms_nothing_when_the_hand_over_is_opened_again_meanwhile(
    delivered, operator
):
    registration, device = delivered

    def again():
        registration.hand_over_again(by=operator)
        knock(registration)

    with after_the_password_was_checked(again):
        assert device.get("/user/currentUser").status_code == 401
    found = Registration.objects.get(device_id="4711")
    assert found.stage is Stage.DELIVERED
    assert DeviceCredentials.objects.get(device_id="4711").first_login_at is None


def test_id_of_another_tenants_device_cannot_be_registered(
    make_registration, acme, globex, operator, globex_operator, api
):
    registration = make_registration("4711", stage=Stage.ACCEPTED)
    device = Api("acme/device_4711", knock(registration))
    assert device.get("/user/currentUser").status_code == 200
    Registration.objects.get(device_id="4711").remove(by=operator)
    answer = api("globex/operator").post("/devicecontrol/newDeviceRequests", {"id": "4711"})
    assert answer.status_code == 422
    assert answer.json()["error"] == "devicecontrol/Non Unique Result"
    assert device.get("/user/currentUser").status_code == 200
    # At home it may be registered anew, for a device that lost its password.
    assert make_registration("4711", tenant=acme).stage is Stage.WAITING


def test_device_whose_id_has_very_many_colons_logs_in(make_registration):
    device_id = ":".join(["ab"] * 64)
    registration = make_registration(device_id, stage=Stage.ACCEPTED)
    device = Api(f"acme/device_{device_id}", knock(registration))
    assert device.get("/user/currentUser").status_code == 200
