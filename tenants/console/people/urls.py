"""Addresses of people, services and their roles."""

from django.urls import URLPattern

app_name = "people"
urlpatterns: list[URLPattern] = []
