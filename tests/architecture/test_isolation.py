"""No tenant sees another: one gate, one way to narrow, and nothing that goes around them."""

import ast
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.urls import URLPattern, URLResolver

from bulk.models import Door, Import
from config.urls import urlpatterns
from extensions.models import Extension
from inventory.logins import delete_login
from inventory.models import (
    DeviceCredentials,
    DeviceEvent,
    DeviceGroup,
    DeviceType,
    ExternalId,
    ManagedObject,
    Tombstone,
)
from registration.models import ProvisioningKey, Registration, RegistrationEvent
from tenants.api.http import PUBLIC
from tenants.links import link_digest
from tenants.models import (
    ApiToken,
    AuditRecord,
    GlobalRole,
    OneTimeLink,
    Tenant,
    TenantOption,
    User,
)
from tenants.options import set_option
from tests.architecture.test_console import OUTSIDE_THE_GATE

ROOT = Path(settings.BASE_DIR)
OUR_APPS = ("tenants", "inventory", "registration", "bulk", "factory", "extensions", "openapi")

# Open to everybody; each has tests of its own that say what it gives away: nothing.
OPEN = {
    "healthz",
    "openapi:page",
    # What answers of the Operations API point to; the same words for everybody.
    "problems:list",
    "problems:detail",
} | OUTSIDE_THE_GATE

# How each kind of thing leads to the tenant that it belongs to.
OWNED = {
    User: "tenant",
    GlobalRole: "tenant",
    TenantOption: "tenant",
    ApiToken: "user__tenant",
    OneTimeLink: "user__tenant",
    AuditRecord: "tenant_id",
    DeviceGroup: "tenant",
    DeviceCredentials: "tenant",
    DeviceEvent: "tenant",
    DeviceType: "tenant",
    ProvisioningKey: "tenant",
    ExternalId: "tenant",
    ManagedObject: "tenant",
    Tombstone: "tenant",
    Registration: "tenant",
    RegistrationEvent: "tenant",
    Import: "tenant",
    Extension: "tenant",
}
# Not asked for in the name of a tenant, and why.
NOT_OWNED = {
    "Tenant": "is one; for_tenant() narrows to those it looks after",
    "Installation": "the house's own",
    "AuditHead": "the house's own",
    "VerifiedLogin": "found by a keyed digest of what was presented",
    "FailedSignIns": "found by a keyed digest of who tried",
    "KnownSource": "found by the person",
    "Session": "found by its key, or by the person",
    "Authenticator": "found by the person",
    "RecoveryCodes": "found by the person",
    "ChildLink": "found by the objects that it joins",
    "Tally": "read by counts(tenant)",
    "TallyChange": "read by counts(tenant)",
    "Activity": "read by counts(tenant)",
    "ActivityMark": "the house's own",
    "BulkDecision": "found by its tenant and its maker together",
    "BulkDecisionItem": "found by its decision",
    "ImportBlock": "found by its import",
    "ImportItem": "found by its import",
    "ImportProblem": "found by its import",
    "ImportGroup": "found by its import",
}
# The ways of asking that name a tenant.
NARROWING = {
    "at_path",
    "count_by_stage",
    "existing",
    "for_tenant",
    "in_line_of",
    "none",
    "of",
    "of_others",
    "prepare",
    "register",
    "usable_by",
    "visible_to",
}


def walk(patterns, namespace=""):
    for each in patterns:
        if isinstance(each, URLResolver):
            prefix = f"{each.namespace}:" if each.namespace else namespace
            yield from walk(each.url_patterns, prefix)
        elif isinstance(each, URLPattern):
            yield f"{namespace}{each.name or each.pattern}", each


EVERYTHING = dict(walk(urlpatterns))


@pytest.mark.parametrize("name", EVERYTHING)
def test_address_stands_behind_a_gate(name):
    gate = getattr(EVERYTHING[name].callback, "required_roles", None)
    if name in OPEN:
        assert gate is None
        return
    assert isinstance(gate, tuple | dict), "behind neither tenant_view() nor api_view()"


def test_only_the_ways_of_signing_in_and_the_document_are_open_on_the_api():
    public = {
        name
        for name, each in EVERYTHING.items()
        if isinstance(roles := getattr(each.callback, "required_roles", None), dict)
        and PUBLIC in roles.values()
    }
    assert public == {"openapi_json", "tenant/loginOptions"}


@pytest.mark.parametrize(
    "model",
    [m for app in OUR_APPS for m in apps.get_app_config(app).get_models()],
    ids=lambda model: model.__name__,
)
def test_model_is_asked_for_in_the_name_of_a_tenant_or_has_a_reason(model):
    if model in OWNED:
        assert callable(getattr(model.objects, "for_tenant", None))
    else:
        assert model.__name__ in NOT_OWNED


@pytest.fixture
def belongings(house, make_registration, operator, globex_operator, person):
    """Something of every kind for both tenants."""
    for tenant, by in ((house["acme"], operator), (house["globex"], globex_operator)):
        registration = make_registration(f"device-of-{tenant}", tenant=tenant)
        group = DeviceGroup.objects.create(tenant=tenant, name="Plant", path="Plant")
        DeviceCredentials.issue(tenant, registration.device_id, "x" * 32)
        ExternalId.objects.create(tenant=tenant, type="serial", value="1", managed_object=group)
        delete_login(DeviceCredentials.issue(tenant, f"gone-of-{tenant}", "x" * 32), by=by)
        set_option(tenant, "some", "option", "value", by=by)
        Import.objects.create(tenant=tenant, door=Door.CONSOLE, created_by_name=by.name)
        user = person(f"{tenant}/reader")
        device_type = DeviceType.objects.create(tenant=tenant, name="T2", name_key="t2")
        ProvisioningKey.objects.create(
            tenant=tenant, device_type=device_type, name="Line 1", key_id=tenant.pk
        )
        Extension.objects.create(tenant=tenant, name="LoRa", context_path="lora")
        ApiToken.objects.create(user=user, name="token", start="x", digest=link_digest(tenant.pk))
        OneTimeLink.objects.create(
            user=user, purpose="invitation", digest=link_digest(tenant.pk),
            expires_at=registration.created_at,
        )  # fmt: skip


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
def test_narrowing_leaves_what_belongs_to_the_tenant_and_nothing_else(belongings, house, model):
    path = OWNED[model]
    assert model.objects.filter(**{path: "globex"}).exists()
    found = set(model.objects.for_tenant(house["acme"]).values_list("pk", flat=True))
    assert found == set(model.objects.filter(**{path: "acme"}).values_list("pk", flat=True))
    assert found


def test_tenant_looks_after_its_own_subtenants_only(house):
    Tenant.objects.create(id="acme-south", company="Acme South", parent=house["acme"])
    assert [t.pk for t in Tenant.objects.for_tenant(house["acme"])] == ["acme-south"]
    assert not Tenant.objects.for_tenant(house["globex"]).exists()
    everyone = {"management", "acme", "globex", "acme-south"}
    assert {t.pk for t in Tenant.objects.for_tenant(house["management"])} == everyone


DOORS = sorted(
    path
    for app in OUR_APPS
    for part in ("console", "api")
    for path in (ROOT / app / part).rglob("*.py")
)


def unscoped(path):
    """Return the look-ups in a file that name no tenant: ``Model.objects.<anything else>``."""
    names = {model.__name__ for model in OWNED}
    tree = ast.parse(path.read_text(), path)
    scoped = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in NARROWING
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and node.attr in {"objects", "_base_manager", "_default_manager"}
            and isinstance(node.value, ast.Name)
            and node.value.id in names
            and id(node) not in scoped
        ):
            yield f"{path.relative_to(ROOT)}:{node.lineno}"


@pytest.mark.parametrize("path", DOORS, ids=lambda path: str(path.relative_to(ROOT)))
def test_door_asks_for_nothing_without_naming_a_tenant(path):
    assert list(unscoped(path)) == []


def test_doors_are_looked_at():
    assert len(DOORS) > 20
    probe = ROOT / "registration/samples.py"
    assert list(unscoped(probe)), "the probe uses look-ups without a tenant, which must be seen"
