"""The tenants that a tenant looks after: the rules, whoever asks."""

import re

import pytest

from tenants.actors import Actor
from tenants.deletion import delete_tenant
from tenants.models import ApiToken, AuditRecord, OneTimeLink, Tenant, User
from tenants.subtenants import (
    RESERVED_IDS,
    Administrator,
    InvalidTenantError,
    TakenError,
    TenantRightError,
    change_tenant,
    create_tenant,
    invite_administrator,
    suspend_tenant,
)
from tests.support import at_once
from tests.tenants.tenancy import ADMIN, NEVER, changes_of, told

# --- Creating ---------------------------------------------------------------------------------


def test_new_tenant_has_its_roles_and_an_administrator_who_is_invited(make, management):
    tenant, admin = make(domain="Umbrella.Example.COM", contact_name=" Jo ", device_limit=5)
    tenant.refresh_from_db()
    assert (tenant.parent, tenant.status, tenant.device_limit) == (management, "ACTIVE", 5)
    assert (tenant.domain, tenant.contact_name) == ("umbrella.example.com", "Jo")
    assert {role.name for role in tenant.global_roles.all()} == {
        "administrator",
        "operator",
        "reader",
    }
    admin = User.objects.get(pk=admin.pk)
    assert str(admin) == "umbrella/admin"
    assert (admin.full_name, admin.email) == ("Jo Doe", "jo@umbrella.example")
    assert admin.is_invited
    assert admin.has_role("ROLE_USER_MANAGEMENT_ADMIN")
    assert not admin.has_role("ROLE_TENANT_MANAGEMENT_READ")


def test_creation_can_be_reconstructed_from_the_audit_log(make, landlord):
    make(domain="um.example", device_limit=7)
    assert told("umbrella") == ["Tenant created", "User created"]
    changes = changes_of("umbrella", "Tenant created")
    assert changes == {
        "company": ("", "Umbrella"),
        "domain": ("", "um.example"),
        "parent": ("", "management"),
        "device_limit": ("", "7"),
        "allow_create_tenants": ("", "false"),
        "status": ("", "ACTIVE"),
    }
    record = AuditRecord.objects.get(activity="Tenant created")
    assert (record.actor_tenant, record.actor_name) == ("management", "administrator")
    assert (record.source, record.request_id) == (landlord.source, landlord.request_id)


def test_tenant_without_a_chosen_id_gets_one(make):
    ids = {make("")[0].pk for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch(r"t\d{8}", one) for one in ids)


@pytest.mark.parametrize(
    "tenant_id",
    [
        "a",
        "Acme",
        "1st",
        "-a",
        "a-",
        "a_b",
        "a b",
        "a/b",
        "ü",
        "a" * 33,
        "a\x00b",
        *sorted(RESERVED_IDS - {"management"}),
    ],
)
def test_id_that_cannot_be_is_refused(make, tenant_id):
    with pytest.raises(InvalidTenantError) as refused:
        make(tenant_id)
    assert refused.value.field == "id"
    assert str(refused.value).endswith(".")
    assert Tenant.objects.count() == 3


@pytest.mark.parametrize("tenant_id", ["acme", "management"])
def test_id_of_another_tenant_is_taken(make, tenant_id):
    with pytest.raises(TakenError, match=f"There is a tenant with the ID {tenant_id} already."):
        make(tenant_id)


def test_id_of_a_deleted_tenant_is_not_given_again(make, landlord):
    tenant, _ = make()
    delete_tenant(tenant, by=landlord)
    with pytest.raises(TakenError, match="There was a tenant with the ID umbrella before"):
        make()


@pytest.mark.parametrize(
    "domain",
    ["a", "1a.example", "a..b", "-a.b", "a.b-", "a b", "a_b", "a/b", "a:80", "a.", "*.a", "ä.de",
     "http://a.b", f"{'a' * 65}.b", "a." * 150],
)  # fmt: skip
def test_domain_that_cannot_be_is_refused(make, acme, landlord, domain):
    with pytest.raises(InvalidTenantError) as refused:
        make(domain=domain)
    assert refused.value.field == "domain"
    with pytest.raises(InvalidTenantError):
        change_tenant(acme, {"domain": domain}, by=landlord)


@pytest.mark.parametrize("domain", ["ab", "acme", "a-1.example.com", "ux.9.y", "t.example.com"])
def test_domain_that_can_be_is_kept(make, domain):
    assert make(domain=domain)[0].domain == domain


def test_domain_belongs_to_one_tenant_whatever_its_case(make, acme, landlord):
    make(domain="shared.example")
    with pytest.raises(TakenError, match="has the domain shared"):
        make("hooli", domain="SHARED.example")
    with pytest.raises(TakenError):
        change_tenant(acme, {"domain": "Shared.Example"}, by=landlord)
    acme.refresh_from_db()
    assert acme.domain == ""
    assert not Tenant.objects.filter(pk="hooli").exists()


def test_tenants_without_a_domain_do_not_collide(make):
    make()
    make("hooli")
    assert Tenant.objects.filter(domain="").count() == 5


@pytest.mark.parametrize(
    ("details", "field"),
    [
        ({"company": ""}, "company"),
        ({"company": "  "}, "company"),
        ({"company": "x" * 256}, "company"),
        ({"contact_name": "x" * 256}, "contact_name"),
        ({"contact_phone": "1" * 65}, "contact_phone"),
        ({"contact_email": "nobody"}, "contact_email"),
        ({"device_limit": -1}, "device_limit"),
        ({"device_limit": 10**9 + 1}, "device_limit"),
        ({"device_limit": "many"}, "device_limit"),
        ({"allow_create_tenants": "perhaps"}, "allow_create_tenants"),
    ],
    ids=str,
)
def test_value_that_cannot_be_is_refused_with_a_sentence(make, acme, landlord, details, field):
    for attempt in (
        lambda: make(**details),
        lambda: change_tenant(acme, details, by=landlord),
    ):
        with pytest.raises(InvalidTenantError) as refused:
            attempt()
        assert refused.value.field == field
        assert str(refused.value).endswith(".")
    assert Tenant.objects.count() == 3
    assert AuditRecord.objects.count() == 0


def test_tenant_that_may_own_none_creates_none(acme, person):
    by = Actor("administrator", person("acme/administrator"))
    with pytest.raises(TenantRightError, match="may not own subtenants"):
        create_tenant(acme, {"company": "Umbrella"}, ADMIN, by=by)


def test_owner_creates_subtenants_that_may_own_none(acme, owner):
    tenant, _ = create_tenant(acme, {"company": "Umbrella"}, ADMIN, by=owner)
    assert tenant.parent == acme
    with pytest.raises(TenantRightError, match="Only the management tenant decides"):
        create_tenant(acme, {"company": "X", "allow_create_tenants": True}, ADMIN, by=owner)
    with pytest.raises(TenantRightError, match="Only the management tenant decides"):
        change_tenant(tenant, {"allow_create_tenants": True}, by=owner)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_who_create_the_same_tenant_one_hears_that_it_is_taken(make):
    results = at_once(make, make)
    assert sorted(type(one).__name__ for one in results) == ["TakenError", "tuple"]
    assert User.objects.filter(tenant_id="umbrella").count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_the_same_domain_one_hears_that_it_is_taken(acme, globex, landlord):
    results = at_once(
        *(
            lambda one=one: change_tenant(one, {"domain": "xx.example"}, by=landlord)
            for one in (acme, globex)
        )
    )
    assert sorted(str(one) for one in results) == [
        "Another tenant has the domain xx.example already.",
        "True",
    ]


# --- Changing ---------------------------------------------------------------------------------


def test_change_is_audited_with_before_and_after(acme, globex, landlord):
    assert change_tenant(acme, {"company": "Acme Inc", "device_limit": 10}, by=landlord)
    acme.refresh_from_db()
    globex.refresh_from_db()
    assert (acme.company, acme.device_limit, globex.company) == ("Acme Inc", 10, "Globex")
    assert changes_of("acme", "Tenant changed") == {
        "company": ("Acme", "Acme Inc"),
        "device_limit": ("", "10"),
    }
    assert not change_tenant(acme, {"company": "Acme Inc"}, by=landlord)
    assert told("acme") == ["Tenant changed"]


def test_limit_below_the_number_of_devices_only_stops_further_ones(acme, landlord):
    Tenant.objects.filter(pk="acme").update(device_count=5)
    change_tenant(acme, {"device_limit": 3}, by=landlord)
    acme.refresh_from_db()
    assert acme.is_at_device_limit
    change_tenant(acme, {"device_limit": None}, by=landlord)
    acme.refresh_from_db()
    assert not acme.is_at_device_limit
    assert acme.device_count == 5


def test_tenant_does_not_lift_its_own_limit(acme, owner, landlord):
    change_tenant(acme, {"device_limit": 3}, by=landlord)
    with pytest.raises(TenantRightError, match="cannot change its own device limit"):
        change_tenant(acme, {"device_limit": None}, by=owner)


def test_management_tenant_may_own_tenants_whatever_is_said(management, landlord):
    assert not change_tenant(management, {"allow_create_tenants": True}, by=landlord)
    assert management.may_own_tenants


# --- Administrators ---------------------------------------------------------------------------


def test_another_administrator_can_be_invited(acme, globex, landlord):
    user = invite_administrator(acme, Administrator("rescue", "", "r@x.example"), by=landlord)
    assert user.is_invited
    assert user.global_roles.get().tenant == acme
    assert told("acme") == ["User created"]
    assert not User.objects.filter(tenant=globex, username="rescue").exists()


def test_who_was_invited_and_never_came_is_the_same_one(acme, landlord):
    first = invite_administrator(acme, Administrator("rescue", "", "old@x.example"), by=landlord)
    again = invite_administrator(acme, Administrator("rescue", "", "new@x.example"), by=landlord)
    assert again == first
    assert User.objects.get(pk=first.pk).email == "new@x.example"
    assert changes_of("acme", "User changed") == {"email": ("old@x.example", "new@x.example")}


def test_name_that_differs_in_capitals_only_is_the_same_persons(acme, landlord):
    with pytest.raises(TakenError):
        invite_administrator(acme, Administrator("OPERATOR"), by=landlord)
    first = invite_administrator(acme, Administrator("jo"), by=landlord)
    assert invite_administrator(acme, Administrator("JO"), by=landlord) == first


@pytest.mark.parametrize("login", ["administrator", "operator", "asked", "shut"])
def test_account_of_somebody_else_is_left_alone(acme, landlord, login):
    User.objects.create_user(acme, "asked", None, global_roles=["operator"])
    User.objects.create_user(acme, "shut", None, global_roles=["administrator"], is_active=False)
    before = User.objects.filter(tenant=acme, username=login).values().get()
    with pytest.raises(TakenError) as refused:
        invite_administrator(acme, Administrator(login, "", "evil@x.example"), by=landlord)
    assert str(refused.value) == f"There is a user acme/{login} already. Choose another user name."
    assert refused.value.field == "admin_username"
    assert User.objects.filter(tenant=acme, username=login).values().get() == before


def test_administrator_is_not_taken_for_a_namesake(acme, landlord):
    with pytest.raises(TakenError) as refused:
        invite_administrator(acme, Administrator("Administrator"), by=landlord)
    assert refused.value.field == "admin_username"


def test_devices_knock_by_their_plain_name_whatever_tenants_are_created(api, make_registration):
    make_registration("meter-1")
    body = {"company": "U", "adminName": "devicebootstrap", "adminPass": "seven bridges, one river"}
    for one in ("acme", "globex"):
        User.objects.filter(tenant=one, username="devicebootstrap").delete()
    assert api("management/administrator").post("/tenant/tenants", body).status_code == 422
    assert api("devicebootstrap").poll("meter-1").status_code == 404


@pytest.mark.parametrize(
    ("username", "email", "field"),
    [
        ("", "", "admin_username"),
        ("a b", "", "admin_username"),
        ("a/b", "", "admin_username"),
        ("..", "", "admin_username"),
        ("DEVICE_1", "", "admin_username"),
        ("devicebootstrap", "", "admin_username"),
        ("a:b", "", "admin_username"),
        ("device_1", "", "admin_username"),
        ("Device_1", "", "admin_username"),
        ("ad\u200bmin", "", "admin_username"),
        ("x" * 201, "", "admin_username"),
        ("jo", "nobody", "admin_email"),
    ],
)
def test_administrator_who_cannot_be_is_refused(management, landlord, username, email, field):
    with pytest.raises(InvalidTenantError) as refused:
        create_tenant(
            management,
            {"company": "Umbrella"},
            Administrator(username, "", email),
            tenant_id="umbrella",
            by=landlord,
        )
    assert refused.value.field == field
    assert not Tenant.objects.filter(pk="umbrella").exists()
    assert AuditRecord.objects.count() == 0


def test_no_link_or_token_of_a_suspended_tenant_is_usable(make, landlord):
    tenant, admin = make()
    OneTimeLink.objects.create(
        user=admin,
        purpose="invitation",
        digest="1" * 64,
        expires_at=NEVER,
    )
    ApiToken.objects.create(user=admin, name="t", start="ght_", digest="2" * 64)
    assert OneTimeLink.objects.usable().count() == ApiToken.objects.alive().count() == 1
    suspend_tenant(tenant, by=landlord)
    assert OneTimeLink.objects.usable().count() == ApiToken.objects.alive().count() == 0
