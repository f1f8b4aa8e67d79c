"""Links that work once, and lost passwords."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.core import mail
from django.db.models import F

from tenants.actors import SYSTEM
from tenants.links import find_link, link_digest
from tenants.models import AuditRecord, OneTimeLink, Session, User
from tests.accounts import (
    CODE,
    FORGOTTEN,
    WELCOME,
    age,
    give_second_factor,
    link_of,
    sign_in,
)
from tests.consoles import LIST, SIGN_IN, Console, messages_of, read, suspend
from tests.support import at_once

NEW = "seven bridges over a river"
RESET = OneTimeLink.Purpose.PASSWORD_RESET


@pytest.fixture
def invited(acme):
    """Somebody who was invited and has no password yet."""
    return User.objects.create_user(
        acme, "anna", None, full_name="Anna Schmidt", email="anna.schmidt@acme.example",
        global_roles=["operator"],
    )  # fmt: skip


@pytest.fixture
def mail_server(settings):
    settings.EMAIL_HOST = "mail.example"


def opened(link, console=None):
    """Open a link as a browser does; return the console."""
    console = console or Console()
    assert console.get(link)["Location"] == WELCOME
    return console


def choose(console, password=NEW, again=None):
    return console.post(WELCOME, {"password": password, "again": again or password})


# --- The link -----------------------------------------------------------------------------


def test_link_leads_to_a_page_whose_address_holds_no_secret(invited):
    link = link_of(invited)
    console = opened(link)
    page = read(console.get(WELCOME))
    assert "You are invited to Gatehouse, Anna Schmidt." in page.text
    assert page.one("input", id="login")["value"] == "acme/anna"
    assert "at least 12 characters" in page.text
    secret = link.split("/")[2]
    assert secret not in console.get(WELCOME).content.decode()
    assert secret not in str(list(OneTimeLink.objects.values()) + list(Session.objects.values()))


def test_password_is_chosen_and_signs_in(invited):
    console = opened(link_of(invited))
    assert choose(console)["Location"] == SIGN_IN
    assert messages_of(console.get(SIGN_IN)) == ["Your password is set. Sign in as acme/anna."]
    assert sign_in("acme/anna", NEW, console=console).response["Location"] == "/"
    assert console.get(LIST).status_code == 200
    [entry] = AuditRecord.objects.filter(activity="Password chosen")
    assert (entry.subject, entry.actor_name, entry.tenant_id) == ("acme/anna", "anna", "acme")


def test_link_works_once(invited):
    link = link_of(invited)
    first, second = opened(link), opened(link)
    assert choose(first).status_code == 302
    response = choose(second, "another fine long password")
    assert response.status_code == 404
    assert "Ask an administrator of your tenant for a new link" in read(response).text
    assert Console().get(link).status_code == 404
    assert sign_in("acme/anna", NEW).response.status_code == 302


def test_newer_link_takes_the_place_of_the_older_one(invited):
    old, new = link_of(invited), link_of(invited)
    assert Console().get(old).status_code == 404
    assert opened(new)


@pytest.mark.parametrize(
    "what", ["expired", "deactivated", "suspended", "unknown", "nul", "long", "no link at all"]
)
def test_dead_link_says_what_to_do(invited, acme, what):
    link = link_of(invited)
    if what == "expired":
        age(OneTimeLink, "expires_at", days=7)
    elif what == "deactivated":
        User.objects.filter(pk=invited.pk).update(is_active=False)
    elif what == "suspended":
        suspend(acme)
    link = {
        "unknown": "/welcome/abc/",
        "nul": "/welcome/a%00b/",
        "long": f"/welcome/{'x' * 5000}/",
        "no link at all": WELCOME,
    }.get(what, link)
    console = Console()
    response = console.get(link)
    assert response.status_code == 404
    assert "Ask an administrator of your tenant for a new link" in read(response).text
    assert "gatehouse_session" not in console.client.cookies
    assert choose(console).status_code == 404


def test_link_that_dies_while_the_page_is_open_sets_nothing(invited):
    console = opened(link_of(invited))
    age(OneTimeLink, "expires_at", days=7)
    assert choose(console).status_code == 404
    assert not User.objects.get(pk=invited.pk).has_usable_password()


def test_looking_at_a_link_does_not_use_it_up(invited):
    link = link_of(invited)
    console = Console()
    before = {model: list(model._base_manager.values()) for model in apps.get_models()}
    for method in ("head", "get", "get"):
        assert console.call(method, link).status_code == 302
        assert console.call(method, WELCOME).status_code == 200
    assert find_link(link_digest(link.split("/")[2]))
    after = {model: list(model._base_manager.values()) for model in apps.get_models()}
    # Only the session of this browser is new: it remembers which link was opened.
    assert {model for model in after if after[model] != before[model]} == {Session}


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("", "Choose a password."),
        ("short", "This password is too short. It must contain at least 12 characters."),
        ("anna.schmidt", "The password is too similar to the"),
        ("password1234", "This password is too common."),
        ("gatehouse-2026", "little more than the name of your tenant or of Gatehouse"),
        ("ACME acme Acme 1", "little more than the name of your tenant or of Gatehouse"),
        ("x" * 1025, "Ensure this value has at most 1024 characters"),
        ("quite a long one\x00", "Null characters are not allowed."),
    ],
)
def test_bad_password_is_refused_with_a_sentence(invited, password, sentence):
    console = opened(link_of(invited))
    response = choose(console, password, password or "x")
    assert response.status_code == 422
    assert sentence in read(response).text
    assert "value" not in read(response).one("input", name="password").attrs
    assert choose(console).status_code == 302


def test_passwords_that_differ_are_refused(invited):
    response = choose(opened(link_of(invited)), NEW, "seven bridges over a rivet")
    assert response.status_code == 422
    assert "The two passwords differ." in read(response).text


def test_everybody_else_with_that_account_is_out(person, api):
    user = person("acme/operator")
    other, neighbour = sign_in("acme/operator"), sign_in("globex/operator")
    assert api("acme/operator").get("/user/currentUser").status_code == 200
    assert choose(opened(link_of(user, RESET))).status_code == 302
    assert other.get(LIST)["Location"].startswith(SIGN_IN)
    assert not Session.objects.filter(user=user).exists()
    assert api("acme/operator").get("/user/currentUser").status_code == 401
    assert neighbour.get(LIST).status_code == 200


def test_whoever_was_signed_in_in_this_browser_is_signed_out(invited):
    console = opened(link_of(invited), Console("globex/operator"))
    assert choose(console).status_code == 302
    assert console.get(LIST)["Location"].startswith(SIGN_IN)


def test_second_factor_still_applies(person):
    user = person("acme/operator")
    give_second_factor(user)
    choose(opened(link_of(user, RESET)))
    assert sign_in("acme/operator", NEW).response["Location"] == CODE


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_link_is_only_looked_at(invited, method):
    assert Console().call(method, link_of(invited)).status_code == 405


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_who_open_one_link_at_once_do_not_both_choose(invited):
    link = link_of(invited)
    consoles = [opened(link) for _ in range(8)]
    calls = [
        lambda console=console, number=number: choose(console, f"{NEW} {number}").status_code
        for number, console in enumerate(consoles)
    ]
    assert sorted(at_once(*calls)) == [302] + [404] * 7


# --- Forgotten ----------------------------------------------------------------------------


def forget(login, console=None, **how):
    return (console or Console()).post(FORGOTTEN, {"username": login}, **how)


def test_link_comes_by_mail_and_works(person, mail_server):
    assert forget("acme/operator")["Location"] == SIGN_IN
    [sent] = mail.outbox
    assert sent.to == ["operator@acme.example"]
    link = next(line for line in sent.body.splitlines() if "/welcome/" in line)
    assert choose(opened(link.removeprefix("http://testserver"))).status_code == 302
    assert sign_in("acme/operator", NEW).response.status_code == 302
    assert AuditRecord.objects.filter(activity="Password reset link made").count() == 1


@pytest.mark.parametrize(
    "login",
    ["acme/nobody", "nowhere/operator", "reader", "acme/devicebootstrap", "acme/nomail", "x\x7f"],
)
def test_answer_is_the_same_where_nothing_is_sent(house, acme, mail_server, login):
    User.objects.create_user(acme, "nomail", "long enough, no mail")
    User.objects.get(tenant="management", username="reader").delete()  # two others remain
    known, unknown = Console(), Console()
    answers = [forget("acme/operator", known), forget(login, unknown)]
    assert len({(one.status_code, one["Location"], one.content) for one in answers}) == 1
    assert messages_of(known.get(SIGN_IN)) == messages_of(unknown.get(SIGN_IN)) != []
    assert [one.to for one in mail.outbox] == [["operator@acme.example"]]


@pytest.mark.parametrize("state", ["deactivated", "suspended"])
def test_account_that_is_shut_gets_no_link(person, acme, mail_server, state):
    if state == "suspended":
        suspend(acme)
    else:
        User.objects.filter(username="operator").update(is_active=False)
    assert forget("acme/operator").status_code == 302
    assert mail.outbox == []


def test_whoever_never_accepted_the_invitation_gets_a_link_too(invited, mail_server):
    forget("anna")
    assert [one.to for one in mail.outbox] == [["anna.schmidt@acme.example"]]


def test_mails_to_one_account_are_few_and_nobody_is_told(house, mail_server):
    answers = {forget("acme/operator").status_code for _ in range(5)}
    assert answers == {302}
    assert len(mail.outbox) == 3


def test_one_source_asks_for_few(house, mail_server):
    codes = [forget(f"acme/user-{each}").status_code for each in range(21)]
    assert codes == [302] * 20 + [429]
    answer = forget("acme/operator")
    assert int(answer["Retry-After"]) > 0
    assert "Too many failed attempts." in read(answer).text
    assert mail.outbox == []


def test_without_mail_the_page_says_whom_to_ask(house):
    for response in (Console().get(FORGOTTEN), forget("acme/operator")):
        text = read(response).text
        assert "Ask an administrator of your tenant for a new link" in text
        assert not read(response).all("input", name="username")
    assert mail.outbox == []
    assert not OneTimeLink.objects.exists()


@pytest.mark.parametrize("login", ["", "x\x00", "x" * 300])
def test_bad_name_is_refused_with_a_sentence(house, mail_server, login):
    response = forget(login)
    assert response.status_code == 422
    assert read(response).classed("invalid-feedback")


def test_name_is_meant_in_the_tenant_of_the_host(house, acme, mail_server, settings):
    settings.ALLOWED_HOSTS = ["acme.example.com"]
    acme.domain = "acme.example.com"
    acme.save()
    forget("operator", Host="ACME.example.com:8443")
    assert [one.to for one in mail.outbox] == [["operator@acme.example"]]


def test_link_is_not_sent_to_a_host_that_is_not_ours(house, mail_server):
    assert forget("acme/operator", Host="evil.example").status_code == 400
    assert mail.outbox == []


def test_time_of_a_link_is_long_for_invitations_and_short_for_resets(invited):
    link_of(invited)
    invitation = OneTimeLink.objects.get()
    assert invitation.expires_at - invitation.created_at > timedelta(days=6)
    link_of(invited, RESET)
    reset = OneTimeLink.objects.get()
    assert reset.expires_at - reset.created_at < timedelta(hours=5)
    OneTimeLink.objects.update(expires_at=F("expires_at") - timedelta(hours=4))
    assert not OneTimeLink.objects.usable().exists()
    assert SYSTEM.name == reset.created_by
