"""``/tenant/options``: settings as flat maps and as single options."""

from functools import partial

import pytest
from django.conf import settings

from tenants.encryption import DecryptionError
from tenants.models import AuditRecord, TenantOption
from tests.support import ERROR_TYPE, at_once

OPTIONS = "/tenant/options"
POLICY = f"{OPTIONS}/device-registration/security-token.policy"
OPTION = "application/vnd.com.nsn.cumulocity.option+json;charset=UTF-8;ver=0.9"
COLLECTION = "application/vnd.com.nsn.cumulocity.optionCollection+json;charset=UTF-8;ver=0.9"


@pytest.fixture
def admin(api):
    return api("acme/administrator")


def test_option_is_set_and_read_back(admin):
    sent = {"category": "alarm.type.mapping", "key": "c8y_Temp", "value": "CRITICAL|Hot"}
    answer = admin.post(OPTIONS, sent)
    # 200, not 201: the contract treats this as setting, not creating.
    assert (answer.status_code, answer["Content-Type"]) == (200, OPTION)
    expected = {**sent, "self": "http://testserver/tenant/options/alarm.type.mapping/c8y_Temp"}
    assert answer.json() == expected
    assert admin.get(f"{OPTIONS}/alarm.type.mapping/c8y_Temp").json() == expected
    listed = admin.get(OPTIONS)
    assert listed["Content-Type"] == COLLECTION
    assert listed.json()["options"] == [expected]
    assert listed.json()["statistics"] == {"currentPage": 1, "pageSize": 5}


def test_setting_again_overwrites(admin):
    for value in ("one", "two"):
        admin.post(OPTIONS, {"category": "c", "key": "k", "value": value})
    assert TenantOption.objects.get().value == "two"
    assert TenantOption.objects.get().updated_by == "administrator"


def test_category_is_a_flat_map(admin):
    answer = admin.put(f"{OPTIONS}/limits", {"a.b": "x", "number": 5, "float": 1.5, "flag": True})
    expected = {"a.b": "x", "number": "5", "float": "1.5", "flag": "true"}
    assert (answer.status_code, answer["Content-Type"]) == (200, OPTION)
    assert answer.json() == expected
    admin.put(f"{OPTIONS}/limits", {"number": "6"})
    assert admin.get(f"{OPTIONS}/limits").json() == {**expected, "number": "6"}


def test_unknown_category_is_an_empty_map(admin):
    answer = admin.get(f"{OPTIONS}/nothing")
    assert (answer.status_code, answer.json()) == (200, {})


def test_unknown_option_is_not_found(admin):
    for method in ("GET", "DELETE"):
        answer = admin.call(method, f"{OPTIONS}/nothing/here")
        assert (answer.status_code, answer["Content-Type"]) == (404, ERROR_TYPE)


def test_option_is_deleted(admin):
    admin.put(POLICY, {"value": "REQUIRED"})
    assert admin.delete(POLICY).status_code == 204
    assert admin.get(POLICY).status_code == 404


def test_category_and_key_in_the_body_of_a_put_do_not_count(admin):
    answer = admin.put(POLICY, {"category": "x", "key": "y", "value": "REQUIRED"})
    assert (answer.json()["category"], answer.json()["key"]) == (
        "device-registration",
        "security-token.policy",
    )


@pytest.mark.parametrize("value", ["IGNORED", "OPTIONAL", "REQUIRED"])
def test_policy_is_one_of_three(value, admin):
    assert admin.put(POLICY, {"value": value}).status_code == 200


@pytest.mark.parametrize("value", ["required", "", "ON", 1, True])
@pytest.mark.parametrize("door", ["option", "category", "collection"])
def test_other_policies_are_refused_at_every_door(door, value, admin):
    category, key = "device-registration", "security-token.policy"
    answer = {
        "option": lambda: admin.put(POLICY, {"value": value}),
        "category": lambda: admin.put(f"{OPTIONS}/{category}", {"other": "x", key: value}),
        "collection": lambda: admin.post(
            OPTIONS, {"category": category, "key": key, "value": value}
        ),
    }[door]()
    assert answer.status_code == 422
    assert "must be one of IGNORED, OPTIONAL, REQUIRED" in answer.json()["message"]
    # A map is set as a whole or not at all.
    assert not TenantOption.objects.exists()


@pytest.mark.parametrize(
    ("value", "status"),
    [("1", 200), (24, 200), ("8760", 200), ("0", 422), ("8761", 422), ("1.5", 422), ("", 422)],
)
def test_time_limit_is_a_whole_number_of_hours(value, status, admin):
    path = f"{OPTIONS}/device-registration/handover.time-limit.hours"
    assert admin.put(path, {"value": value}).status_code == status


@pytest.mark.parametrize("value", [None, [], {}, "x" * 10_001])
def test_value_that_cannot_be_stored_is_refused(value, admin):
    assert admin.put(f"{OPTIONS}/c/k", {"value": value}).status_code == 422
    assert admin.put(f"{OPTIONS}/c", {"k": value}).status_code == 422


@pytest.mark.parametrize("missing", ["category", "key", "value"])
def test_missing_member_is_named(missing, admin):
    body = {"category": "c", "key": "k", "value": "v"}
    del body[missing]
    answer = admin.post(OPTIONS, body)
    assert answer.status_code == 422
    assert answer.json()["message"] == (f"Following mandatory fields should be included: {missing}")


@pytest.mark.parametrize("name", ["category", "key"])
@pytest.mark.parametrize("value", ["", "x" * 257, 5, [], True])
def test_name_that_cannot_be_is_refused(name, value, admin):
    body = {"category": "c", "key": "k", "value": "v", name: value}
    assert admin.post(OPTIONS, body).status_code == 422


def test_credentials_are_never_shown(admin):
    admin.put(f"{OPTIONS}/mail/credentials.password", {"value": "hunter2-secret"})
    answers = [
        admin.get(f"{OPTIONS}/mail/credentials.password"),
        admin.put(f"{OPTIONS}/mail/credentials.password", {"value": "hunter2-secret"}),
        admin.get(f"{OPTIONS}/mail"),
        admin.get(OPTIONS),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert "hunter2" not in answer.content.decode()
        assert "<<Encrypted>>" in answer.content.decode()


def test_keys_may_contain_slashes_and_dots(admin):
    admin.put(f"{OPTIONS}/a.b/c/d.e", {"value": "x"})
    assert admin.get(f"{OPTIONS}/a.b/c%2Fd.e").json()["key"] == "c/d.e"


def test_options_belong_to_the_tenant(api, admin):
    admin.put(POLICY, {"value": "REQUIRED"})
    for login in ("globex/administrator", "management/administrator"):
        assert api(login).get(POLICY).status_code == 404
        assert api(login).get(OPTIONS).json()["options"] == []
        assert api(login).delete(POLICY).status_code == 404


def test_reading_needs_less_than_writing(api, admin):
    admin.put(POLICY, {"value": "REQUIRED"})
    operator = api("acme/operator")
    assert operator.get(POLICY).status_code == 200
    assert operator.put(POLICY, {"value": "IGNORED"}).status_code == 403
    assert operator.delete(POLICY).status_code == 403
    assert operator.post(OPTIONS, {}).status_code == 403
    assert api("acme/devicebootstrap").get(POLICY).status_code == 403


def test_options_are_listed_in_pages_and_few_queries(admin, django_assert_max_num_queries):
    admin.put(f"{OPTIONS}/many", {f"key-{number:02}": "x" for number in range(12)})
    with django_assert_max_num_queries(4):
        answer = admin.get(f"{OPTIONS}?pageSize=10&withTotalPages=true")
    assert len(answer.json()["options"]) == 10
    assert answer.json()["statistics"]["totalPages"] == 2
    rest = admin.get(answer.json()["next"])
    assert [option["key"] for option in rest.json()["options"]] == ["key-10", "key-11"]


def test_client_that_wants_no_answer_gets_none(admin):
    answer = admin.put(POLICY, {"value": "REQUIRED"}, Accept=None)
    assert (answer.status_code, answer.content) == (200, b"")


# --- Inherited values, reservations, the platform's own --------------------------------------

RESERVE = f"{OPTIONS}/c/k/editable"


@pytest.fixture
def house_admin(api):
    return api("management/administrator")


def test_inherited_value_is_the_nearest_above_else_the_default(admin, house_admin):
    def inherited():
        return admin.get(f"{POLICY}?evaluate=inherited")

    assert inherited().json()["value"] == "OPTIONAL"
    house_admin.put(POLICY, {"value": "REQUIRED"})
    admin.put(POLICY, {"value": "IGNORED"})
    answer = inherited()
    assert (answer.status_code, answer["Content-Type"]) == (200, OPTION)
    assert answer.json() == {
        "category": "device-registration",
        "key": "security-token.policy",
        "value": "REQUIRED",
        "self": f"http://testserver{POLICY}",
    }
    assert admin.get(POLICY).json()["value"] == "IGNORED"


def test_other_options_of_the_management_tenant_are_for_those_who_own_tenants(
    admin, house_admin, acme
):
    house_admin.put(f"{OPTIONS}/mail/host", {"value": "mail.example"})
    house_admin.put(f"{OPTIONS}/mail/credentials.password", {"value": "hunter2-secret"})
    path = f"{OPTIONS}/mail/host?evaluate=inherited"
    assert admin.get(path).status_code == 404
    acme.allow_create_tenants = True
    acme.save()
    assert admin.get(path).json()["value"] == "mail.example"
    secret = admin.get(f"{OPTIONS}/mail/credentials.password?evaluate=inherited").json()
    assert secret["value"] == "<<Encrypted>>"
    assert admin.get(f"{OPTIONS}/mail/other?evaluate=inherited").status_code == 404
    # Only what is asked for as inherited comes from above.
    assert admin.get(f"{OPTIONS}/mail/host").status_code == 404
    assert admin.get(f"{OPTIONS}/mail").json() == {}


def test_management_reserves_an_option_of_a_tenant_and_releases_it(admin, house_admin):
    admin.put(f"{OPTIONS}/c/k", {"value": "x"})
    for editable, status in (("false", 403), (False, 403), ("true", 200), (True, 200)):
        answer = house_admin.put(f"{RESERVE}?targetTenant=acme", {"editable": editable})
        assert (answer.status_code, answer["Content-Type"]) == (200, OPTION)
        assert answer.json()["editable"] == str(editable).lower()
        assert admin.put(f"{OPTIONS}/c/k", {"value": "y"}).status_code == status
        assert admin.post(OPTIONS, {"category": "c", "key": "k", "value": "y"}
                          ).status_code == status  # fmt: skip
        assert admin.put(f"{OPTIONS}/c", {"new": "z", "k": "y"}).status_code == status
    # A map that holds a reserved option is refused as a whole.
    house_admin.put(f"{RESERVE}?targetTenant=acme", {"editable": "false"})
    assert admin.put(f"{OPTIONS}/c", {"newer": "z", "k": "y"}).status_code == 403
    assert admin.delete(f"{OPTIONS}/c/k").status_code == 403
    assert "newer" not in admin.get(f"{OPTIONS}/c").json()


def test_reservation_is_written_down_once(admin, house_admin):
    admin.put(f"{OPTIONS}/c/k", {"value": "x"})
    for _ in range(2):
        house_admin.put(f"{RESERVE}?targetTenant=acme", {"editable": "false"})
    entry = AuditRecord.objects.get(activity="Option reserved")
    assert (entry.tenant_id, entry.actor_tenant) == ("acme", "management")
    assert entry.changes == [
        {"attribute": "editable", "previousValue": "true", "newValue": "false"}
    ]


@pytest.mark.parametrize(
    ("query", "body", "status"),
    [
        ("", {"editable": "false"}, 400),
        ("?targetTenant=", {"editable": "false"}, 400),
        ("?targetTenant=acme", {}, 400),
        ("?targetTenant=acme", {"editable": "maybe"}, 400),
        ("?targetTenant=acme", {"editable": None}, 400),
        ("?targetTenant=nobody", {"editable": "false"}, 404),
        ("?targetTenant=globex", {"editable": "false"}, 404),
        ("?targetTenant=%00", {"editable": "false"}, 400),
        ("?targetTenant=acme", [], 422),
    ],
)
def test_reservation_that_cannot_be_is_refused(admin, house_admin, query, body, status):
    admin.put(f"{OPTIONS}/c/k", {"value": "x"})
    answer = house_admin.put(f"{RESERVE}{query}", body)
    assert (answer.status_code, answer["Content-Type"]) == (status, ERROR_TYPE)
    assert TenantOption.objects.get().is_editable


def test_only_the_management_tenant_reserves(api, admin):
    admin.put(f"{OPTIONS}/c/k", {"value": "x"})
    path = f"{RESERVE}?targetTenant=acme"
    for login in ("acme/administrator", "globex/administrator", "management/operator"):
        assert api(login).put(path, {"editable": "false"}).status_code == 403
    assert TenantOption.objects.get().is_editable


def test_key_that_ends_like_a_reservation_is_a_key(admin, house_admin):
    path = f"{OPTIONS}/c/k/editable"
    assert admin.put(path, {"value": "x"}).json()["key"] == "k/editable"
    # Clients that repeat everything send both members.
    assert admin.put(path, {"value": "y", "editable": "false"}).json()["key"] == "k/editable"
    assert admin.get(path).json()["value"] == "y"
    answer = house_admin.put(f"{path}/editable?targetTenant=acme", {"editable": "false"})
    assert answer.json()["key"] == "k/editable"
    assert admin.delete(path).status_code == 403
    assert admin.put(f"{OPTIONS}/c/editable", {"value": "x"}).json()["key"] == "editable"


def test_category_with_a_slash_has_no_address_and_is_refused(admin):
    answer = admin.post(OPTIONS, {"category": "a/b", "key": "k", "value": "v"})
    assert answer.status_code == 422
    assert "cannot contain a slash" in answer.json()["message"]


def test_credentials_are_encrypted_at_rest_and_open_in_their_place_only(api, admin):
    for login in ("acme/administrator", "globex/administrator"):
        api(login).put(f"{OPTIONS}/mail/credentials.password", {"value": "hunter2-secret"})
    one, other = TenantOption.objects.order_by("tenant")
    assert "hunter2" not in one.value + other.value
    assert one.value != other.value
    assert one.plain == other.plain == "hunter2-secret"
    one.value, other.value = other.value, one.value
    with pytest.raises(DecryptionError):
        _ = one.plain


@pytest.mark.parametrize("value", ["", "ü" * 5000, "<<Encrypted>>"])
def test_any_secret_comes_back_as_it_was(admin, value):
    admin.put(f"{OPTIONS}/mail/credentials.x", {"value": value})
    assert TenantOption.objects.get().plain == value


@pytest.mark.parametrize("login", ["acme/administrator", "acme/reader", "acme/devicebootstrap"])
def test_platform_says_its_version_and_defaults_to_everybody(api, house_admin, login):
    house_admin.put(POLICY, {"value": "REQUIRED"})  # what one tenant sets is not the platform's
    answer = api(login).get("/tenant/system/options")
    assert (answer.status_code, answer["Content-Type"]) == (200, COLLECTION)
    options = answer.json()["options"]
    assert {"category": "system", "key": "version", "value": settings.VERSION} in options
    policy = {
        "category": "device-registration", "key": "security-token.policy", "value": "OPTIONAL"
    }  # fmt: skip
    assert policy in options
    for each in options:
        one = api(login).get(f"/tenant/system/options/{each['category']}/{each['key']}")
        assert (one.status_code, one["Content-Type"], one.json()) == (200, OPTION, each)
    assert api(login).get("/tenant/system/options/no/such").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nobody_changes_the_platform_by_the_contract(house_admin, method):
    for path in ("/tenant/system/options", "/tenant/system/options/system/version"):
        assert house_admin.call(method, path, {"value": "x"}).status_code == 405


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_two_who_set_a_category_at_once_never_wait_for_each_other(api, house):
    keys = [f"key-{number:02}" for number in range(20)]

    def put(order, value):
        answer = api("acme/administrator").put(f"{OPTIONS}/c", dict.fromkeys(order, value))
        return answer.status_code

    put(keys, "0")
    for turn in range(10):
        orders = [keys, keys[::-1], keys, keys[::-1]]
        calls = [partial(put, order, f"{turn}-{n}") for n, order in enumerate(orders)]
        assert at_once(*calls) == [200] * 4
        # A map is set as a whole: the last one's values, of one kind only.
        assert len(set(api("acme/administrator").get(f"{OPTIONS}/c").json().values())) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_those_who_set_a_new_option_at_once_all_succeed(api, house):
    def put(key):
        return api("acme/administrator").put(f"{OPTIONS}/c/{key}", {"value": "x"}).status_code

    for number in range(10):
        assert at_once(*[partial(put, f"key-{number}")] * 4) == [200] * 4
    assert TenantOption.objects.count() == 10


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_reserving_while_others_set_and_remove_never_fails(api, house):
    def owner(method):
        return api("acme/administrator").call(method, f"{OPTIONS}/c/k", {"value": "x"}).status_code

    def house_admin():
        path = f"{RESERVE}?targetTenant=acme"
        return api("management/administrator").put(path, {"editable": "true"}).status_code

    for _ in range(10):
        codes = at_once(partial(owner, "PUT"), partial(owner, "DELETE"), house_admin)
        assert set(codes) <= {200, 204, 404}
