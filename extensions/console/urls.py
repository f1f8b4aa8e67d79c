"""Addresses of the console about extensions; all stand behind the tenant gate."""

from django.urls import path

from extensions.console import registering_urls, registry

app_name = "extensions"
_ONE = "settings/extensions/<int:extension_pk>/"
urlpatterns = [
    path("settings/extensions/", registry.extension_list, name="list"),
    path("settings/extensions/add/", registry.add, name="add"),
    path(f"{_ONE}edit/", registry.edit, name="edit"),
    path(f"{_ONE}test/", registry.test, name="test"),
    path(f"{_ONE}enable/", registry.enable, name="enable"),
    path(f"{_ONE}disable/", registry.disable, name="disable"),
    path(f"{_ONE}remove/", registry.remove, name="remove"),
    *registering_urls.urlpatterns,
]
