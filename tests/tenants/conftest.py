"""Those who look after tenants, and a tenant to look after."""

import pytest

from tenants.actors import Actor
from tenants.models import Tenant
from tenants.subtenants import create_tenant
from tests.tenants.tenancy import ADMIN


@pytest.fixture
def landlord(person):
    """An administrator of the management tenant at work."""
    return Actor("administrator", person("management/administrator"), "192.0.2.1", "request-1")


@pytest.fixture
def owner(acme, person):
    """An administrator of acme, which may own tenants."""
    Tenant.objects.filter(pk="acme").update(allow_create_tenants=True)
    acme.refresh_from_db()
    return Actor("administrator", person("acme/administrator"), "192.0.2.2", "request-2")


@pytest.fixture
def make(management, landlord):
    """Create a tenant of the management tenant: ``make("umbrella", domain="um.example")``."""

    def create(tenant_id="umbrella", *, of=None, by=landlord, **details):
        details = {"company": "Umbrella", **details}
        return create_tenant(of or management, details, ADMIN, tenant_id=tenant_id, by=by)

    return create
