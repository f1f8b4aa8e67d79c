"""Addresses of the console about device credentials; all stand behind the tenant gate."""

from django.urls import URLPattern

app_name = "credentials"
urlpatterns: list[URLPattern] = []
