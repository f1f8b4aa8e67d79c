from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("inventory", "0008_find_objects_by_name"),
        ("tenants", "0005_rights_to_external_ids"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="managedobject",
            index=models.Index(
                condition=models.Q(("kind", "device")),
                fields=["tenant", "id"],
                name="device_tenant_number",
            ),
        ),
    ]
