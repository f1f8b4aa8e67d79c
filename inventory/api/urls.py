"""Paths of the REST contract about inventory, identity and device users; none ends in a slash."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
