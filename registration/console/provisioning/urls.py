"""Addresses of the console about provisioning keys; all stand behind the tenant gate."""

from django.urls import path

from registration.console.provisioning import views

app_name = "provisioning"
urlpatterns = [
    path("devices/device-types/<int:type_pk>/keys/", views.key_list, name="list"),
    path("devices/device-types/<int:type_pk>/keys/new/", views.create, name="create"),
    path(
        "devices/device-types/<int:type_pk>/keys/<int:key_pk>/revoke/",
        views.revoke,
        name="revoke",
    ),
]
