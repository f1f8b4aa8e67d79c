"""Users of devices over REST: told, disabled, deleted; of the own tenant and of no other."""

from urllib.parse import quote

import pytest

from inventory import logins
from inventory.models import DeviceCredentials, ManagedObject, Tombstone
from registration.lifecycle import Stage
from tenants.models import AuditRecord
from tests.logins import ME, api_of, comes_in, device_kinds, let_in, login_of
from tests.support import ERROR_TYPE, counted_devices, give_rights, recount_devices

USERS = "/user/acme/users"
ONE = f"{USERS}/device_4711"
HOSTILE = ["aa:bb:cc", "100%", "%2e", "Zähler-ß", "a?b=c#d&e", "device_x", "<b>'\"", "..."]


@pytest.fixture
def known(make_registration):
    """A device that is in and has reported, and its password."""
    return let_in(make_registration, "4711", reports=True)


@pytest.fixture
def theirs(make_registration, globex):
    return let_in(make_registration, "theirs", tenant=globex, reports=True)


@pytest.fixture
def admin(api):
    return api("acme/administrator")


def names(answer):
    assert answer.status_code == 200
    return [each["userName"] for each in answer.json()["users"]]


def object_path(credentials):
    return f"/inventory/managedObjects/{credentials.managed_object_id}/user"


# --- The list ------------------------------------------------------------------------------------


def test_only_devices_are_listed_when_asked_for_and_people_otherwise(admin, known, theirs):
    assert names(admin.get(f"{USERS}?onlyDevices=true")) == ["device_4711"]
    for query in ("", "?onlyDevices=false", "?onlyDevices=1", "?pageSize=50"):
        found = names(admin.get(f"{USERS}{query}"))
        assert "administrator" in found
        assert "device_4711" not in found


@pytest.mark.parametrize("only", ["true", "TRUE", "True"])
def test_page_of_device_users_is_one_of_the_contracts(admin, make_registration, only):
    for number in range(3):
        let_in(make_registration, f"d-{number}", logs_in=False)
    first = admin.get(f"{USERS}?onlyDevices={only}&pageSize=2&withTotalPages=true").json()
    assert [one["id"] for one in first["users"]] == ["device_d-0", "device_d-1"]
    assert first["statistics"] == {"currentPage": 1, "pageSize": 2, "totalPages": 2}
    second = admin.get(first["next"].removeprefix("http://testserver"))
    assert names(second) == ["device_d-2"]


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("device_d", ["device_d-1", "device_d-2"]),
        ("device_d-2", ["device_d-2"]),
        ("device_", ["device_d-1", "device_d-2", "device_e"]),
        ("dev", ["device_d-1", "device_d-2", "device_e"]),
        ("", ["device_d-1", "device_d-2", "device_e"]),
        ("d-1", []),
        ("device_d-1x", []),
        ("device_%00", []),
        ("operator", []),
    ],
)
def test_names_are_narrowed_by_their_start(admin, make_registration, prefix, found):
    for device_id in ("d-1", "d-2", "e"):
        let_in(make_registration, device_id, logs_in=False)
    assert names(admin.get(f"{USERS}?onlyDevices=true&username={prefix}")) == found


def test_list_needs_few_queries(admin, make_registration, django_assert_max_num_queries):
    for number in range(8):
        let_in(make_registration, f"d-{number}", logs_in=False)
    admin.get(f"{USERS}?onlyDevices=true")
    with django_assert_max_num_queries(5):
        assert len(names(admin.get(f"{USERS}?onlyDevices=true&pageSize=100"))) == 8


# --- One -----------------------------------------------------------------------------------------


def test_device_user_is_told_as_the_contract_has_it(admin, known):
    assert admin.get(ONE).json() == {
        "id": "device_4711",
        "userName": "device_4711",
        "enabled": True,
        "shouldResetPassword": False,
        "twoFactorAuthenticationEnabled": False,
        "groups": {"references": [], "self": f"http://testserver{ONE}/groups"},
        "roles": {
            "references": [
                {"role": {"id": role, "name": role,
                          "self": f"http://testserver/user/roles/{role}"}}
                for role in ("ROLE_INVENTORY_CREATE", "ROLE_USER_MANAGEMENT_OWN_READ")
            ],
            "self": f"http://testserver{ONE}/roles",
        },
        "devicePermissions": {},
        "customProperties": {},
        "self": f"http://testserver{ONE}",
    }  # fmt: skip
    assert DeviceCredentials.objects.get().digest not in admin.get(ONE).content.decode()


@pytest.mark.parametrize("device_id", HOSTILE)
def test_id_in_the_address_may_be_anything(admin, make_registration, device_id):
    credentials, password = let_in(make_registration, device_id)
    path = f"{USERS}/{quote(f'device_{device_id}', safe='')}"
    body = admin.get(path).json()
    assert (body["userName"], body["self"]) == (f"device_{device_id}", f"http://testserver{path}")
    assert admin.put(path, {"enabled": False}).json()["enabled"] is False
    assert not comes_in(credentials, password)
    assert admin.delete(path).status_code == 204
    assert admin.get(path).status_code == 404


def test_accents_in_the_address_may_be_composed_or_not(admin, make_registration):
    let_in(make_registration, "Zähler")
    assert admin.get(f"{USERS}/device_Za%CC%88hler").json()["userName"] == "device_Zähler"


def test_device_user_is_disabled_and_enabled(admin, known):
    credentials, password = known
    answer = admin.put(ONE, {"enabled": False})
    assert (answer.status_code, answer.json()["enabled"]) == (200, False)
    assert not comes_in(credentials, password)
    whole = admin.get(ONE).json() | {"enabled": True}
    assert admin.put(ONE, whole).json()["enabled"] is True
    assert comes_in(credentials, password)
    assert device_kinds("4711")[-2:] == ["disabled", "enabled"]
    assert AuditRecord.objects.filter(actor_name="administrator", subject="4711").count() == 2


def test_answer_is_empty_for_who_asked_for_none(admin, known):
    answer = admin.put(ONE, {"enabled": False}, Accept=None)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Following mandatory fields should be included: enabled"),
        ({"enabled": "no"}, "Field enabled must be true or false."),
        ({"enabled": None}, "Field enabled must be true or false."),
        ({"enabled": False, "userName": "device_x"}, "Field userName cannot be changed here"),
        ({"enabled": False, "password": "secret"}, "Field password cannot be changed here"),
        ({"enabled": False, "x": "\x00"}, "NUL"),
    ],
)
def test_anything_else_is_not_changed(admin, known, body, message):
    for path in (ONE, object_path(known[0])):
        answer = admin.put(path, body)
        assert (answer.status_code, answer["Content-Type"]) == (422, ERROR_TYPE)
        assert message in answer.json()["message"]
    assert login_of("4711").is_enabled


def test_deleted_device_user_leaves_a_tombstone_and_frees_the_place(admin, known, acme):
    credentials, password = known
    assert admin.delete(ONE).status_code == 204
    assert not comes_in(credentials, password)
    assert Tombstone.objects.get().deleted_by_name == "administrator"
    assert counted_devices(acme) == recount_devices(acme) == 0
    again = admin.delete(ONE)
    assert (again.status_code, again["Content-Type"]) == (404, ERROR_TYPE)
    assert again.json()["message"] == "Unable to find user by user ID: device_4711"
    assert ManagedObject.objects.filter(device_id="4711").exists(), "it has reported"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        f"{USERS}/device_theirs",
        "/user/globex/users/device_theirs",
        f"{USERS}/device_nobody",
        f"{USERS}/device_%00",
        f"{USERS}/device_{'x' * 3000}",
    ],
)
def test_what_is_not_ones_own_is_not_there(admin, theirs, path, method):
    answer = admin.call(method, path, {"enabled": False})
    assert (answer.status_code, answer["Content-Type"]) == (404, ERROR_TYPE)
    assert login_of("theirs").is_enabled


def test_list_of_another_tenant_is_not_there(admin, theirs):
    assert admin.get("/user/globex/users?onlyDevices=true").status_code == 404


def test_people_are_still_found_by_name(admin):
    assert admin.get(f"{USERS}/operator").json()["userName"] == "operator"
    assert admin.get(f"{USERS}/device").status_code == 404
    assert admin.get(f"{USERS}/devicebootstrap").status_code == 200


# --- By the object -------------------------------------------------------------------------------


def test_user_of_an_object_is_told_and_disabled(admin, known):
    credentials, password = known
    path = object_path(credentials)
    told = {"userName": "device_4711", "enabled": True, "self": f"http://testserver{path}"}
    assert admin.get(path).json() == told
    assert admin.put(path, told | {"enabled": False}).json() == told | {"enabled": False}
    assert not comes_in(credentials, password)
    assert admin.put(path, {"enabled": True}).json()["enabled"] is True
    assert comes_in(credentials, password)


@pytest.mark.parametrize("text", ["0", "-1", "x", "9" * 18, "9" * 40, "1.5", "٣", "%00"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_object_that_is_not_there_has_no_user(admin, known, text, method):
    answer = admin.call(method, f"/inventory/managedObjects/{text}/user", {"enabled": False})
    assert (answer.status_code, answer["Content-Type"]) == (404, ERROR_TYPE)


def test_objects_of_others_and_devices_that_never_reported_are_not_there(
    admin, theirs, make_registration
):
    shy, _ = let_in(make_registration, "shy")
    for credentials in (theirs[0], shy):
        answer = admin.get(object_path(credentials))
        assert answer.json()["error"] == "inventory/Not Found"
        assert admin.put(object_path(credentials), {"enabled": False}).status_code == 404
    assert login_of("theirs").is_enabled


def test_device_without_a_login_has_no_user(admin, known, operator):
    path = object_path(known[0])
    logins.delete_login(known[0], by=operator)
    for method in ("GET", "PUT"):
        answer = admin.call(method, path, {"enabled": True})
        assert (answer.status_code, answer.json()["error"]) == (404, "user/Not Found")


# --- Who may -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "may_see", "may_change"),
    [
        ("ROLE_USER_MANAGEMENT_READ", True, False),
        ("ROLE_DEVICE_CONTROL_READ", True, False),
        ("ROLE_USER_MANAGEMENT_ADMIN", True, True),
        ("ROLE_DEVICE_CONTROL_ADMIN", True, True),
        ("ROLE_USER_MANAGEMENT_OWN_READ", False, False),
        ("ROLE_INVENTORY_ADMIN", False, False),
    ],
)
def test_right_is_needed(api, known, person, role, may_see, may_change):
    give_rights(person("acme/reader"), role)
    caller = api("acme/reader")
    assert caller.get(ONE).status_code == (200 if may_see else 403)
    for path in (ONE, object_path(known[0])):
        assert caller.put(path, {"enabled": True}).status_code == (200 if may_change else 403)
    assert caller.delete(ONE).status_code == (204 if may_change else 403)


def test_device_sees_itself_and_nobody_else(known, theirs, make_registration):
    let_in(make_registration, "4712", reports=True)
    me = api_of(*known)
    assert me.get(ONE).json()["userName"] == "device_4711"
    assert me.get(object_path(known[0])).json()["userName"] == "device_4711"
    for path in (
        f"{USERS}/device_4712",
        f"{USERS}/device_nobody",
        "/user/globex/users/device_4711",
        "/user/globex/users/device_theirs",
        object_path(login_of("4712")),
        object_path(theirs[0]),
        "/inventory/managedObjects/0/user",
        f"{USERS}?onlyDevices=true",
    ):
        answer = me.get(path)
        assert (answer.status_code, answer.json()["message"]) == (403, "Access is denied")


def test_device_changes_nothing_about_itself(known):
    me = api_of(*known)
    for path in (ONE, object_path(known[0])):
        assert me.put(path, {"enabled": False}).status_code == 403
    assert me.delete(ONE).status_code == 403
    assert login_of("4711").is_enabled


def test_device_asks_who_it_is(known):
    body = api_of(*known).get(ME).json()
    assert [role["id"] for role in body.pop("effectiveRoles")] == [
        "ROLE_INVENTORY_CREATE",
        "ROLE_USER_MANAGEMENT_OWN_READ",
    ]
    assert body == {
        "id": "device_4711",
        "userName": "device_4711",
        "shouldResetPassword": False,
        "devicePermissions": {},
        "self": "http://testserver/user/currentUser",
    }


def test_registration_anew_of_a_deleted_device_finds_its_user_again(admin, known,
                                                                    make_registration):  # fmt: skip
    admin.delete(ONE)
    make_registration("4711", stage=Stage.PENDING)
    assert admin.get(ONE).status_code == 404
