import pytest

from inventory.device_types import TypeDetails, create_type
from tests.support import Api

TYPES = "/api/ops/v1/devicetypes"


@pytest.fixture
def ops(house):
    """Return the Operations API as an administrator of acme uses it."""
    return Api("acme/administrator")


@pytest.fixture
def make_type(acme, operator):
    """Return a device type; ``globex`` has one of the same name in its own tenant."""

    def make(name="Thermostat", *, tenant=acme, **details):
        return create_type(tenant, TypeDetails(name, **details), by=operator)

    return make


@pytest.fixture
def thermostat(make_type):
    return make_type()
