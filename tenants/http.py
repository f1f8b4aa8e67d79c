"""The console's request, once the gate has let it through."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from tenants.actors import Actor
from tenants.models import Tenant, User


class TenantRequest(HttpRequest):
    """A request of a signed-in person; made by :func:`tenants.decorators.tenant_view` only."""

    user: User
    tenant: Tenant
    actor: Actor
    htmx: HtmxDetails
