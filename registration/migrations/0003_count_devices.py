"""Count the devices that each tenant has let in."""

from django.db import migrations


def count(apps, _editor):
    registrations = apps.get_model("registration", "Registration")
    credentials = apps.get_model("inventory", "DeviceCredentials")
    for tenant in apps.get_model("tenants", "Tenant").objects.all():
        held = credentials.objects.filter(tenant_id=tenant.pk)
        accepted = registrations.objects.filter(
            tenant_id=tenant.pk, status="ACCEPTED", delivered_at__isnull=True
        ).exclude(device_id__in=held.values("device_id"))
        tenant.device_count = held.count() + accepted.count()
        tenant.save(update_fields=["device_count"])


class Migration(migrations.Migration):
    dependencies = [
        ("registration", "0002_moved_events"),
        ("inventory", "0002_find_groups_by_path"),
        ("tenants", "0003_give_global_roles"),
    ]
    operations = [migrations.RunPython(count, migrations.RunPython.noop)]
