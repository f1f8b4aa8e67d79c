"""Tell of the groups that were there before what the inventory's clients want to know of them."""

from django.db import migrations


def describe_groups(apps, schema_editor):
    ManagedObject = apps.get_model("inventory", "ManagedObject")
    ChildLink = apps.get_model("inventory", "ChildLink")
    groups, links = [], []
    for group in ManagedObject.objects.all().iterator():
        group.kind = "group"
        group.name_key = group.name[:200].casefold()[:200]
        group.type = "c8y_DeviceSubGroup" if group.parent_id else "c8y_DeviceGroup"
        group.fragments = {"c8y_IsDeviceGroup": {}}
        group.reported_at = group.updated_at = group.created_at
        groups.append(group)
        if group.parent_id:
            links.append(ChildLink(parent_id=group.parent_id, child_id=group.pk, kind="asset"))
    fields = ["kind", "name_key", "type", "fragments", "reported_at", "updated_at"]
    ManagedObject.objects.bulk_update(groups, fields, batch_size=200)
    ChildLink.objects.bulk_create(links, batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("inventory", "0004_managed_objects")]

    operations = [migrations.RunPython(describe_groups, migrations.RunPython.noop)]
