
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0013_devices_without_a_type"),
        ("tenants", "0006_rights_to_device_types"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="managedobject",
            name="device_tenant_number",
        ),
        migrations.AddIndex(
            model_name="managedobject",
            index=models.Index(
                models.F("tenant"),
                models.Func(
                    models.F("id"),
                    output_field=models.BigIntegerField(),
                    template="(%(expressions)s + 0)",
                ),
                condition=models.Q(("kind", "device")),
                name="device_tenant_number",
            ),
        ),
    ]
