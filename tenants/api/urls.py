"""Paths of the REST contract about tenants and users; none ends in a slash."""

from django.urls import path

from tenants.api import views

urlpatterns = [
    path("tenant/loginOptions", views.login_options),
    path("tenant/currentTenant", views.current_tenant),
    path("tenant/options", views.options),
    path("tenant/options/<str:category>", views.category),
    path("tenant/options/<str:category>/<path:key>", views.option),
    path("user/currentUser", views.current_user),
]
