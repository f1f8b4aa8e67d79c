"""Addresses of the tenants that this one looks after."""

from django.urls import URLPattern

app_name = "tenants"
urlpatterns: list[URLPattern] = []
