"""What can be done to one registration: each action proved six times, and then by its rules."""

import json

import pytest

from inventory.models import DeviceCredentials
from registration.lifecycle import Stage, TokenPolicy
from registration.models import Registration
from tests.consoles import LIST, messages_of, read, row_url
from tests.support import DEVICE, events_of, kinds, knock

# The action: the stage it starts from, what is sent, the stage it leads to (None: gone).
ACTIONS = {
    "accept": (Stage.PENDING, {}, Stage.ACCEPTED),
    "reset": (Stage.PENDING, {}, Stage.WAITING),
    "unblock": (Stage.BLOCKED, {"reason": "Looked at it."}, Stage.WAITING),
    "hand-over": (Stage.DELIVERED, {}, Stage.ACCEPTED),
    "cancel": (Stage.WAITING, {}, None),
    "group": (Stage.WAITING, {"group": "Plant A/Hall 2"}, Stage.WAITING),
}
ASKING = {"unblock", "cancel"}  # show a dialog before they do anything
every_action = pytest.mark.parametrize("action", ACTIONS)


@pytest.fixture
def ready(make_registration):
    """Return a registration that stands where an action starts."""

    def make(action, device_id="press-7", **details):
        return make_registration(device_id, stage=ACTIONS[action][0], **details)

    return make


def state(registration):
    """Return everything that is known about a registration."""
    row = Registration.objects.filter(pk=registration.pk).values().first()
    return row, kinds(registration), DeviceCredentials.objects.count()


def url_of(registration, action):
    return row_url(registration, f"{action}/")


@every_action
def test_action_is_done_and_leads_back_to_a_page_that_says_so(ready, desk, action):
    registration = ready(action)
    response = desk.client.post(url_of(registration, action), ACTIONS[action][1], follow=True)
    assert response.status_code == 200
    assert "press-7" in "".join(messages_of(response))
    found = Registration.objects.filter(pk=registration.pk).first()
    assert (found and found.stage) is ACTIONS[action][2]


@every_action
def test_action_names_who_did_it_and_by_which_request(ready, desk, action):
    registration = ready(action)
    response = desk.post(url_of(registration, action), ACTIONS[action][1])
    event = events_of(registration)[-1]
    assert event.actor.username == event.actor_name == "operator"
    assert event.source == "127.0.0.1"
    assert event.request_id == response["X-Request-ID"]


@every_action
@pytest.mark.parametrize("login", ["globex/operator", "globex/administrator"])
def test_registration_of_another_tenant_does_not_exist(ready, console, action, login):
    registration = ready(action)
    before = state(registration)
    assert console(login).post(url_of(registration, action), ACTIONS[action][1]).status_code == 404
    assert state(registration) == before


@every_action
def test_reader_may_not_act(ready, console, action):
    registration = ready(action)
    before = state(registration)
    response = console("acme/reader").post(url_of(registration, action), ACTIONS[action][1])
    assert response.status_code == 403
    assert "Your account may not do this." in read(response).text
    assert state(registration) == before


@every_action
def test_bootstrap_account_may_not_act(ready, console, action):
    registration = ready(action)
    response = console("acme/devicebootstrap").post(url_of(registration, action))
    assert response.status_code == 403


@every_action
@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_action_wants_a_post(ready, desk, action, method):
    registration = ready(action)
    before = state(registration)
    response = desk.call(method, url_of(registration, action))
    assert response.status_code == (200 if method == "get" and action in ASKING else 405)
    assert state(registration) == before


@every_action
def test_management_may_act_for_a_tenant(ready, console, action):
    registration = ready(action)
    console("management/operator").post(url_of(registration, action), ACTIONS[action][1])
    event = events_of(registration)[-1]
    assert str(event.actor) == "management/operator"
    assert event.tenant_id == "acme"


@every_action
@pytest.mark.parametrize("pk", ["0", "987654321", "9" * 18, "9" * 19, "9" * 40])
def test_registration_that_does_not_exist_is_not_found(desk, action, pk):
    assert desk.post(f"{LIST}{pk}/{action}/", ACTIONS[action][1]).status_code == 404


# --- Answers to HTMX ------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["accept", "reset", "hand-over"])
def test_htmx_gets_the_row_as_it_now_stands(ready, desk, action):
    registration = ready(action)
    url = url_of(registration, action)
    response = desk.post(url, target=f"registration-{registration.pk}")
    assert response.status_code == 200
    rows = read(response).all("tr")
    assert [row["id"] for row in rows] == [f"registration-{registration.pk}"]
    assert rows[0]["data-stage"] == ACTIONS[action][2].label
    assert "press-7" in messages_of(response)[0]
    assert not read(response).all("html")


@pytest.mark.parametrize("action", ["unblock", "cancel"])
def test_finished_dialog_closes_and_tells_the_list(ready, desk, action):
    registration = ready(action)
    response = desk.post(url_of(registration, action), ACTIONS[action][1], target="dialog")
    assert response.status_code == 204
    assert response.content == b""
    assert set(json.loads(response["HX-Trigger"])) == {"dialogClosed", "registrationsChanged"}
    # Its message comes with whatever is fetched next.
    table = desk.get(LIST, target="registration-table")
    assert "press-7" in messages_of(table)[0]
    assert messages_of(desk.get(LIST)) == []


@pytest.mark.parametrize("action", ["unblock", "cancel"])
def test_dialog_is_a_fragment_for_htmx_and_a_page_for_everybody_else(ready, desk, action):
    registration = ready(action)
    url = url_of(registration, action)
    fragment, page = read(desk.get(url, target="dialog")), read(desk.get(url))
    assert not fragment.all("html")
    assert page.one("title")
    for one in (fragment, page):
        assert one.one("form", action=url)["method"] == "post"
        assert "press-7" in one.one("form", action=url).text


# --- Once more ------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["accept", "reset", "hand-over"])
def test_second_click_is_refused_and_shows_how_things_stand(ready, desk, action):
    registration = ready(action)
    url = url_of(registration, action)
    desk.post(url)
    desk.get(LIST)
    before = state(registration)
    response = desk.post(url, target=f"registration-{registration.pk}")
    assert response.status_code == 409
    assert read(response).one("tr")["data-stage"] == ACTIONS[action][2].label
    assert read(response).classed("message-error")
    assert state(registration) == before


def test_second_operator_learns_who_was_faster(ready, desk, console):
    registration = ready("accept")
    console("acme/administrator").post(url_of(registration, "accept"))
    response = desk.client.post(url_of(registration, "accept"), follow=True)
    assert '"press-7" was already accepted by administrator at' in messages_of(response)[0]


def test_second_click_on_unblock_says_that_nothing_is_blocked(ready, desk):
    registration = ready("unblock")
    url = url_of(registration, "unblock")
    desk.post(url, {"reason": "Looked at it."})
    before = state(registration)
    response = desk.post(url, {"reason": "Looked at it."}, target="dialog")
    assert response.status_code == 409
    assert 'is in state "Waiting for connection", not "Blocked"' in read(response).text
    assert state(registration) == before


def test_second_click_on_cancel_finds_nothing(ready, desk):
    registration = ready("cancel")
    url = url_of(registration, "cancel")
    desk.post(url)
    assert desk.post(url).status_code == 404
    assert kinds(registration) == ["registered", "removed"]


def test_same_group_twice_is_one_change(ready, desk):
    registration = ready("group")
    for _ in range(2):
        desk.post(url_of(registration, "group"), {"group": "Plant A"})
    assert kinds(registration) == ["registered", "group-changed"]


# --- Accept: the policy of tokens -----------------------------------------------------------

IGNORED, OPTIONAL, REQUIRED = TokenPolicy

# Source: Cumulocity REST, security token policy.
POLICY_TABLE = [
    pytest.param(IGNORED, "", "", Stage.ACCEPTED, id="ignored, none sent, none typed"),
    pytest.param(IGNORED, "", "any", Stage.ACCEPTED, id="ignored, none sent, one typed"),
    pytest.param(IGNORED, "s3cret", "", Stage.ACCEPTED, id="ignored, one sent, none typed"),
    pytest.param(IGNORED, "s3cret", "wrong", Stage.ACCEPTED, id="ignored, one sent, wrong"),
    pytest.param(IGNORED, "s3cret", "s3cret", Stage.ACCEPTED, id="ignored, one sent, right"),
    pytest.param(OPTIONAL, "", "", Stage.ACCEPTED, id="optional, none sent, none typed"),
    pytest.param(OPTIONAL, "", "any", Stage.ACCEPTED, id="optional, none sent, one typed"),
    pytest.param(OPTIONAL, "s3cret", "s3cret", Stage.ACCEPTED, id="optional, one sent, right"),
    pytest.param(OPTIONAL, "s3cret", "wrong", Stage.PENDING, id="optional, one sent, wrong"),
    pytest.param(OPTIONAL, "s3cret", "", Stage.PENDING, id="optional, one sent, none typed"),
    pytest.param(REQUIRED, "s3cret", "s3cret", Stage.ACCEPTED, id="required, one sent, right"),
    pytest.param(REQUIRED, "s3cret", "wrong", Stage.PENDING, id="required, one sent, wrong"),
    pytest.param(REQUIRED, "s3cret", "", Stage.PENDING, id="required, one sent, none typed"),
    pytest.param(REQUIRED, "", "any", Stage.BLOCKED, id="required, none sent, one typed"),
    pytest.param(REQUIRED, "", "", Stage.BLOCKED, id="required, none sent, none typed"),
]


@pytest.mark.parametrize(("policy", "sent", "typed", "stage"), POLICY_TABLE)
@pytest.mark.parametrize("target", [None, "row"], ids=["no JavaScript", "fragment"])
def test_accept_follows_the_policy(
    make_registration, desk, acme, set_policy, policy, sent, typed, stage, target
):
    registration = make_registration("press-7", stage=Stage.PENDING, token=sent)
    set_policy(acme, policy)
    response = desk.post(url_of(registration, "accept"), {"token": typed}, target=target)
    registration.refresh_from_db()
    assert registration.stage is stage
    done = stage is Stage.ACCEPTED
    assert response.status_code == ((200 if done else 409) if target else 302)
    assert registration.failed_attempts == (0 if done or not sent else 1)
    page = response if target else desk.get(LIST)
    assert bool(read(page).classed("message-error")) is not done
    assert read(page).one("tr", data_device="press-7")["data-stage"] == stage.label


def test_wrong_token_answers_with_the_row_and_the_attempts_left(make_registration, desk):
    registration = make_registration("press-7", stage=Stage.PENDING, token="s3cret")
    url = url_of(registration, "accept")
    for left in ("2 attempts", "1 attempt"):
        response = desk.post(url, {"token": "wrong"}, target="row")
        assert response.status_code == 409
        row = read(response).one("tr")
        assert f"{left} left" in row.classed("cell-token")[0].text
        assert messages_of(response)[0] == (
            "Provided security token does not match the security token stored for this device "
            f'"press-7". {left} {"are" if left[0] == "2" else "is"} left.'
        )
        assert b"wrong" not in response.content.replace(b"wrong attempt", b"")
    response = desk.post(url, {"token": "wrong"}, target="row")
    assert response.status_code == 409
    assert read(response).one("tr")["data-stage"] == "Blocked"
    assert "maximum number of failed attempts" in messages_of(response)[0]
    response = desk.post(url, {"token": "s3cret"}, target="row")
    assert response.status_code == 409
    assert 'is in state "Blocked", not "Pending acceptance"' in messages_of(response)[0]


def test_right_token_after_a_wrong_one_lets_the_device_in(make_registration, desk):
    registration = make_registration("press-7", stage=Stage.PENDING, token="s3cret")
    desk.post(url_of(registration, "accept"), {"token": "wrong"})
    desk.post(url_of(registration, "accept"), {"token": "s3cret"})
    registration.refresh_from_db()
    assert registration.stage is Stage.ACCEPTED


def test_device_that_has_not_knocked_cannot_be_accepted(make_registration, desk):
    registration = make_registration("press-7")
    response = desk.post(url_of(registration, "accept"), target="row")
    assert response.status_code == 409
    assert 'is in state "Waiting for connection"' in messages_of(response)[0]
    registration.refresh_from_db()
    assert registration.stage is Stage.WAITING


@pytest.mark.parametrize("token", ["\x00", "a\x00b", "ťöken" * 300, "' OR 1=1 --", "%00", " "])
def test_strange_token_is_just_a_wrong_one(make_registration, desk, token):
    registration = make_registration("press-7", stage=Stage.PENDING, token="s3cret")
    response = desk.post(url_of(registration, "accept"), {"token": token}, target="row")
    assert response.status_code == 409
    registration.refresh_from_db()
    assert registration.failed_attempts == 1


# --- The others -----------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["", "   ", "\n", "\x00"])
def test_unblocking_needs_a_reason(ready, desk, reason):
    registration = ready("unblock")
    before = state(registration)
    response = desk.post(url_of(registration, "unblock"), {"reason": reason}, target="dialog")
    assert response.status_code == 422
    field = read(response).one("textarea", name="reason")
    assert field["aria-invalid"] == "true"
    assert read(response).one(id=field["aria-describedby"]).text.startswith("Say why")
    assert state(registration) == before


def test_reason_of_unblocking_stays_in_the_timeline(ready, desk):
    registration = ready("unblock")
    desk.post(url_of(registration, "unblock"), {"reason": "Label was unreadable."})
    timeline = read(desk.get(row_url(registration))).one(id="timeline")
    assert "Unblocked Label was unreadable." in timeline.text


def test_reason_can_be_long_but_is_kept_up_to_its_limit(ready, desk):
    registration = ready("unblock")
    desk.post(url_of(registration, "unblock"), {"reason": "ä" * 600})
    assert events_of(registration)[-1].reason == "ä" * 500


def test_unblocking_leads_back_to_the_page_it_was_asked_from(ready, desk):
    registration = ready("unblock")
    page = read(desk.get(row_url(registration)))
    link = next(a for a in page.all("a") if a.text == "Unblock")
    form = read(desk.get(link["href"])).one("form", action=url_of(registration, "unblock"))
    response = desk.post(form["action"], {**form.fields, "reason": "Looked at it."})
    assert response["Location"] == row_url(registration)


def test_reset_forgets_the_token_so_that_the_next_knock_counts(make_registration, desk):
    registration = make_registration("press-7", stage=Stage.PENDING, token="of a stranger")
    desk.post(url_of(registration, "reset"))
    registration.refresh_from_db()
    knock(registration, "s3cret")
    desk.post(url_of(registration, "accept"), {"token": "s3cret"})
    registration.refresh_from_db()
    assert registration.stage is Stage.ACCEPTED


def test_hand_over_again_voids_the_password_that_was_delivered(ready, desk):
    registration = ready("hand-over")
    desk.post(url_of(registration, "hand-over"))
    assert not DeviceCredentials.objects.filter(device_id="press-7").exists()


@pytest.mark.parametrize("stage", [each for each in Stage if each is not Stage.DELIVERED])
def test_hand_over_is_not_opened_again_where_none_is_under_way(make_registration, desk, stage):
    registration = make_registration("press-7", stage=stage)
    before = state(registration)
    assert desk.post(url_of(registration, "hand-over"), target="row").status_code == 409
    assert state(registration) == before


@pytest.mark.parametrize("stage", list(Stage))
def test_registration_can_be_cancelled_at_every_stage(make_registration, desk, stage):
    registration = make_registration("press-7", stage=stage)
    page = read(desk.get(url_of(registration, "cancel")))
    assert (
        "You are about to cancel device registration for ID “ press-7 ”." in page.one("main").text
    )
    desk.post(url_of(registration, "cancel"))
    assert not Registration.objects.filter(pk=registration.pk).exists()
    assert kinds(registration)[-1] == "removed"


def test_cancelling_before_the_first_login_voids_the_credentials(make_registration, desk):
    delivered = make_registration("press-7", stage=Stage.DELIVERED)
    confirmed = make_registration("press-8", stage=Stage.CONFIRMED)
    DeviceCredentials.objects.filter(device_id="press-8").update(
        first_login_at=confirmed.confirmed_at
    )
    for registration in (delivered, confirmed):
        desk.post(url_of(registration, "cancel"))
    assert [c.device_id for c in DeviceCredentials.objects.all()] == ["press-8"]


@pytest.mark.parametrize(
    ("sent", "leads_to"),
    [
        ("/devices/registration/?status=pending", "/devices/registration/?status=pending"),
        ("", LIST),
        ("https://evil.example/", LIST),
        ("//evil.example/", LIST),
        ("///evil.example/", LIST),
        ("/\\evil.example/", LIST),
        ("http:///evil.example/", LIST),
        ("javascript:alert(1)", LIST),
        ("\x00//evil.example", LIST),
        ("//[", LIST),
    ],
)
def test_action_leads_back_to_our_own_pages_only(ready, desk, sent, leads_to):
    registration = ready("accept")
    response = desk.post(url_of(registration, "accept"), {"next": sent})
    assert response["Location"] == leads_to


def test_row_asks_for_a_token_only_where_one_helps(make_registration, desk, acme, set_policy):
    make_registration("with", stage=Stage.PENDING, token="s3cret")
    make_registration("without", stage=Stage.PENDING)
    cells = {}
    for policy in TokenPolicy:
        set_policy(acme, policy)
        page = read(desk.get(LIST))
        for device in ("with", "without"):
            row = page.one("tr", data_device=device)
            accept = next(b for b in row.all("button") if b.text == "Accept")
            cells[policy.value, device] = (
                row.classed("cell-token")[0].text,
                bool(row.all("input", name="token")),
                "disabled" not in accept.attrs,
            )
    assert cells == {
        ("IGNORED", "with"): ("Not checked", False, True),
        ("IGNORED", "without"): ("Not checked", False, True),
        ("OPTIONAL", "with"): ("Token sent", True, True),
        ("OPTIONAL", "without"): ("None sent", False, True),
        ("REQUIRED", "with"): ("Token sent", True, True),
        ("REQUIRED", "without"): ("None sent , but one is required", False, False),
    }


def test_row_without_javascript_accepts_with_its_token(make_registration, desk):
    registration = make_registration("press-7", stage=Stage.PENDING, token="s3cret")
    page = read(desk.get(f"{LIST}?status=pending"))
    form = page.one("form", action=url_of(registration, "accept"))
    token = page.one("input", name="token")
    assert token["form"] == form["id"]
    assert token["type"] == "password"
    response = desk.post(
        form["action"],
        {**form.fields, "token": "s3cret"},
        Referer=f"http://testserver{LIST}?status=pending",
    )
    assert response["Location"].endswith(f"{LIST}?status=pending")
    registration.refresh_from_db()
    assert registration.stage is Stage.ACCEPTED


@pytest.mark.parametrize(
    ("stage", "offered"),
    [
        (Stage.WAITING, {"Cancel registration of press-7"}),
        (Stage.PENDING, {"Accept press-7", "Cancel registration of press-7"}),
        (Stage.ACCEPTED, {"Cancel registration of press-7"}),
        (Stage.DELIVERED, {"Cancel registration of press-7"}),
        (Stage.BLOCKED, {"Unblock press-7", "Cancel registration of press-7"}),
    ],
)
def test_row_offers_what_can_be_done_at_its_stage(make_registration, desk, console, stage, offered):
    make_registration("press-7", stage=stage)
    row = read(desk.get(LIST)).one("tr", data_device="press-7")
    actions = row.classed("cell-actions")[0]
    assert {e["aria-label"] for e in actions.walk() if "aria-label" in e.attrs} == offered
    row = read(console("acme/reader").get(LIST)).one("tr", data_device="press-7")
    assert row.classed("cell-actions")[0].text == ""
    assert not row.all("input")
    assert not row.all("form")


def test_confirmed_device_is_told_apart_from_an_accepted_one(make_registration, desk):
    registration = make_registration("press-7", stage=Stage.DELIVERED)
    registration.confirm(device=DEVICE)
    page = read(desk.get(f"{LIST}?status=confirmed"))
    assert page.one("tr", data_device="press-7")["data-stage"] == "Confirmed"
