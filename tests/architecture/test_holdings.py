"""Whatever belongs to a tenant is known to belong to it, and goes with it: also tomorrow's."""

from collections import Counter

import pytest
from django.apps import apps
from django.db import models
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from bulk.models import (
    Door,
    Import,
    ImportBlock,
    ImportGroup,
    ImportItem,
    ImportProblem,
    Outcome,
)
from extensions.models import Extension
from inventory.device_types import TypeDetails, create_type
from inventory.devices import report
from inventory.groups import add_to_group, group_at
from inventory.identity import bind
from inventory.logins import delete_login
from inventory.models import DeviceCredentials
from registration.lifecycle import Stage
from registration.models import (
    Activity,
    BulkDecision,
    BulkDecisionItem,
    ProvisioningKey,
    Registration,
    Tally,
)
from tenants.actors import SYSTEM, Actor
from tenants.deletion import delete_tenant
from tenants.holdings import holdings, what_goes_with
from tenants.models import (
    ApiToken,
    AuditHead,
    AuditRecord,
    Authenticator,
    KnownSource,
    OneTimeLink,
    RecoveryCodes,
    Session,
    Tenant,
    User,
    VerifiedLogin,
)
from tenants.options import set_option
from tenants.tokens import make_token
from tests.consoles import Console
from tests.support import Api, knock
from tests.tenants.tenancy import NEVER

MODELS = [model for model in apps.get_models() if not model._meta.proxy]
HOLDINGS = {holding.model: holding for holding in holdings()}
# They name a tenant and outlive it.
OUTLIVING = {AuditRecord}


def references(model):
    """Return the foreign keys by which a row belongs to something; others it merely mentions."""
    return [
        field
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey)
        and not field.auto_created
        and field.remote_field.on_delete is not models.SET_NULL
    ]


def belongs(model, seen=()):
    """Say whether rows of ``model`` belong to a tenant, by whatever way."""
    return any(
        field.related_model is Tenant
        or (field.related_model not in (model, *seen)
            and belongs(field.related_model, (*seen, model)))
        for field in references(model)
    )  # fmt: skip


BELONGING = [model for model in MODELS if model is not Tenant and belongs(model)]
every_model = pytest.mark.parametrize("model", BELONGING, ids=lambda model: model._meta.label)


def test_there_are_models_that_belong_to_a_tenant():
    labels = {model._meta.label for model in BELONGING}
    assert {"tenants.User", "tenants.Session", "registration.Registration"} <= labels
    assert len(labels) > 12


@every_model
def test_model_is_a_holding_or_goes_with_one(model):
    if model in HOLDINGS:
        return
    fields = references(model)
    assert Tenant not in {field.related_model for field in fields}, "register it as a holding"
    owners = [field for field in fields if field.related_model in BELONGING]
    assert any(field.remote_field.on_delete is models.CASCADE for field in owners)


@every_model
def test_nothing_stands_in_the_way_of_what_goes_first(model):
    for field in references(model):
        owner = field.related_model
        if field.remote_field.on_delete is not models.PROTECT or owner not in HOLDINGS:
            continue
        if owner is model:
            assert HOLDINGS[model].is_tree
        else:
            assert HOLDINGS[model].rank < HOLDINGS[owner].rank


def test_whatever_names_a_tenant_without_pointing_at_it_is_known():
    named = {
        model
        for model in MODELS
        for field in model._meta.get_fields()
        if field.name in {"tenant_id", "tenant", "owner_id"} and isinstance(field, models.CharField)
    }
    # What a decision lists is gone with the decision, which is tidied away after days.
    # A row of an import says whose device it stands for; it goes with the import.
    assert named == OUTLIVING | {BulkDecisionItem, ImportItem}


# --- And so it is ---------------------------------------------------------------------------


@pytest.fixture
def operator(person):
    """Somebody whose account stays: what it made elsewhere names it as before."""
    return Actor("operator", person("management/operator"))


@pytest.fixture
def furnished(house, make_registration, person):
    """Two tenants with one of everything, as it comes to be."""
    landlord = Actor("administrator", person("management/administrator"))
    for tenant in (house["acme"], house["globex"]):
        furnish(tenant, make_registration, person, landlord)
    Tally.fold()
    for tenant in (house["acme"], house["globex"]):
        make_registration(f"{tenant.pk}-late", tenant=tenant)
    return house


def furnish(tenant, make_registration, person, landlord):
    administrator = person(f"{tenant.pk}/administrator")
    by = Actor("administrator", administrator)
    for stage in Stage:
        make_registration(f"{tenant.pk}-{stage.value}", tenant=tenant, stage=stage)
    accepted = make_registration(f"{tenant.pk}-device", tenant=tenant, stage=Stage.ACCEPTED)
    password = knock(accepted)
    assert (
        Api(f"{tenant.pk}/device_{accepted}", password).get("/user/currentUser").status_code == 200
    )
    group = group_at(tenant, "Plant/Hall/Row", by=SYSTEM)
    credentials = DeviceCredentials.objects.get(device_id=accepted.device_id)
    device, _ = report(credentials, name="", kind="", fragments={}, by=SYSTEM)
    add_to_group(group, [device], by=by)
    bind(device, "serial", "1", by=by)
    delete_login(DeviceCredentials.issue(tenant, f"gone-of-{tenant.pk}", "x" * 32), by=by)
    # Somebody of this tenant is the author of what the management tenant looks at, too.
    for owner in (tenant, Tenant.objects.get(pk="management")):
        BulkDecision.about(
            Registration.objects.filter(tenant=tenant),
            BulkDecision.Action.ACCEPT,
            tenant=owner,
            by=by if owner == tenant else landlord,
            hand_picked=True,
        )
    set_option(tenant, "any", "key", "value", by=by)
    brought = Import.objects.create(
        tenant=tenant, door=Door.CONSOLE, created_by=administrator, created_by_name="administrator"
    )
    ImportBlock.objects.create(owner=brought, number=0, data=b"x")
    ImportGroup.objects.create(owner=brought, number=group.pk)
    ImportProblem.objects.create(owner=brought, line=2, code="id", reason="No ID.")
    ImportItem.objects.create(
        owner=brought, line=3, key=1, outcome=Outcome.CREATED, tenant_id=tenant.pk, number=device.pk
    )
    device_type = create_type(tenant, TypeDetails("Press"), by=by)
    ProvisioningKey.objects.create(
        tenant=tenant, device_type=device_type, name="Line 1", key_id=tenant.pk
    )
    Extension.objects.create(
        tenant=tenant, name="LoRa", context_path="lora", base_url="https://lora.example"
    )
    Activity.objects.create(tenant=tenant, kind="accepted", hour=NEVER, number=1)
    make_token(administrator, "robot", administrator.effective_roles, expires_at=None, by=by)
    Authenticator.prepare(administrator)
    RecoveryCodes.renew(administrator)
    OneTimeLink.objects.create(
        user=administrator, purpose="invitation", digest=tenant.pk * 9, expires_at=NEVER
    )
    KnownSource.objects.create(user=administrator, source="192.0.2.1")
    Console(f"{tenant.pk}/administrator").get("/help/connecting-devices/")
    Api(f"{tenant.pk}/administrator").get("/user/currentUser")


def rows_of(tenant):
    """Count the rows that belong to ``tenant``, by walking every way that leads to it."""
    found = Counter()
    for model in BELONGING:
        for path in ways(model):
            found[model] += model._base_manager.filter(**{path: tenant.pk}).count()
    return found


def ways(model, seen=()):
    for field in references(model):
        if field.related_model is Tenant:
            yield field.name
        elif field.related_model not in (model, *seen) and belongs(field.related_model):
            for rest in ways(field.related_model, (*seen, model)):
                yield f"{field.name}__{rest}"


def test_every_kind_of_thing_is_there_to_be_deleted(furnished):
    there = {model for model, number in rows_of(furnished["acme"]).items() if number}
    assert {model._meta.label for model in set(BELONGING) - there} == set()
    for model in (ApiToken, VerifiedLogin, Session, TOTPDevice, StaticDevice, DeviceCredentials):
        assert model in there


def test_deletion_leaves_nothing_behind_and_touches_no_other_tenant(furnished):
    acme, globex = furnished["acme"], furnished["globex"]

    def others():
        rows = {
            model._meta.label: sorted((str(row) for row in model._base_manager.values()), key=str)
            for model in MODELS
            if model not in (AuditRecord, AuditHead)
        }
        kept = Counter(rows_of(globex)) + Counter(rows_of(furnished["management"]))
        return rows, kept

    told = AuditRecord.objects.filter(tenant_id="acme").count()
    rows, kept = others()
    of_acme = Counter({model._meta.label: n for model, n in rows_of(acme).items()})
    assert what_goes_with(acme)["registrations"] == Registration.objects.filter(tenant=acme).count()
    delete_tenant(acme, by=SYSTEM)
    assert not +rows_of(acme)
    assert not Tenant.objects.filter(pk="acme").exists()
    assert AuditRecord.objects.filter(tenant_id="acme").count() == told + 2
    rows_after, kept_after = others()
    assert kept_after == kept
    for label, left in rows_after.items():
        assert set(left) <= set(rows[label]), label
        if label == "tenants.Tenant":
            assert len(rows[label]) - len(left) == 1
    assert User.objects.filter(tenant=globex).count() == 4
    assert of_acme["tenants.User"] == 4


def test_device_and_person_of_a_deleted_tenant_are_strangers(furnished, make_registration):
    password = knock(make_registration("4711", stage=Stage.ACCEPTED))
    desk, device = Console("acme/operator"), Api("acme/device_4711", password)
    assert device.get("/user/currentUser").status_code == 200
    delete_tenant(furnished["acme"], by=SYSTEM)
    assert desk.get("/help/connecting-devices/").status_code == 302
    assert device.get("/user/currentUser").status_code == 401
    assert Api("acme/operator").get("/user/currentUser").status_code == 401
    # The ID is free for whoever expects the device now.
    make_registration("4711", tenant=furnished["globex"])
