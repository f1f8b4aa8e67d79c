"""The pages about services: accounts for programs, their secrets and API tokens."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tenants import services
from tenants.actors import SYSTEM
from tenants.models import ApiToken, AuditRecord, User
from tests.consoles import messages_of, read
from tests.support import REQUESTS, Api, give_rights

SERVICES = "/administration/services/"
NEW = f"{SERVICES}new/"
ADMIN = "ROLE_DEVICE_CONTROL_ADMIN"


@pytest.fixture
def desk(console):
    """The console of the administrator of acme."""
    return console("acme/administrator")


@pytest.fixture
def bot(acme):
    return services.create_service(
        acme, "erp", full_name="ERP", roles=acme.global_roles.filter(name="operator"), by=SYSTEM
    )


@pytest.fixture
def knocker(person):
    return person("acme/devicebootstrap")


def url(user, action=""):
    return f"{SERVICES}{user.pk}/{action}"


def new_token(**change):
    return {"name": "import", "scopes": [ADMIN], "lifetime": "90", **change}


def token_in(response):
    return read(response).one("input", id="token-text")["value"]


def test_services_of_the_tenant_are_listed(desk, bot, knocker, globex):
    User.objects.create_user(globex, "theirs", None, kind="service")
    page = read(desk.get(SERVICES))
    shown = [cell.one("a").text for cell in page.classed("cell-user")]
    assert shown == ["devicebootstrap", "erp"]
    assert "has a secret" in page.one("tr", id=f"service-{knocker.pk}").text
    assert "ERP" in page.one("tr", id=f"service-{bot.pk}").text


def test_list_needs_few_queries(desk, acme, django_assert_max_num_queries):
    for number in range(10):
        made = services.create_service(acme, f"s{number}", full_name="", by=SYSTEM,
                                       roles=acme.global_roles.filter(name="reader"))  # fmt: skip
        services.make_service_token(made, "t", ["ROLE_DEVICE_CONTROL_READ"],
                                    expires_at=None, by=SYSTEM)  # fmt: skip
    desk.get(SERVICES)
    with django_assert_max_num_queries(8):
        desk.get(SERVICES)


@pytest.mark.parametrize("target", [None, "dialog"])
def test_service_is_made_and_leads_to_its_tokens(target, desk, acme):
    sent = {"username": "erp", "full_name": "ERP",
            "roles": [acme.global_roles.get(name="operator").pk]}  # fmt: skip
    response = desk.post(NEW, sent, target=target)
    made = User.objects.get(username="erp")
    assert (made.is_service, made.secret_digest) == (True, "")
    assert response.status_code == (204 if target else 302)
    assert messages_of(desk.get(url(made))) == ["Service erp is created. Now create its API token."]
    again = desk.post(NEW, sent, target=target)
    assert again.status_code == 409
    assert "already an account erp" in read(again).text


@pytest.mark.parametrize("target", [None, "dialog"])
def test_bootstrap_account_shows_its_secret_once(target, desk):
    response = desk.post(NEW, {"username": "knocker", "is_bootstrap": "on"}, target=target)
    assert response.status_code == 200
    secret = read(response).one("input", id="secret-text")["value"]
    made = User.objects.get(username="knocker")
    assert Api("acme/knocker", secret).poll("4711").status_code == 404
    assert secret not in desk.get(url(made)).content.decode()
    assert made.roles == ["ROLE_DEVICE_BOOTSTRAP"]


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        ({"username": "erp"}, 422, "at least one role"),
        ({"username": "", "is_bootstrap": "on"}, 422, "Give the account"),
        ({"username": "device_1", "is_bootstrap": "on"}, 422, "belong to devices"),
        ({"username": "devicebootstrap2", "is_bootstrap": "on", "full_name": "\x00"}, 422, "Null"),
        ({"username": "operator", "is_bootstrap": "on"}, 409, "already an account"),
    ],
    ids=str,
)
def test_bad_input_is_told(sent, status, says, desk):
    response = desk.post(NEW, sent, target="dialog")
    assert response.status_code == status
    assert says in read(response).text


@pytest.mark.parametrize("target", [None, "dialog"])
def test_new_secret_voids_the_old_one(target, desk, knocker):
    assert "Every device" in read(desk.get(url(knocker, "secret/"), target=target)).text
    secrets = [
        read(desk.post(url(knocker, "secret/"), target=target)).one("input", id="secret-text")[
            "value"
        ]
        for _ in range(2)
    ]
    answers = [Api("acme/devicebootstrap", one).poll("4711").status_code for one in secrets]
    assert answers == [401, 404]


def test_account_of_all_tenants_is_shown_in_the_management_tenant(console, person, settings):
    settings.BOOTSTRAP_PASSWORD = ""
    top, user = console("management/administrator"), person("management/devicebootstrap")
    page = read(top.get(url(user)))
    assert "Devices of all tenants" in page.text
    assert "every device that is still to come in needs the new one" in page.text
    assert "Delete" not in page.text
    assert top.post(f"/administration/accounts/{user.pk}/delete/").status_code == 409
    settings.BOOTSTRAP_PASSWORD = "from outside"
    page = read(top.get(url(user)))
    assert "GATEHOUSE_BOOTSTRAP_PASSWORD" in page.text
    assert "New secret" not in page.text
    assert top.post(url(user, "secret/")).status_code == 409


@pytest.mark.parametrize("target", [None, "dialog"])
def test_service_is_changed(target, desk, bot, acme):
    reader = acme.global_roles.get(name="reader")
    sent = {"full_name": "Reports", "roles": [reader.pk]}
    response = desk.post(url(bot, "edit/"), sent, target=target)
    assert response.status_code == (204 if target else 302)
    bot.refresh_from_db()
    assert bot.full_name == "Reports"
    assert list(bot.global_roles.all()) == [reader]


def test_bootstrap_account_gets_no_roles(desk, knocker, acme):
    form = read(desk.get(url(knocker, "edit/"))).one("form", action=url(knocker, "edit/"))
    assert not form.all("input", name="roles")
    sent = {"full_name": "x", "roles": [acme.global_roles.get(name="administrator").pk]}
    desk.post(url(knocker, "edit/"), sent)
    assert not knocker.global_roles.exists()


# --- Tokens -------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "dialog"])
def test_token_is_shown_once_and_works(target, desk, bot):
    response = desk.post(url(bot, "tokens/"), new_token(), target=target)
    assert response.status_code == 200
    text = token_in(response)
    caller = Api()
    caller.headers["Authorization"] = f"Bearer {text}"
    assert caller.post(REQUESTS, {"id": "4711"}).status_code == 201
    page = desk.get(url(bot))
    assert text not in page.content.decode()
    token = ApiToken.objects.get()
    row = read(page).one("tr", id=f"token-{token.pk}").text
    for shown in ("import", text[:10], "Active", ADMIN, "127.0.0.1"):
        assert shown in row
    assert desk.post(f"/administration/tokens/{token.pk}/revoke/").status_code == 302
    assert caller.get(REQUESTS).status_code == 401


def test_token_offers_what_both_have(console, bot, person, acme):
    clerk = User.objects.create_user(acme, "clerk", None)
    give_rights(clerk, "ROLE_USER_MANAGEMENT_ADMIN", ADMIN)
    form = read(console("acme/clerk").get(url(bot, "tokens/"))).one(
        "form", action=url(bot, "tokens/")
    )
    assert [box["value"] for box in form.all("input", name="scopes")] == [
        "ROLE_DEVICE_CONTROL_READ", ADMIN]  # fmt: skip


@pytest.mark.parametrize(
    ("lifetime", "days"), [("30", 30), ("90", 90), ("365", 365), ("never", None)]
)
def test_token_lives_as_long_as_was_chosen(lifetime, days, desk, bot):
    token_in(desk.post(url(bot, "tokens/"), new_token(lifetime=lifetime)))
    expires_at = ApiToken.objects.get().expires_at
    if days is None:
        assert expires_at is None
    else:
        left = expires_at - timezone.now()
        assert timedelta(days=days, minutes=-5) < left <= timedelta(days=days)


def test_token_lives_until_the_end_of_a_day(desk, bot):
    last_day = timezone.now().date() + timedelta(days=3)
    desk.post(url(bot, "tokens/"), new_token(lifetime="date", expires_on=last_day.isoformat()))
    expires_at = ApiToken.objects.get().expires_at
    assert expires_at.isoformat() == f"{last_day}T23:59:59+00:00"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "Give the token a name"), ({"name": "x" * 101}, "100"),
        ({"name": "\x00"}, "Null"), ({"scopes": []}, "at least one right"),
        ({"scopes": ["ROLE_AUDIT_READ"]}, "ROLE_AUDIT_READ"), ({"scopes": ["\x00"]}, "choice"),
        ({"lifetime": ""}, "required"), ({"lifetime": "100000"}, "100000"),
        ({"lifetime": "date"}, "today or a later day"),
        ({"lifetime": "date", "expires_on": "2020-01-01"}, "today or a later day"),
        ({"lifetime": "date", "expires_on": "31.12.30x"}, "Write a date"),
        ({"lifetime": "date", "expires_on": "\x00"}, "Write a date"),
    ],
    ids=str,
)  # fmt: skip
def test_token_that_cannot_be_is_refused(change, says, desk, bot):
    response = desk.post(url(bot, "tokens/"), new_token(**change), target="dialog")
    assert response.status_code == 422
    assert says in read(response).text
    assert not ApiToken.objects.exists()


def test_bootstrap_account_has_no_tokens(desk, knocker):
    assert "API tokens" not in read(desk.get(url(knocker))).text
    response = desk.post(url(knocker, "tokens/"), new_token(scopes=["ROLE_DEVICE_BOOTSTRAP"]))
    assert response.status_code == 422
    assert not ApiToken.objects.exists()


# --- Rights and tenants -------------------------------------------------------------------

ACTIONS = ("edit/", "secret/", "tokens/")


@pytest.mark.parametrize("action", ["", *ACTIONS])
def test_service_of_another_tenant_is_not_there(action, desk, person):
    foreign = person("globex/devicebootstrap")
    methods = ("get",) if not action else ("get", "post")
    for method in methods:
        assert getattr(desk, method)(url(foreign, action)).status_code == 404
    assert not AuditRecord.objects.exists()


@pytest.mark.parametrize("action", ["", *ACTIONS])
def test_person_is_no_service(action, desk, person):
    assert desk.get(url(person("acme/operator"), action)).status_code == 404


@pytest.mark.parametrize("roles", [(), ("ROLE_USER_MANAGEMENT_READ",)], ids=["none", "read"])
@pytest.mark.parametrize("action", ACTIONS)
def test_change_needs_the_right(action, roles, console, person, bot):
    give_rights(person("acme/reader"), *roles)
    reader = console("acme/reader")
    for method in ("get", "post"):
        assert getattr(reader, method)(url(bot, action)).status_code == 403
        assert getattr(reader, method)(NEW).status_code == 403
    for page in (SERVICES, url(bot)):
        response = reader.get(page)
        assert response.status_code == (200 if roles else 403)
        assert not roles or not read(response).classed("row-actions")


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_wrong_method_is_refused(action, method, desk, bot):
    assert desk.call(method, url(bot, action)).status_code == 405
    assert desk.call(method, NEW).status_code == 405


@pytest.mark.parametrize("target", [None, "dialog"])
def test_service_is_shut_opened_and_deleted(target, desk, bot):
    text = token_in(desk.post(url(bot, "tokens/"), new_token()))
    account = f"/administration/accounts/{bot.pk}/"
    for step, status in (("deactivate/", 401), ("activate/", 200), ("delete/", 401)):
        assert desk.post(account + step, target=target).status_code == (204 if target else 302)
        assert Api("acme/erp", text).get(REQUESTS).status_code == status
    assert messages_of(desk.get(SERVICES))[-1] == "erp is deleted."
