"""What every answer carries."""

import re

import pytest

from tests.consoles import HELP, LIST, SETTINGS, SIGN_IN, Console, messages_of, read
from ui.middleware import CONTENT_SECURITY_POLICY


@pytest.fixture
def pages(make_registration, house):
    """Return a response of every kind, by what it is."""
    registration = make_registration()
    desk, stranger = Console("acme/operator"), Console()
    refused = Console("acme/operator", enforce_csrf_checks=True)
    return {
        "sign-in": stranger.get(SIGN_IN),
        "wrong password": stranger.post(SIGN_IN, {"username": "x", "password": "y"}),
        "to sign-in": stranger.get(LIST),
        "list": desk.get(LIST),
        "fragment": desk.get(LIST, target="registration-table"),
        "detail": desk.get(f"{LIST}{registration.pk}/"),
        "dialog": desk.get(f"{LIST}new/", target="dialog"),
        "wrong input": desk.post(f"{LIST}new/", {"rows-TOTAL_FORMS": "1"}),
        "refused": desk.post(f"{LIST}{registration.pk}/accept/", target="row"),
        "done": desk.post(f"{LIST}{registration.pk}/cancel/", target="dialog"),
        "settings": desk.get(SETTINGS),
        "help": desk.get(HELP),
        "not found": desk.get("/nowhere/"),
        "forbidden": Console("acme/reader").post(f"{LIST}accept-all/"),
        "forged": refused.post(f"{LIST}accept-all/"),
        "wrong method": desk.get(f"{LIST}accept-all/"),
        "api": stranger.get("/devicecontrol/newDeviceRequests"),
        "health": stranger.get("/healthz"),
    }


def test_every_answer_is_guarded(pages):
    for kind, response in pages.items():
        policy = response["Content-Security-Policy"]
        assert policy == CONTENT_SECURITY_POLICY, kind
        assert response["X-Content-Type-Options"] == "nosniff", kind
        assert response["X-Frame-Options"] == "DENY", kind
        assert response["Referrer-Policy"] == "same-origin", kind
        assert response["Cross-Origin-Opener-Policy"] == "same-origin", kind
        assert "no-store" in response["Cache-Control"], kind
        assert "camera=()" in response["Permissions-Policy"], kind
        assert re.fullmatch(r"[0-9a-f]{16}", response["X-Request-ID"]), kind
        assert "Server" not in response, kind


def test_policy_allows_our_own_files_only():
    rules = dict(rule.split(" ", 1) for rule in CONTENT_SECURITY_POLICY.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "*" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert set(rules.values()) == {"'none'", "'self'"}


def test_every_answer_is_ours_and_none_carries_what_the_policy_forbids(pages):
    for kind, response in pages.items():
        if not response.get("Content-Type", "").startswith("text/html"):
            continue
        for element in read(response).walk():
            assert "style" not in element.attrs, (kind, element.tag)
            assert element.tag != "style", kind
            assert element.tag != "script" or element.attrs.get("src"), kind
            assert not [name for name in element.attrs if name.startswith("on")], kind


def test_every_request_has_a_number_of_its_own(house):
    desk = Console("acme/operator")
    assert desk.get(LIST)["X-Request-ID"] != desk.get(LIST)["X-Request-ID"]


@pytest.mark.parametrize(
    ("offered", "is_taken"),
    [
        ("0123-abcd.EF_9", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("short", False),
        ("with space in it", False),
        ("line\nbreak-in-it", False),
        ("<script>alert(1)", False),
        ("ümlaut-ümlaut", False),
    ],
)
def test_number_of_a_proxy_is_taken_if_it_is_harmless(house, offered, is_taken):
    response = Console().get(SIGN_IN, X_Request_ID=offered)
    assert (response["X-Request-ID"] == offered) is is_taken


def test_cookies_are_kept_from_scripts_and_other_sites(house, hashed_password):
    console = Console()
    console.get(SIGN_IN)
    console.post(SIGN_IN, {"username": "acme/operator", "password": "correct horse battery staple"})
    cookies = console.client.cookies
    assert set(cookies) == {"gatehouse_session", "gatehouse_csrf", "gatehouse_known"}
    for cookie in cookies.values():
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"


def test_message_travels_once_with_the_fragment_that_caused_it(make_registration, house):
    registration = make_registration()
    desk = Console("acme/operator")
    response = desk.post(f"{LIST}{registration.pk}/accept/", target="row")
    region = read(response).one(id="messages")
    assert region["hx-swap-oob"] == "beforeend"
    assert region["aria-live"] == "polite"
    assert len(messages_of(response)) == 1
    assert messages_of(desk.get(LIST)) == []


def test_message_waits_while_an_answer_has_no_place_for_it(make_registration, house):
    registration = make_registration()
    desk = Console("acme/operator")
    desk.post(f"{LIST}{registration.pk}/accept/")  # a redirect
    assert len(messages_of(desk.get(LIST))) == 1


def test_browser_is_told_to_insist_on_tls_where_people_come_by_https(client, settings, db):
    assert "Strict-Transport-Security" not in client.get("/healthz")
    settings.STRICT_TRANSPORT_SECURITY = "max-age=31536000"
    assert client.get("/healthz")["Strict-Transport-Security"] == "max-age=31536000"


def test_wrong_host_name_is_answered_and_fills_no_log(client, caplog):
    assert client.get("/sign-in/", headers={"Host": "elsewhere.example"}).status_code == 400
    assert caplog.records == []
