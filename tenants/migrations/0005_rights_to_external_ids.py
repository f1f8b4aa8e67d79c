"""Let those who look after devices look after their external IDs, which are new.

What the audit log calls the inventory's entries is no longer about groups alone.
"""

from django.db import migrations, models

BUNDLES = ("administrator", "operator", "reader")
GIVEN = {
    "ROLE_INVENTORY_READ": "ROLE_IDENTITY_READ",
    "ROLE_INVENTORY_ADMIN": "ROLE_IDENTITY_ADMIN",
}


def give_rights(apps, schema_editor):
    GlobalRole = apps.get_model("tenants", "GlobalRole")
    for role in GlobalRole.objects.filter(name__in=BUNDLES):
        new = [GIVEN[right] for right in role.roles if right in GIVEN]
        role.roles = [*role.roles, *(right for right in new if right not in role.roles)]
        role.save(update_fields=["roles"])


class Migration(migrations.Migration):

    dependencies = [("tenants", "0004_suspended_by")]

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
