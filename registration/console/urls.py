"""Addresses of the console about registrations; all stand behind the tenant gate."""

from django.urls import path

from registration.console import (
    assigning,
    decisions,
    detail,
    guide,
    history,
    register,
    settings,
    views,
)

app_name = "registration"
urlpatterns = [
    path("devices/registration/", views.registration_list, name="list"),
    path("devices/registration/events/", history.events, name="events"),
    path("devices/registration/new/", register.register, name="register"),
    path("devices/registration/tenants/", assigning.tenant_options, name="tenant_options"),
    path("devices/registration/accept-all/", decisions.accept_all, name="accept_all"),
    path("devices/registration/selected/", decisions.decide_selected, name="decide_selected"),
    path("devices/registration/decisions/<uuid:pk>/", decisions.decision, name="decision"),
    path("devices/registration/<int:pk>/", detail.registration_detail, name="detail"),
    path("devices/registration/<int:pk>/group/", detail.join_group, name="join_group"),
    path("devices/registration/<int:pk>/accept/", views.accept, name="accept"),
    path("devices/registration/<int:pk>/reset/", views.reset, name="reset"),
    path("devices/registration/<int:pk>/unblock/", views.unblock, name="unblock"),
    path("devices/registration/<int:pk>/hand-over/", views.hand_over_again, name="hand_over_again"),
    path("devices/registration/<int:pk>/cancel/", views.cancel, name="cancel"),
    path("devices/registration/<int:pk>/move/", assigning.move, name="move"),
    path("settings/device-registration/", settings.registration_settings, name="settings"),
    path("help/connecting-devices/", guide.connecting_devices, name="help"),
]
