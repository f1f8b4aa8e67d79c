"""Addresses of the console about device types; all stand behind the tenant gate."""

from django.urls import path

from factory.console import actions, register, views

app_name = "device_types"
urlpatterns = [
    path("devices/device-types/", views.device_type_list, name="list"),
    path("devices/device-types/new/", actions.create, name="create"),
    path("devices/device-types/<int:type_pk>/", views.detail, name="detail"),
    path("devices/device-types/<int:type_pk>/edit/", actions.edit, name="edit"),
    path("devices/device-types/<int:type_pk>/delete/", actions.delete, name="delete"),
    path("devices/registration/with-device-type/", register.register, name="register"),
    path(
        "devices/registration/with-device-type/credentials-file/",
        register.credentials_file,
        name="credentials_file",
    ),
]
