from django.urls import include, path

from factory.api.device_ids import device_id, device_ids
from factory.api.device_types import one_type, types

BASE = "api/ops/v1/devicetypes"

endpoints = [
    path(BASE, types, name="device_types"),
    path(f"{BASE}/<str:device_type_id>", one_type, name="device_type"),
    path(f"{BASE}/<str:device_type_id>/device_ids", device_ids, name="device_ids"),
    path(f"{BASE}/<str:device_type_id>/device_ids/<str:device_id>", device_id, name="device_id"),
]
urlpatterns = [path("", include((endpoints, "ops")))]
