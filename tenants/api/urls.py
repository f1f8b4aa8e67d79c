"""Paths of the REST contract about tenants and users; none ends in a slash."""

from django.urls import path

from tenants.api import callers, options

urlpatterns = [
    path("tenant/loginOptions", callers.login_options),
    path("tenant/currentTenant", callers.current_tenant),
    path("tenant/options", options.options),
    path("tenant/options/<str:category>", options.category),
    path("tenant/options/<str:category>/<path:key>", options.option),
    path("user/currentUser", callers.current_user),
]
