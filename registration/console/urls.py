from django.urls import path

from config.views import healthz

app_name = "registration"
urlpatterns = [path("devices/registration/", healthz, name="list")]
