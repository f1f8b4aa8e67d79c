"""Let those who look after registrations see device types, which are new, or make them.

The audit log gets to know them, and extensions.
"""

from django.db import migrations, models

ADMINISTRATORS, OTHERS = ("administrator",), ("operator", "reader")
READ, ADMIN = "ROLE_DEVICE_TYPE_READ", "ROLE_DEVICE_TYPE_ADMIN"


def give_rights(apps, schema_editor):
    GlobalRole = apps.get_model("tenants", "GlobalRole")
    for names, right, needed in (
        (ADMINISTRATORS, ADMIN, "ROLE_DEVICE_CONTROL_ADMIN"),
        (OTHERS, READ, "ROLE_DEVICE_CONTROL_"),
    ):
        for role in GlobalRole.objects.filter(name__in=names):
            may = any(one.startswith(needed) for one in role.roles)
            if may and right not in role.roles:
                role.roles = [*role.roles, right]
                role.save(update_fields=["roles"])


class Migration(migrations.Migration):

    dependencies = [("tenants", "0005_rights_to_external_ids")]

    operations = [
        migrations.RunPython(give_rights, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="auditrecord",
            name="type",
            field=models.CharField(
                choices=[
                    ("DeviceRegistration", "Device registration"),
                    ("DeviceCredentials", "Device credentials"),
                    ("Inventory", "Device or group"),
                    ("DeviceType", "Device type"),
                    ("Extension", "Extension"),
                    ("Option", "Option"),
                    ("Tenant", "Tenant"),
                    ("User", "User"),
                    ("GlobalRole", "Global role"),
                    ("ApiToken", "API token"),
                    ("UserAuthentication", "Sign-in"),
                ],
                max_length=24,
            ),
        ),
    ]
