"""The path of the REST contract at which files of devices are received."""

from typing import Final

from django.urls import path

from bulk.api import views

PATH: Final = "devicecontrol/bulkNewDeviceRequests"

urlpatterns = [path(PATH, views.bulk_new_device_requests)]
