"""Addresses of people, services and their roles."""

from django.urls import path

from tenants.console.people import actions, roles, services, views

app_name = "people"
A = "administration/accounts/<int:user_pk>/"  # of people and services alike
P, R, S = "administration/people/", "administration/roles/", "administration/services/"
ONE, ROLE, SERVICE = f"{P}<int:user_pk>/", f"{R}<int:role_pk>/", f"{S}<int:user_pk>/"
urlpatterns = [
    path(P, views.people_list, name="list"),
    path(f"{P}invite/", views.invite, name="invite"),
    path(ONE, views.detail, name="detail"),
    path(f"{ONE}edit/", views.edit, name="edit"),
    path(f"{ONE}link/", actions.new_link, name="new_link"),
    path(f"{ONE}second-factor/", actions.reset_second_factor, name="reset_second_factor"),
    path(f"{ONE}sessions/", actions.end_sessions, name="end_sessions"),
    path(f"{A}deactivate/", actions.deactivate, name="deactivate"),
    path(f"{A}activate/", actions.activate, name="activate"),
    path(f"{A}delete/", actions.delete, name="delete"),
    path("administration/tokens/<int:token_pk>/revoke/", actions.revoke_token, name="revoke_token"),
    path(R, roles.role_list, name="roles"),
    path(f"{R}new/", roles.create, name="create_role"),
    path(f"{ROLE}edit/", roles.edit, name="edit_role"),
    path(f"{ROLE}reset/", roles.reset, name="reset_role"),
    path(f"{ROLE}delete/", roles.delete, name="delete_role"),
    path(S, services.service_list, name="services"),
    path(f"{S}new/", services.create, name="create_service"),
    path(SERVICE, services.detail, name="service"),
    path(f"{SERVICE}edit/", services.edit, name="edit_service"),
    path(f"{SERVICE}secret/", services.new_secret, name="new_secret"),
    path(f"{SERVICE}tokens/", services.new_token, name="new_token"),
]
