"""Where somebody is signed in: seen and ended."""

import pytest
from django.test import Client
from django.utils import timezone

from tenants.console.accounts.browsers import browser_name
from tenants.models import AuditRecord, Session
from tenants.sessions import session_id
from tests.accounts import PROFILE, age, sign_in
from tests.consoles import LIST, SIGN_IN, Console, messages_of, read
from tests.support import PASSWORD

END_OTHERS = f"{PROFILE}sessions/end/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def sign_in_from(address, agent, login="acme/operator"):
    console = Console()
    console.client = Client(REMOTE_ADDR=address, headers={"User-Agent": agent})
    return sign_in(login, PASSWORD, console=console)


def end_url(console):
    key = console.client.cookies["gatehouse_session"].value
    return f"{PROFILE}sessions/{session_id(Session.objects.get(pk=key))}/end/"


def is_in(console):
    return console.get(LIST).status_code == 200


@pytest.fixture
def mine(house):
    return sign_in("acme/operator")


@pytest.fixture
def other(house):
    return sign_in_from("198.51.100.9", FIREFOX)


def listed(console):
    card = read(console.get(PROFILE)).one("section", aria_labelledby="sessions-title")
    return [each.text for each in card.all("li")]


def test_sessions_show_address_and_browser_and_which_one_is_this(mine, other):
    this, that = listed(mine)
    assert "This one" in this
    assert "127.0.0.1" in this
    assert that.startswith("Firefox on Linux 198.51.100.9 · since")
    assert that.endswith("End the session of Firefox on Linux at 198.51.100.9")


def test_sessions_of_others_are_not_listed(mine):
    sign_in_from("203.0.113.1", FIREFOX, "globex/operator")
    sign_in_from("203.0.113.2", FIREFOX, "acme/reader")
    assert len(listed(mine)) == 1


def test_key_of_a_session_is_on_no_page(mine, other):
    page = mine.get(PROFILE).content.decode()
    assert not any(key in page for key in Session.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("target", [None, "profile-cards"])
def test_other_session_is_ended(mine, other, target):
    url = end_url(other)
    assert mine.post(url, target=target).status_code == (204 if target else 302)
    assert messages_of(mine.get(PROFILE)) == ["The session has ended."]
    assert (is_in(mine), is_in(other)) == (True, False)
    mine.post(url)  # a second click
    assert messages_of(mine.get(PROFILE)) == ["This session had ended already."]
    [entry] = AuditRecord.objects.filter(activity="Sessions ended")
    assert (entry.subject, entry.actor_name) == ("acme/operator", "operator")
    assert "198.51.100.9" in str(entry.changes)


def test_own_session_may_be_ended_too(mine):
    mine.post(end_url(mine))
    assert mine.get(PROFILE)["Location"].startswith(SIGN_IN)


@pytest.mark.parametrize("login", ["globex/operator", "acme/administrator"])
def test_session_of_somebody_else_is_not_ended(other, login):
    stranger = sign_in(login)
    stranger.post(end_url(other))
    assert messages_of(stranger.get(PROFILE)) == ["This session had ended already."]
    assert is_in(other)


@pytest.mark.parametrize("target", [None, "profile-cards"])
def test_all_others_are_ended(mine, other, target):
    third, neighbour = sign_in("acme/operator"), sign_in("globex/operator")
    assert mine.post(END_OTHERS, target=target).status_code == (204 if target else 302)
    assert messages_of(mine.get(PROFILE)) == ["2 other sessions ended."]
    assert [is_in(each) for each in (mine, other, third, neighbour)] == [True, False, False, True]
    mine.post(END_OTHERS)
    assert messages_of(mine.get(PROFILE)) == ["There is no other session."]


@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_session_is_ended_by_post_only(mine, other, method):
    for url in (END_OTHERS, end_url(other)):
        assert mine.call(method, url).status_code == 405
    assert is_in(other)


@pytest.mark.parametrize("agent", ["", "x" * 5000, "<script>alert(1)</script>", "a\x00b", "ü"])
def test_browser_may_call_itself_anything(house, agent):
    console = sign_in_from("198.51.100.9", agent)
    assert console.response.status_code == 302
    assert "Unknown browser" in listed(console)[0]
    assert "<script>alert" not in console.get(PROFILE).content.decode()


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("(Windows NT 10.0; Win64) Chrome/141.0 Safari/537.36", "Chrome on Windows"),
        ("(Windows NT 10.0; Win64) Chrome/141.0 Safari/537.36 Edg/141.0", "Edge on Windows"),
        ("(Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15", "Safari on macOS"),
        ("(iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1", "Safari on iPhone"),
        ("curl/8.5.0", "curl"),
        ("", "Unknown browser"),
    ],
)
def test_browser_is_named_as_people_know_it(agent, name):
    assert browser_name(agent) == name


@pytest.mark.parametrize("path", [SIGN_IN, LIST, PROFILE, "/welcome/"])
@pytest.mark.parametrize("key", [r'"\000aaaaaaaaaa"', r'"aaaaaaaaaa\000"', "../../../etc", "ä" * 9])
def test_cookie_that_is_no_key_opens_nothing(house, path, key):
    answer = Client().get(path, headers={"Cookie": f"gatehouse_session={key}"})
    assert answer.status_code in {200, 302, 404}
    assert "_auth_user_id" not in answer.wsgi_request.session


def test_session_ends_a_shift_after_its_sign_in_whatever_is_done_meanwhile(mine, settings):
    age(Session, "created_at", seconds=settings.SESSION_COOKIE_AGE - 60)
    mine.post(END_OTHERS)  # leaves a message, and so writes the session
    assert is_in(mine)
    left = (Session.objects.get().expire_date - timezone.now()).total_seconds()
    assert 0 < left <= 60
    age(Session, "expire_date", seconds=60)
    assert not is_in(mine)


def test_new_sign_in_begins_a_new_shift(mine, settings):
    age(Session, "created_at", seconds=settings.SESSION_COOKIE_AGE - 60)
    sign_in("acme/operator", console=mine)
    mine.post("/sign-out/")
    sign_in("acme/operator", console=mine)
    left = (Session.objects.get().expire_date - timezone.now()).total_seconds()
    assert left > settings.SESSION_COOKIE_AGE - 60
