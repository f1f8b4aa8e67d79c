"""Addresses of the console about all devices; all stand behind the tenant gate."""

from django.urls import URLPattern

app_name = "devices"
urlpatterns: list[URLPattern] = []
