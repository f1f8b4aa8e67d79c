"""What registrations and provisioning keys mean to the device type they are of."""

from inventory.models import DeviceType
from registration.models import ProvisioningKey, Registration
from tenants.actors import Actor


def has_registrations(device_type: DeviceType) -> bool:
    """Say whether devices of the type are on their way in, or came in that way."""
    return Registration.objects.filter(device_type=device_type).exists()


def revoke_keys(device_type: DeviceType, _by: Actor) -> None:
    """Let the keys of a type go with it: nobody can introduce devices by them any more."""
    ProvisioningKey.objects.filter(device_type=device_type).delete()
