"""Groups become managed objects, with the IDs they have: devices share their numbers from now on."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0002_find_groups_by_path"),
        ("registration", "0004_say_why_an_entry_was_left_out"),
    ]

    operations = [
        migrations.RenameModel("DeviceGroup", "ManagedObject"),
        migrations.AlterModelOptions("ManagedObject", {}),
    ]
