import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("inventory", "0014_page_through_devices_by_number"),
        ('tenants', '0006_rights_to_device_types'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='externalid',
            name='external_id_unique',
        ),
        migrations.RemoveIndex(
            model_name='externalid',
            name='external_id_tenant_value',
        ),
        migrations.AlterField(
            model_name='externalid',
            name='tenant',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
        ),
        migrations.AddConstraint(
            model_name='externalid',
            constraint=models.UniqueConstraint(fields=('tenant', 'value', 'type'), name='external_id_unique'),
        ),
    ]
