"""Help, in the drawer beside the page or as a page of its own."""

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from registration import options
from registration.console.tables import may_read_policy
from registration.lifecycle import Stage, TokenPolicy
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from ui.htmx import render_dialog


@require_safe
@tenant_view()
def connecting_devices(request: TenantRequest) -> HttpResponse:
    """Explain how a device gets in, with the tenant's own settings filled in."""
    context = {
        "policy": (
            options.token_policy(request.tenant)
            if may_read_policy(request)
            else TokenPolicy.OPTIONAL
        ),
        "host": request.get_host(),
        "stages": Stage,
    }
    return render_dialog(
        request,
        "registration/_help_connecting_devices.html",
        context,
        title="Connecting devices",
        back=reverse("registration:list"),
    )
