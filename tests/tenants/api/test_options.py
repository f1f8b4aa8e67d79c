"""``/tenant/options``: settings as flat maps and as single options."""

import pytest

from tenants.models import TenantOption
from tests.support import ERROR_TYPE

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
