"""Looking after accounts: who may, what must remain, and that it holds at once."""

import pytest
from django.test import Client, RequestFactory

from tenants import people, services
from tenants.actors import SYSTEM, Actor
from tenants.administration import AdministrationError, InputError
from tenants.global_roles import change_role
from tenants.models import (
    ApiToken,
    AuditRecord,
    Authenticator,
    GlobalRole,
    OneTimeLink,
    RecoveryCodes,
    Session,
    User,
    VerifiedLogin,
)
from tenants.roles import Role
from tenants.tokens import make_token
from tests.consoles import HELP, Console
from tests.support import PASSWORD, Api, at_once, give_rights

ME = "/user/currentUser"


def role(tenant, name):
    return GlobalRole.objects.get(tenant=tenant, name=name)


def invite(tenant, name, *roles, by, **details):
    request = RequestFactory().post("/", HTTP_HOST="testserver")
    return people.invite(
        request, tenant, name, roles=GlobalRole.objects.filter(tenant=tenant, name__in=roles),
        by=by, **details,
    )  # fmt: skip


def helper(user):
    return RequestFactory().post("/", HTTP_HOST="testserver"), user


@pytest.fixture
def boss(person):
    """The administrator of acme at work."""
    return Actor("administrator", person("acme/administrator"), "192.0.2.1", "request-of-boss")


@pytest.fixture
def second(acme, hashed_password):
    """Another administrator of acme, who can sign in."""
    user = User.objects.create_user(acme, "second", None, global_roles=["administrator"])
    user.password = hashed_password
    user.save()
    return user


@pytest.fixture
def clerk(acme, hashed_password):
    """Somebody who may look after people and nothing else."""
    user = User.objects.create_user(acme, "clerk", None)
    user.password = hashed_password
    give_rights(user, Role.USER_MANAGEMENT_ADMIN)
    return Actor("clerk", user)


def last_entry(kind="User"):
    return AuditRecord.objects.filter(type=kind).latest("pk")


# --- Inviting -----------------------------------------------------------------------------


def test_invited_person_has_no_password_a_link_and_the_roles(acme, boss):
    handover = invite(acme, "anna", "reader", by=boss, full_name="Anna", email="a@x.org")
    anna = User.objects.get(tenant=acme, username="anna")
    assert (anna.is_invited, anna.full_name, anna.email) == (True, "Anna", "a@x.org")
    assert [one.name for one in anna.global_roles.all()] == ["reader"]
    assert handover.url.startswith("http://testserver/welcome/")
    assert not handover.was_sent
    assert anna.links.get().purpose == OneTimeLink.Purpose.INVITATION
    told = [e.activity for e in AuditRecord.objects.filter(subject="acme/anna").order_by("pk")]
    assert told == ["User created", "User invited"]
    secret = handover.url.rstrip("/").rpartition("/")[2]
    assert secret not in str(list(AuditRecord.objects.values()))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "Give the account"), ("  ", "Give the account"), ("a b", "whitespace"),
        ("a/b", "slashes"), ("a:b", ":"), ("a+b", r"\+"), ("a$b", r"\$"), ("a\\b", "slashes"),
        ("a\x00b", "invisible"), ("a\u200bb", "invisible"), ("a\ud800b", "invisible"),
        ("..", "dots"), ("x" * 201, "200"), ("device_4711", "belong to devices"),
        ("DEVICE_4711", "belong to devices"), ("devicebootstrap", "all tenants"),
    ],
    ids=lambda value: ascii(value)[:16],
)  # fmt: skip
def test_name_that_cannot_be_is_refused_with_a_sentence(name, says, acme, boss):
    with pytest.raises(InputError, match=says):
        invite(acme, name, "reader", by=boss)
    assert not User.objects.filter(tenant=acme, links__isnull=False).exists()


@pytest.mark.parametrize("name", ["operator", "OPERATOR", " operator "])
def test_name_that_is_taken_is_refused(name, acme, boss):
    with pytest.raises(AdministrationError, match="already an account operator in acme") as refusal:
        invite(acme, name, "reader", by=boss)
    assert not isinstance(refusal.value, InputError)


def test_name_may_exist_in_two_tenants(acme, globex, boss, person):
    invite(acme, "anna", "reader", by=boss)
    invite(globex, "anna", "reader", by=Actor("x", person("globex/administrator")))
    assert User.objects.filter(username="anna").count() == 2


def test_roles_of_another_tenant_are_not_given(acme, globex, boss):
    request = RequestFactory().post("/", HTTP_HOST="testserver")
    people.invite(request, acme, "anna", roles=[role(globex, "reader")], by=boss)
    assert not User.objects.get(username="anna").global_roles.exists()


# --- Who may ------------------------------------------------------------------------------


def test_nobody_gives_rights_that_he_does_not_have(acme, clerk, person):
    with pytest.raises(AdministrationError, match="ROLE_DEVICE_CONTROL_READ") as refusal:
        invite(acme, "anna", "reader", by=clerk)
    assert "do not have yourself" in str(refusal.value)
    assert not User.objects.filter(username="anna").exists()
    weak = User.objects.create_user(acme, "weak", None)
    with pytest.raises(AdministrationError, match="do not have yourself"):
        people.change(
            weak, full_name="", email="", roles=[role(acme, "operator")], by=clerk
        )  # fmt: skip
    assert not weak.global_roles.exists()


ON_SOMEBODY = {
    "change": lambda user, by: people.change(
        user, full_name="x", email="", roles=user.global_roles.all(), by=by
    ),
    "deactivate": lambda user, by: people.deactivate(user, by=by),
    "activate": lambda user, by: people.activate(user, by=by),
    "link": lambda user, by: people.new_link(helper(user)[0], user, by=by),
    "factor": lambda user, by: people.reset_second_factor(user, by=by),
    "sessions": lambda user, by: people.end_sessions(user, by=by),
    "delete": lambda user, by: people.delete(user, by=by),
}


@pytest.mark.parametrize("action", ON_SOMEBODY)
def test_nobody_manages_somebody_with_more_rights(action, clerk, person):
    stronger = person("acme/operator")
    before = AuditRecord.objects.count()
    with pytest.raises(AdministrationError, match="has rights that you do not have"):
        ON_SOMEBODY[action](stronger, clerk)
    stronger.refresh_from_db()
    assert stronger.is_active
    assert AuditRecord.objects.count() == before


@pytest.mark.parametrize("action", ON_SOMEBODY)
def test_somebody_who_lost_the_right_a_moment_ago_is_refused(action, boss, second, person):
    give_rights(boss.user, Role.DEVICE_CONTROL_ADMIN)
    with pytest.raises(AdministrationError, match="may no longer do this"):
        ON_SOMEBODY[action](person("acme/reader"), boss)


@pytest.mark.parametrize("action", ["deactivate", "delete", "link", "factor"])
def test_nobody_does_this_to_the_own_account(action, boss, second):
    with pytest.raises(AdministrationError):
        ON_SOMEBODY[action](boss.user, boss)
    boss.user.refresh_from_db()
    assert boss.user.is_active


def test_token_gives_no_more_than_it_has(boss, person, acme):
    limited = Actor("administrator", boss.user, limit=frozenset({"ROLE_USER_MANAGEMENT_ADMIN"}))
    with pytest.raises(AdministrationError, match="has rights that you do not have"):
        people.deactivate(person("acme/operator"), by=limited)


# --- What holds at once -------------------------------------------------------------------


def test_deactivated_person_is_out_everywhere_at_once(boss, person):
    user = person("acme/operator")
    _, text = make_token(user, "t", ["ROLE_USER_MANAGEMENT_OWN_READ"], expires_at=None, by=boss)
    console, api = Console("acme/operator"), Api("acme/operator")
    bearer = {"Authorization": f"Bearer {text}"}
    handover = people.new_link(helper(user)[0], user, by=boss)
    assert console.get(HELP).status_code == api.get(ME).status_code == 200
    assert Api().get(ME, **bearer).status_code == 200
    assert people.deactivate(user, by=boss) is True
    assert console.get(HELP)["Location"].startswith("/sign-in/")
    assert api.get(ME).status_code == Api().get(ME, **bearer).status_code == 401
    assert not Session.objects.filter(user=user).exists()
    assert not user.links.exists(), handover
    assert people.deactivate(user, by=boss) is False
    assert people.activate(user, by=boss) is True
    assert people.activate(user, by=boss) is False
    assert console.get(HELP).status_code == 302  # the session is gone for good
    assert Api("acme/operator").get(ME).status_code == 200
    assert Api().get(ME, **bearer).status_code == 200
    told = AuditRecord.objects.filter(subject="acme/operator", activity__startswith="User ")
    assert [entry.activity for entry in told.order_by("pk")] == [
        "User deactivated", "User activated"]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "email", "is_void"),
    [
        (["reader"], ["administrator"], "", True),
        (["reader"], ["reader", "operator"], "", True),
        (["reader"], ["reader"], "new@x.org", True),
        (["operator"], ["reader"], "", False),
        (["reader"], ["reader"], "", False),
    ],
    ids=["much more rights", "more rights", "other address", "fewer rights", "other name"],
)
def test_link_made_for_less_opens_nothing_more(acme, boss, before, after, email, is_void):
    handover = invite(acme, "anna", *before, by=boss)
    roles = GlobalRole.objects.filter(tenant=acme, name__in=after)
    changed = people.change(handover.user, full_name="A", email=email, roles=roles, by=boss)
    assert changed is is_void
    assert OneTimeLink.objects.usable().exists() is not is_void


def test_link_opens_nothing_once_its_role_is_given_more(acme, boss):
    for name in ("reader", "operator"):
        invite(acme, f"new-{name}", name, by=boss)
    rights = [*role(acme, "reader").roles, Role.AUDIT_READ]
    change_role(role(acme, "reader"), name="reader", description="", roles=rights, by=boss)
    assert OneTimeLink.objects.usable().get().user.username == "new-operator"


def test_changed_roles_hold_at_once_and_are_audited(acme, boss, person):
    user = person("acme/operator")
    assert Api("acme/operator").get(ME).status_code == 200
    assert VerifiedLogin.objects.filter(user=user).exists()
    people.change(user, full_name="O", email="o@x.org", roles=[role(acme, "reader")], by=boss)
    assert VerifiedLogin.objects.get(user=user).stamp < User.objects.get(pk=user.pk).stamp
    answer = Api("acme/operator").get(ME)
    assert "ROLE_DEVICE_CONTROL_ADMIN" not in answer.content.decode()
    assert last_entry().changes == [
        {"attribute": "fullName", "previousValue": "", "newValue": "O"},
        {"attribute": "email", "previousValue": "operator@acme.example", "newValue": "o@x.org"},
        {"attribute": "globalRoles", "previousValue": "operator", "newValue": "reader"},
    ]


def test_change_that_changes_nothing_is_not_audited(boss, person):
    user = person("acme/operator")
    before = AuditRecord.objects.count()
    people.change(
        user, full_name="", email=user.email, roles=user.global_roles.all(), by=boss
    )  # fmt: skip
    assert AuditRecord.objects.count() == before


def test_second_factor_is_reset_with_its_codes(boss, person):
    user = person("acme/operator")
    Authenticator.objects.create(user=user, name="app", confirmed=True, key="aa")
    RecoveryCodes.renew(user)
    assert people.reset_second_factor(user, by=boss) is True
    assert not Authenticator.objects.filter(user=user).exists()
    assert not RecoveryCodes.objects.filter(user=user).exists()
    assert last_entry().activity == "Second factor reset"
    assert people.reset_second_factor(user, by=boss) is False


def test_sessions_end_and_the_password_stays(boss, person):
    consoles = [Console("acme/operator"), Console("acme/operator"), Console("acme/reader")]
    assert people.end_sessions(person("acme/operator"), by=boss) == 2
    codes = [console.get(HELP).status_code for console in consoles]
    assert codes == [302, 302, 200]
    assert Client().login(username="acme/operator", password=PASSWORD)


def test_link_is_an_invitation_or_a_new_password(acme, boss, person):
    anna = invite(acme, "anna", "reader", by=boss).user
    first = anna.links.get().digest
    people.new_link(helper(anna)[0], anna, by=boss)
    assert anna.links.get().purpose == OneTimeLink.Purpose.INVITATION
    assert anna.links.get().digest != first
    user = person("acme/operator")
    people.new_link(helper(user)[0], user, by=boss)
    assert user.links.get().purpose == OneTimeLink.Purpose.PASSWORD_RESET


def test_link_is_for_active_people_only(boss, person):
    user = person("acme/reader")
    people.deactivate(user, by=boss)
    with pytest.raises(AdministrationError, match="Activate the account first"):
        people.new_link(helper(user)[0], user, by=boss)
    bot = person("acme/devicebootstrap")
    with pytest.raises(AdministrationError, match="no password"):
        people.new_link(helper(bot)[0], bot, by=boss)


def test_history_keeps_the_name_of_somebody_who_was_deleted(boss, person, make_registration):
    user = person("acme/operator")
    registration = make_registration()  # by the operator
    make_token(user, "t", ["ROLE_DEVICE_CONTROL_READ"], expires_at=None, by=boss)
    people.delete(user, by=boss)
    registration.refresh_from_db()
    assert registration.created_by_name == "operator"
    assert not ApiToken.objects.filter(name="t").exists()
    entry = last_entry()
    assert (entry.activity, entry.subject, entry.actor_name) == (
        "User deleted", "acme/operator", "administrator")  # fmt: skip


@pytest.mark.parametrize("name", ["admin", "devicebootstrap"])
def test_account_that_every_start_makes_is_not_deleted(name, management, person):
    User.objects.create_user(management, "admin", None, global_roles=["reader"])
    by = Actor("administrator", person("management/administrator"))
    with pytest.raises(AdministrationError, match="made again at the next start"):
        people.delete(User.objects.get(tenant=management, username=name), by=by)


# --- The last administrator ---------------------------------------------------------------


LEAVING = {
    "deactivated": lambda user, by: people.deactivate(user, by=by),
    "deleted": lambda user, by: people.delete(user, by=by),
    "without the role": lambda user, by: people.change(
        user, full_name="", email="", roles=[role(user.tenant, "reader")], by=by
    ),
}


@pytest.mark.parametrize("step", LEAVING)
def test_last_administrator_stays(step, person):
    last = person("acme/administrator")
    with pytest.raises(AdministrationError, match="must keep the right"):
        LEAVING[step](last, SYSTEM)
    last = person("acme/administrator")
    assert last.is_active
    assert last.has_role(Role.USER_MANAGEMENT_ADMIN)
    assert not AuditRecord.objects.filter(type="User").exists()


@pytest.mark.parametrize("state", ["invited", "deactivated", "service"])
def test_somebody_who_cannot_sign_in_does_not_count(state, acme, person):
    kind = User.Kind.SERVICE if state == "service" else User.Kind.PERSON
    password = None if state == "invited" else "x"
    User.objects.create_user(
        acme, "other", password, global_roles=["administrator"], kind=kind,
        is_active=state != "deactivated",
    )  # fmt: skip
    with pytest.raises(AdministrationError, match="must keep the right"):
        people.deactivate(person("acme/administrator"), by=SYSTEM)


def test_administrators_of_another_tenant_do_not_count(person, globex):
    User.objects.create_user(globex, "other", "x", global_roles=["administrator"])
    with pytest.raises(AdministrationError, match="must keep the right"):
        people.delete(person("acme/administrator"), by=SYSTEM)


@pytest.mark.parametrize("step", LEAVING)
def test_one_of_two_administrators_may_go(step, boss, second):
    LEAVING[step](second, boss)
    assert not User.objects.filter(pk=second.pk, is_active=True,
                                   global_roles__name="administrator").exists()  # fmt: skip


def test_administrator_may_give_up_the_role_to_another(boss, second, acme):
    people.change(boss.user, full_name="", email="", roles=[role(acme, "reader")], by=boss)
    assert not User.objects.get(pk=boss.user.pk).has_role(Role.USER_MANAGEMENT_ADMIN)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", LEAVING)
@pytest.mark.parametrize("_", range(3))
def test_of_two_administrators_who_remove_each_other_one_remains(_, step, boss, second):
    results = at_once(
        lambda: LEAVING[step](User.objects.get(pk=second.pk), boss),
        lambda: LEAVING[step](User.objects.get(pk=boss.user.pk), Actor("second", second)),
    )
    refusals = [result for result in results if isinstance(result, AdministrationError)]
    assert len(refusals) == 1, results
    left = [
        user for user in User.objects.filter(pk__in=[boss.user.pk, second.pk], is_active=True)
        if user.has_role(Role.USER_MANAGEMENT_ADMIN)
    ]  # fmt: skip
    assert len(left) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", range(3))
def test_of_three_administrators_two_who_remove_each_other_do_not_both_succeed(
    _, boss, second, acme
):
    User.objects.create_user(acme, "third", "x", global_roles=["administrator"])
    results = at_once(
        lambda: people.deactivate(User.objects.get(pk=second.pk), by=boss),
        lambda: people.deactivate(User.objects.get(pk=boss.user.pk), by=Actor("second", second)),
    )
    assert sum(result is True for result in results) == 1, results


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_invitations_of_one_name_at_once_are_one_account(acme, boss):
    results = at_once(*[lambda: invite(acme, "anna", "reader", by=boss)] * 5)
    assert sum(isinstance(result, AdministrationError) for result in results) == 4, results
    assert User.objects.filter(username="anna").count() == 1


# --- Services -----------------------------------------------------------------------------


def test_service_comes_in_by_tokens_and_has_no_password(acme, boss):
    bot = services.create_service(
        acme, "erp", full_name="ERP", roles=[role(acme, "operator")], by=boss
    )
    assert (bot.is_service, bot.has_usable_password(), bot.secret_digest) == (True, False, "")
    _, text = services.make_service_token(
        bot, "import", ["ROLE_DEVICE_CONTROL_ADMIN"], expires_at=None, by=boss
    )
    assert (
        Api("acme/erp", text).post("/devicecontrol/newDeviceRequests", {"id": "a"}).status_code
        == 201
    )
    assert text not in str(list(AuditRecord.objects.values()))


def test_bootstrap_account_lets_devices_knock_until_its_secret_changes(acme, boss):
    bot, secret = services.create_bootstrap(acme, "knocker", full_name="", by=boss)
    assert Api("acme/knocker", secret).poll("4711").status_code == 404
    fresh = services.new_secret(bot, by=boss)
    assert Api("acme/knocker", secret).poll("4711").status_code == 401
    assert Api("acme/knocker", fresh).poll("4711").status_code == 404
    people.deactivate(bot, by=boss)
    assert Api("acme/knocker", fresh).poll("4711").status_code == 401
    assert last_entry().activity == "User deactivated"
    told = str(list(AuditRecord.objects.values()))
    assert secret not in told
    assert fresh not in told


def test_who_does_not_let_devices_in_makes_no_account_that_they_knock_with(acme, clerk):
    with pytest.raises(AdministrationError, match="ROLE_DEVICE_BOOTSTRAP"):
        services.create_bootstrap(acme, "knocker", full_name="", by=clerk)


def test_secret_of_the_environment_is_changed_there(person, settings):
    by = Actor("administrator", person("management/administrator"))
    bot = person("management/devicebootstrap")
    services.new_secret(bot, by=by)
    settings.BOOTSTRAP_PASSWORD = "from the environment"
    with pytest.raises(AdministrationError, match="GATEHOUSE_BOOTSTRAP_PASSWORD"):
        services.new_secret(bot, by=by)


def test_only_accounts_that_devices_knock_with_have_a_secret(acme, boss, person):
    for user in (
        person("acme/operator"),
        services.create_service(acme, "erp", full_name="", roles=[], by=boss),
    ):
        with pytest.raises(AdministrationError, match="have a secret"):
            services.new_secret(user, by=boss)


@pytest.mark.parametrize("login", ["acme/operator", "acme/devicebootstrap"])
def test_tokens_are_made_here_for_services_only(login, boss, person):
    with pytest.raises(AdministrationError, match="for services with global roles only"):
        services.make_service_token(
            person(login), "t", ["ROLE_DEVICE_CONTROL_READ"], expires_at=None, by=boss
        )


@pytest.mark.parametrize(
    ("scopes", "says"),
    [
        (["ROLE_AUDIT_READ"], "its owner does not have"),
        (["ROLE_NOTHING"], "do not have yourself"),
        ([], "at least one right"),
    ],
)
def test_token_has_only_rights_that_both_have(scopes, says, acme, boss):
    bot = services.create_service(acme, "erp", full_name="", roles=[role(acme, "reader")], by=boss)
    with pytest.raises(AdministrationError, match=says):
        services.make_service_token(bot, "t", scopes, expires_at=None, by=boss)
    assert not ApiToken.objects.exists()
