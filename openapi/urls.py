"""Where the document is, and the page that shows it."""

from django.urls import path

from openapi import views

app_name = "openapi"
urlpatterns = [path("api/docs", views.api_docs, name="page")]
api_urlpatterns = [path("api/openapi.json", views.openapi_json, name="openapi_json")]
