"""Shutting a tenant out, letting it in again, and deleting it for good."""

import re

import pytest

from registration.lane import FastLane
from registration.lifecycle import Stage
from tenants.actors import SYSTEM, Actor
from tenants.deletion import delete_tenant
from tenants.models import AuditRecord, Tenant
from tenants.subtenants import (
    TakenError,
    TenantError,
    TenantRightError,
    activate_tenant,
    change_tenant,
    create_tenant,
    suspend_tenant,
)
from tenants.tokens import make_token
from tests.consoles import LIST, Console
from tests.registration.test_lane import Behind, poll, send
from tests.support import Api, at_once, knock
from tests.tenants.tenancy import ADMIN, changes_of, told

# --- Suspending -------------------------------------------------------------------------------


def test_suspended_tenant_is_locked_out_at_once_and_comes_back(
    acme, globex, landlord, person, make_registration, device, hashed_password
):
    administrator = person("acme/administrator")
    _, token = make_token(
        administrator,
        "robot",
        administrator.effective_roles,
        expires_at=None,
        by=Actor("administrator", administrator),
    )
    password = knock(make_registration("of-acme", stage=Stage.ACCEPTED))
    pending = make_registration("pending", stage=Stage.PENDING)
    accepted = make_registration("accepted", stage=Stage.ACCEPTED)
    make_registration("of-globex", tenant=globex, stage=Stage.PENDING)
    consoles = {login: Console(login) for login in ("acme/operator", "globex/operator")}
    behind = Behind()
    lane = FastLane(behind)
    device.poll("pending")
    live = Console("acme/operator").get(LIST)
    key = re.search(r'data-live-key="([^"]+)"', live.content.decode())[1]

    def who_comes_in():
        def ask(api):
            return api.get("/user/currentUser").status_code == 200

        own = Api("acme/devicebootstrap").poll("pending")
        lane_answer = poll(lane, "pending")
        version = send(lane, "GET", f"{LIST}live", query=f"key={key}")
        return {
            "session": consoles["acme/operator"].get(LIST).status_code == 200,
            "basic": ask(Api("acme/operator")),
            "token": Api(None).get("/user/currentUser", Authorization=f"Bearer {token}").status_code
            == 200,
            "device": ask(Api("acme/device_of-acme", password)),
            "bootstrap": own.status_code == 404,
            "poll": device.poll("pending").json()["message"].endswith("not ACCEPTED."),
            "lane": lane_answer[0] == 404,
            "live": version[0] == 200,
        }

    everybody = who_comes_in()
    assert set(everybody.values()) == {True}
    assert suspend_tenant(acme, by=landlord)
    assert set(who_comes_in().values()) == {False}
    assert device.poll("accepted").json()["message"] == (
        "There is no newDeviceRequest for device id accepted."
    )
    assert consoles["globex/operator"].get(LIST).status_code == 200
    assert poll(lane, "of-globex")[0] == 404
    pending.refresh_from_db()
    accepted.refresh_from_db()
    assert (pending.stage, accepted.stage) == (Stage.PENDING, Stage.ACCEPTED)
    assert activate_tenant(acme, by=landlord)
    assert who_comes_in() == everybody
    assert device.poll("accepted").status_code == 201


def test_suspending_and_activating_are_audited_once(acme, landlord):
    assert [suspend_tenant(acme, by=landlord) for _ in range(2)] == [True, False]
    assert [activate_tenant(acme, by=landlord) for _ in range(2)] == [True, False]
    assert told("acme") == ["Tenant suspended", "Tenant activated"]
    assert changes_of("acme", "Tenant suspended") == {"status": ("ACTIVE", "SUSPENDED")}


def test_management_tenant_is_neither_suspended_nor_deleted(management, landlord):
    for step in (suspend_tenant, delete_tenant):
        for by in (landlord, SYSTEM):
            with pytest.raises(TenantError, match="The management tenant runs this Gatehouse"):
                step(management, by=by)
    management.refresh_from_db()
    assert management.is_active


def test_what_the_management_tenant_suspended_the_owner_does_not_activate(acme, owner, landlord):
    tenant, _ = create_tenant(acme, {"company": "Umbrella"}, ADMIN, by=owner)
    assert suspend_tenant(tenant, by=owner)
    assert not suspend_tenant(tenant, by=landlord)  # it was; but now the house means it too
    assert not suspend_tenant(tenant, by=owner)
    with pytest.raises(TenantRightError, match="The management tenant suspended this tenant"):
        activate_tenant(tenant, by=owner)
    tenant.refresh_from_db()
    assert not tenant.is_active
    assert activate_tenant(tenant, by=landlord)
    assert suspend_tenant(tenant, by=owner)
    assert activate_tenant(tenant, by=owner)


def test_owner_gives_its_subtenants_no_more_devices_than_it_may_have(acme, owner, landlord):
    Tenant.objects.filter(pk="acme").update(device_limit=10)
    acme.refresh_from_db()
    owner.user.tenant.refresh_from_db()
    tenant, _ = create_tenant(acme, {"company": "Umbrella"}, ADMIN, by=owner)
    assert tenant.device_limit == 10
    for limit in (None, 11):
        with pytest.raises(TenantRightError, match="give its subtenants no more"):
            change_tenant(tenant, {"device_limit": limit}, by=owner)
    assert change_tenant(tenant, {"device_limit": 3}, by=owner)
    assert change_tenant(tenant, {"device_limit": 11}, by=landlord)
    assert change_tenant(tenant, {"contact_name": "Jo"}, by=owner)


def test_tenant_does_not_suspend_itself(acme, owner):
    with pytest.raises(TenantError, match="cannot suspend itself"):
        suspend_tenant(acme, by=owner)


# --- Deleting ---------------------------------------------------------------------------------


def test_owner_may_suspend_and_not_delete(acme, owner):
    tenant, _ = create_tenant(acme, {"company": "Umbrella"}, ADMIN, by=owner)
    with pytest.raises(TenantRightError, match="Only the management tenant deletes"):
        delete_tenant(tenant, by=owner)
    tenant.refresh_from_db()
    assert tenant.is_active
    assert suspend_tenant(tenant, by=owner)


def test_tenant_with_subtenants_stays_until_these_are_gone(acme, owner, landlord):
    tenant, _ = create_tenant(acme, {"company": "Umbrella"}, ADMIN, tenant_id="below", by=owner)
    with pytest.raises(TenantError, match=r"has subtenants \(below\). Delete these first."):
        delete_tenant(acme, by=landlord)
    acme.refresh_from_db()
    assert acme.is_active
    delete_tenant(tenant, by=landlord)
    delete_tenant(acme, by=landlord)
    assert not Tenant.objects.filter(pk="acme").exists()


def test_deletion_can_be_reconstructed_and_the_log_stays(make, landlord, make_registration):
    tenant, _ = make(domain="um.example", device_limit=7)
    make_registration("4711", tenant=tenant)
    delete_tenant(tenant, by=landlord)
    assert told("umbrella")[-2:] == ["Tenant suspended", "Tenant deleted"]
    record = AuditRecord.objects.get(activity="Tenant deleted")
    assert record.text == "1 registrations, 1 events, 1 people and services"
    assert record.severity == "WARNING"
    changes = changes_of("umbrella", "Tenant deleted")
    assert changes["domain"] == ("um.example", "")
    assert changes["device_limit"] == ("7", "")
    assert changes["parent"] == ("management", "")


def test_tenant_that_is_gone_already_is_not_deleted_twice(make, landlord):
    tenant, _ = make()
    again = Tenant.objects.get(pk="umbrella")
    delete_tenant(tenant, by=landlord)
    with pytest.raises(Tenant.DoesNotExist):
        delete_tenant(again, by=landlord)
    assert told("umbrella").count("Tenant deleted") == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_deletion_while_devices_knock_ends_with_nothing_left(
    make, landlord, make_registration, globex
):
    tenant, _ = make()
    rows = [make_registration(f"r-{n}", tenant=tenant, stage=Stage.PENDING) for n in range(4)]
    other = make_registration("other", tenant=globex, stage=Stage.PENDING)
    results = at_once(
        lambda: delete_tenant(tenant, by=landlord),
        *(lambda row=row: row.accept(by=landlord) for row in [*rows, other]),
    )
    assert results[0] is None
    assert results[-1] is None
    assert not Tenant.objects.filter(pk="umbrella").exists()
    other.refresh_from_db()
    assert other.stage is Stage.ACCEPTED


@pytest.mark.parametrize("domain", ["gatehouse.example.com", " Gatehouse.Example.com", "localhost"])
def test_address_of_the_house_is_no_domain_of_a_subtenant(
    acme, management, owner, landlord, make, settings, domain
):
    settings.OWN_NAMES = {"gatehouse.example.com", "localhost"}
    with pytest.raises(TakenError, match="This Gatehouse itself is reached there") as refused:
        make(of=acme, by=owner, domain=domain)
    assert refused.value.field == "domain"
    with pytest.raises(TakenError):
        change_tenant(acme, {"domain": domain}, by=landlord)
    assert change_tenant(management, {"domain": domain}, by=landlord)
