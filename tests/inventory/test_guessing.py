"""Guessing the passwords of devices ends; shutting a device out by it does not begin."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory import logins
from inventory.device_types import TypeDetails, create_type
from inventory.guessing import FEW, PER_DEVICE, PER_DEVICE_AND_SOURCE, PER_SOURCE, THROTTLED
from inventory.models import DeviceCredentials
from tenants.models import AuditRecord, FailedSignIns, Tenant
from tests.consoles import Console, read
from tests.logins import ME, api_of, let_in, login_of
from tests.support import Api, at_once

HOME = "127.0.0.1"
ELSEWHERE = "203.0.113.9"
DEVICE_ME = "/device/me"


def logs_in(device_id, password, source=ELSEWHERE, tenant="acme", path=ME):
    """Say whether a device comes in from an address with a password."""
    caller = Api(f"{tenant}/device_{device_id}", password)
    answer = caller.client.get(path, headers=caller.headers, REMOTE_ADDR=source)
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


def guess(device_id, times, source=ELSEWHERE, **more):
    for number in range(times):
        assert not logs_in(device_id, f"guess {number}", source, **more)


def many_addresses(number):
    return [f"198.51.{n // 250}.{n % 250 + 1}" for n in range(number)]


@pytest.fixture
def known(make_registration):
    """A device that logged in from home, and its password."""
    return let_in(make_registration, "4711")[1]


@pytest.fixture
def fresh(acme):
    """A device that has a secret and never used it."""
    DeviceCredentials.issue(acme, "4712", "a secret made elsewhere")
    return "a secret made elsewhere"


def test_guessing_from_one_address_ends_and_the_device_notices_nothing(known):
    guess("4711", PER_DEVICE_AND_SOURCE)
    assert not logs_in("4711", known)  # the next guess of this address would have been right
    assert logs_in("4711", known, HOME)
    assert logs_in("4711", known, "192.0.2.77")  # and wherever else it comes from
    FailedSignIns.objects.update(window_ends_at=timezone.now())
    assert logs_in("4711", known)


def test_wrong_passwords_from_the_own_address_do_not_shut_it_out(known):
    guess("4711", PER_DEVICE_AND_SOURCE + 2, HOME)
    assert logs_in("4711", known, HOME)


def test_own_address_of_ipv6_is_the_whole_network(known):
    DeviceCredentials.objects.update(last_used_from="2001:db8:1:2::7")
    guess("4711", PER_DEVICE_AND_SOURCE, "2001:db8:1:2::bad")
    assert logs_in("4711", known, "2001:db8:1:2:aaaa::1")


def test_guessing_from_many_addresses_gets_few_tries_and_the_device_its_own(known, fresh):
    for device_id, password in (("4711", known), ("4712", fresh)):
        for source in many_addresses(PER_DEVICE):
            guess(device_id, 1, source)
        guess(device_id, FEW, ELSEWHERE)
        assert not logs_in(device_id, password, ELSEWHERE)
        assert logs_in(device_id, password, "192.0.2.77")  # a new address, even for the first login
    said = AuditRecord.objects.filter(activity=THROTTLED).values_list("subject", "text")
    text = "Wrong passwords from many addresses."
    assert sorted(said) == [("4711", text), ("4712", text)]


def test_one_address_at_many_devices_is_not_listened_to(known, fresh, acme, globex):
    for number in range(PER_SOURCE):
        DeviceCredentials.issue(globex, f"device-{number}", "x" * 32)
        guess(f"device-{number}", 2 if number < 3 else 1, tenant="globex")
    assert not logs_in("4712", fresh)
    assert logs_in("4712", fresh, "192.0.2.77")
    said = AuditRecord.objects.get(activity=THROTTLED)
    assert (said.tenant_id, said.subject) == ("management", ELSEWHERE)
    DeviceCredentials.objects.filter(device_id="4711").update(last_used_from=ELSEWHERE)
    assert logs_in("4711", known)


def test_device_that_is_set_up_wrongly_does_not_use_up_its_address(fresh, acme):
    DeviceCredentials.issue(acme, "wrong", "x" * 32)
    guess("wrong", 2 * PER_DEVICE_AND_SOURCE)
    assert logs_in("4712", fresh)


def test_right_password_from_home_writes_and_counts_nothing(known):
    with CaptureQueriesContext(connection) as queries:
        assert logs_in("4711", known, HOME)
    written = [q["sql"] for q in queries if not q["sql"].startswith(("SELECT", "SAVEPOINT"))]
    assert written == []
    assert not any("failedsignins" in each["sql"] for each in queries)


def test_guesses_that_are_not_looked_at_write_nothing(known):
    guess("4711", PER_DEVICE_AND_SOURCE)
    with CaptureQueriesContext(connection) as queries:
        guess("4711", 3)
    assert all(each["sql"].startswith("SELECT") for each in queries)


def test_id_with_colons_is_no_wrong_password_of_a_shorter_one(make_registration, acme):
    DeviceCredentials.issue(acme, "aa", "x" * 32)
    _, password = let_in(make_registration, "aa:bb")
    assert logs_in("aa:bb", password)
    assert login_of("aa").failed_logins == 0


@pytest.mark.parametrize("device_id", ["4711", "nobody"])
def test_refusals_are_all_the_same(device_id, known, operator):
    bodies = set()
    for number in range(PER_DEVICE_AND_SOURCE + 2):
        answer = Api(f"acme/device_{device_id}", f"guess {number}").get(DEVICE_ME)
        assert answer.status_code == 401
        bodies.add((answer.content, answer["WWW-Authenticate"], "Retry-After" in answer))
    logins.disable(login_of("4711"), by=operator)
    answer = Api(f"acme/device_{device_id}", known).get(DEVICE_ME)
    bodies.add((answer.content, answer["WWW-Authenticate"], "Retry-After" in answer))
    assert len(bodies) == 1


def test_disabled_device_that_goes_on_is_not_one_that_guesses(known, operator):
    logins.disable(login_of("4711"), by=operator)
    for source in (HOME, ELSEWHERE):
        assert not logs_in("4711", known, source)
    assert login_of("4711").failed_logins == 0
    assert not FailedSignIns.objects.filter(number__gt=0).exists()


def test_people_see_wrong_passwords_for_an_hour(known):
    device = login_of("4711").managed_object_id
    guess("4711", PER_DEVICE_AND_SOURCE + 5)
    page = read(Console("acme/reader").get(f"/devices/{device}/")).text
    assert "10 wrong passwords lately" in page
    assert f"from {ELSEWHERE}" in page
    said = AuditRecord.objects.get(activity=THROTTLED)
    assert (said.tenant_id, said.subject, said.source) == ("acme", "4711", ELSEWHERE)
    long_ago = timezone.now() - timedelta(minutes=61)
    DeviceCredentials.objects.update(last_failed_at=long_ago)
    assert "lately" not in read(Console("acme/reader").get(f"/devices/{device}/")).text
    guess("4711", 1, "192.0.2.77")
    assert login_of("4711").failed_logins == 1


# --- Who am I --------------------------------------------------------------------------------


def test_device_asks_who_it_is(make_registration, acme, operator):
    details = TypeDetails("Thermostat", security_option="temporary_credentials")
    thermostat = create_type(acme, details, by=operator)
    plain = let_in(make_registration, "4711")
    typed = let_in(make_registration, "aa:bb", device_type=thermostat)
    for (credentials, password), name, number in (
        (plain, None, None),
        (typed, "Thermostat", thermostat.pk),
    ):
        answer = api_of(credentials, password).get(DEVICE_ME)
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/json"
        assert answer.json() == {
            "tenant": "acme",
            "device_id": credentials.device_id,
            "device_type": name,
            "device_type_id": number,
        }
        assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("login", ["acme/operator", "management/administrator"])
def test_person_is_no_device(login, api):
    assert api(login).get(DEVICE_ME).status_code == 404


def test_device_of_a_suspended_tenant_is_refused(known):
    Tenant.objects.filter(pk="acme").update(status="SUSPENDED")
    assert not logs_in("4711", known, HOME, path=DEVICE_ME)


# --- At the same moment ----------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_hundred_guesses_at_once_get_no_further_than_one_after_the_other(acme):
    DeviceCredentials.issue(acme, "4711", "x" * 32)
    at_once(*[lambda n=n: logs_in("4711", f"guess {n}") for n in range(40)])
    assert login_of("4711").failed_logins == PER_DEVICE_AND_SOURCE
    assert not logs_in("4711", "x" * 32)
    assert logs_in("4711", "x" * 32, HOME)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_right_password_comes_in_while_strangers_guess(acme):
    DeviceCredentials.issue(acme, "4711", "x" * 32)
    assert logs_in("4711", "x" * 32, HOME)
    guesses = [lambda n=n: logs_in("4711", f"guess {n}") for n in range(20)]
    right = [lambda: logs_in("4711", "x" * 32, HOME) for _ in range(10)]
    assert at_once(*guesses, *right) == [False] * 20 + [True] * 10
