"""Call the free text of the contract what the contract calls it; device types are something else."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("registration", "0007_activity_by_the_hour")]

    operations = [migrations.RenameField("registration", "device_type", "type")]
