"""Accept all and the selection: frozen, shown, confirmed once, told entry by entry."""

import re
import uuid

import pytest

from registration.console import decisions
from registration.lifecycle import Stage, TokenPolicy
from registration.models import BulkDecision, Registration
from tests.consoles import LIST, messages_of, read
from tests.support import give_rights, kinds, knock

ALL = f"{LIST}accept-all/"
SELECTED = f"{LIST}selected/"


def stages():
    return {row.device_id: row.stage for row in Registration.objects.all()}


def results(response):
    """Return the entries by device: what is said of each, "" for those that are (to be) done."""
    return {
        item.one("strong").text: item.all("span")[0].text if item.all("span") else ""
        for item in read(response).classed("result")
    }


def title(response):
    return read(response).one("h2", id="dialog-title").text


def confirm(desk, preview, *, target="dialog"):
    """Press the button of a preview."""
    form = read(preview).one(
        "form", method="post", action=re.search(r'action="(/devices[^"]+/decisions/[^"]+)"',
        preview.content.decode())[1],
    )  # fmt: skip
    return desk.post(form["action"], form.fields, target=target)


@pytest.fixture
def pending(make_registration):
    """Three pending devices: two without a token, one with."""
    return [
        make_registration("plain-1", stage=Stage.PENDING),
        make_registration("plain-2", stage=Stage.PENDING),
        make_registration("token-1", stage=Stage.PENDING, token="s3cret"),
    ]


# --- Accept all -----------------------------------------------------------------------------


def test_preview_shows_what_would_happen_and_does_nothing(pending, make_registration, desk):
    make_registration("waiting-1")
    preview = desk.post(ALL, target="dialog")
    assert preview.status_code == 200
    assert title(preview) == "Accept 2 devices"
    assert results(preview) == {
        "plain-1": "",
        "plain-2": "",
        "token-1": "The device sent a security token: accept it by itself, with the token.",
    }
    assert set(stages().values()) == {Stage.PENDING, Stage.WAITING}


def test_confirmation_does_exactly_that(pending, desk):
    result = confirm(desk, desk.post(ALL, target="dialog"))
    assert title(result) == "2 of 3 devices accepted"
    assert results(result)["token-1"].startswith("The device sent a security token")
    assert result["HX-Trigger"] == "registrationsChanged"
    assert stages() == {
        "plain-1": Stage.ACCEPTED,
        "plain-2": Stage.ACCEPTED,
        "token-1": Stage.PENDING,
    }


def test_accept_all_works_without_javascript(pending, desk):
    page = read(desk.get(LIST))
    form = page.one("form", action=ALL)
    preview = desk.client.post(form["action"], form.fields, follow=True)
    assert preview.redirect_chain[0][0].startswith(f"{LIST}decisions/")
    assert read(preview).one("title")
    response = confirm(desk, preview, target=None)
    assert response.status_code == 302
    result = desk.get(response["Location"])
    assert title(result) == "2 of 3 devices accepted"


def test_second_click_shows_the_same_result(pending, desk):
    preview = desk.post(ALL, target="dialog")
    first = confirm(desk, preview)
    newcomer = Registration.objects.get(device_id="token-1")
    second = confirm(desk, preview)
    assert second.status_code == 200
    assert results(second) == results(first)
    assert title(second) == title(first)
    assert kinds(pending[0]).count("accepted") == 1
    newcomer.refresh_from_db()
    assert newcomer.stage is Stage.PENDING


@pytest.mark.parametrize("late", ["registered later", "registered before"])
def test_device_that_knocks_after_the_preview_stays_pending(pending, make_registration, desk, late):
    waiting = make_registration("late-1") if late == "registered before" else None
    preview = desk.post(ALL, target="dialog")
    waiting = waiting or make_registration("late-1")
    knock(waiting)
    result = confirm(desk, preview)
    assert title(result) == "2 of 3 devices accepted"
    assert stages()["late-1"] is Stage.PENDING


def test_what_changed_after_the_preview_is_told_with_its_reason(pending, desk, console):
    preview = desk.post(ALL, target="dialog")
    other = console("acme/administrator")
    other.post(f"{LIST}{pending[0].pk}/cancel/")
    other.post(f"{LIST}{pending[1].pk}/accept/")
    result = confirm(desk, preview)
    assert title(result) == "0 of 3 devices accepted"
    assert results(result) == {
        "plain-1": "The registration no longer exists.",
        "plain-2": "No device is waiting for acceptance here.",
        "token-1": "The device sent a security token: accept it by itself, with the token.",
    }


# Source: Cumulocity REST, security token policy: any policy, accept all, device sent a token.
@pytest.mark.parametrize("policy", list(TokenPolicy))
@pytest.mark.parametrize("sent", ["", "s3cret"], ids=["none sent", "token sent"])
def test_accept_all_follows_the_policy(make_registration, desk, acme, set_policy, policy, sent):
    make_registration("press-7", stage=Stage.PENDING, token=sent)
    set_policy(acme, policy)
    reason = ""
    if sent:
        reason = "The device sent a security token: accept it by itself, with the token."
    elif policy is TokenPolicy.REQUIRED:
        reason = "The policy requires a security token and the device sent none."
    preview = desk.post(ALL, target="dialog")
    assert results(preview) == {"press-7": reason}
    button = [b for b in read(preview).all("button") if b.text.startswith("Accept")]
    assert bool(button) is (not reason)
    result = confirm(desk, preview)
    assert results(result) == {"press-7": reason}
    assert stages()["press-7"] is (Stage.PENDING if reason else Stage.ACCEPTED)


def test_policy_that_changed_after_the_preview_counts(pending, desk, acme, set_policy):
    preview = desk.post(ALL, target="dialog")
    set_policy(acme, TokenPolicy.REQUIRED)
    assert title(confirm(desk, preview)) == "0 of 3 devices accepted"


def test_nothing_pending_is_said_plainly(make_registration, desk):
    make_registration("press-7")
    preview = desk.post(ALL, target="dialog")
    assert "No device is waiting for acceptance." in read(preview).text
    assert not [b for b in read(preview).all("button") if b.text]


def test_accept_all_is_about_all_tenants_for_management_only(
    pending, make_registration, globex, desk, console
):
    make_registration("of-globex", tenant=globex, stage=Stage.PENDING)
    assert set(results(desk.post(ALL, target="dialog"))) == {"plain-1", "plain-2", "token-1"}
    result = confirm(console("management/operator"), console("management/operator").post(ALL,
        target="dialog"))  # fmt: skip
    assert title(result) == "3 of 4 devices accepted"
    assert stages()["of-globex"] is Stage.ACCEPTED


def test_long_list_names_some_and_counts_the_rest(pending, desk, monkeypatch):
    monkeypatch.setattr(decisions, "NAMED", 1)
    preview = desk.post(ALL, target="dialog")
    assert len(results(preview)) == 2  # one of each kind
    assert "and 2 in all" in read(preview).text


@pytest.mark.parametrize("number", [1, 40])
def test_decision_costs_as_many_queries_for_one_as_for_many(
    make_registration, desk, django_assert_max_num_queries, number
):
    for _ in range(number):
        make_registration(stage=Stage.PENDING)
    with django_assert_max_num_queries(26):
        preview = desk.post(ALL, target="dialog")
    with django_assert_max_num_queries(42):
        confirm(desk, preview)


# --- A selection ----------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "dialog"], ids=["no JavaScript", "fragment"])
def test_selected_devices_are_accepted_and_no_others(pending, desk, target):
    data = {"selected": [pending[0].pk, pending[2].pk], "action": "accept"}
    if target:
        preview = desk.post(SELECTED, data, target=target)
    else:
        preview = desk.client.post(SELECTED, data, follow=True)
    assert title(preview) == "Accept 1 device"
    confirm(desk, preview, target=target)
    assert stages() == {
        "plain-1": Stage.ACCEPTED,
        "plain-2": Stage.PENDING,
        "token-1": Stage.PENDING,
    }


def test_selected_registrations_are_cancelled_after_a_preview(pending, desk, make_registration):
    blocked = make_registration("blocked-1", stage=Stage.BLOCKED)
    preview = desk.post(SELECTED, {"selected": [pending[0].pk, blocked.pk], "action": "remove"},
                        target="dialog")  # fmt: skip
    assert title(preview) == "Cancel 2 device registrations"
    assert len(stages()) == 4
    assert title(confirm(desk, preview)) == "2 of 2 devices cancelled"
    assert set(stages()) == {"plain-2", "token-1"}
    assert kinds(blocked)[-1] == "removed"


def test_picked_by_hand_a_token_is_no_obstacle_where_tokens_are_ignored(
    pending, desk, acme, set_policy
):
    set_policy(acme, TokenPolicy.IGNORED)
    preview = desk.post(SELECTED, {"selected": [pending[2].pk], "action": "accept"}, target="d")
    confirm(desk, preview)
    assert stages()["token-1"] is Stage.ACCEPTED


@pytest.mark.parametrize(
    "selected", [[], [""], ["nonsense"], ["-1"], ["9" * 19], ["9" * 400], ["\x00"], ["1.5"]]
)
def test_empty_selection_is_told(pending, desk, selected):
    data = {"selected": selected, "action": "accept"}
    response = desk.post(SELECTED, data, target="dialog")
    assert response.status_code == 200
    assert messages_of(response) == ["Select at least one device first."]
    response = desk.client.post(SELECTED, data, follow=True)
    assert messages_of(response) == ["Select at least one device first."]
    assert not BulkDecision.objects.exists()


def test_action_that_does_not_exist_never_cancels(pending, desk):
    for action in ("", "nonsense", "REMOVE"):
        preview = desk.post(SELECTED, {"selected": pending[0].pk, "action": action}, target="d")
        assert title(preview) == "Accept 1 device"


def test_rows_of_another_tenant_cannot_be_selected(pending, console):
    theirs = console("globex/operator")
    for action in ("accept", "remove"):
        data = {"selected": [row.pk for row in pending], "action": action}
        preview = theirs.post(SELECTED, data, target="dialog")
        assert results(preview) == {}
        assert b"plain-1" not in preview.content
        confirm(theirs, preview)
    assert set(stages().values()) == {Stage.PENDING}


# --- Whose decision -------------------------------------------------------------------------


def test_decision_belongs_to_the_person_who_asked(pending, desk, console):
    desk.post(ALL, target="dialog")
    url = f"{LIST}decisions/{BulkDecision.objects.get().pk}/"
    for login in ("acme/administrator", "globex/operator", "management/operator"):
        for method in ("get", "post"):
            assert console(login).call(method, url).status_code == 404, (login, method)
    assert desk.get(url).status_code == 200
    assert set(stages().values()) == {Stage.PENDING}


def test_decision_that_does_not_exist_is_not_found(desk):
    assert desk.get(f"{LIST}decisions/{uuid.uuid4()}/").status_code == 404
    assert desk.get(f"{LIST}decisions/nonsense/").status_code == 404


@pytest.mark.parametrize("login", ["acme/reader", "acme/devicebootstrap"])
def test_person_without_the_right_decides_nothing(pending, console, desk, login):
    desk.post(ALL, target="dialog")
    url = f"{LIST}decisions/{BulkDecision.objects.get().pk}/"
    for each in (ALL, SELECTED, url):
        assert console(login).post(each, {"selected": pending[0].pk}).status_code == 403
    assert console(login).get(url).status_code == 403
    assert BulkDecision.objects.count() == 1


def test_operator_who_lost_the_right_cannot_confirm(pending, desk, person):
    preview = desk.post(ALL, target="dialog")
    user = person("acme/operator")
    give_rights(user, "ROLE_DEVICE_CONTROL_READ")
    assert confirm(desk, preview).status_code == 403
    assert set(stages().values()) == {Stage.PENDING}


@pytest.mark.parametrize("url", [ALL, SELECTED])
@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_list_is_frozen_by_a_post_only(pending, desk, url, method):
    assert desk.call(method, url).status_code == 405
    assert not BulkDecision.objects.exists()


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_decision_is_looked_at_or_confirmed(pending, desk, method):
    desk.post(ALL)
    url = f"{LIST}decisions/{BulkDecision.objects.get().pk}/"
    assert desk.call(method, url).status_code == 405


def test_looking_at_a_decision_carries_nothing_out(pending, desk):
    desk.post(ALL)
    url = f"{LIST}decisions/{BulkDecision.objects.get().pk}/"
    for _ in range(2):
        assert title(desk.get(url)) == "Accept 2 devices"
    assert set(stages().values()) == {Stage.PENDING}
