"""Paths of the REST contract about inventory, identity and device users; none ends in a slash."""

from django.urls import path

from inventory.api import children, device_me, device_users, identity, objects
from inventory.api.representation import CHILDREN

urlpatterns = [
    path("device/me", device_me.device_me),
    path("inventory/managedObjects", objects.managed_objects),
    path("inventory/managedObjects/count", objects.count),
    path("inventory/managedObjects/<str:object_id>", objects.managed_object),
    path("inventory/managedObjects/<str:object_id>/user", device_users.user_of_object),
    path("identity/externalIds/<path:external>", identity.external_id),
    path("identity/globalIds/<str:object_id>/externalIds", identity.external_ids),
    path("user/<str:tenant_id>/users", device_users.users),
    path("user/<str:tenant_id>/users/device_<str:device_id>", device_users.device_user),
]
for kind, word in CHILDREN.items():
    address = f"inventory/managedObjects/<str:object_id>/{word}"
    urlpatterns += [
        path(address, children.children, {"kind": kind}),
        path(f"{address}/<str:child_id>", children.child, {"kind": kind}),
    ]
