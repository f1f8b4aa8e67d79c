"""Device types of both tenants, and people who work with them."""

import pytest

from inventory.device_types import TypeDetails, create_type
from inventory.models import SecurityOption
from tests.consoles import Console


@pytest.fixture
def console(house):
    """Return the console as somebody sees it: ``console("acme/operator").get(url)``."""
    return Console


@pytest.fixture
def desk(console):
    """The console of the operator of acme, who registers devices."""
    return console("acme/operator")


@pytest.fixture
def office(console):
    """The console of the administrator of acme, who makes device types."""
    return console("acme/administrator")


@pytest.fixture
def make_type(acme, operator):
    """Return a device type that somebody made."""

    def make(name="Thermostat T2", *, tenant=acme, option=SecurityOption.SHARED_SECRET, **details):
        details = TypeDetails(name, security_option=option, **details)
        return create_type(tenant, details, by=operator)

    return make


@pytest.fixture
def thermostat(make_type):
    """A type whose devices have a secret."""
    return make_type()


@pytest.fixture
def gateway(make_type):
    """A type whose devices knock with a provisioning key."""
    return make_type("Gateway G1", option=SecurityOption.TEMPORARY_CREDENTIALS)


@pytest.fixture
def meter(make_type):
    """A type whose devices have a certificate."""
    return make_type("Meter M7", option=SecurityOption.CERTIFICATE)
