"""All addresses: the console behind its gate, the REST contract at the root."""

from django.urls import include, path

from config.views import healthz
from openapi.urls import api_urlpatterns
from registration.console.dashboard import dashboard

console_urls = [
    path("", dashboard, name="home"),
    path("", include("tenants.console.accounts.urls")),
    path("", include("tenants.console.people.urls")),
    path("", include("tenants.console.subtenants.urls")),
    path("", include("tenants.console.options.urls")),
    path("", include("tenants.console.audit.urls")),
    path("", include("factory.console.urls")),
    path("", include("inventory.console.devices.urls")),
    path("", include("inventory.console.groups.urls")),
    path("", include("inventory.console.credentials.urls")),
    path("", include("bulk.console.urls")),
    path("", include("extensions.console.urls")),
    path("", include("registration.console.urls")),
    path("", include("registration.console.provisioning.urls")),
]
api_urls = [
    path("", include("inventory.api.urls")),
    path("", include("tenants.api.urls")),
    path("", include("registration.api.urls")),
    path("", include("bulk.api.urls")),
    path("", include("factory.api.urls")),
    *api_urlpatterns,
]
urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("", include("factory.help_urls")),
    *console_urls,
    *api_urls,
    path("", include("openapi.urls")),
]

handler400 = "config.views.bad_request"
handler403 = "config.views.permission_denied"
handler404 = "config.views.page_not_found"
handler500 = "config.views.server_error"
