"""Addresses of the audit log; ``/audit/`` at the root belongs to the REST contract."""

from django.urls import path

from tenants.console.audit import views

app_name = "audit"
urlpatterns = [
    path("administration/audit-log/", views.audit_list, name="list"),
    path("administration/audit-log/export/", views.audit_export, name="export"),
    path("administration/audit-log/<int:audit_pk>/", views.audit_detail, name="detail"),
]
