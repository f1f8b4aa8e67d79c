"""Login options, current tenant, current user: what clients ask first."""

import base64

import pytest

from registration.lifecycle import Stage
from tests.support import knock


def test_login_options_are_told_to_anybody_and_basic_is_first(api):
    answer = api().get("/tenant/loginOptions", Accept=None)
    assert answer.status_code == 200
    body = answer.json()
    assert body["self"] == "http://testserver/tenant/loginOptions"
    assert body["loginOptions"][0] == {
        "type": "BASIC",
        "userManagementSource": "INTERNAL",
        "grantType": "PASSWORD",
        "visibleOnLoginPage": True,
        "self": "http://testserver/tenant/loginOptions/BASIC",
    }


def test_login_options_are_told_even_to_a_wrong_login(api, house):
    assert api("acme/operator", "guess").get("/tenant/loginOptions").status_code == 200


def test_current_tenant_is_named_by_its_id(api):
    answer = api("acme/reader").get("/tenant/currentTenant", Accept="*/*")
    assert answer.json() == {
        "name": "acme",
        "domainName": "testserver",
        "allowCreateTenants": False,
        "customProperties": {},
        "applications": {"references": []},
        "self": "http://testserver/tenant/currentTenant",
    }


def test_current_tenant_names_its_parent_when_asked(api):
    answer = api("acme/reader").get("/tenant/currentTenant?withParent=true")
    assert answer.json()["parent"] == "management"
    top = api("management/reader").get("/tenant/currentTenant?withParent=true")
    assert "parent" not in top.json()


@pytest.mark.parametrize(
    ("host", "domain"),
    [("testserver", "testserver"), ("localhost:8000", "localhost"), ("[::1]:8000", "[::1]")],
)
def test_domain_is_the_tenants_own_or_the_one_asked_at(host, domain, api, acme, settings):
    settings.ALLOWED_HOSTS = ["*"]
    reader = api("acme/reader")
    assert reader.get("/tenant/currentTenant", Host=host).json()["domainName"] == domain
    acme.domain = "acme.example.com"
    acme.save()
    assert reader.get("/tenant/currentTenant").json()["domainName"] == "acme.example.com"


def test_current_user_is_the_person_with_all_rights_that_are_included(api):
    answer = api("acme/operator").get("/user/currentUser")
    body = answer.json()
    assert (body["id"], body["userName"]) == ("operator", "operator")
    assert [role["id"] for role in body["effectiveRoles"]] == [
        "ROLE_DEVICE_CONTROL_ADMIN",
        "ROLE_DEVICE_CONTROL_READ",
        "ROLE_DEVICE_TYPE_READ",
        "ROLE_IDENTITY_ADMIN",
        "ROLE_IDENTITY_READ",
        "ROLE_INVENTORY_ADMIN",
        "ROLE_INVENTORY_CREATE",
        "ROLE_INVENTORY_READ",
        "ROLE_OPTION_MANAGEMENT_READ",
        "ROLE_USER_MANAGEMENT_OWN_READ",
    ]
    assert body["shouldResetPassword"] is False
    assert "assword" not in str(body.keys()).replace("shouldResetPassword", "")


def test_current_user_is_the_device(api, make_registration):
    password = knock(make_registration("aa:bb:cc", stage=Stage.ACCEPTED))
    for login in ("acme/device_aa:bb:cc", "device_aa:bb:cc"):
        answer = api(login, password).get("/user/currentUser")
        assert (answer.status_code, answer.json()["userName"]) == (200, "device_aa:bb:cc")
    tenant = api("acme/device_aa:bb:cc", password).get("/tenant/currentTenant")
    assert tenant.json()["name"] == "acme"


@pytest.mark.parametrize(
    "login", ["globex/device_aa:bb:cc", "/device_aa:bb:cc", "acme/aa:bb:cc", "acme/device_aa:bb"]
)
def test_device_is_known_by_its_whole_name_in_its_tenant_only(login, api, make_registration):
    password = knock(make_registration("aa:bb:cc", stage=Stage.ACCEPTED))
    assert api(login, password).get("/user/currentUser").status_code == 401


def test_device_whose_id_begins_like_another_is_told_apart(api, make_registration):
    short = knock(make_registration("a", stage=Stage.ACCEPTED))
    long = knock(make_registration("a:b", stage=Stage.ACCEPTED))
    for login, password, name in (
        ("acme/device_a", short, "device_a"),
        ("acme/device_a:b", long, "device_a:b"),
    ):
        assert api(login, password).get("/user/currentUser").json()["userName"] == name
    assert api("acme/device_a:b", short).get("/user/currentUser").status_code == 401


def test_device_may_ask_who_it_is_and_nothing_else(api, make_registration):
    password = knock(make_registration("4711", stage=Stage.ACCEPTED))
    me = api("acme/device_4711", password)
    for path in ("/devicecontrol/newDeviceRequests", "/tenant/options"):
        assert me.get(path).status_code == 403


@pytest.mark.parametrize("charset", ["utf-8", "latin-1"])
def test_login_may_come_in_either_charset(charset, api, make_registration):
    password = knock(make_registration("Zähler", stage=Stage.ACCEPTED))
    login = base64.b64encode(f"acme/device_Zähler:{password}".encode(charset)).decode()
    answer = api().get("/user/currentUser", Authorization=f"Basic {login}")
    assert answer.json()["userName"] == "device_Zähler"
