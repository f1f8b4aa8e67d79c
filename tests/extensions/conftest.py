"""Services of the suite, and extensions that know them."""

import pytest

from extensions import registry
from tests.consoles import Console
from tests.extensions.services import METADATA, Service, answer


@pytest.fixture
def make_service():
    """Return services on real sockets; all end with the test."""
    made = []

    def make(**how):
        made.append(Service(**how).says(answer(body=METADATA)))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def service(make_service):
    """A service that works."""
    return make_service()


@pytest.fixture
def make_extension(management, operator):
    """Return an extension of the management tenant, shared, and allowed to be on this machine."""

    def make(tenant=management, **details):
        is_ours = tenant.is_management
        usual = {
            "name": "LoRa", "context_path": "lora", "base_url": "https://lora.example",
            "has_bulk": True, "is_shared": is_ours, "allows_private": is_ours,
        }  # fmt: skip
        return registry.add(tenant, registry.Details(**{**usual, **details}), by=operator)

    return make


@pytest.fixture
def console(house):
    return Console
