"""The own account: name, address, password, tokens."""

import pytest

from tenants.actors import SYSTEM
from tenants.models import ApiToken, AuditRecord, User
from tenants.tokens import make_token
from tests.accounts import PROFILE, link_of, sign_in
from tests.consoles import HELP, LIST, SIGN_IN, Console, messages_of, read
from tests.support import PASSWORD

DETAILS, CHANGE = f"{PROFILE}details/", f"{PROFILE}password/"
TOKEN = f"{PROFILE}tokens/new/"
NEW = "seven bridges over a river"
DIALOGS = [DETAILS, CHANGE, TOKEN]


@pytest.fixture
def desk(house):
    return sign_in("acme/operator")


@pytest.fixture
def user(person):
    return person("acme/operator")


def changes_of(activity):
    [entry] = AuditRecord.objects.filter(activity=activity)
    return {each["attribute"]: (each["previousValue"], each["newValue"]) for each in entry.changes}


# --- The page -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "login", ["acme/reader", "acme/operator", "globex/administrator", "management/administrator"]
)
def test_everybody_has_a_profile_and_finds_it(console, login):
    desk = console(login)
    assert read(desk.get(HELP)).one("a", class_="whoami-name")["href"] == PROFILE
    text = read(desk.get(PROFILE)).text
    assert login in text
    assert f"{login.split('/')[1]}@{login.split('/')[0]}.example" in text


def test_cards_are_a_fragment_for_htmx(desk):
    fragment = read(desk.get(PROFILE, target="profile-cards"))
    assert fragment.one(id="profile-cards")
    assert not fragment.all("html")
    assert read(desk.get(PROFILE)).one("title")


def test_page_costs_few_queries(desk, user, django_assert_max_num_queries):
    for each in range(20):
        make_token(user, f"t{each}", ["ROLE_INVENTORY_READ"], expires_at=None, by=SYSTEM)
    with django_assert_max_num_queries(8):
        desk.get(PROFILE)


@pytest.mark.parametrize("url", [PROFILE, *DIALOGS])
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_wrong_method_is_refused(desk, url, method):
    assert desk.call(method, url).status_code == 405


@pytest.mark.parametrize("url", DIALOGS)
def test_dialog_is_a_page_without_javascript(desk, url):
    assert not read(desk.get(url, target="dialog")).all("html")
    page = read(desk.get(url))
    assert page.one("form", class_="dialog-body")["action"] == url
    assert page.one("nav", aria_label="Breadcrumb").one("a")["href"] == PROFILE


# --- Name and address ---------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "dialog"])
def test_name_is_changed_without_the_password(desk, user, target):
    data = {"full_name": " Olga Petrova ", "email": user.email}
    response = desk.post(DETAILS, data, target=target)
    assert response.status_code == (204 if target else 302)
    assert messages_of(desk.get(PROFILE)) == ["Your profile is saved."]
    user.refresh_from_db()
    assert user.full_name == "Olga Petrova"
    assert changes_of("Profile changed") == {"full_name": ("", "Olga Petrova")}
    assert desk.post(DETAILS, data, target=target).status_code in {204, 302}  # a second click


@pytest.mark.parametrize(("current", "status"), [("", 422), ("wrong", 422), (PASSWORD, 302)])
def test_address_is_changed_with_the_password_only(desk, user, current, status):
    data = {"full_name": "", "email": "olga@acme.example", "current": current}
    assert desk.post(DETAILS, data).status_code == status
    user.refresh_from_db()
    assert user.email == ("olga@acme.example" if status == 302 else "operator@acme.example")
    assert User.objects.filter(email="operator@globex.example").exists()


@pytest.mark.parametrize(
    ("name", "email"), [("x" * 256, ""), ("a\x00b", ""), ("", "no address"), ("", "a\x00@b.c")]
)
def test_bad_details_are_refused_with_a_sentence(desk, name, email):
    response = desk.post(DETAILS, {"full_name": name, "email": email, "current": PASSWORD})
    assert response.status_code == 422
    assert read(response).classed("invalid-feedback")
    assert not AuditRecord.objects.filter(activity="Profile changed").exists()


def test_account_that_was_shut_meanwhile_stays_shut(desk, user):
    User.objects.filter(pk=user.pk).update(is_active=False)
    desk.post(DETAILS, {"full_name": "x", "email": user.email})
    assert not User.objects.get(pk=user.pk).is_active


# --- Password -----------------------------------------------------------------------------


def change(desk, current=PASSWORD, password=NEW, again=None, **how):
    data = {"current": current, "password": password, "again": again or password}
    return desk.post(CHANGE, data, **how)


@pytest.mark.parametrize("target", [None, "dialog"])
def test_password_is_changed_and_only_this_session_stays(desk, api, target):
    other, neighbour = sign_in("acme/operator"), sign_in("globex/operator")
    assert api("acme/operator").get("/user/currentUser").status_code == 200
    assert change(desk, target=target).status_code == (204 if target else 302)
    assert desk.get(LIST).status_code == 200
    assert other.get(LIST)["Location"].startswith(SIGN_IN)
    assert neighbour.get(LIST).status_code == 200
    assert api("acme/operator").get("/user/currentUser").status_code == 401
    assert api("acme/operator", NEW).get("/user/currentUser").status_code == 200
    kept = str(list(AuditRecord.objects.values()))
    assert "Password changed" in kept
    assert NEW not in kept


@pytest.mark.parametrize(
    ("current", "password", "again", "sentence"),
    [
        ("wrong", NEW, NEW, "This is not your current password."),
        ("", NEW, NEW, "Type your current password."),
        (PASSWORD, "short", "short", "This password is too short."),
        (PASSWORD, NEW, NEW + "x", "The two passwords differ."),
        (PASSWORD, PASSWORD, PASSWORD, "This is your password already."),
        (PASSWORD, "acme-gatehouse-1", "acme-gatehouse-1", "little more than the name"),
        (PASSWORD, "operator@acme.example", "operator@acme.example", "too similar to the"),
    ],
)
def test_bad_password_is_refused_with_a_sentence(desk, current, password, again, sentence):
    response = change(desk, current, password, again)
    assert response.status_code == 422
    assert sentence in read(response).text
    assert sign_in("acme/operator").response.status_code == 302


def test_new_password_that_is_refused_costs_no_try(desk):
    for _ in range(12):
        assert change(desk, "wrong", "short").status_code == 422
    assert change(desk).status_code == 302


def test_guessing_the_password_is_throttled(desk):
    for _ in range(10):
        assert change(desk, "wrong").status_code == 422
    response = change(desk, target="dialog")
    assert response.status_code == 429
    assert "Retry-After" in response
    assert "Too many failed attempts." in read(response).text


# --- Tokens -------------------------------------------------------------------------------


def new_token(desk, name="script", scopes=("ROLE_INVENTORY_READ",), lifetime="30", **how):
    data = {"name": name, "scopes": list(scopes), "lifetime": lifetime}
    return desk.post(TOKEN, data, **how)


@pytest.mark.parametrize("target", [None, "dialog"])
@pytest.mark.parametrize(("lifetime", "days"), [("30", 30), ("365", 365), ("", None)])
def test_token_is_made_shown_once_and_works(desk, api, target, lifetime, days):
    response = new_token(desk, scopes=["ROLE_USER_MANAGEMENT_OWN_READ"], lifetime=lifetime,
                         target=target)  # fmt: skip
    text = read(response).one("input", id="token-text")["value"]
    assert response["HX-Trigger"] == "profileChanged"
    assert api("acme/operator", text).get("/user/currentUser").status_code == 200
    assert api("acme/operator", text).get("/devicecontrol/newDeviceRequests").status_code == 403
    page = desk.get(PROFILE)
    assert text not in page.content.decode()
    assert "script" in read(page).text
    token = ApiToken.objects.get()
    lasts = token.expires_at - token.created_at if token.expires_at else None
    assert (lasts and round(lasts.total_seconds() / 86400)) == days


def test_rights_to_choose_are_the_own_ones(desk):
    offered = {box["value"] for box in read(desk.get(TOKEN)).all("input", name="scopes")}
    assert offered == {
        "ROLE_DEVICE_CONTROL_READ",
        "ROLE_DEVICE_CONTROL_ADMIN",
        "ROLE_DEVICE_TYPE_READ",
        "ROLE_INVENTORY_READ",
        "ROLE_INVENTORY_CREATE",
        "ROLE_INVENTORY_ADMIN",
        "ROLE_IDENTITY_READ",
        "ROLE_IDENTITY_ADMIN",
        "ROLE_OPTION_MANAGEMENT_READ",
        "ROLE_USER_MANAGEMENT_OWN_READ",
    }


@pytest.mark.parametrize(
    ("name", "scopes", "lifetime"),
    [
        ("", ["ROLE_INVENTORY_READ"], ""),
        ("x" * 101, ["ROLE_INVENTORY_READ"], ""),
        ("a\x00b", ["ROLE_INVENTORY_READ"], ""),
        ("a", [], ""),
        ("a", ["ROLE_TENANT_MANAGEMENT_ADMIN"], ""),
        ("a", ["ROLE_INVENTORY_READ", "ROLE_USER_MANAGEMENT_ADMIN"], ""),
        ("a", ["nonsense\x00"], ""),
        ("a", ["ROLE_INVENTORY_READ"], "31"),
    ],
)
def test_bad_token_is_refused_with_a_sentence(desk, name, scopes, lifetime):
    response = new_token(desk, name, scopes, lifetime)
    assert response.status_code == 422
    assert read(response).classed("invalid-feedback")
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("target", [None, "profile-cards"])
def test_token_is_revoked_at_once(desk, user, api, target):
    token, text = make_token(
        user, "old", ["ROLE_USER_MANAGEMENT_OWN_READ"], expires_at=None, by=SYSTEM
    )
    url = f"{PROFILE}tokens/{token.pk}/revoke/"
    assert desk.post(url, target=target).status_code == (204 if target else 302)
    assert api("acme/operator", text).get("/user/currentUser").status_code == 401
    assert "old" not in [each.text for each in read(desk.get(PROFILE)).all("strong")]
    desk.post(url)  # a second click
    assert messages_of(desk.get(PROFILE)) == ["The token old was revoked already."]


@pytest.mark.parametrize("owner", ["acme/reader", "globex/operator", "management/administrator"])
def test_token_of_somebody_else_is_not_there(desk, person, owner):
    token, _ = make_token(person(owner), "x", ["ROLE_INVENTORY_READ"], expires_at=None, by=SYSTEM)
    assert desk.post(f"{PROFILE}tokens/{token.pk}/revoke/").status_code == 404
    assert desk.post(f"{PROFILE}tokens/{2**70}/revoke/").status_code == 404
    assert ApiToken.objects.get().revoked_at is None


@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_token_is_revoked_by_post_only(desk, method):
    assert desk.call(method, f"{PROFILE}tokens/1/revoke/").status_code == 405


def test_stranger_has_no_profile(house):
    for url in (PROFILE, *DIALOGS):
        assert Console().get(url)["Location"].startswith(SIGN_IN)


@pytest.mark.parametrize("what", ["password", "address"])
def test_link_that_was_sent_before_is_void_with_what_it_relied_on(desk, user, person, what):
    path, other = link_of(user), link_of(person("globex/operator"))
    if what == "password":
        change(desk)
    else:
        desk.post(DETAILS, {"full_name": "", "email": "new@acme.example", "current": PASSWORD})
    assert Console().get(path).status_code == 404
    assert Console().get(other).status_code == 302


def test_link_outlives_a_new_name(desk, user):
    path = link_of(user)
    desk.post(DETAILS, {"full_name": "Otto", "email": user.email})
    assert Console().get(path).status_code == 302
