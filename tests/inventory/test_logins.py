"""The life of a login: used, shut and opened, renewed, taken away."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inventory import logins
from inventory.errors import LoginError
from inventory.guessing import PER_DEVICE_AND_SOURCE
from inventory.models import DeviceCredentials, DeviceEvent, ManagedObject, State
from registration.lifecycle import Stage
from tenants.models import AuditRecord, VerifiedLogin
from tests.logins import (
    ME,
    api_of,
    comes_in,
    device_kinds,
    let_in,
    login_of,
    registration_of,
    report,
    used_before,
)
from tests.support import knock

WEEK = timedelta(days=7)
AT_ONCE = timedelta(0)


@pytest.fixture
def known(make_registration):
    """A device that has logged in, and its password."""
    return let_in(make_registration, "4711")


# --- Disabled and enabled ------------------------------------------------------------------------


def test_disabled_login_is_shut_at_the_next_request_and_open_when_enabled(known, operator):
    credentials, password = known
    device = api_of(credentials, password)
    logins.disable(credentials, by=operator)
    assert device.get(ME).status_code == 401
    assert login_of("4711").managed_object.state == State.DISABLED
    logins.enable(credentials, by=operator)
    assert device.get(ME).status_code == 200
    assert login_of("4711").managed_object.state == State.CONNECTED
    assert device_kinds("4711") == ["disabled", "enabled"]


def test_what_is_so_already_is_neither_changed_nor_told(known, operator):
    credentials, _ = known
    logins.enable(credentials, by=operator)
    logins.disable(credentials, by=operator)
    logins.disable(credentials, by=operator)
    assert device_kinds("4711") == ["disabled"]


def test_refusal_of_a_disabled_device_reads_like_that_of_an_unknown_one(known, operator, api):
    credentials, password = known
    logins.disable(credentials, by=operator)
    refused = api_of(credentials, password).get(ME)
    unknown = api("acme/device_nobody", password).get(ME)
    assert refused.json() == unknown.json()
    assert refused["WWW-Authenticate"] == unknown["WWW-Authenticate"]


def test_no_cache_remembers_a_device(known, operator):
    """People's checked logins are remembered for a while; those of devices never are."""
    credentials, password = known
    device = api_of(credentials, password)
    for _ in range(3):
        assert device.get(ME).status_code == 200
    assert not VerifiedLogin.objects.exists()


def test_disabled_device_of_one_tenant_leaves_the_others_alone(known, globex, operator,
                                                               make_registration):  # fmt: skip
    theirs, password = let_in(make_registration, "4712", tenant=globex)
    logins.disable(known[0], by=operator)
    assert comes_in(theirs, password)


def test_who_did_it_is_in_the_audit_log_of_the_devices_tenant(known, operator):
    logins.disable(known[0], by=operator)
    entry = AuditRecord.objects.latest("pk")
    assert (entry.tenant_id, entry.type, entry.subject) == ("acme", "DeviceCredentials", "4711")
    assert (entry.activity, entry.actor_name) == ("Device credentials: Login disabled", "operator")


# --- Last use ------------------------------------------------------------------------------------


def test_first_use_is_written_and_the_device_follows(known):
    credentials, _ = known
    assert credentials.last_used_at > timezone.now() - timedelta(minutes=1)
    assert credentials.last_used_from == "127.0.0.1"
    assert credentials.managed_object.last_contact_at == credentials.last_used_at
    assert credentials.managed_object.last_contact_from == "127.0.0.1"


def test_use_is_not_written_again_within_a_minute(known, django_assert_num_queries):
    credentials, password = known
    device = api_of(credentials, password)
    with django_assert_num_queries(2) as seen:  # a Basic login of a person, then the device
        assert device.get(ME).status_code == 200
    assert not [each for each in seen.captured_queries if not each["sql"].startswith("SELECT")]


def test_use_is_written_again_after_a_minute(known):
    credentials, password = known
    used_before(credentials, timedelta(minutes=2))
    assert comes_in(credentials, password)
    after = login_of("4711")
    assert after.last_used_at > timezone.now() - timedelta(minutes=1)
    assert after.managed_object.last_contact_at == after.last_used_at


def test_refused_login_is_no_use(known, operator):
    credentials, password = known
    used_before(credentials, WEEK)
    assert not comes_in(credentials, "guess")
    logins.disable(credentials, by=operator)
    assert not comes_in(credentials, password)
    assert login_of("4711").last_used_at < timezone.now() - timedelta(days=6)


@pytest.mark.parametrize("login", ["device_4711", "device_nobody"], ids=["known", "unknown"])
def test_wrong_password_costs_the_same_whoever_is_asked_for(
    known, api, login, django_assert_num_queries
):
    """Nobody learns from the time that it takes which devices there are."""
    DeviceCredentials.objects.update(last_used_from="192.0.2.9")  # strangers are not at home
    api("acme/device_other", "guess").get(ME)  # whatever the first one of an address writes
    with django_assert_num_queries(14):
        assert api(f"acme/{login}", "guess").get(ME).status_code == 401
    for _ in range(PER_DEVICE_AND_SOURCE - 1):
        api(f"acme/{login}", "guess").get(ME)
    with django_assert_num_queries(4) as seen:
        assert api(f"acme/{login}", "guess").get(ME).status_code == 401
    assert not [each for each in seen.captured_queries if not each["sql"].startswith("SELECT")]


def test_many_colons_are_no_more_questions(known, api, django_assert_num_queries):
    for _ in range(PER_DEVICE_AND_SOURCE):
        api("acme/device_" + ":".join("ab" * 40), "guess").get(ME)
    with django_assert_num_queries(4):
        assert api("acme/device_" + ":".join("ab" * 40), "guess").get(ME).status_code == 401


# --- Rotation ------------------------------------------------------------------------------------


def test_old_password_counts_until_the_new_one_is_used(known, operator):
    credentials, old = known
    new = logins.rotate(credentials, overlap=WEEK, by=operator)
    assert new != old
    assert comes_in(credentials, old)
    assert comes_in(credentials, old)
    assert login_of("4711").is_rotating
    assert comes_in(credentials, new)
    assert not comes_in(credentials, old)
    assert comes_in(credentials, new)
    assert not login_of("4711").is_rotating
    assert device_kinds("4711") == ["rotated", "rotation-done"]


def test_new_password_may_be_used_before_the_old_one_is_used_again(known, operator):
    credentials, old = known
    new = logins.rotate(credentials, overlap=WEEK, by=operator)
    assert comes_in(credentials, new)
    assert not comes_in(credentials, old)


def test_old_password_stops_at_the_limit_though_the_new_one_was_never_used(known, operator):
    credentials, old = known
    new = logins.rotate(credentials, overlap=timedelta(hours=1), by=operator)
    DeviceCredentials.objects.update(previous_until=timezone.now() + timedelta(seconds=30))
    assert comes_in(credentials, old)
    DeviceCredentials.objects.update(previous_until=timezone.now())
    assert not comes_in(credentials, old)
    assert comes_in(credentials, new)
    assert device_kinds("4711") == ["rotated", "rotation-done"]


def test_without_overlap_the_old_password_is_void_at_once(known, operator):
    credentials, old = known
    new = logins.rotate(credentials, overlap=AT_ONCE, by=operator)
    assert not comes_in(credentials, old)
    assert comes_in(credentials, new)
    assert device_kinds("4711") == ["rotated"]


def test_new_password_that_got_lost_is_void_with_the_next_and_the_device_stays_in(known, operator):
    credentials, first = known
    lost = logins.rotate(credentials, overlap=WEEK, by=operator)
    third = logins.rotate(credentials, overlap=WEEK, by=operator)
    assert not comes_in(credentials, lost)
    assert comes_in(credentials, first)
    assert comes_in(credentials, third)
    assert not comes_in(credentials, first)


def test_device_that_missed_the_time_limit_gets_another_with_the_next_rotation(known, operator):
    credentials, first = known
    logins.rotate(credentials, overlap=WEEK, by=operator)
    DeviceCredentials.objects.update(previous_until=timezone.now())
    assert not comes_in(credentials, first)
    logins.rotate(credentials, overlap=WEEK, by=operator)
    assert comes_in(credentials, first)
    logins.rotate(credentials, overlap=timedelta(0), by=operator)
    assert not comes_in(credentials, first)


def test_disabled_login_can_be_rotated_and_stays_shut(known, operator):
    credentials, old = known
    logins.disable(credentials, by=operator)
    new = logins.rotate(credentials, overlap=WEEK, by=operator)
    assert not comes_in(credentials, old)
    assert not comes_in(credentials, new)
    assert login_of("4711").managed_object.state == State.DISABLED
    logins.enable(credentials, by=operator)
    assert comes_in(credentials, old)
    assert comes_in(credentials, new)


def test_password_that_is_still_being_handed_over_is_not_rotated(make_registration, operator):
    credentials, password = let_in(make_registration, "4711", logs_in=False)
    with pytest.raises(LoginError, match="has not logged in with its first password yet"):
        logins.rotate(credentials, overlap=WEEK, by=operator)
    assert comes_in(credentials, password)
    logins.rotate(credentials, overlap=WEEK, by=operator)


def test_new_hand_over_ends_a_rotation(known, operator, make_registration):
    credentials, old = known
    new = logins.rotate(credentials, overlap=WEEK, by=operator)
    newest = knock(make_registration("4711", stage=Stage.ACCEPTED))
    assert comes_in(credentials, newest)
    assert not comes_in(credentials, old)
    assert not comes_in(credentials, new)


def test_how_long_the_old_password_counts_is_told_and_no_password_is(known, operator):
    credentials, old = known
    new = logins.rotate(credentials, overlap=WEEK, by=operator)
    event = DeviceEvent.objects.get(kind="rotated")
    assert f"{login_of('4711').previous_until:%-d %b %Y, %H:%M} UTC" in event.text
    told = "".join(str(row) for row in [*DeviceEvent.objects.values(),
                                        *AuditRecord.objects.values()])  # fmt: skip
    assert old not in told
    assert new not in told


# --- Revoked -------------------------------------------------------------------------------------


def test_revoked_login_has_no_password_and_can_be_given_one(known, operator):
    credentials, old = known
    rotated = logins.rotate(credentials, overlap=WEEK, by=operator)
    logins.revoke(credentials, by=operator)
    logins.revoke(credentials, by=operator)
    for password in (old, rotated):
        assert not comes_in(credentials, password)
    assert login_of("4711").managed_object.state == State.DISABLED
    new = logins.rotate(credentials, overlap=WEEK, by=operator)
    assert not comes_in(credentials, old)
    assert comes_in(credentials, new)
    assert login_of("4711").managed_object.state == State.CONNECTED
    assert device_kinds("4711") == ["rotated", "revoked", "rotated"]


def test_empty_password_opens_no_revoked_login(known, operator, api):
    logins.revoke(known[0], by=operator)
    for header in ("acme/device_4711", "device_4711"):
        assert api(header, "").get(ME).status_code == 401


def test_revoking_a_password_on_its_way_and_giving_another_confirms_the_hand_over(
    make_registration, operator
):
    credentials, first = let_in(make_registration, "4711", logs_in=False)
    logins.revoke(credentials, by=operator)
    assert not comes_in(credentials, first)
    new = logins.rotate(credentials, overlap=WEEK, by=operator)
    assert login_of("4711").managed_object.state == State.NEVER_CONNECTED
    assert comes_in(credentials, new)
    assert registration_of("4711").stage is Stage.CONFIRMED


# --- Gone ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["disable", "enable", "revoke", "delete_login"])
def test_login_that_somebody_deleted_meanwhile_is_not_there(known, operator, action):
    credentials, _ = known
    logins.delete_login(login_of("4711"), by=operator)
    before = device_kinds("4711")
    with pytest.raises(DeviceCredentials.DoesNotExist):
        getattr(logins, action)(credentials, by=operator)
    assert device_kinds("4711") == before


def test_device_that_never_reported_goes_with_its_login(known, operator):
    logins.delete_login(known[0], by=operator)
    assert not ManagedObject.objects.filter(device_id="4711").exists()
    assert device_kinds("4711")[-1] == "deleted"


def test_device_that_reported_stays_without_a_login(known, operator):
    device = report(known[0])
    logins.delete_login(known[0], by=operator, reason="Sold.")
    device.refresh_from_db()
    assert (device.state, device.device_id) == (State.NONE, "4711")
    event = DeviceEvent.objects.latest("pk")
    assert (event.kind, event.object_number, event.text) == ("deleted", device.pk, "Sold.")


def test_deleted_device_that_is_let_in_again_gets_its_object_back(
    known, operator, make_registration
):
    device = report(known[0])
    logins.delete_login(known[0], by=operator)
    again, _ = let_in(make_registration, "4711")
    assert again.managed_object_id == device.pk
    assert ManagedObject.objects.get(pk=device.pk).state == State.CONNECTED


def test_longest_id_can_be_let_in_and_report_twice(make_registration):
    """Its user name is longer than the columns that keep who did something."""
    credentials, _ = let_in(make_registration, "x" * 1000)
    report(credentials).delete()
    assert report(login_of("x" * 1000)).created_by_name.startswith("device_xxx")
