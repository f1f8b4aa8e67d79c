"""Addresses of the console about groups; all stand behind the tenant gate."""

from django.urls import URLPattern

app_name = "groups"
urlpatterns: list[URLPattern] = []
