"""What can be done to a login in the console: each action proved, and then by its rules."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from inventory import logins
from inventory.models import DeviceCredentials, DeviceEvent, Tombstone
from tests.consoles import Console, messages_of, read
from tests.logins import comes_in, device_kinds, let_in, login_of
from tests.support import counted_devices, give_rights, recount_devices

LOGINS = "/devices/credentials/"
PASSWORD = re.compile(r"[A-Za-z2-9]{32}")

# The action: what is sent, what happens to the login, and whether it is done again when sent twice.
ACTIONS = {
    "disable": ({}, "disabled"),
    "enable": ({}, "enabled"),
    "rotate": ({"overlap": "week"}, "rotated"),
    "revoke": ({}, "revoked"),
    "delete": ({"reason": "Sold."}, "deleted"),
}
ASKING = ["rotate", "revoke", "delete"]  # show a dialog before they do anything
every_action = pytest.mark.parametrize("action", ACTIONS)
asking = pytest.mark.parametrize("action", ASKING)


@pytest.fixture
def desk(house):
    return Console("acme/operator")


@pytest.fixture
def known(make_registration):
    return let_in(make_registration, "press-7", reports=True)


@pytest.fixture
def ready(known, operator):
    """Return the login as an action finds it."""

    def make(action):
        if action == "enable":
            logins.disable(known[0], by=operator)
        return login_of("press-7")

    return make


def url(credentials, action=""):
    return f"{LOGINS}{credentials.pk}/{action and action + '/'}"


def state():
    return list(DeviceCredentials.objects.values()), list(Tombstone.objects.values())


def shown(response):
    """Return the new password that a page shows."""
    password = read(response).one("input", id="password-text")["value"]
    assert PASSWORD.fullmatch(password)
    return password


# --- Each six times ----------------------------------------------------------------------------


@every_action
def test_action_is_done_without_javascript(ready, desk, action):
    credentials = ready(action)
    sent, kind = ACTIONS[action]
    response = desk.client.post(url(credentials, action), sent, follow=True)
    assert response.status_code == 200
    assert device_kinds("press-7")[-1] == kind
    assert "press-7" in read(response).one("main").text + "".join(messages_of(response))


@every_action
def test_action_names_who_did_it(ready, desk, action):

    response = desk.post(url(ready(action), action), ACTIONS[action][0])
    event = DeviceEvent.objects.latest("pk")
    assert (event.actor_name, event.source) == ("operator", "127.0.0.1")
    assert event.request_id == response["X-Request-ID"]


@pytest.mark.parametrize("action", ["disable", "enable"])
def test_row_answers_in_place(ready, desk, action):
    credentials = ready(action)
    response = desk.post(url(credentials, action), target=f"login-{credentials.pk}")
    assert response.status_code == 200
    row = read(response).one("tr", id=f"login-{credentials.pk}")
    other = {"disable": "Enable", "enable": "Disable"}[action]
    assert row.one("button", aria_label=f"{other} press-7")
    assert row.one("form")["action"] == url(credentials, other.lower())
    assert f"device_press-7 is {action}d" in messages_of(response)[0]
    assert "HX-Trigger" not in response


@pytest.mark.parametrize("action", ["disable", "enable"])
def test_page_looks_again_when_its_card_is_used(ready, desk, action):
    response = desk.post(url(ready(action), action), target="credentials-card")
    assert response.status_code == 204
    assert "credentialsChanged" in response["HX-Trigger"]


@asking
@pytest.mark.parametrize("target", [None, "dialog"])
def test_it_is_asked_before_anything_is_done(ready, desk, action, target):
    credentials = ready(action)
    before = state()
    response = desk.get(url(credentials, action), target=target)
    assert response.status_code == 200
    form = next(f for f in read(response).all("form", method="post") if f["action"].endswith(
        f"/{action}/"))  # fmt: skip
    assert "press-7" in form.one(id="dialog-title").text
    assert state() == before
    desk.post(url(credentials, action), form.fields)
    assert device_kinds("press-7")[-1] == ACTIONS[action][1]


@pytest.mark.parametrize(
    ("action", "status"),
    [("disable", 200), ("enable", 200), ("revoke", 204), ("delete", 404)],
)
def test_second_click_does_nothing_twice(ready, desk, action, status):
    credentials = ready(action)
    sent, kind = ACTIONS[action]
    target = f"login-{credentials.pk}" if status == 200 else "dialog"
    desk.post(url(credentials, action), sent, target=target)
    before = state()
    assert desk.post(url(credentials, action), sent, target=target).status_code == status
    assert state() == before
    assert device_kinds("press-7").count(kind) == 1


@every_action
@pytest.mark.parametrize("login", ["globex/operator", "globex/administrator"])
def test_login_of_another_tenant_does_not_exist(ready, action, login):
    credentials = ready(action)
    before = state()
    for method in ("get", "post"):
        response = Console(login).call(method, url(credentials, action), ACTIONS[action][0])
        assert response.status_code in ({404} if method == "post" else {404, 405})
    assert state() == before


@every_action
def test_reader_may_not_act(ready, action):
    credentials = ready(action)
    before = state()
    for target in (None, "dialog"):
        response = Console("acme/reader").post(
            url(credentials, action), ACTIONS[action][0], target=target
        )
        assert response.status_code == 403
    assert state() == before


@pytest.mark.parametrize(
    ("action", "method"),
    [("disable", "get"), ("enable", "get"), *[(each, "put") for each in ACTIONS]],
)
def test_wrong_method_is_refused(ready, desk, action, method):
    credentials = ready(action)
    before = state()
    assert desk.call(method, url(credentials, action)).status_code == 405
    assert state() == before


@every_action
def test_management_acts_in_the_tenant_of_the_login(ready, action):
    response = Console("management/operator").post(url(ready(action), action), ACTIONS[action][0])
    assert response.status_code in {200, 302}
    assert device_kinds("press-7", "acme")[-1] == ACTIONS[action][1]
    assert device_kinds("press-7", "management") == []


@every_action
@pytest.mark.parametrize("pk", [0, 2**62, 999_999])
def test_what_is_not_there_is_not_found(house, desk, action, pk):
    assert desk.post(f"{LOGINS}{pk}/{action}/", ACTIONS[action][0]).status_code == 404


# --- A new password ----------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "dialog"])
def test_new_password_is_shown_once_and_works_beside_the_old_one(known, desk, target):
    credentials, old = known
    response = desk.post(url(credentials, "rotate"), {"overlap": "week"}, target=target)
    assert response.status_code == 200
    new = shown(response)
    assert read(response).one("input", id="login-text")["value"] == "acme/device_press-7"
    assert ("HX-Trigger" in response) is True
    assert response["Cache-Control"] == "no-store"
    assert comes_in(credentials, old)
    page = desk.get(url(credentials)).content.decode()
    assert new not in page
    assert comes_in(credentials, new)
    assert not comes_in(credentials, old)


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [
        ("hour", timedelta(hours=1)),
        ("day", timedelta(days=1)),
        ("week", timedelta(days=7)),
        ("month", timedelta(days=30)),
    ],
)
def test_overlap_is_the_one_that_was_chosen(known, desk, overlap, expected):
    response = desk.post(url(known[0], "rotate"), {"overlap": overlap})
    until = login_of("press-7").previous_until
    assert timedelta(0) <= timezone.now() + expected - until < timedelta(minutes=1)
    assert f"{until:%Y-%m-%dT%H:%M:%SZ}" in response.content.decode()


def test_without_overlap_the_old_password_is_void(known, desk):
    credentials, old = known
    response = desk.post(url(credentials, "rotate"), {"overlap": "none"})
    assert "It is the only one that counts from now on." in read(response).text
    assert not comes_in(credentials, old)
    assert comes_in(credentials, shown(response))


@pytest.mark.parametrize("overlap", [None, "", "year", "WEEK", "\x00", "\ud800"])
def test_overlap_that_is_none_is_asked_for_again(known, desk, overlap):
    credentials, old = known
    sent = {} if overlap is None else {"overlap": overlap.encode(errors="replace").decode()}
    response = desk.post(url(credentials, "rotate"), sent, target="dialog")
    assert response.status_code == 422
    assert "Choose how long" in read(response).text
    assert comes_in(credentials, old)
    assert device_kinds("press-7")[-1] != "rotated"


def test_form_that_is_sent_twice_makes_one_password(known, desk):
    """Or the second would void the one that the device has, and the first be lost."""
    credentials, old = known
    form = read(desk.get(url(credentials, "rotate"))).all("form", method="post")[-1].fields
    new = shown(desk.post(url(credentials, "rotate"), form))
    again = desk.post(url(credentials, "rotate"), form, target="dialog")
    assert again.status_code == 409
    assert "was made in the meantime" in read(again).text
    assert device_kinds("press-7").count("rotated") == 1
    assert comes_in(credentials, old)
    assert comes_in(credentials, new)


@pytest.mark.parametrize("issued", ["", "x", "2026-13-45T00:00:00Z", "2026-01-01T00:00:00", "\x00"])
def test_form_with_a_damaged_time_is_taken_as_new(known, desk, issued):
    sent = {"overlap": "week", "issued": issued}
    assert desk.post(url(known[0], "rotate"), sent).status_code == 200


def test_who_makes_another_before_the_first_was_used_is_warned(known, desk, operator):
    credentials, _ = known
    assert not read(desk.get(url(credentials, "rotate"))).classed("notice-warning")
    logins.rotate(credentials, overlap=timedelta(days=7), by=operator)
    [notice] = read(desk.get(url(credentials, "rotate"))).classed("notice-warning")
    assert "has not been used yet" in notice.text


def test_revoked_login_is_given_a_password_without_a_question_of_overlap(known, desk, operator):
    credentials, _ = known
    logins.revoke(credentials, by=operator)
    form = read(desk.get(url(credentials, "rotate"))).all("form", method="post")[-1]
    assert not form.all("input", name="overlap")
    assert comes_in(credentials, shown(desk.post(url(credentials, "rotate"), form.fields)))


def test_password_on_its_way_is_not_replaced(make_registration, desk):
    credentials, password = let_in(make_registration, "shy", logs_in=False)
    page = read(desk.get(url(credentials, "rotate")))
    assert "has not logged in with its first password yet" in page.text
    assert not [b for b in page.all("button") if "Make" in b.text]
    response = desk.post(url(credentials, "rotate"), {"overlap": "week"}, target="dialog")
    assert response.status_code == 409
    assert "has not logged in with its first password yet" in read(response).text
    assert comes_in(credentials, password)


def test_disabled_login_says_that_the_new_password_opens_nothing_yet(known, desk, operator):
    logins.disable(known[0], by=operator)
    assert "is disabled" in read(desk.get(url(known[0], "rotate"))).text
    assert "still disabled" in read(desk.post(url(known[0], "rotate"), {"overlap": "day"})).text


# --- Deleting ----------------------------------------------------------------------------------


def test_deletion_says_first_what_goes_and_what_stays(known, desk, make_registration):
    reported = read(desk.get(url(known[0], "delete"))).text
    assert "stays, without a login" in reported
    shy, _ = let_in(make_registration, "shy")
    assert "It never reported, so nothing else of it is left." in read(
        desk.get(url(shy, "delete"))
    ).text  # fmt: skip


def test_deleted_login_leaves_its_reason_and_frees_the_place(known, desk, acme):
    credentials, password = known
    response = desk.client.post(url(credentials, "delete"), {"reason": " Sold. "}, follow=True)
    assert response.redirect_chain == [(LOGINS, 302)]
    assert "The login of press-7 is deleted." in messages_of(response)[0]
    assert Tombstone.objects.get().reason == "Sold."
    assert counted_devices(acme) == recount_devices(acme) == 0
    assert not comes_in(credentials, password)


@pytest.mark.parametrize(
    ("reason", "kept"),
    [("", ""), ("a\x00b", "ab"), ("x" * 900, "x" * 500), ("<b>", "<b>"), ("  ", "")],
)
def test_any_reason_is_kept_as_far_as_it_can_be(known, desk, reason, kept):
    desk.post(url(known[0], "delete"), {"reason": reason})
    assert Tombstone.objects.get().reason == kept


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (LOGINS, (204, None)),
        (f"{LOGINS}?state=never&q=x", (204, None)),
        (f"{LOGINS}%d/", (204, LOGINS)),
        ("/devices/all/12/", (204, "/devices/all/12/")),
    ],
    ids=["list", "filtered list", "its own page", "page of the device"],
)
def test_after_the_deletion_the_page_underneath_is_one_that_is_there(known, desk, page, expected):
    here = page % known[0].pk if "%d" in page else page
    response = desk.post(url(known[0], "delete"), target="dialog",
                         HX_Current_URL=f"http://testserver{here}")  # fmt: skip
    assert (response.status_code, response.get("HX-Redirect")) == expected
    assert ("credentialsChanged" in response.get("HX-Trigger", "")) is (expected[1] is None)


def test_page_of_a_device_that_goes_too_is_left(make_registration, desk):
    shy, _ = let_in(make_registration, "shy")
    response = desk.post(url(shy, "delete"), target="dialog",
                         HX_Current_URL="http://testserver/devices/all/12/")  # fmt: skip
    assert response["HX-Redirect"] == LOGINS


@pytest.mark.parametrize("where", ["https://evil.example/", "//evil.example", "javascript:x"])
@every_action
def test_nobody_is_led_elsewhere(ready, desk, action, where):
    response = desk.post(url(ready(action), action), {**ACTIONS[action][0], "next": where})
    assert "evil" not in response.get("Location", "") + response.content.decode()


def test_who_may_not_see_the_inventory_may_still_act(known, person):
    """The right to see and the right to act are two; the API has it so too."""
    give_rights(person("acme/operator"), "ROLE_DEVICE_CONTROL_ADMIN")
    desk = Console("acme/operator")
    assert desk.get(LOGINS).status_code == 403
    assert desk.post(url(known[0], "disable")).status_code == 302
