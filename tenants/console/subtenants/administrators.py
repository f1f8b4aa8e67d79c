"""A new tenant with its first administrator, and another one when all lost their access."""

from http import HTTPStatus

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from tenants.console.subtenants.forms import AdministratorForm, NewTenantForm
from tenants.console.subtenants.tables import CHANGED
from tenants.console.subtenants.views import (
    ADMIN,
    CREATE,
    LIST,
    SECTION,
    find,
    page_of,
    refuse,
    tell_unanswered,
)
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.links import LIFETIME, make_link
from tenants.models import OneTimeLink, Tenant, User
from tenants.subtenants import TenantError, create_tenant, invite_administrator
from ui.htmx import back, is_htmx, posted, render_dialog, require_safe_or_post

INVITATION = OneTimeLink.Purpose.INVITATION


@require_safe_or_post
@tenant_view(CREATE)
def create(request: TenantRequest) -> HttpResponse:
    """Show the form, or create a tenant and hand over the link of its administrator."""
    form = NewTenantForm(posted(request), viewer=request.tenant)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                tenant, admin = create_tenant(
                    request.tenant,
                    form.details,
                    form.administrator,
                    tenant_id=form.cleaned_data["id"],
                    by=request.actor,
                )
            except TenantError as error:
                status = refuse(form, error)
            else:
                tell_unanswered(request, tenant)
                return _hand_over(request, tenant, admin, f"Tenant {tenant} is created")
    return render_dialog(
        request,
        "tenants/_create.html",
        {"form": form},
        title="Create tenant",
        back=reverse(LIST),
        section=SECTION,
        status=status,
    )


@require_safe_or_post
@tenant_view(ADMIN)
def invite(request: TenantRequest, tenant_id: str) -> HttpResponse:
    """Invite somebody who will run the tenant."""
    tenant = find(request, tenant_id)
    form = AdministratorForm(posted(request))
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                admin = invite_administrator(tenant, form.administrator, by=request.actor)
            except TenantError as error:
                status = refuse(form, error)
            else:
                return _hand_over(request, tenant, admin, f"{admin} is invited")
    return render_dialog(
        request,
        "tenants/_invite.html",
        {"form": form, "tenant": tenant},
        title=f"Invite an administrator of {tenant.company}",
        back=back(request, page_of(tenant)),
        section=SECTION,
        status=status,
    )


def _hand_over(request: TenantRequest, tenant: Tenant, admin: User, headline: str) -> HttpResponse:
    """Make the administrator's link; show it, once, unless it could be sent."""
    handover = make_link(request, admin, INVITATION, by=request.actor)
    response = render_dialog(
        request,
        "tenants/_handover.html",
        {
            "headline": headline,
            "tenant": tenant,
            "admin": admin,
            "url": "" if handover.was_sent else handover.url,
            "until": timezone.now() + LIFETIME[INVITATION],
        },
        title=headline,
        back=page_of(tenant),
        section=SECTION,
    )
    if is_htmx(request):
        response["HX-Trigger"] = CHANGED
    return response
