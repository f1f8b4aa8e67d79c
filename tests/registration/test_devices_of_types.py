"""A device that came in by its device type is not expected a second time, at no door."""

import pytest

from bulk.models import Existing
from inventory.device_types import TypeDetails, create_type
from inventory.devices import let_in
from registration.errors import DuplicateError
from registration.models import Registration, RegistrationEvent
from tenants.actors import Actor
from tests.bulk.files import registered
from tests.support import Api

pytestmark = pytest.mark.django_db
BY = Actor("olga")


@pytest.fixture
def device(acme):
    """Return the ID of a device that was handed over with its secret."""
    let_in(
        acme, "press-1", "x" * 32, by=BY, device_type=create_type(acme, TypeDetails("T2"), by=BY)
    )
    return "press-1"


def test_console_says_what_to_do_instead(acme, device):
    with pytest.raises(DuplicateError, match="Replace its credentials, or delete it first"):
        Registration.objects.register(acme, device, by=BY)
    assert not RegistrationEvent.objects.exists()


def test_client_hears_that_the_id_is_taken(device, person):
    person("acme/operator")
    answer = Api("acme/operator").post("/devicecontrol/newDeviceRequests", {"id": device})
    assert answer.status_code == 422
    assert answer.json()["error"] == "devicecontrol/Non Unique Result"
    assert not Registration.objects.exists()


def test_row_of_a_simple_file_fails(acme, device):
    one = registered(acme, f"ID;PATH\n{device};\npress-2;\n", BY, on_existing=Existing.UPDATE)
    assert (one.created, one.failed) == (1, 1)
    assert one.problems.get().code == "device_exists"
    assert [each.device_id for each in Registration.objects.all()] == ["press-2"]


def test_device_without_a_type_may_be_expected_anew(acme):
    let_in(acme, "press-3", "x" * 32, by=BY)
    assert Registration.objects.register(acme, "press-3", by=BY).pk
