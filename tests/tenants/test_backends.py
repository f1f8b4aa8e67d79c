"""Passwords at the API: checked slowly and seldom, void at once when something changes."""

from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db.models import F
from django.test import Client

from tenants import backends
from tenants.backends import find_user
from tenants.models import User, VerifiedLogin
from tests.support import PASSWORD, REQUESTS, give_rights

ME = "/user/currentUser"


class CountingHasher(MD5PasswordHasher):
    """Django's hasher, counting how often a password was really checked."""

    algorithm = "counting"
    checks = 0

    def verify(self, password, encoded):
        type(self).checks += 1
        return super().verify(password, encoded)


@pytest.fixture
def slow(settings, person):
    """Return the account of an operator whose password checks are counted."""
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    CountingHasher.checks = 0
    user = person("acme/operator")
    user.set_password(PASSWORD)
    user.save()
    return user


def test_slow_hash_runs_once_and_not_again_within_the_window(slow, api):
    for _ in range(5):
        assert api("acme/operator").get(ME).status_code == 200
    assert CountingHasher.checks == 1
    VerifiedLogin.objects.update(expires_at=F("expires_at") - timedelta(seconds=301))
    assert api("acme/operator").get(ME).status_code == 200
    assert CountingHasher.checks == 2


def test_wrong_password_is_not_remembered(slow, api):
    for _ in range(2):
        assert api("acme/operator", "guess").get(ME).status_code == 401
    assert CountingHasher.checks == 2
    assert not VerifiedLogin.objects.exists()


def test_verified_login_says_nothing_about_another_password(slow, api):
    assert api("acme/operator").get(ME).status_code == 200
    assert api("acme/operator", PASSWORD + " ").get(ME).status_code == 401
    assert api("globex/operator", "guess").get(ME).status_code == 401


def test_new_password_voids_the_old_one_at_once(slow, api):
    assert api("acme/operator").get(ME).status_code == 200
    slow.set_password("another one entirely")
    slow.save()
    assert api("acme/operator").get(ME).status_code == 401
    assert api("acme/operator", "another one entirely").get(ME).status_code == 200


def test_deactivated_account_is_out_at_once_and_back_with_a_fresh_check(slow, api):
    assert api("acme/operator").get(ME).status_code == 200
    slow.is_active = False
    slow.save()
    assert api("acme/operator").get(ME).status_code == 401
    slow.is_active = True
    slow.save()
    assert api("acme/operator").get(ME).status_code == 200
    # Once to get in, once in vain, once again after the change.
    assert CountingHasher.checks == 3


def test_right_that_was_taken_away_is_gone_at_once(slow, api):
    assert api("acme/operator").post(REQUESTS, {"id": "a"}).status_code == 201
    give_rights(slow, "ROLE_DEVICE_CONTROL_READ")
    assert api("acme/operator").post(REQUESTS, {"id": "b"}).status_code == 403
    assert api("acme/operator").get(REQUESTS).status_code == 200


def test_mere_sign_in_leaves_what_was_verified_valid(slow, api):
    assert api("acme/operator").get(ME).status_code == 200
    slow.save(update_fields=["last_login"])
    assert api("acme/operator").get(ME).status_code == 200
    assert CountingHasher.checks == 1


def test_suspended_tenant_is_out_at_once_and_back_when_it_returns(api, acme):
    assert api("acme/operator").get(ME).status_code == 200
    acme.status = "SUSPENDED"
    acme.save()
    assert api("acme/operator").get(ME).status_code == 401
    assert api("globex/operator").get(ME).status_code == 200
    acme.status = "ACTIVE"
    acme.save()
    assert api("acme/operator").get(ME).status_code == 200


def test_expired_logins_are_swept_out(api):
    api("acme/operator").get(ME)
    VerifiedLogin.objects.update(expires_at=F("expires_at") - timedelta(hours=1))
    api("acme/reader").get(ME)
    assert VerifiedLogin.objects.count() == 1


def test_service_account_has_a_secret_and_no_password(api, person, device):
    assert device.poll("4711").status_code == 404
    user = person("management/devicebootstrap")
    user.secret_digest = ""
    user.set_unusable_password()
    user.save()
    assert device.poll("4711").status_code == 401


def test_name_is_found_without_tenant_where_it_is_clear_who_is_meant(house, person):
    user = person("acme/operator")
    user.username = "unique"
    user.save()
    assert find_user("unique") == user
    assert find_user("reader") == person("management/reader")
    person("management/reader").delete()
    assert find_user("reader") is None
    assert find_user("acme/reader") == person("acme/reader")
    assert find_user("nobody/reader") is None
    assert find_user("/reader") is None
    assert find_user("") is None


def test_stamp_grows_with_every_change(person):
    user = person("acme/operator")
    before = user.stamp
    user.save()
    user.save(update_fields=["roles"])
    assert User.objects.get(pk=user.pk).stamp == user.stamp == before + 2


def test_flood_of_wrong_passwords_is_told_to_wait_and_service_accounts_are_not(api, device):
    with ExitStack() as stack:
        for _ in range(backends.SLOW_CHECKS):
            backends._slow_check.acquire()
            stack.callback(backends._slow_check.release)
        answer = api("acme/nobody").get("/user/currentUser")
        assert answer.status_code == 503
        assert int(answer["Retry-After"]) > 0
        assert answer.json()["error"] == "security/Busy"
        assert device.poll("unknown").status_code == 404
        page = Client().post("/sign-in/", {"username": "acme/operator", "password": "x"})
        assert page.status_code == 422
        assert "Try again in a moment" in page.content.decode()
    assert api("acme/operator").get("/user/currentUser").status_code == 200


def test_account_that_devices_knock_with_cannot_sign_in_to_the_console(house):
    login = {"username": "management/devicebootstrap", "password": PASSWORD}
    assert Client().post("/sign-in/", login).status_code == 422
