"""Signing in with a code besides the password, and where that is required."""

import time

import pytest

from tenants import second_factors
from tenants.actors import SYSTEM
from tenants.models import AuditRecord, Authenticator, Session
from tenants.throttle import ThrottledError
from tenants.tokens import make_token
from tests.accounts import (
    CODE,
    PROFILE,
    SET_UP,
    code_of,
    forget_codes,
    give_second_factor,
    require_second_factor,
    sign_in,
    wrong_code_of,
)
from tests.consoles import HELP, LIST, SIGN_IN, SIGN_OUT, Console, messages_of, read
from tests.support import at_once


@pytest.fixture
def user(person):
    return person("acme/operator")


@pytest.fixture
def factor(user):
    """The authenticator and the recovery codes of the operator of acme."""
    return give_second_factor(user)


@pytest.fixture
def app(factor):
    return factor[0]


def half_way(login="acme/operator", **more):
    """Return a console whose password was right and whose code is asked for."""
    console = sign_in(login, **more)
    assert console.response["Location"] == CODE
    return console


def is_in(console):
    return console.get(LIST).status_code == 200


def activities(**about):
    found = AuditRecord.objects.filter(**about).order_by("pk")
    return [one.activity for one in found]


# --- Signing in ---------------------------------------------------------------------------


def test_password_alone_does_not_sign_in(app):
    console = half_way()
    assert "acme/operator" in read(console.get(CODE)).text
    assert console.get(LIST)["Location"].startswith(SIGN_IN)
    assert not Session.objects.filter(user__isnull=False).exists()


def test_code_of_the_app_signs_in_and_leads_to_where_one_wanted(app):
    console = half_way(next=f"{LIST}?status=pending")
    response = console.post(CODE, {"code": code_of(app)})
    assert response["Location"] == f"{LIST}?status=pending"
    assert is_in(console)
    assert activities(type="UserAuthentication")[-1] == "Signed in with authenticator app"


@pytest.mark.parametrize("written", ["{}", " {} ", "{0[0]}{0[1]}{0[2]} {0[3]}{0[4]}{0[5]}"])
def test_code_may_be_written_with_blanks(app, written):
    console = half_way()
    assert console.post(CODE, {"code": written.format(code_of(app))}).status_code == 302


def test_code_works_once(app):
    code = code_of(app)
    assert half_way().post(CODE, {"code": code}).status_code == 302
    again = half_way()
    assert again.post(CODE, {"code": code}).status_code == 422
    assert not is_in(again)


def test_recovery_code_works_once(factor):
    _, codes = factor
    assert half_way().post(CODE, {"code": codes[0].upper()}).status_code == 302
    assert half_way().post(CODE, {"code": codes[0]}).status_code == 422
    assert activities(activity__startswith="Signed in") == ["Signed in with recovery code"]


@pytest.mark.parametrize(
    "code",
    [
        "",
        "12345",
        "1234567",
        "abc",
        "\u0661\u0662\u0663\u0664\u0665\u0666",
        "+12345",
        "1_2345",
        "x\x00y",
        "a" * 65,
        "\U0001f600",
    ],
)
def test_what_is_no_code_is_refused_with_a_sentence(app, code):
    console = half_way()
    response = console.post(CODE, {"code": code})
    assert response.status_code == 422
    assert read(response).classed("invalid-feedback")
    assert not is_in(console)


def test_code_of_somebody_else_does_not_help(app, person):
    other, codes = give_second_factor(person("globex/operator"))
    console = half_way()
    assert console.post(CODE, {"code": codes[0]}).status_code == 422
    forget_codes(app.user)
    assert console.post(CODE, {"code": code_of(other)}).status_code == 422


def test_wrong_code_is_written_down_and_waits(app):
    Authenticator.objects.update(throttling_failure_count=3)  # the fourth waits for 8 seconds
    console = half_way()
    wrong = wrong_code_of(app)
    assert console.post(CODE, {"code": wrong}).status_code == 422
    response = console.post(CODE, {"code": code_of(app)})
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 8
    assert activities(type="UserAuthentication") == ["Sign-in failed"]
    assert wrong not in str(list(AuditRecord.objects.values()))


def test_owner_never_waits_long_for_what_a_stranger_typed(app):
    Authenticator.objects.update(throttling_failure_count=1000)
    console = half_way()
    console.post(CODE, {"code": wrong_code_of(app)})
    response = console.post(CODE, {"code": code_of(app)})
    assert response.status_code == 429
    assert int(response["Retry-After"]) <= 16


def test_wrong_codes_are_throttled_like_wrong_passwords(app):
    console = half_way()
    for _ in range(10):
        forget_codes(app.user)
        assert console.post(CODE, {"code": wrong_code_of(app)}).status_code == 422
    forget_codes(app.user)
    response = console.post(CODE, {"code": code_of(app)})
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 60
    assert not is_in(console)


def test_right_password_does_not_forget_wrong_codes(app):
    for _ in range(10):
        forget_codes(app.user)
        half_way().post(CODE, {"code": wrong_code_of(app)})
    assert sign_in("acme/operator").response.status_code == 429


def test_code_has_to_come_within_five_minutes(app, monkeypatch):
    console = half_way()
    now = time.time()
    monkeypatch.setattr("tenants.console.accounts.views.time.time", lambda: now + 301)
    response = console.post(CODE, {"code": code_of(app)})
    assert response["Location"] == SIGN_IN
    assert messages_of(console.get(SIGN_IN)) == [
        "The time for the code is over. Sign in once more."
    ]


def test_change_of_the_account_ends_the_sign_in_half_way(app, user):
    console = half_way()
    user.refresh_from_db()
    user.set_password("quite another password")
    user.save()
    assert console.post(CODE, {"code": code_of(app)})["Location"] == SIGN_IN
    assert not is_in(console)


def test_code_page_is_for_those_half_way_only(house):
    for console in (Console(), Console("acme/operator")):
        assert console.get(CODE)["Location"] == SIGN_IN
        assert console.post(CODE, {"code": "123456"})["Location"] == SIGN_IN


def test_session_key_changes_at_both_steps(app):
    console = half_way()
    first = console.client.cookies["gatehouse_session"].value
    console.post(CODE, {"code": code_of(app)})
    assert console.client.cookies["gatehouse_session"].value != first
    assert not Session.objects.filter(pk=first).exists()


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_code_page_knows_get_and_post_only(app, method):
    assert half_way().call(method, CODE).status_code == 405


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_one_code_at_once_lets_one_in(factor, user, kind):
    app, codes = factor
    code = code_of(app) if kind == "app" else codes[0]
    results = at_once(*[lambda: second_factors.verify(user, code)] * 20)
    assert sum(bool(one) and not isinstance(one, Exception) for one in results) == 1
    assert all(not one or isinstance(one, ThrottledError | str) for one in results)


# --- The API ------------------------------------------------------------------------------


def test_password_is_not_enough_at_the_api(app, api):
    answer = api("acme/operator").get("/user/currentUser")
    assert answer.status_code == 401
    assert answer.json()["message"] == (
        "Invalid credentials! : This account has a second factor: use an API token as the password."
    )
    wrong = api("acme/operator", "wrong").get("/user/currentUser").json()["message"]
    assert wrong == "Invalid credentials! : Bad credentials"


def test_password_that_was_verified_before_is_void_once_there_is_a_second_factor(user, api):
    assert api("acme/operator").get("/user/currentUser").status_code == 200
    give_second_factor(user)
    assert api("acme/operator").get("/user/currentUser").status_code == 401


def test_token_is_enough_at_the_api(app, user, api):
    scopes = ["ROLE_USER_MANAGEMENT_OWN_READ"]
    _, text = make_token(user, "script", scopes, expires_at=None, by=SYSTEM)
    assert api("acme/operator", text).get("/user/currentUser").status_code == 200


def test_password_is_not_enough_where_the_tenant_requires_more(acme, api):
    require_second_factor(acme)
    answer = api("acme/operator").get("/user/currentUser")
    assert answer.status_code == 401
    assert answer.json()["message"] == (
        "Invalid credentials! : This account needs a second factor: "
        "use an API token as the password."
    )
    assert api("globex/operator").get("/user/currentUser").status_code == 200
    assert api("acme/devicebootstrap").get("/devicecontrol/newDeviceRequests").status_code == 403


# --- Required -----------------------------------------------------------------------------


def test_whoever_needs_a_second_factor_reaches_nothing_else(acme, globex):
    require_second_factor(acme)
    console = sign_in("acme/operator")
    for url in (LIST, HELP, "/profile/tokens/new/", "/profile/password/"):
        assert console.get(url)["Location"] == SET_UP
        assert console.get(url, target="dialog")["HX-Redirect"] == SET_UP
        assert console.post(url).headers.get("Location", SET_UP) == SET_UP
    assert "Your tenant requires a second factor." in read(console.get(PROFILE)).text
    assert console.get(SET_UP).status_code == 200
    assert console.post(SIGN_OUT)["Location"] == SIGN_IN
    assert is_in(sign_in("globex/operator"))


def test_requirement_is_inherited_and_may_be_lifted(management, acme):
    require_second_factor(management)
    console = Console("acme/operator")
    assert console.get(LIST)["Location"] == SET_UP
    require_second_factor(acme, "false")
    assert is_in(console)


def test_whoever_has_one_goes_on_where_it_is_required(app, acme):
    require_second_factor(acme)
    console = half_way()
    console.post(CODE, {"code": code_of(app)})
    assert is_in(console)


def test_gate_costs_no_query_more(acme, console, django_assert_num_queries):
    desk = console("acme/operator")
    with django_assert_num_queries(2):  # the session and its user
        assert desk.get("/profile/second-factor/off/", target="dialog").status_code == 200
