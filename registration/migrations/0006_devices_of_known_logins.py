"""Show the devices that were let in before among all devices; they report when they like."""

from itertools import islice

from django.db import migrations

BATCH = 500


def show_devices(apps, schema_editor):
    ManagedObject = apps.get_model("inventory", "ManagedObject")
    DeviceCredentials = apps.get_model("inventory", "DeviceCredentials")
    Registration = apps.get_model("registration", "Registration")
    known = DeviceCredentials.objects.filter(managed_object=None).order_by("pk").iterator()
    while batch := list(islice(known, BATCH)):
        ids = [one.device_id for one in batch]
        registrations = {
            (one.tenant_id, one.device_id): one
            for one in Registration.objects.filter(device_id__in=ids)
        }
        devices = []
        for one in batch:
            registration = registrations.get((one.tenant_id, one.device_id))
            device = ManagedObject(
                tenant_id=one.tenant_id,
                kind="device",
                device_id=one.device_id,
                owner=f"device_{one.device_id}",
                created_at=one.issued_at,
                state=_state(one),
            )
            if registration is not None:
                device.created_at = registration.created_at
                device.created_by_name = registration.created_by_name
                device.type = registration.device_type
                device.group_to_join_id = registration.group_id
            if one.first_login_at:
                device.last_contact_at = one.first_login_at
                one.last_used_at = one.first_login_at
            devices.append(device)
        for one, device in zip(batch, ManagedObject.objects.bulk_create(devices), strict=True):
            one.managed_object = device
        DeviceCredentials.objects.bulk_update(batch, ["managed_object", "last_used_at"])


def _state(credentials):
    if not credentials.is_enabled:
        return "disabled"
    return "connected" if credentials.first_login_at else "never"


class Migration(migrations.Migration):

    dependencies = [
        ("inventory", "0005_groups_as_managed_objects"),
        ("registration", "0005_groups_are_managed_objects"),
    ]

    operations = [migrations.RunPython(show_devices, migrations.RunPython.noop)]
