"""Addresses of the console about groups; all stand behind the tenant gate."""

from django.urls import path

from inventory.console.groups import actions, members, picker, views

app_name = "groups"
urlpatterns = [
    path("devices/groups/", views.group_list, name="list"),
    path("devices/groups/options/", picker.group_options, name="options"),
    path("devices/groups/new/", actions.create, name="create"),
    path("devices/groups/<int:group_pk>/", views.group_detail, name="detail"),
    path("devices/groups/<int:group_pk>/node/", views.node, name="node"),
    path("devices/groups/<int:group_pk>/rename/", actions.rename, name="rename"),
    path("devices/groups/<int:group_pk>/move/", actions.move, name="move"),
    path("devices/groups/<int:group_pk>/delete/", actions.delete, name="delete"),
    path("devices/groups/<int:group_pk>/devices/add/", members.add_devices, name="add_devices"),
    path("devices/groups/<int:group_pk>/devices/find/", members.candidates, name="candidates"),
    path(
        "devices/groups/<int:group_pk>/devices/<int:device_pk>/remove/",
        members.remove_device,
        name="remove_device",
    ),
]
