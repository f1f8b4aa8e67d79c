"""The pages about people, as administrators and those who may only look use them."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from tenants.models import AuditRecord, Authenticator, OneTimeLink, Session, User
from tenants.tokens import make_token
from tests.consoles import HELP, Console, messages_of, read
from tests.support import give_rights

PEOPLE = "/administration/people/"
INVITE = f"{PEOPLE}invite/"
ACCOUNTS = "/administration/accounts/"


@pytest.fixture
def desk(console):
    """The console of the administrator of acme."""
    return console("acme/administrator")


@pytest.fixture
def operator_page(person):
    return f"{PEOPLE}{person('acme/operator').pk}/"


@pytest.fixture
def new_person(acme):
    """What the form of an invitation sends."""
    role = acme.global_roles.get(name="reader")
    return {"username": "anna", "full_name": "Anna", "email": "anna@x.org", "roles": [role.pk]}


def names(response):
    return [cell.one("a").text for cell in read(response).classed("cell-user") if cell.tag == "td"]


def link_in(response):
    return read(response).one("input", id="handover-link")["value"]


# --- The list -----------------------------------------------------------------------------


def test_list_shows_the_people_of_the_tenant_and_no_services(desk, globex):
    User.objects.create_user(globex, "stranger", None)
    response = desk.get(PEOPLE)
    assert names(response) == ["administrator", "operator", "reader"]
    page = read(response)
    assert page.one("a", aria_current="true").text == "All 3"
    assert (
        page.classed("navigator-administration")[0].one("a", aria_current="page").text == "People"
    )


def test_row_tells_what_is_known(desk, person):
    user = person("acme/operator")
    user.full_name, user.last_login = "Otto", timezone.now() - timedelta(hours=1)
    user.save()
    Authenticator.objects.create(user=user, name="app", confirmed=True, key="aa")
    row = read(desk.get(PEOPLE)).one("tr", id=f"person-{user.pk}")
    for text in ("operator", "Active", "Otto", "operator@acme.example", "Yes", "UTC"):
        assert text in row.text
    other = read(desk.get(PEOPLE)).one("tr", id=f"person-{person('acme/reader').pk}")
    assert "never No" in other.text


def test_unconfirmed_authenticator_is_no_second_factor(desk, person):
    user = person("acme/operator")
    Authenticator.objects.create(user=user, name="app", confirmed=False, key="aa")
    assert "Yes" not in read(desk.get(PEOPLE)).one("tr", id=f"person-{user.pk}").text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=active", ["administrator", "operator"]), ("status=invited", ["zoe"]),
        ("status=deactivated", ["reader", "shut"]), ("status=nonsense", None),
        ("q=ZOE", ["zoe"]), ("q=operator%40acme", ["operator"]), ("q=Zoe+Z", ["zoe"]),
        ("q=nobody", []), ("q=%00", None), ("q=%ED%A0%80", []), ("q=o&status=invited", ["zoe"]),
        ("sort=-user", "reversed"), ("sort=name&after=%00", "any"), ("after=abc", None),
    ],
)  # fmt: skip
def test_list_is_narrowed_and_sorted(query, expected, desk, acme, person):
    User.objects.create_user(acme, "zoe", None, full_name="Zoe Z")
    User.objects.create_user(acme, "shut", None, is_active=False)
    User.objects.filter(pk=person("acme/reader").pk).update(is_active=False)
    everybody = ["administrator", "operator", "reader", "shut", "zoe"]
    response = desk.get(f"{PEOPLE}?{query}")
    assert response.status_code == 200
    if expected == "any":
        assert sorted(names(response)) == everybody
    elif expected == "reversed":
        assert names(response) == everybody[::-1]
    else:
        assert names(response) == (everybody if expected is None else expected)


def test_nobody_found_is_said_with_a_way_back(desk):
    page = read(desk.get(f"{PEOPLE}?q=nobody"))
    assert "Nobody here for “nobody”" in page.text
    assert page.one("a", class_="button")["href"] == PEOPLE


def test_list_is_paged_by_key_with_few_queries(desk, acme, django_assert_max_num_queries):
    reader = acme.global_roles.get(name="reader")
    made = User.objects.bulk_create(
        User(tenant=acme, username=f"worker{n:03}", password="!") for n in range(120)
    )
    User.global_roles.through.objects.bulk_create(
        User.global_roles.through(user=user, globalrole=reader) for user in made
    )
    desk.get(PEOPLE)
    with django_assert_max_num_queries(9):
        response = desk.get(PEOPLE)
    seen = names(response)
    while True:
        later = read(response).all("a", rel="next")
        if not later:
            break
        response = desk.get(later[0]["href"])
        seen += names(response)
    assert len(seen) == 123
    assert seen == sorted(set(seen))
    assert "of 123" in read(response).text


def test_htmx_gets_the_table_alone(desk):
    response = desk.get(PEOPLE, target="people-table")
    assert next(read(response).walk())["id"] == "people-table"
    assert "HX-Target" in response["Vary"]


def test_who_may_only_look_sees_no_actions(console, person, operator_page):
    give_rights(person("acme/reader"), "ROLE_USER_MANAGEMENT_READ")
    reader = console("acme/reader")
    for url in (PEOPLE, operator_page):
        page = read(reader.get(url))
        hrefs = [a["href"] for a in page.all("a", href=True)]
        assert not [h for h in hrefs if re.search("(invite|edit|delete|activate|link)/", h)]


# --- Rights and tenants, for every address ------------------------------------------------


ACTIONS = {
    "edit": f"{PEOPLE}{{}}/edit/",
    "link": f"{PEOPLE}{{}}/link/",
    "second factor": f"{PEOPLE}{{}}/second-factor/",
    "sessions": f"{PEOPLE}{{}}/sessions/",
    "deactivate": f"{ACCOUNTS}{{}}/deactivate/",
    "activate": f"{ACCOUNTS}{{}}/activate/",
    "delete": f"{ACCOUNTS}{{}}/delete/",
}
every_action = pytest.mark.parametrize("url", ACTIONS.values(), ids=ACTIONS)


@every_action
@pytest.mark.parametrize("login", ["globex/operator", "management/operator"])
def test_somebody_of_another_tenant_is_not_there(url, login, desk, person):
    before = AuditRecord.objects.count()
    for method in ("get", "post"):
        for target in (None, "dialog"):
            answer = desk.call(method, url.format(person(login).pk), target=target)
            assert answer.status_code == 404
    assert desk.get(f"{PEOPLE}{person(login).pk}/").status_code == 404
    assert AuditRecord.objects.count() == before


@every_action
@pytest.mark.parametrize("roles", [(), ("ROLE_USER_MANAGEMENT_READ",)], ids=["none", "read"])
def test_change_needs_the_right(url, roles, console, person):
    give_rights(person("acme/reader"), *roles)
    reader = console("acme/reader")
    for method in ("get", "post"):
        assert getattr(reader, method)(url.format(person("acme/operator").pk)).status_code == 403
    assert reader.get(INVITE).status_code == 403
    assert reader.get(PEOPLE).status_code == (200 if roles else 403)


@every_action
@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_wrong_method_is_refused(url, method, desk, person):
    assert desk.call(method, url.format(person("acme/operator").pk)).status_code == 405


@every_action
def test_looking_at_the_question_changes_nothing(url, desk, person):
    user = person("acme/operator")
    Authenticator.objects.create(user=user, name="app", confirmed=True, key="aa")
    before = AuditRecord.objects.count()
    for target in (None, "dialog"):
        answer = desk.get(url.format(user.pk), target=target)
        assert answer.status_code == 200
        form = read(answer).one("form", class_=True, action=url.format(user.pk))
        assert form["method"] == "post"
    assert AuditRecord.objects.count() == before


@every_action
def test_somebody_with_more_rights_is_refused_with_a_sentence(url, console, acme, person):
    clerk = User.objects.create_user(acme, "clerk", None)
    give_rights(clerk, "ROLE_USER_MANAGEMENT_ADMIN")
    user = person("acme/operator")
    role = acme.global_roles.get(name="operator")
    answer = console("acme/clerk").post(
        url.format(user.pk), {"full_name": "x", "roles": [role.pk]}, target="dialog"
    )
    assert answer.status_code == 409
    assert "operator has rights that you do not have" in read(answer).text


# --- Inviting -----------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "dialog"])
def test_person_is_invited_and_the_link_is_shown_once(target, desk, new_person):
    assert read(desk.get(INVITE, target=target)).one("form", action=INVITE)
    response = desk.post(INVITE, new_person, target=target)
    assert response.status_code == 200
    url = link_in(response)
    assert re.fullmatch(r"http://testserver/welcome/[\w-]{43}/", url)
    assert "works once, until" in read(response).text
    anna = User.objects.get(tenant="acme", username="anna")
    assert anna.is_invited
    assert url not in desk.get(f"{PEOPLE}{anna.pk}/").content.decode()
    assert "The invitation was made" in read(desk.get(f"{PEOPLE}{anna.pk}/")).text
    assert response.has_header("HX-Trigger")


def test_second_click_invites_nobody_twice(desk, new_person):
    desk.post(INVITE, new_person)
    response = desk.post(INVITE, new_person, target="dialog")
    assert response.status_code == 409
    assert "already an account anna" in read(response).text
    assert OneTimeLink.objects.count() == 1


def test_link_goes_by_mail_where_there_is_a_server(desk, new_person, settings):
    settings.EMAIL_HOST = "mail.example.com"
    response = desk.post(INVITE, new_person)
    page = read(response)
    assert "A link was sent to anna@x.org" in page.text
    assert "/welcome/" not in response.content.decode()
    assert mail.outbox[0].to == ["anna@x.org"]
    assert "/welcome/" in mail.outbox[0].body


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"username": ""}, 422, "Give the account a user name"),
        ({"username": "device_1"}, 422, "belong to devices"),
        ({"username": "a b"}, 422, "whitespace"), ({"username": "a\x00"}, 422, "Null"),
        ({"username": "\ufffd\u200b"}, 422, "invisible"), ({"full_name": "\x00"}, 422, "Null"),
        ({"full_name": "x" * 256}, 422, "255"), ({"email": "nonsense"}, 422, "like anna@"),
        ({"email": "a" * 250 + "@x.org"}, 422, "254"), ({"email": "\x00@x.org"}, 422, "Null"),
        ({"roles": []}, 422, "at least one role"), ({"roles": ["0"]}, 422, "no longer there"),
        ({"roles": ["x"]}, 422, "no longer there"), ({"roles": ["\x00"]}, 422, "no longer"),
        ({"roles": ["9" * 30]}, 422, "no longer there"), ({"username": "reader"}, 409, "already"),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("target", [None, "dialog"])
def test_bad_input_is_told_beside_what_was_typed(change, status, says, target, desk, new_person):
    response = desk.post(INVITE, new_person | change, target=target)
    assert response.status_code == status
    page = read(response)
    assert says in page.text
    assert page.one("input", name="full_name")["value"] == (new_person | change)["full_name"]
    assert not User.objects.filter(username="anna").exists()


def test_role_of_another_tenant_cannot_be_given(desk, new_person, globex):
    foreign = globex.global_roles.get(name="reader").pk
    assert desk.post(INVITE, new_person | {"roles": [foreign]}).status_code == 422


# --- Changing -----------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "dialog"])
def test_person_is_changed(target, desk, acme, operator_page, person):
    url = f"{operator_page}edit/"
    form = read(desk.get(url, target=target)).one("form", action=url)
    assert form.fields["email"] == "operator@acme.example"
    reader = acme.global_roles.get(name="reader")
    sent = {"full_name": "Otto", "email": "", "roles": [reader.pk], "next": operator_page}
    response = desk.post(url, sent, target=target)
    assert response.status_code == (204 if target else 302)
    if target:
        assert "peopleChanged" in response["HX-Trigger"]
    user = person("acme/operator")
    assert (user.full_name, user.email) == ("Otto", "")
    assert [role.name for role in user.global_roles.all()] == ["reader"]
    page = desk.get(operator_page)
    assert messages_of(page) == ["operator is changed."]
    assert "Otto" in read(page).text


def test_next_leads_to_our_own_pages_only(desk, operator_page, acme):
    sent = {"roles": [acme.global_roles.get(name="reader").pk], "next": "https://evil.example/"}
    assert desk.post(f"{operator_page}edit/", sent)["Location"] == operator_page


def test_last_administrator_keeps_the_role(desk, acme, person):
    me = f"{PEOPLE}{person('acme/administrator').pk}/edit/"
    response = desk.post(me, {"roles": [acme.global_roles.get(name="reader").pk]}, target="dialog")
    assert response.status_code == 409
    assert "must keep the right ROLE_USER_MANAGEMENT_ADMIN" in read(response).text
    assert person("acme/administrator").has_role("ROLE_USER_MANAGEMENT_ADMIN")


# --- Actions ------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "dialog"])
def test_person_is_shut_out_and_let_in_again(target, desk, person, operator_page):
    user = person("acme/operator")
    theirs = Console("acme/operator")
    for step, says in (("deactivate", "deactivated"), ("activate", "active")):
        for again in ("", "already "):
            response = desk.post(f"{ACCOUNTS}{user.pk}/{step}/", target=target)
            assert response.status_code == (204 if target else 302)
            page = desk.get(operator_page)
            assert messages_of(page) == [f"operator is {again}{says}."]
        user.refresh_from_db()
        assert user.is_active == (step == "activate")
        assert theirs.get(HELP).status_code == 302
    assert AuditRecord.objects.filter(type="User").count() == 2


@pytest.mark.parametrize("target", [None, "dialog"])
def test_new_link_is_shown_and_voids_the_one_before(target, desk, person, operator_page):
    url = f"{operator_page}link/"
    assert "New password for operator" in read(desk.get(url, target=target)).text
    links = [link_in(desk.post(url, target=target)) for _ in range(2)]
    assert links[0] != links[1]
    assert OneTimeLink.objects.get().purpose == "password-reset"


def test_second_factor_is_reset_once(desk, person, operator_page):
    user = person("acme/operator")
    Authenticator.objects.create(user=user, name="app", confirmed=True, key="aa")
    url = f"{operator_page}second-factor/"
    assert desk.post(url)["Location"] == operator_page
    assert messages_of(desk.get(operator_page)) == ["The second factor of operator is reset."]
    desk.post(url, target="dialog")
    assert messages_of(desk.get(operator_page)) == ["operator has no second factor."]


def test_sessions_end(desk, person, operator_page):
    theirs = Console("acme/operator")
    assert "In 1 browser" in read(desk.get(operator_page)).text
    assert desk.post(f"{operator_page}sessions/", target="dialog").status_code == 204
    assert theirs.get(HELP).status_code == 302
    assert not Session.objects.filter(user=person("acme/operator")).exists()


@pytest.mark.parametrize("target", [None, "dialog"])
def test_deleted_person_is_gone_and_the_list_says_so(target, desk, person):
    user = person("acme/operator")
    response = desk.post(f"{ACCOUNTS}{user.pk}/delete/", target=target)
    assert response.status_code == (204 if target else 302)
    page = desk.get(PEOPLE)
    assert messages_of(page) == ["operator is deleted."]
    assert names(page) == ["administrator", "reader"]
    assert desk.post(f"{ACCOUNTS}{user.pk}/delete/", target=target).status_code == 404


@pytest.mark.parametrize("step", ["deactivate", "delete"])
def test_nobody_shuts_out_himself(step, desk, person):
    me = person("acme/administrator")
    response = desk.post(f"{ACCOUNTS}{me.pk}/{step}/")
    assert response.status_code == 409
    assert "Ask another administrator" in read(response).text
    assert f"{ACCOUNTS}{me.pk}/{step}/" not in desk.get(f"{PEOPLE}{me.pk}/").content.decode()
    assert desk.get(PEOPLE).status_code == 200


def test_tokens_of_a_person_are_seen_and_revoked(desk, person, operator, operator_page):
    token, text = make_token(
        operator.user, "laptop", ["ROLE_DEVICE_CONTROL_READ"], expires_at=None, by=operator
    )
    page = desk.get(operator_page)
    assert text not in page.content.decode()
    row = read(page).one("tr", id=f"token-{token.pk}")
    assert "laptop" in row.text
    assert text[:10] in row.text
    assert "Create token" not in read(page).text
    url = f"/administration/tokens/{token.pk}/revoke/"
    assert "Revoke the token laptop" in read(desk.get(url)).text
    assert desk.post(url, target="dialog").status_code == 204
    assert desk.post(url)["Location"] == operator_page
    assert messages_of(desk.get(operator_page))[-1] == "The token laptop is already revoked."
    assert "Revoked" in read(desk.get(operator_page)).one("tr", id=f"token-{token.pk}").text


def test_token_of_another_tenant_is_not_there(desk, globex_operator, console, person):
    token, _ = make_token(
        globex_operator.user, "t", ["ROLE_DEVICE_CONTROL_READ"], expires_at=None,
        by=globex_operator,
    )  # fmt: skip
    url = f"/administration/tokens/{token.pk}/revoke/"
    assert desk.get(url).status_code == desk.post(url).status_code == 404
    assert console("globex/reader").post(url).status_code == 403
    token.refresh_from_db()
    assert token.revoked_at is None


@pytest.mark.parametrize("number", [0, 10**30])
def test_number_that_nobody_has_is_not_found(number, desk):
    assert desk.get(f"{PEOPLE}{number}/").status_code == 404
    assert desk.post(f"{ACCOUNTS}{number}/delete/").status_code == 404


def test_service_has_no_page_among_people(desk, person):
    bot = person("acme/devicebootstrap")
    assert desk.get(f"{PEOPLE}{bot.pk}/").status_code == 404
    assert desk.post(f"{PEOPLE}{bot.pk}/link/").status_code == 404


def test_page_of_a_person_needs_few_queries(desk, operator_page, django_assert_max_num_queries):
    desk.get(operator_page)
    with django_assert_max_num_queries(12):
        desk.get(operator_page)
