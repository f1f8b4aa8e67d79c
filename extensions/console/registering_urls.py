"""Addresses of the dialogs that register devices by a protocol."""

from django.urls import path

from extensions.console import registering

_ONE = "devices/registration/registering/<str:protocol_key>/"
urlpatterns = [
    path(_ONE, registering.single, name="single"),
    path(f"{_ONE}file/", registering.bulk, name="bulk"),
    path(f"{_ONE}example/<int:number>/", registering.example, name="example"),
]
