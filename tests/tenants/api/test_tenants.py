"""``/tenant/tenants``: the tenants that the caller's tenant looks after."""

import re

import pytest

from tenants.models import ApiToken, AuditRecord, OneTimeLink, Tenant, User
from tests.support import ERROR_TYPE, PASSWORD, give_rights

TENANTS = "/tenant/tenants"
TENANT = "application/vnd.com.nsn.cumulocity.tenant+json;charset=UTF-8;ver=0.9"
COLLECTION = "application/vnd.com.nsn.cumulocity.tenantCollection+json;charset=UTF-8;ver=0.9"
NEW = {
    "id": "t0700",
    "company": "Umbrella",
    "domain": "umbrella.example",
    "adminName": "jo",
    "adminPass": "a long and winding password",
}


@pytest.fixture
def admin(api):
    """The administrator of the management tenant."""
    return api("management/administrator")


@pytest.fixture
def owner(api, acme):
    """The administrator of acme, which owns tenants."""
    Tenant.objects.filter(pk="acme").update(allow_create_tenants=True)
    Tenant.objects.create(id="below", company="Below", parent=acme)
    return api("acme/administrator")


def ids(answer):
    assert answer.status_code == 200
    return [each["id"] for each in answer.json()["tenants"]]


def refusal(answer):
    assert answer["Content-Type"] == ERROR_TYPE
    return answer.status_code, answer.json()["error"], answer.json()["message"]


# --- Reading ----------------------------------------------------------------------------------


def test_tenant_is_described_in_the_words_of_the_contract(admin):
    Tenant.objects.filter(pk="acme").update(
        domain="acme.example", contact_name="Jo", contact_phone="+49 1", device_limit=7
    )
    answer = admin.get(f"{TENANTS}/acme")
    assert (answer.status_code, answer["Content-Type"]) == (200, TENANT)
    body = answer.json()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body.pop("creationTime"))
    assert body == {
        "id": "acme",
        "self": "http://testserver/tenant/tenants/acme",
        "company": "Acme",
        "domain": "acme.example",
        "contactName": "Jo",
        "contactPhone": "+49 1",
        "adminName": "administrator",
        "adminEmail": "administrator@acme.example",
        "status": "ACTIVE",
        "parent": "management",
        "allowCreateTenants": False,
        "deviceLimit": 7,
        "customProperties": {},
        "applications": {"references": []},
        "ownedApplications": {"references": []},
    }


def test_management_lists_all_others_and_an_owner_its_own(admin, owner):
    assert ids(admin.get(TENANTS)) == ["acme", "below", "globex"]
    assert ids(owner.get(TENANTS)) == ["below"]
    assert admin.get(TENANTS)["Content-Type"] == COLLECTION


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("company=acme", ["acme"]),
        ("company=acm", []),
        ("domain=GLOBEX.example", ["globex"]),
        ("domain=globex", []),
        ("parent=management", ["acme", "globex"]),
        ("parent=acme", []),
        ("company=Acme&parent=nobody", []),
        ("company=a%00b", []),
        ("company=", ["acme", "globex"]),
    ],
)
def test_list_is_narrowed_by_what_the_contract_names(admin, query, found):
    Tenant.objects.filter(pk="globex").update(domain="globex.example")
    assert ids(admin.get(f"{TENANTS}?{query}")) == found


def test_list_is_paged(admin, house):
    Tenant.objects.bulk_create(
        Tenant(id=f"t{number:03}", company="Many", parent=house["management"])
        for number in range(10)
    )
    answer = admin.get(f"{TENANTS}?pageSize=4&currentPage=2&withTotalPages=true").json()
    assert [each["id"] for each in answer["tenants"]] == ["t002", "t003", "t004", "t005"]
    assert answer["statistics"] == {"currentPage": 2, "pageSize": 4, "totalPages": 3}
    assert "currentPage=3" in answer["next"]
    assert "currentPage=1" in answer["prev"]


def test_list_costs_the_same_however_long_it_is(admin, house, django_assert_max_num_queries):
    Tenant.objects.bulk_create(
        Tenant(id=f"t{number:03}", company="Many", parent=house["management"])
        for number in range(50)
    )
    admin.get(TENANTS)
    with django_assert_max_num_queries(5):
        assert len(ids(admin.get(f"{TENANTS}?pageSize=100"))) == 52


@pytest.mark.parametrize("tenant_id", ["globex", "management", "acme", "nobody"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_tenant_of_somebody_else_does_not_exist(owner, tenant_id, method):
    before = list(Tenant.objects.values())
    assert refusal(owner.call(method, f"{TENANTS}/{tenant_id}", {"company": "Mine"})) == (
        404, "security/Not Found", f"There is no tenant with id = {tenant_id}")  # fmt: skip
    assert list(Tenant.objects.values()) == before


@pytest.mark.parametrize("path", [TENANTS, f"{TENANTS}/acme"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_tenant_that_may_own_none_is_refused(api, path, method):
    answer = api("globex/administrator").call(method, path, NEW)
    assert answer.status_code in {403, 405}


@pytest.mark.parametrize("role", ["READ", "CREATE", "UPDATE", "ADMIN"])
def test_each_call_needs_its_right(admin, person, role):
    give_rights(person("management/administrator"), f"ROLE_TENANT_MANAGEMENT_{role}")
    may = {
        "GET": admin.get(f"{TENANTS}/acme").status_code == 200,
        "POST": admin.post(TENANTS, NEW).status_code == 201,
        "PUT": admin.put(f"{TENANTS}/acme", {"company": "A"}).status_code == 200,
        "DELETE": admin.delete(f"{TENANTS}/globex").status_code == 204,
    }
    assert {method for method, is_so in may.items() if is_so} == {
        "READ": {"GET"},
        "CREATE": {"GET", "POST"},
        "UPDATE": {"GET", "PUT"},
        "ADMIN": {"GET", "POST", "PUT", "DELETE"},
    }[role]


def test_current_tenant_says_whether_it_may_own_tenants(owner, api):
    def may(caller):
        return caller.get("/tenant/currentTenant").json()["allowCreateTenants"]

    assert may(owner) is may(api("management/reader")) is True
    assert may(api("globex/reader")) is False


# --- Creating ---------------------------------------------------------------------------------


def test_tenant_is_created_with_an_administrator_who_can_sign_in(admin, api):
    answer = admin.post(TENANTS, {**NEW, "contactName": "Jo", "contactPhone": "1",
                                  "allowCreateTenants": True, "deviceLimit": 5})  # fmt: skip
    assert (answer.status_code, answer["Content-Type"]) == (201, TENANT)
    body = answer.json()
    assert answer["Location"] == body["self"] == "http://testserver/tenant/tenants/t0700"
    assert (body["adminName"], body["deviceLimit"], body["allowCreateTenants"]) == ("jo", 5, True)
    assert "adminPass" not in body
    assert NEW["adminPass"] not in answer.content.decode()
    jo = api("t0700/jo", NEW["adminPass"])
    assert jo.get("/tenant/currentTenant").json()["name"] == "t0700"
    assert (
        jo.post("/tenant/options", {"category": "c", "key": "k", "value": "v"}).status_code == 200
    )
    assert NEW["adminPass"] not in str(list(AuditRecord.objects.values()))
    assert not OneTimeLink.objects.exists()


def test_id_is_made_up_where_none_is_sent(admin):
    body = admin.post(TENANTS, {k: v for k, v in NEW.items() if k != "id"}).json()
    assert re.fullmatch(r"t\d{8}", body["id"])


def test_administrator_gets_a_link_by_mail(admin, settings, mailoutbox):
    settings.EMAIL_HOST = "mail.example"
    sent = {"company": "Umbrella", "adminEmail": "jo@u.example", "sendPasswordResetEmail": True}
    answer = admin.post(TENANTS, sent)
    assert answer.status_code == 201
    assert answer.json()["adminName"] == "admin"
    assert mailoutbox[0].to == ["jo@u.example"]
    assert "/welcome/" in mailoutbox[0].body
    assert "/welcome/" not in answer.content.decode()
    assert User.objects.get(email="jo@u.example").is_invited


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"company": None}, "Following mandatory fields should be included: company"),
        ({"company": ""}, "company: A tenant needs the name"),
        ({"company": 1}, "Field company must be text."),
        ({"id": "Bad ID"}, "id: A tenant ID has at least two characters"),
        ({"id": "gatehouse"}, "id: The ID gatehouse is reserved."),
        ({"id": 5}, "Field id must be text."),
        ({"domain": "not a domain"}, "domain: A domain has at least"),
        ({"adminPass": None}, "A tenant needs a first administrator"),
        ({"adminPass": ""}, "A tenant needs a first administrator"),
        ({"adminName": None}, "A tenant needs a first administrator"),
        ({"adminPass": None, "adminEmail": "jo@u.example"}, "A tenant needs a first"),
        ({"adminPass": None, "sendPasswordResetEmail": True}, "A tenant needs a first"),
        (
            {"adminPass": None, "adminEmail": "jo@u.example", "sendPasswordResetEmail": True},
            "No mail server is set",
        ),
        ({"adminPass": "short"}, "adminPass: This password is too short."),
        ({"adminName": "a/b"}, "adminName: A user name cannot contain"),
        ({"adminName": "device_1"}, "adminName: User names that begin with device_"),
        ({"adminEmail": "nobody"}, "adminEmail: Enter a valid email address."),
        ({"deviceLimit": "5"}, "Field deviceLimit must be a whole number, or null."),
        ({"deviceLimit": True}, "Field deviceLimit must be a whole number, or null."),
        ({"deviceLimit": -1}, "deviceLimit: A device limit is a whole number"),
        ({"deviceLimit": 10**30}, "deviceLimit: A device limit is a whole number"),
        ({"allowCreateTenants": "yes"}, "Field allowCreateTenants must be true or false."),
        ({"status": "GONE"}, "Field status must be one of ACTIVE, SUSPENDED."),
        ({"contactName": "x" * 256}, "contactName: The name of a contact"),
        ({"company": "a\x00b"}, "The body contains a NUL character"),
        ({"company": "\ud800"}, "The body contains text that is not Unicode."),
    ],
    ids=str,
)
def test_body_that_does_not_fit_is_refused_with_a_sentence(admin, settings, change, message):
    settings.AUTH_PASSWORD_VALIDATORS = [
        {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"}
    ]
    body = {name: value for name, value in {**NEW, **change}.items() if value is not None}
    status, error, told = refusal(admin.post(TENANTS, body))
    assert (status, error) == (422, "undefined/validationError")
    assert told.startswith(message)
    assert Tenant.objects.count() == 3
    assert AuditRecord.objects.count() == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "acme"}, "There is a tenant with the ID acme already."),
        ({"id": "management"}, "There is a tenant with the ID management already."),
        ({"domain": "ACME.example"}, "Another tenant has the domain acme.example already."),
    ],
    ids=str,
)
def test_what_is_taken_is_a_conflict(admin, change, message):
    Tenant.objects.filter(pk="acme").update(domain="acme.example")
    assert refusal(admin.post(TENANTS, {**NEW, **change})) == (409, "tenant/Conflict", message)
    assert Tenant.objects.count() == 3


def test_owner_creates_tenants_that_may_own_none(owner, admin):
    assert owner.post(TENANTS, NEW).json()["parent"] == "acme"
    answer = owner.post(TENANTS, {**NEW, "id": "t0701", "domain": "", "allowCreateTenants": True})
    assert refusal(answer)[:2] == (403, "security/Forbidden")
    assert admin.get(f"{TENANTS}/t0700").status_code == 200


# --- Changing ---------------------------------------------------------------------------------


def test_tenant_is_changed_and_the_rest_stays(admin):
    Tenant.objects.filter(pk="acme").update(contact_name="Jo", device_limit=5)
    answer = admin.put(f"{TENANTS}/acme", {"company": "Acme Inc", "domain": "Acme.Example"})
    assert (answer.status_code, answer["Content-Type"]) == (200, TENANT)
    assert admin.get(f"{TENANTS}/acme").json() == answer.json()
    body = answer.json()
    assert (body["company"], body["domain"]) == ("Acme Inc", "acme.example")
    assert (body["contactName"], body["deviceLimit"]) == ("Jo", 5)
    assert admin.put(f"{TENANTS}/acme", {"deviceLimit": None}).json()["deviceLimit"] is None


@pytest.mark.parametrize("tenant_id", ["acme", "management"])
def test_what_was_read_can_be_sent_back(admin, tenant_id):
    body = admin.get(f"{TENANTS}/{tenant_id}").json()
    answer = admin.put(f"{TENANTS}/{tenant_id}", body)
    assert (answer.status_code, answer.json()) == (200, body)
    assert AuditRecord.objects.count() == 0


def test_status_suspends_and_activates(admin, api):
    desk = api("acme/operator")
    for status, code in (("SUSPENDED", 401), ("SUSPENDED", 401), ("ACTIVE", 200)):
        answer = admin.put(f"{TENANTS}/acme", {"status": status})
        assert (answer.status_code, answer.json()["status"]) == (200, status)
        assert desk.get("/tenant/currentTenant").status_code == code
    told = AuditRecord.objects.filter(type="Tenant").order_by("pk")
    activities = [record.activity for record in told]
    assert activities == ["Tenant suspended", "Tenant activated"]


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("acme", {"id": "other"}, (422, "The id of a tenant cannot be changed.")),
        ("acme", {"parent": "globex"}, (422, "The parent of a tenant cannot be changed.")),
        ("management", {"parent": "acme"}, (422, "The parent of a tenant cannot be changed.")),
        ("acme", {"adminPass": "secret"}, (422, "A password is changed by whom it belongs to")),
        ("acme", {"company": None}, (422, "company: A tenant needs the name")),
        ("acme", {"domain": "globex.example"}, (409, "Another tenant has the domain")),
        ("management", {"status": "SUSPENDED"}, (409, "The management tenant runs")),
    ],
    ids=str,
)
def test_change_that_must_not_be_is_refused_as_a_whole(admin, path, body, expected):
    Tenant.objects.filter(pk="globex").update(domain="globex.example")
    before = list(Tenant.objects.values())
    status, _, message = refusal(admin.put(f"{TENANTS}/{path}", {"contactName": "Jo", **body}))
    assert (status, message[: len(expected[1])]) == expected
    assert list(Tenant.objects.values()) == before


def test_tenant_does_not_change_itself(owner):
    assert owner.put(f"{TENANTS}/acme", {"deviceLimit": 5}).status_code == 404
    assert owner.put(f"{TENANTS}/below", {"deviceLimit": 5}).json()["deviceLimit"] == 5


def test_client_that_asks_for_no_answer_gets_none(admin):
    answer = admin.put(f"{TENANTS}/acme", {"company": "A"}, Accept=None)
    assert (answer.status_code, answer.content) == (200, b"")


# --- Deleting ---------------------------------------------------------------------------------


def test_tenant_is_deleted_with_what_it_has(admin, api, make_registration):
    make_registration("4711")
    assert admin.delete(f"{TENANTS}/acme").status_code == 204
    assert admin.get(f"{TENANTS}/acme").status_code == 404
    assert admin.delete(f"{TENANTS}/acme").status_code == 404
    assert api("acme/operator").get("/tenant/currentTenant").status_code == 401
    assert refusal(admin.post(TENANTS, {**NEW, "id": "acme"}))[0] == 409


def test_deletion_that_must_not_be_is_refused(admin, owner):
    assert refusal(owner.delete(f"{TENANTS}/below"))[:2] == (403, "security/Forbidden")
    status, error, message = refusal(admin.delete(f"{TENANTS}/acme"))
    assert (status, error) == (409, "tenant/Conflict")
    assert message == "Tenant acme has subtenants (below). Delete these first."
    assert refusal(admin.delete(f"{TENANTS}/management"))[0] == 409
    assert Tenant.objects.count() == 4


def test_token_has_no_more_rights_here_than_it_was_given(admin, person, api):
    from tenants.actors import SYSTEM
    from tenants.tokens import make_token

    user = person("management/administrator")
    _, text = make_token(user, "r", ["ROLE_TENANT_MANAGEMENT_READ"], expires_at=None, by=SYSTEM)
    robot = api("management/administrator", text)
    assert robot.get(f"{TENANTS}/acme").status_code == 200
    assert robot.put(f"{TENANTS}/acme", {"company": "A"}).status_code == 403
    assert ApiToken.objects.count() == 1
    assert PASSWORD not in text
