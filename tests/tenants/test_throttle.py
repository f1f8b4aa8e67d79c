"""Guessing ends; nobody is shut out for ever, and nobody by what strangers do."""

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db.models import F
from django.test import Client, RequestFactory

from tenants import throttle
from tenants.models import AuditRecord, FailedSignIns, KnownSource, VerifiedLogin
from tenants.throttle import ThrottledError
from tests.consoles import SIGN_IN, read
from tests.support import PASSWORD, REQUESTS, at_once, basic

ME = "/user/currentUser"
HERE, THERE = "198.51.100.1", "203.0.113.9"


class CountingHasher(MD5PasswordHasher):
    """Django's hasher, counting how many passwords were looked at."""

    algorithm = "counting"
    checks = 0
    lock = threading.Lock()

    def verify(self, password, encoded):
        with self.lock:
            type(self).checks += 1
        return super().verify(password, encoded)


@pytest.fixture
def counted(settings, person):
    """Return the operator of acme, whose password checks are counted."""
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher", *settings.PASSWORD_HASHERS]
    user = person("acme/operator")
    user.set_password(PASSWORD)
    user.save()
    CountingHasher.checks = 0
    return user


def sign_in(login="acme/operator", password=PASSWORD, *, source=HERE, client=None):
    client = client or Client()
    return client.post(SIGN_IN, {"username": login, "password": password}, REMOTE_ADDR=source)


def call(login="acme/operator", password=PASSWORD, *, source=HERE):
    headers = {"Authorization": basic(login, password)}
    return Client().get(ME, REMOTE_ADDR=source, headers=headers)


def fail(times, login="acme/operator", *, source=HERE):
    return [sign_in(login, "wrong", source=source).status_code for _ in range(times)]


def flood(number, login="acme/operator"):
    """Fail once from each of many addresses."""
    return [
        sign_in(login, "wrong", source=f"192.0.2.{each}").status_code
        for each in range(1, number + 1)
    ]


def pass_time(**how):
    moved = F("window_ends_at") - timedelta(**how)
    FailedSignIns.objects.update(window_ends_at=moved)


def test_tenth_failure_is_the_last_that_is_looked_at(counted):
    assert fail(12) == [422] * 10 + [429] * 2
    assert CountingHasher.checks == 10


def test_right_password_is_not_looked_at_either_while_throttled(counted):
    fail(10)
    answer = sign_in()
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 15 * 60
    assert "Too many failed attempts. Try again in 15 minutes." in read(answer).text
    assert CountingHasher.checks == 10


def test_api_says_so_in_json(counted):
    for _ in range(10):
        assert call(password="wrong").status_code == 401
    answer = call()
    assert answer.status_code == 429
    assert answer.json()["error"] == "security/TooManyRequests"
    assert 1 <= int(answer["Retry-After"]) <= 15 * 60
    assert "WWW-Authenticate" not in answer


def test_console_and_api_count_together(counted):
    fail(5)
    for _ in range(5):
        call(password="wrong")
    assert (sign_in().status_code, call().status_code) == (429, 429)


def test_window_ends_by_itself(counted):
    fail(11)
    pass_time(minutes=14)
    assert sign_in().status_code == 429
    pass_time(minutes=2)
    assert sign_in().status_code == 302


def test_refused_tries_do_not_make_the_window_longer(counted):
    fail(10)
    ends = set(FailedSignIns.objects.values_list("window_ends_at", flat=True))
    fail(5)
    assert set(FailedSignIns.objects.values_list("window_ends_at", flat=True)) == ends


def test_success_forgets_the_failures_at_this_source(counted):
    for _ in range(3):
        assert fail(9) == [422] * 9
        assert sign_in().status_code == 302


def test_other_accounts_and_other_sources_are_not_concerned(counted):
    fail(11)
    assert sign_in("globex/operator").status_code == 302
    assert sign_in("acme/reader").status_code == 302
    assert sign_in(source=THERE).status_code == 302


def test_names_of_one_account_are_counted_together(counted):
    counted.username = "anna"
    counted.save()
    fail(5, "anna")
    assert fail(6, "acme/anna") == [422] * 5 + [429]


@pytest.mark.parametrize("login", ["acme/nobody", "nowhere/operator", "nobody"])
def test_unknown_account_is_answered_like_a_known_one(counted, login):
    assert fail(11, login) == fail(11)
    unknown, known = (sign_in(each) for each in (login, "acme/operator"))
    assert unknown.status_code == known.status_code == 429
    assert abs(int(unknown["Retry-After"]) - int(known["Retry-After"])) < 15  # when it began
    assert read(unknown).classed("alert")[0].text == read(known).classed("alert")[0].text


def test_flood_from_many_addresses_ends_for_the_account(counted):
    assert flood(52) == [422] * 50 + [429] * 2
    assert CountingHasher.checks == 50
    assert sign_in(source=THERE).status_code == 429
    assert sign_in("globex/operator", source=THERE).status_code == 302


def test_flood_of_strangers_does_not_hinder_where_the_person_signed_in_from(counted):
    assert sign_in(source=THERE).status_code == 302
    flood(51)
    assert sign_in(source=THERE).status_code == 302
    assert sign_in(source=HERE).status_code == 429


def test_flood_does_not_hinder_a_program_that_called_from_there(counted):
    assert call(source=THERE).status_code == 200
    VerifiedLogin.objects.all().delete()
    flood(51)
    assert call(source=THERE).status_code == 200
    assert call(source=HERE).status_code == 200  # what was verified needs no check


def test_source_is_known_for_a_month(counted):
    sign_in(source=THERE)
    KnownSource.objects.update(last_used_at=F("last_used_at") - timedelta(days=31))
    flood(51)
    assert sign_in(source=THERE).status_code == 429
    pass_time(minutes=16)
    sign_in(source=HERE)
    assert [one.source for one in KnownSource.objects.all()] == [HERE]


def test_browser_that_signed_in_before_is_let_in_from_anywhere(counted):
    browser = Client()
    sign_in(client=browser, source=HERE)
    cookie = browser.cookies["gatehouse_known"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    browser.post("/sign-out/")
    flood(51)
    fail(100, "acme/nobody", source=THERE)
    fail(10, source=THERE)
    assert sign_in(source=THERE).status_code == 429
    assert sign_in(source=THERE, client=browser).status_code == 302


def test_known_browser_guesses_no_more_than_others(counted):
    browser = Client()
    sign_in(client=browser)
    browser.post("/sign-out/")
    codes = [sign_in(password="wrong", client=browser).status_code for _ in range(11)]
    assert codes == [422] * 10 + [429]
    assert sign_in(client=Client()).status_code == 302  # it used up nothing but its own


def test_browser_is_known_to_those_who_signed_in_with_it_only(counted):
    browser = Client()
    for login in ("acme/operator", "globex/operator"):
        sign_in(login, client=browser)
        browser.post("/sign-out/")
    flood(51)
    flood(51, "acme/reader")
    assert sign_in(client=browser, source=THERE).status_code == 302
    browser.post("/sign-out/")
    assert sign_in("acme/reader", client=browser, source=THERE).status_code == 429


@pytest.mark.parametrize("value", ["", "x", "e30:forged:signature", "\x00", "{}"])
def test_forged_cookie_of_a_browser_says_nothing(counted, value):
    browser = Client()
    browser.cookies["gatehouse_known"] = value
    flood(50)
    assert sign_in(client=browser).status_code == 429


def test_cookie_is_sent_over_tls_only_where_the_session_is(counted, settings):
    settings.SESSION_COOKIE_SECURE = True
    assert sign_in().cookies["gatehouse_known"]["secure"]


def test_spray_over_many_accounts_ends_for_the_source(counted):
    codes = [fail(1, f"acme/user-{each}")[0] for each in range(102)]
    assert codes == [422] * 100 + [429] * 2
    assert sign_in("globex/reader").status_code == 429
    assert sign_in("globex/reader", source=THERE).status_code == 302


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "nonsense", True),
    ],
)
def test_network_of_ipv6_is_one_source(one, other, same):
    sources = {
        throttle.source_of(RequestFactory().get("/", REMOTE_ADDR=each)) for each in (one, other)
    }
    assert len(sources) == (1 if same else 2)


def test_devices_and_their_bootstrap_account_are_not_throttled(counted, api, device):
    fail(11)
    for _ in range(12):
        assert api("management/devicebootstrap", "wrong").get(REQUESTS).status_code == 401
        assert api("acme/device_4711", "wrong").get(ME).status_code == 401
    assert device.poll("4711").status_code == 404


def test_void_token_is_no_failure_of_its_owner(counted):
    for _ in range(12):
        assert call(password="ght_void").status_code == 401
    assert CountingHasher.checks == 0
    assert not FailedSignIns.objects.exists()


def test_old_windows_are_removed_in_passing(counted):
    fail(1)
    flood(5)
    pass_time(minutes=16)
    fail(1, "globex/operator", source=THERE)
    assert FailedSignIns.objects.count() == 3


def test_counters_name_nobody(counted):
    fail(1)
    fail(1, "acme/nobody")
    kept = str(list(FailedSignIns.objects.values()))
    assert not any(text in kept for text in ("operator", "nobody", "acme", HERE))


def test_audit_log_has_failures_of_accounts_that_exist_and_no_typed_text(counted):
    fail(1)
    fail(3, "acme/a-password-typed-as-a-name")
    [entry] = AuditRecord.objects.all()
    assert (entry.type, entry.activity) == ("UserAuthentication", "Sign-in failed")
    assert (entry.tenant_id, entry.subject, entry.source) == ("acme", "acme/operator", HERE)
    assert "typed" not in str(list(AuditRecord.objects.values()))


def test_audit_log_says_once_per_window_that_throttling_began(counted):
    fail(13)
    found = AuditRecord.objects.filter(activity="Sign-in throttled")
    assert [(one.tenant_id, one.subject, one.severity) for one in found] == [
        ("acme", "acme/operator", "WARNING")
    ]
    pass_time(minutes=16)
    fail(13)
    assert found.all().count() == 2
    for each in range(103):
        fail(1, f"acme/user-{each}", source=THERE)
    assert [one.subject for one in found.filter(tenant_id="management")] == [THERE]


def test_try_is_counted_in_few_queries(counted, django_assert_max_num_queries):
    request = RequestFactory().get("/", REMOTE_ADDR=HERE)
    throttle.begin(request, "acme/operator", counted)
    with django_assert_max_num_queries(4):
        throttle.begin(request, "acme/operator", counted)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("login", ["acme/operator", "acme/nobody"])
def test_hundred_guesses_at_once_get_no_further_than_ten(counted, login):
    request = RequestFactory().get("/", REMOTE_ADDR=HERE)
    user = counted if login == "acme/operator" else None
    results = at_once(*[lambda: throttle.begin(request, login, user)] * 100)
    assert sum(isinstance(one, throttle.Attempt) for one in results) == 10
    assert sum(isinstance(one, ThrottledError) for one in results) == 90


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_hundred_wrong_logins_at_once_evaluate_ten(counted, monkeypatch):
    monkeypatch.setattr("tenants.backends.SLOW_CHECK_PATIENCE", 60)
    results = at_once(*[lambda: call(password="wrong").status_code] * 100)
    assert sorted(results) == [401] * 10 + [429] * 90
    assert CountingHasher.checks == 10
    assert call().status_code == 429
    assert AuditRecord.objects.filter(activity="Sign-in throttled").count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_right_passwords_at_once_do_not_throttle_one_another(counted, monkeypatch):
    monkeypatch.setattr("tenants.backends.SLOW_CHECK_PATIENCE", 60)
    assert at_once(*[lambda: call().status_code] * 10) == [200] * 10
    assert not FailedSignIns.objects.filter(number__gt=0).exists()
