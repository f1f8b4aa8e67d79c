"""Device types: what they may be, and what they cannot do while they have devices."""

import pytest

from inventory.device_types import (
    TypeDetails,
    change_type,
    create_type,
    delete_type,
    is_in_use,
    matches_pattern,
)
from inventory.errors import DeviceTypeInUseError, DeviceTypeNameTakenError, InvalidDeviceTypeError
from inventory.models import DeviceType, Kind, ManagedObject, SecurityOption
from registration.models import ProvisioningKey, Registration
from tenants.models import AuditRecord

pytestmark = pytest.mark.django_db


@pytest.fixture
def thermostat(acme, operator):
    return create_type(acme, TypeDetails("Thermostat T2"), by=operator)


def test_created_type_is_recorded_and_begins_with_a_shared_secret(thermostat):
    assert thermostat.security_option == SecurityOption.SHARED_SECRET
    assert thermostat.min_secret_length == 8
    record = AuditRecord.objects.latest("id")
    assert (record.type, record.activity) == ("DeviceType", "Device type created")
    assert record.tenant_id == "acme"


@pytest.mark.parametrize("name", ["Thermostat T2", "THERMOSTAT t2", "  Thermostat T2  "])
def test_name_is_taken_whatever_its_capitals_within_one_tenant(
    thermostat, acme, globex, operator, name
):
    with pytest.raises(DeviceTypeNameTakenError, match="already") as caught:
        create_type(acme, TypeDetails(name), by=operator)
    assert caught.value.number == thermostat.pk
    assert create_type(globex, TypeDetails(name), by=operator).pk != thermostat.pk


@pytest.mark.parametrize(
    ("details", "field"),
    [
        (TypeDetails("  "), "name"),
        (TypeDetails("x" * 101), "name"),
        (TypeDetails("a\nb"), "name"),
        (TypeDetails("a\x00b"), "name"),
        (TypeDetails("a\ud800b"), "name"),
        (TypeDetails("a", description="x" * 1_001), "description"),
        (TypeDetails("a", description="\x00"), "description"),
        (TypeDetails("a", security_option="trust"), "security_option"),
        (TypeDetails("a", acceptance="perhaps"), "acceptance"),
        (TypeDetails("a", min_secret_length=7), "min_secret_length"),
        (TypeDetails("a", min_secret_length=257), "min_secret_length"),
        (TypeDetails("a", device_id_pattern="("), "device_id_pattern"),
        (TypeDetails("a", device_id_pattern=r"(a)\1"), "device_id_pattern"),
        (TypeDetails("a", device_id_pattern="a" * 201), "device_id_pattern"),
        (TypeDetails("a", device_id_pattern="a{1000}{1000}"), "device_id_pattern"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(acme, operator, details, field):
    with pytest.raises(InvalidDeviceTypeError) as caught:
        create_type(acme, details, by=operator)
    assert caught.value.field == field
    assert not DeviceType.objects.exists()


def test_pattern_stands_for_the_whole_id_and_costs_no_more_than_its_length(acme, operator):
    details = TypeDetails("Slow", device_id_pattern="(a+)+b")
    slow = create_type(acme, details, by=operator)
    assert matches_pattern(slow, "aab")
    assert not matches_pattern(slow, "xaab")
    # With an engine that goes back this would take longer than anybody waits.
    assert not matches_pattern(slow, "a" * 900)


def test_change_that_changes_nothing_writes_nothing(thermostat, operator):
    before = AuditRecord.objects.count(), thermostat.updated_at
    change_type(thermostat, TypeDetails.of(thermostat), by=operator)
    thermostat.refresh_from_db()
    assert (AuditRecord.objects.count(), thermostat.updated_at) == before


@pytest.mark.parametrize("what", ["device", "registration"])
def test_type_in_use_keeps_its_security_option_and_stays(thermostat, acme, operator, what):
    if what == "device":
        ManagedObject.objects.create(tenant=acme, kind=Kind.DEVICE, device_type=thermostat)
    else:
        Registration.objects.register(acme, "t-1", by=operator, device_type=thermostat)
    assert is_in_use(thermostat)
    with pytest.raises(DeviceTypeInUseError):
        change_type(
            thermostat,
            TypeDetails("Thermostat T2", security_option=SecurityOption.CERTIFICATE),
            by=operator,
        )
    with pytest.raises(DeviceTypeInUseError):
        delete_type(thermostat, by=operator)
    changed = change_type(thermostat, TypeDetails("T3", min_secret_length=12), by=operator)
    assert (changed.name, changed.min_secret_length) == ("T3", 12)


def test_deleted_type_takes_its_keys_along(thermostat, acme, operator):
    ProvisioningKey.objects.create(tenant=acme, device_type=thermostat, name="Line 1", key_id="k")
    delete_type(thermostat, by=operator)
    assert not ProvisioningKey.objects.exists()
    assert AuditRecord.objects.latest("id").activity == "Device type deleted"
