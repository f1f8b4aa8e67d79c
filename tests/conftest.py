"""The house every test lives in: two tenants and the one above them, people in every role."""

import gc
import itertools

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection
from hypothesis import HealthCheck, settings

from registration.lifecycle import Stage
from registration.models import Registration
from tenants.actors import Actor
from tenants.backends import service_digest
from tenants.models import GlobalRole, Tenant, User
from tenants.options import set_option
from tenants.roles import BOOTSTRAP, BUNDLES
from tests import emptying
from tests.support import DEVICE, PASSWORD, Api, knock

# A busy machine is no fault of the product.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
emptying.use()

# The thousands of tests that are collected stay until the end; looking through them for garbage
# again and again costs a twentieth of the time.
COLLECT_AFTER = 50_000  # objects; 700 otherwise


def pytest_collectstart():
    gc.disable()


def pytest_collection_finish():
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    gc.enable()


def pytest_collection_modifyitems(items):
    if connection.vendor == "postgresql":
        return
    skip = pytest.mark.skip(reason="marked postgres: needs real row locks, runs on PostgreSQL")
    for item in items:
        if item.get_closest_marker("postgres"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def hashed_password():
    return make_password(PASSWORD)


@pytest.fixture
def house(db, hashed_password):
    """Return the tenants by id; each has the same four accounts."""
    management = Tenant(id="management", company="Management")
    tenants = Tenant.objects.bulk_create(
        [
            management,
            Tenant(id="acme", company="Acme", parent=management),
            Tenant(id="globex", company="Globex", parent=management),
        ]
    )
    roles = GlobalRole.objects.bulk_create(
        GlobalRole(tenant=tenant, name=bundle.name, roles=[str(role) for role in bundle.roles])
        for tenant in tenants
        for bundle in BUNDLES
    )
    people = User.objects.bulk_create(
        User(
            tenant=tenant,
            username=bundle.name,
            email=f"{bundle.name}@{tenant.id}.example",
            password=hashed_password,
        )
        for tenant in tenants
        for bundle in BUNDLES
    )
    User.objects.bulk_create(
        User(
            tenant=tenant,
            username="devicebootstrap",
            kind=User.Kind.SERVICE,
            roles=[str(role) for role in BOOTSTRAP],
            password=make_password(None),
            secret_digest=service_digest(PASSWORD),
        )
        for tenant in tenants
    )
    User.global_roles.through.objects.bulk_create(
        User.global_roles.through(user=user, globalrole=role)
        for user, role in zip(people, roles, strict=True)
    )
    return {tenant.id: tenant for tenant in tenants}


@pytest.fixture
def management(house):
    return house["management"]


@pytest.fixture
def acme(house):
    return house["acme"]


@pytest.fixture
def globex(house):
    return house["globex"]


@pytest.fixture
def person(house):
    """Return the account behind a login such as ``acme/operator``."""

    def find(login):
        tenant, _, name = login.partition("/")
        return User.objects.select_related("tenant").get(tenant_id=tenant, username=name)

    return find


@pytest.fixture
def operator(person):
    """An operator of acme at work."""
    return Actor("operator", person("acme/operator"), "192.0.2.10", "request-of-operator")


@pytest.fixture
def globex_operator(person):
    """An operator of globex at work."""
    return Actor("operator", person("globex/operator"), "192.0.2.20", "request-of-globex")


@pytest.fixture
def api(house):
    """Return the API as a caller uses it: ``api("acme/operator").get(path)``."""
    return Api


@pytest.fixture
def device(house):
    """Return a device, knocking with the bootstrap account that serves all tenants."""
    return Api("management/devicebootstrap")


@pytest.fixture
def set_policy(house, operator):
    """Set the security token policy of a tenant."""

    def change(tenant, policy):
        set_option(tenant, "device-registration", "security-token.policy", policy, by=operator)

    return change


@pytest.fixture
def make_registration(acme, operator):
    """Return a registration that came to ``stage`` by the steps that lead there."""
    numbers = itertools.count(1)

    def make(device_id=None, *, tenant=acme, stage=Stage.WAITING, token="", **details):
        registration = Registration.objects.register(
            tenant, device_id or f"device-{next(numbers)}", by=operator, **details
        )
        if stage is Stage.BLOCKED:
            knock(registration, "the right one")
            for _ in range(3):
                with pytest.raises(Exception, match="does not match"):
                    registration.accept(by=operator, token="a wrong one")
            return registration
        steps = {
            Stage.PENDING: lambda: knock(registration, token),
            Stage.ACCEPTED: lambda: registration.accept(by=operator, token=token),
            Stage.DELIVERED: lambda: knock(registration, token),
            Stage.CONFIRMED: lambda: registration.confirm(device=DEVICE),
        }
        for reached, step in steps.items():
            if registration.stage is stage:
                break
            step()
            assert registration.stage is reached
        return registration

    return make
