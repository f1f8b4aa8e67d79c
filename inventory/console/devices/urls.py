"""Addresses of the console about all devices; all stand behind the tenant gate."""

from django.urls import path

from inventory.console.devices import actions, views

app_name = "devices"
urlpatterns = [
    path("devices/", views.device_list, name="list"),
    path("devices/export/", views.export, name="export"),
    path("devices/types/", views.type_options, name="types"),
    path("devices/id/<path:device_id>/", views.by_id, name="by_id"),
    path("devices/<int:device_pk>/", views.detail, name="detail"),
    path("devices/<int:device_pk>/edit/", actions.edit, name="edit"),
    path("devices/<int:device_pk>/delete/", actions.delete, name="delete"),
    path("devices/<int:device_pk>/groups/", actions.join_group, name="join_group"),
    path("devices/<int:device_pk>/groups/leave/", actions.leave_group, name="leave_group"),
    path("devices/<int:device_pk>/external-ids/", actions.add_external_id, name="add_external_id"),
    path(
        "devices/<int:device_pk>/external-ids/remove/",
        actions.remove_external_id,
        name="remove_external_id",
    ),
]
