"""Addresses of the tenants that this one looks after."""

from django.urls import path

from tenants.console.subtenants import administrators, views

app_name = "tenants"
urlpatterns = [
    path("administration/tenants/", views.tenant_list, name="list"),
    path("administration/tenants/new/", administrators.create, name="create"),
    path("administration/tenants/<str:tenant_id>/", views.tenant_detail, name="detail"),
    path("administration/tenants/<str:tenant_id>/edit/", views.edit, name="edit"),
    path("administration/tenants/<str:tenant_id>/suspend/", views.suspend, name="suspend"),
    path("administration/tenants/<str:tenant_id>/activate/", views.activate, name="activate"),
    path("administration/tenants/<str:tenant_id>/delete/", views.delete, name="delete"),
    path("administration/tenants/<str:tenant_id>/invite/", administrators.invite, name="invite"),
]
