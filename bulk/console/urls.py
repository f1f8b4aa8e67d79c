"""Addresses of the console about bulk registration; all stand behind the tenant gate."""

from django.urls import path

from bulk.console import pairs, rows, uploads, views
from bulk.reading.columns import Form

app_name = "bulk"
_HERE = "devices/registration/bulk/"
_ONE = f"{_HERE}<uuid:import_pk>/"
urlpatterns = [
    path(_HERE, uploads.imports, name="list"),
    path(f"{_HERE}simple-template/", uploads.template_of, {"form": Form.SIMPLE}, name="simple"),
    path(f"{_HERE}full-template/", uploads.template_of, {"form": Form.FULL}, name="full"),
    path(f"{_HERE}pairs/", pairs.pairs, name="pairs"),
    path(f"{_HERE}pairs-template/", pairs.template, name="pairs-template"),
    path(_ONE, views.detail, name="detail"),
    path(f"{_ONE}check/", views.check, name="check"),
    path(f"{_ONE}start/", views.start, name="start"),
    path(f"{_ONE}skip/", views.skip, name="skip"),
    path(f"{_ONE}pause/", views.pause, name="pause"),
    path(f"{_ONE}resume/", views.resume, name="resume"),
    path(f"{_ONE}discard/", views.discard, name="discard"),
    path(f"{_ONE}cancel/", views.cancel, name="cancel"),
    path(f"{_ONE}undo/", views.undo, name="undo"),
    path(f"{_ONE}rows/", rows.rows, name="rows"),
    path(f"{_ONE}rejects.csv", rows.rejects, name="rejects"),
]
