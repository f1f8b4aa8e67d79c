"""Signing in and out."""

import pytest

from tenants.models import AuditRecord, Session, Tenant, User
from tenants.roles import READER
from tests.consoles import HELP, LIST, SIGN_IN, SIGN_OUT, Console, read, suspend
from tests.support import PASSWORD, give_rights

WRONG = "User and password do not fit together. Check both, and the tenant."


def sign_in(username, password=PASSWORD, *, console=None, **more):
    console = console or Console()
    console.response = console.post(SIGN_IN, {"username": username, "password": password, **more})
    return console


def whoami(console):
    return read(console.get(HELP)).classed("whoami-name")[0].text


@pytest.fixture
def anna(acme, hashed_password):
    """A reader whose name no other tenant has."""
    return User.objects.create(
        tenant=acme, username="anna", password=hashed_password, roles=[str(r) for r in READER]
    )


def test_person_signs_in_by_tenant_and_name(house):
    console = sign_in("globex/operator")
    assert console.response["Location"] == "/"
    assert whoami(console) == "operator globex"


def test_name_alone_is_enough_where_one_tenant_has_it(anna):
    assert whoami(sign_in("anna")) == "anna acme"


def test_name_that_several_tenants_have_is_the_management_tenants(house):
    assert whoami(sign_in("operator")) == "operator management"


def test_name_that_several_subtenants_have_needs_its_tenant(house, person):
    person("management/operator").delete()
    console = sign_in("operator")
    assert console.response.status_code == 422
    assert WRONG in read(console.response).text
    assert "gatehouse_session" not in console.client.cookies


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("acme/operator", "wrong"),
        ("acme/operator", PASSWORD + " "),
        ("acme/nobody", PASSWORD),
        ("nowhere/operator", PASSWORD),
        ("acme/", PASSWORD),
        ("/operator", PASSWORD),
        ("acme/operator/x", PASSWORD),
        ("ACME/OPERATOR", PASSWORD),
        ("acme/operator", "p\x00"),
        ("acme/operator\u0000", PASSWORD),
        ("ä" * 5000, PASSWORD),
    ],
)
def test_wrong_user_or_password_is_told_without_saying_which(house, username, password):
    console = sign_in(username, password)
    assert console.response.status_code == 422
    page = read(console.response)
    assert WRONG in page.text or "\x00" in username + password
    assert not page.classed("whoami")
    assert password not in console.response.content.decode()
    assert console.get(HELP).status_code == 302


def test_stranger_goes_to_sign_in_and_comes_back(house):
    console = Console()
    response = console.get(f"{LIST}?status=pending&q=a%26b")
    assert response["Location"] == f"{SIGN_IN}?next={LIST}%3Fstatus%3Dpending%26q%3Da%2526b"
    form = read(console.get(response["Location"])).one("form", method="post")
    sign_in("acme/operator", console=console, next=form.fields["next"])
    assert console.response["Location"] == f"{LIST}?status=pending&q=a%26b"


def test_htmx_of_a_stranger_is_sent_to_sign_in_as_a_whole(house):
    response = Console().get(LIST, target="registration-table")
    assert (response.status_code, response.content) == (204, b"")
    assert response["HX-Redirect"].startswith(SIGN_IN)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:evil.example",
        "\x00",
        "//[",
    ],
)
def test_sign_in_leads_to_our_own_pages_only(house, url):
    assert sign_in("acme/operator", next=url).response["Location"] == "/"


def test_session_has_a_new_key_after_signing_in(house):
    console = Console()
    session = console.client.session  # somebody planted one
    session["planted"] = True
    session.save()
    planted = session.session_key
    sign_in("acme/operator", console=console)
    assert console.client.cookies["gatehouse_session"].value != planted
    csrf = console.client.cookies["gatehouse_csrf"].value
    assert csrf


def test_whoever_is_signed_in_does_not_sign_in_again(house):
    assert Console("acme/operator").get(SIGN_IN)["Location"] == "/"


def test_home_is_the_dashboard_behind_the_sign_in(house):
    assert read(Console("acme/operator").get("/")).one("h1").text == "Dashboard"
    assert Console().get("/")["Location"] == f"{SIGN_IN}?next=/"


def test_suspended_tenant_is_locked_out_at_once(acme):
    console = sign_in("acme/operator")
    assert console.get(LIST).status_code == 200
    suspend(acme)
    assert console.get(LIST)["Location"].startswith(SIGN_IN)
    assert WRONG in read(sign_in("acme/operator").response).text
    Tenant.objects.filter(pk=acme.pk).update(status=Tenant.Status.ACTIVE)
    assert whoami(sign_in("acme/operator")) == "operator acme"


def test_account_that_was_shut_is_locked_out_at_once(anna):
    console = sign_in("anna")
    anna.is_active = False
    anna.save()
    assert console.get(HELP)["Location"].startswith(SIGN_IN)
    assert WRONG in read(sign_in("anna").response).text


def test_new_password_ends_the_sessions_of_the_old_one(anna):
    console = sign_in("anna")
    anna.set_password("another one, quite long")
    anna.save()
    assert console.get(HELP)["Location"].startswith(SIGN_IN)


def test_role_that_was_taken_away_is_gone_at_once(anna):
    console = sign_in("anna")
    assert console.get(LIST).status_code == 200
    give_rights(anna)
    assert console.get(LIST).status_code == 403


@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "patch"])
def test_link_signs_nobody_out(house, method):
    console = sign_in("acme/operator")
    assert console.call(method, SIGN_OUT).status_code == 405
    assert whoami(console) == "operator acme"


def test_signing_out_ends_the_session(house):
    console = sign_in("acme/operator")
    old = console.client.cookies["gatehouse_session"].value
    assert console.post(SIGN_OUT)["Location"] == SIGN_IN
    assert console.get(HELP)["Location"].startswith(SIGN_IN)
    console.client.cookies["gatehouse_session"] = old
    assert console.get(HELP)["Location"].startswith(SIGN_IN)


def test_signing_out_twice_is_harmless(house):
    console = Console()
    assert console.post(SIGN_OUT)["Location"] == SIGN_IN


def test_sign_in_page_tells_how_to_write_the_name(db):
    page = read(Console().get(SIGN_IN))
    assert page.one("input", name="password")["autocomplete"] == "current-password"
    assert "tenant/user if the name exists in several tenants" in page.text


@pytest.mark.parametrize("host", ["acme.example.com", "ACME.Example.com", "acme.example.com:8443"])
def test_name_alone_is_enough_at_the_host_of_the_tenant(house, acme, globex, settings, host):
    settings.ALLOWED_HOSTS = ["acme.example.com", "globex.example.com"]
    for tenant in (acme, globex):
        tenant.domain = f"{tenant.pk}.example.com"
        tenant.save()
    response = Console().post(SIGN_IN, {"username": "operator", "password": PASSWORD}, Host=host)
    assert response["Location"] == "/"
    assert [one.user.tenant for one in Session.objects.all()] == [acme]


def test_host_of_one_tenant_lets_people_of_others_in_by_their_full_name(acme, settings, house):
    settings.ALLOWED_HOSTS = ["acme.example.com"]
    acme.domain = "acme.example.com"
    acme.save()
    data = {"username": "globex/operator", "password": PASSWORD}
    assert Console().post(SIGN_IN, data, Host="acme.example.com")["Location"] == "/"


def test_name_at_the_api_is_meant_in_the_tenant_of_the_host(house, acme, globex, settings, api):
    settings.ALLOWED_HOSTS = ["acme.example.com", "globex.example.com"]
    for tenant in (acme, globex):
        tenant.domain = f"{tenant.pk}.example.com"
        tenant.save()
    for tenant in ("acme", "globex", "acme"):
        answer = api("operator").get("/tenant/currentTenant", Host=f"{tenant}.example.com")
        assert answer.json()["name"] == tenant


def test_sign_in_is_remembered_with_address_and_browser(house):
    console = Console()
    data = {"username": "acme/operator", "password": PASSWORD}
    console.post(SIGN_IN, data, User_Agent="Mozilla/5.0 Firefox/140.0")
    session = Session.objects.get()
    assert (str(session.user), session.source) == ("acme/operator", "127.0.0.1")
    assert session.agent == "Mozilla/5.0 Firefox/140.0"
    [entry] = AuditRecord.objects.all()
    assert (entry.type, entry.activity) == ("UserAuthentication", "Signed in")
    assert (entry.tenant_id, entry.subject, entry.source) == ("acme", "acme/operator", "127.0.0.1")


def test_service_reaches_no_page_even_with_a_session(house):
    assert Console("acme/devicebootstrap").get(HELP).status_code == 403
    assert Console("acme/devicebootstrap").get("/profile/").status_code == 403


def test_service_with_a_password_does_not_sign_in(person):
    service = person("acme/devicebootstrap")
    service.secret_digest = ""
    service.set_password(PASSWORD)
    service.save()
    assert sign_in("acme/devicebootstrap").response.status_code == 422


def test_page_says_where_the_first_password_is_until_somebody_has_signed_in(house):
    assert "its password was printed" in read(Console().get(SIGN_IN)).text
    sign_in("globex/operator")
    assert "its password was printed" not in read(Console().get(SIGN_IN)).text
