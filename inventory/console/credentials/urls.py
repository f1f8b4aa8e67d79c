"""Addresses of the console about device credentials; all stand behind the tenant gate."""

from django.urls import path

from inventory.console.credentials import actions, deleted, views

app_name = "credentials"
urlpatterns = [
    path("devices/credentials/", views.credentials_list, name="list"),
    path("devices/credentials/<int:credentials_pk>/", views.credentials_detail, name="detail"),
    path("devices/credentials/<int:credentials_pk>/disable/", actions.disable, name="disable"),
    path("devices/credentials/<int:credentials_pk>/enable/", actions.enable, name="enable"),
    path("devices/credentials/<int:credentials_pk>/rotate/", actions.rotate, name="rotate"),
    path("devices/credentials/<int:credentials_pk>/revoke/", actions.revoke, name="revoke"),
    path("devices/credentials/<int:credentials_pk>/delete/", actions.delete, name="delete"),
    path("devices/deleted/", deleted.deleted_list, name="deleted"),
    path("devices/deleted/<int:tombstone_pk>/forget/", deleted.forget, name="forget"),
]
