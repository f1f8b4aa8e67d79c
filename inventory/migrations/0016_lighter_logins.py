import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("inventory", "0015_lighter_external_ids"),
        ('tenants', '0006_rights_to_device_types'),
    ]

    operations = [
        migrations.AlterField(
            model_name='devicecredentials',
            name='tenant',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='device_credentials', to='tenants.tenant'),
        ),
    ]
