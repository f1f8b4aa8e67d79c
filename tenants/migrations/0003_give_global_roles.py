"""Give every tenant its global roles, and its people the one that their own rights amount to."""

from django.db import migrations

from tenants.roles import BUNDLES

# The rights that people had before there were global roles.
BEFORE = {
    "administrator": {
        "ROLE_DEVICE_CONTROL_ADMIN",
        "ROLE_OPTION_MANAGEMENT_ADMIN",
        "ROLE_USER_MANAGEMENT_ADMIN",
        "ROLE_USER_MANAGEMENT_OWN_READ",
    },
    "operator": {
        "ROLE_DEVICE_CONTROL_ADMIN",
        "ROLE_OPTION_MANAGEMENT_READ",
        "ROLE_USER_MANAGEMENT_OWN_READ",
    },
    "reader": {
        "ROLE_DEVICE_CONTROL_READ",
        "ROLE_OPTION_MANAGEMENT_READ",
        "ROLE_USER_MANAGEMENT_OWN_READ",
    },
}


def give(apps, _editor):
    tenants = apps.get_model("tenants", "Tenant")
    users = apps.get_model("tenants", "User")
    roles = apps.get_model("tenants", "GlobalRole")
    for tenant in tenants.objects.all():
        by_name = {
            bundle.name: roles.objects.create(
                tenant=tenant,
                name=bundle.name,
                description=bundle.description,
                roles=[str(role) for role in bundle.roles],
            )
            for bundle in BUNDLES
        }
        for user in users.objects.filter(tenant=tenant):
            held = set(user.roles)
            if "ROLE_DEVICE_BOOTSTRAP" in held:
                user.kind = "service"
                user.save(update_fields=["kind"])
            for name, rights in BEFORE.items():
                if held == rights:
                    user.global_roles.add(by_name[name])
                    user.roles = []
                    user.save(update_fields=["roles"])


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_people_roles_and_audit")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
