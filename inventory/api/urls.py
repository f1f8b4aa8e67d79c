"""Paths of the REST contract about inventory, identity and device users; none ends in a slash."""

from django.urls import path

from inventory.api import children, identity, objects
from inventory.api.representation import CHILDREN

urlpatterns = [
    path("inventory/managedObjects", objects.managed_objects),
    path("inventory/managedObjects/count", objects.count),
    path("inventory/managedObjects/<str:object_id>", objects.managed_object),
    path("identity/externalIds/<path:external>", identity.external_id),
    path("identity/globalIds/<str:object_id>/externalIds", identity.external_ids),
]
for kind, word in CHILDREN.items():
    address = f"inventory/managedObjects/<str:object_id>/{word}"
    urlpatterns += [
        path(address, children.children, {"kind": kind}),
        path(f"{address}/<str:child_id>", children.child, {"kind": kind}),
    ]
