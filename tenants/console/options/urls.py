"""Addresses of tenant options."""

from django.urls import path

from tenants.console.options import views

app_name = "options"
urlpatterns = [
    path("administration/options/", views.options_list, name="list"),
    path("administration/options/new/", views.new_option, name="new"),
    path("administration/options/change/", views.change_option, name="change"),
    path("administration/options/<int:option_pk>/reset/", views.reset_option, name="reset"),
    path("administration/options/<int:option_pk>/reserve/", views.reserve_option, name="reserve"),
]
