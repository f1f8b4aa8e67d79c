"""Users over REST: those of the own tenant, never a secret, enabled and disabled by the rules."""

import pytest

from tenants import people
from tenants.actors import SYSTEM
from tenants.models import AuditRecord, Authenticator, GlobalRole, User
from tenants.tokens import make_token
from tests.support import PASSWORD, give_rights

USERS = "/user/acme/users"
ONE = f"{USERS}/operator"


@pytest.fixture
def admin(api):
    return api("acme/administrator")


def test_user_is_told_as_the_contract_has_it(admin, acme):
    role = GlobalRole.objects.get(tenant=acme, name="operator")
    assert admin.get(ONE).json() == {
        "id": "operator",
        "userName": "operator",
        "displayName": "",
        "email": "operator@acme.example",
        "enabled": True,
        "shouldResetPassword": False,
        "twoFactorAuthenticationEnabled": False,
        "groups": {
            "references": [
                {
                    "group": {
                        "id": role.pk,
                        "name": "operator",
                        "self": f"http://testserver/user/acme/groups/{role.pk}",
                    }
                }
            ],
            "self": f"http://testserver{ONE}/groups",
        },
        "roles": {"references": [], "self": f"http://testserver{ONE}/roles"},
        "devicePermissions": {},
        "customProperties": {},
        "self": f"http://testserver{ONE}",
    }


def test_service_has_its_roles_and_no_secret_is_told(admin, person):
    body = admin.get(f"{USERS}/devicebootstrap").json()
    assert [one["role"]["id"] for one in body["roles"]["references"]] == ["ROLE_DEVICE_BOOTSTRAP"]
    user = person("acme/devicebootstrap")
    for path in (USERS, f"{USERS}/devicebootstrap", ONE):
        text = admin.get(path).content.decode()
        assert user.secret_digest not in text
        assert person("acme/operator").password not in text
        assert '"password' not in text


def test_second_factor_is_told(admin, person):
    Authenticator.objects.create(user=person("acme/operator"), name="app", confirmed=True, key="aa")
    assert admin.get(ONE).json()["twoFactorAuthenticationEnabled"] is True
    assert admin.get(f"{USERS}/reader").json()["twoFactorAuthenticationEnabled"] is False


def test_users_are_listed_by_name_in_pages_and_few_queries(
    admin, acme, django_assert_max_num_queries
):
    User.objects.bulk_create(User(tenant=acme, username=f"worker{n:02}") for n in range(30))
    admin.get(ONE)  # its password is checked once
    with django_assert_max_num_queries(6):
        answer = admin.get(f"{USERS}?pageSize=20&withTotalElements=true").json()
    names = [one["userName"] for one in answer["users"]]
    assert names == sorted(names)
    assert len(names) == 20
    assert answer["statistics"]["totalElements"] == 34
    rest = admin.get(answer["next"]).json()
    assert len(rest["users"]) == 14
    assert "next" not in rest


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("username=re", ["reader"]), ("username=nobody", []), ("username=%00", []),
        ("username=%ED%A0%80", []), ("onlyDevices=true", []),
        ("onlyDevices=false&username=op", ["operator"]),
    ],
)  # fmt: skip
def test_list_is_narrowed(query, names, admin):
    found = admin.get(f"{USERS}?{query}").json()["users"]
    assert [one["userName"] for one in found] == names


@pytest.mark.parametrize("tenant", ["globex", "management", "nowhere", "ACME"])
@pytest.mark.parametrize("login", ["acme/administrator"])
def test_other_tenants_are_not_there(tenant, login, api):
    caller = api(login)
    for path in (f"/user/{tenant}/users", f"/user/{tenant}/users/operator"):
        assert caller.get(path).status_code == 404
    answer = caller.put(f"/user/{tenant}/users/operator", {"enabled": False})
    assert answer.status_code == 404
    assert not User.objects.filter(is_active=False).exists()


def test_not_even_for_the_management_tenant(api):
    assert api("management/administrator").get(USERS).status_code == 404


@pytest.mark.parametrize("name", ["nobody", "%00", "%ED%A0%80", "device_4711", "OPERATOR"])
def test_user_who_is_not_there_is_not_found(name, admin):
    assert admin.get(f"{USERS}/{name}").status_code == 404
    assert admin.put(f"{USERS}/{name}", {"enabled": True}).status_code == 404


@pytest.mark.parametrize("login", ["acme/reader", "acme/operator", "acme/devicebootstrap"])
def test_looking_needs_its_right(login, api):
    assert api(login).get(USERS).status_code == 403
    assert api(login).get(ONE).status_code == 403
    assert api(login).put(ONE, {"enabled": False}).status_code == 403


def test_changing_needs_more_than_looking(api, person):
    give_rights(person("acme/reader"), "ROLE_USER_MANAGEMENT_READ")
    assert api("acme/reader").get(ONE).status_code == 200
    assert api("acme/reader").put(ONE, {"enabled": False}).status_code == 403


def test_stranger_learns_nothing(api, house):
    assert api().get(USERS).status_code == api().get("/user/nowhere/users").status_code == 401


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH"])
def test_wrong_method_is_refused(method, admin):
    assert admin.call(method, ONE, {}).status_code == 405


def test_user_is_disabled_and_enabled(admin, api):
    body = admin.put(ONE, {"enabled": False})
    assert (body.status_code, body.json()["enabled"]) == (200, False)
    assert api("acme/operator").get("/user/currentUser").status_code == 401
    assert admin.put(ONE, {"enabled": False}).status_code == 200  # again changes nothing
    assert admin.put(ONE, {"enabled": True}).json()["enabled"] is True
    assert api("acme/operator").get("/user/currentUser").status_code == 200
    told = AuditRecord.objects.filter(type="User").order_by("pk")
    assert [entry.activity for entry in told] == ["User deactivated", "User activated"]
    assert told[0].actor_name == "administrator"


def test_user_may_come_back_as_it_was_read(admin):
    body = admin.get(ONE).json()
    assert admin.put(ONE, body | {"enabled": False}).json()["enabled"] is False


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, "enabled"), ({"enabled": "false"}, "true or false"), ({"enabled": None}, "true"),
        ({"enabled": 0}, "true or false"), ({"enabled": False, "email": "x@x.org"}, "email"),
        ({"enabled": False, "password": PASSWORD}, "password"),
        ({"enabled": False, "groups": {}}, "groups"), ({"enabled": False, "a\x00": 1}, "NUL"),
    ],
    ids=str,
)  # fmt: skip
def test_anything_else_is_refused(change, says, admin, person):
    answer = admin.put(ONE, change)
    assert answer.status_code == 422
    assert says in answer.json()["message"]
    assert person("acme/operator").is_active


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null"])
def test_body_that_is_no_object_is_refused(body, admin):
    assert admin.put(ONE, body).status_code in {400, 422}


def test_rules_hold_here_too(admin):
    answer = admin.put(f"{USERS}/administrator", {"enabled": False})
    assert answer.status_code == 409
    assert "own account" in answer.json()["message"]


def test_token_disables_nobody_with_more_rights_than_it_has(api, acme, person):
    text = make_token(
        person("acme/administrator"), "t", ["ROLE_USER_MANAGEMENT_ADMIN"],
        expires_at=None, by=SYSTEM,
    )[1]  # fmt: skip
    caller = api("acme/administrator", text)
    answer = caller.put(ONE, {"enabled": False})
    assert answer.status_code == 409
    assert "has rights that you do not have" in answer.json()["message"]
    nobody = User.objects.create_user(acme, "nobody", None)
    assert caller.put(f"{USERS}/{nobody.username}", {"enabled": False}).status_code == 200
    assert not people.deactivate(nobody, by=SYSTEM)
