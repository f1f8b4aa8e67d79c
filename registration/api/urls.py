"""Paths of the REST contract about device control; the fixed words stand before the IDs."""

from django.urls import path

from registration.api import views

urlpatterns = [
    path("devicecontrol/deviceCredentials", views.device_credentials),
    path("devicecontrol/newDeviceRequests", views.new_device_requests),
    path("devicecontrol/newDeviceRequests/acceptAll", views.accept_all),
    path("devicecontrol/newDeviceRequests/limit", views.limit),
    path("devicecontrol/newDeviceRequests/<path:device_id>", views.new_device_request),
]
