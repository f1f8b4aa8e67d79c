"""The tenants that this one looks after: the list, the page of one, and what can be done to it."""

from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from tenants.console.subtenants.forms import DetailsForm, TenantForm
from tenants.console.subtenants.tables import CHANGED, TenantQuery, TenantTable, add_numbers
from tenants.decorators import tenant_view
from tenants.deletion import check_deletable, delete_tenant
from tenants.holdings import what_goes_with
from tenants.http import TenantRequest
from tenants.models import Tenant
from tenants.roles import Role
from tenants.subtenants import (
    InvalidTenantError,
    TenantError,
    activate_tenant,
    change_tenant,
    suspend_tenant,
)
from ui.htmx import (
    back,
    dialog_done,
    leave,
    posted,
    render_dialog,
    render_page,
    require_safe_or_post,
)
from ui.tables import LAST_PAGE
from ui.text import storable

READ = Role.TENANT_MANAGEMENT_READ
CREATE = Role.TENANT_MANAGEMENT_CREATE
UPDATE = Role.TENANT_MANAGEMENT_UPDATE
ADMIN = Role.TENANT_MANAGEMENT_ADMIN
LIST = "tenants:list"
SECTION = "Tenants"


def find(request: TenantRequest, tenant_id: str) -> Tenant:
    """Return the tenant of this ID if the person's own tenant looks after it, else answer 404."""
    if "\x00" in tenant_id:  # PostgreSQL refuses even to look for it
        raise Http404
    return get_object_or_404(Tenant.objects.for_tenant(request.tenant), pk=tenant_id)


@require_safe
@tenant_view(READ)
def tenant_list(request: TenantRequest) -> HttpResponse:
    """Show the tenants; HTMX gets the table alone."""
    query = TenantQuery.read(request.tenant, request.GET)
    page = query.page(request.GET.get("after", ""))
    shows_parents = query.shows_parents()
    context = {
        "query": query,
        "page": page,
        "last_page": LAST_PAGE,
        "table": TenantTable(
            page.rows, order_by=query.sort, exclude=() if shows_parents else ("owner",)
        ),
        "shows_parents": shows_parents,
        "may_create": request.user.has_role(CREATE),
    }
    return render_page(
        request, "tenants/tenant_list.html", context, fragments=("tenants/_tenant_table.html",)
    )


@require_safe
@tenant_view(READ)
def tenant_detail(request: TenantRequest, tenant_id: str) -> HttpResponse:
    """Show one tenant, and what can be done to it."""
    tenant = find(request, tenant_id)
    add_numbers([tenant])
    context = {
        "tenant": tenant,
        "subtenants": tenant.subtenants.count(),
        "is_own": tenant == request.tenant,
        "is_unanswered": is_unanswered(tenant.domain),
        "may_update": request.user.has_role(UPDATE),
        "may_invite": request.user.has_role(ADMIN),
        "may_delete": _may_delete(request) and not tenant.is_management,
    }
    return render_page(
        request, "tenants/tenant_detail.html", context, fragments=("tenants/_tenant_facts.html",)
    )


@require_safe_or_post
@tenant_view(UPDATE)
def edit(request: TenantRequest, tenant_id: str) -> HttpResponse:
    """Change what is known about a tenant, and how many devices it may have."""
    tenant = find(request, tenant_id)
    form = DetailsForm(posted(request), viewer=request.tenant, subject=tenant)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                change_tenant(tenant, form.details, by=request.actor)
            except TenantError as error:
                status = refuse(form, error)
            else:
                messages.success(request, f"Tenant {tenant} is saved.")
                if "domain" in form.changed_data:
                    tell_unanswered(request, tenant)
                return dialog_done(request, back(request, page_of(tenant)), event=CHANGED)
    return render_dialog(
        request,
        "tenants/_edit.html",
        {"form": form, "tenant": tenant},
        title=f"Edit {tenant.company}",
        back=back(request, page_of(tenant)),
        section=SECTION,
        status=status,
    )


@require_safe_or_post
@tenant_view(UPDATE)
def suspend(request: TenantRequest, tenant_id: str) -> HttpResponse:
    """Ask, then lock a tenant out."""
    tenant = find(request, tenant_id)
    problem, status = "", HTTPStatus.OK
    if request.method == "POST":
        try:
            is_done = suspend_tenant(tenant, by=request.actor)
        except TenantError as error:
            problem, status = str(error), HTTPStatus.CONFLICT
        else:
            _tell(request, is_done, f"Tenant {tenant} is suspended", "was suspended already")
            return dialog_done(request, back(request, page_of(tenant)), event=CHANGED)
    return render_dialog(
        request,
        "tenants/_suspend.html",
        {"tenant": tenant, "problem": problem},
        title=f"Suspend {tenant.company}",
        back=back(request, page_of(tenant)),
        section=SECTION,
        status=status,
    )


@require_POST
@tenant_view(UPDATE)
def activate(request: TenantRequest, tenant_id: str) -> HttpResponse:
    """Let a tenant in again."""
    tenant = find(request, tenant_id)
    try:
        is_done = activate_tenant(tenant, by=request.actor)
    except TenantError as error:
        messages.error(request, str(error))
    else:
        _tell(request, is_done, f"Tenant {tenant} is active again", "was active already")
    return dialog_done(request, back(request, page_of(tenant)), event=CHANGED)


@require_safe_or_post
@tenant_view(ADMIN, management=True)
def delete(request: TenantRequest, tenant_id: str) -> HttpResponse:
    """Say exactly what goes, ask for the ID to be typed, then delete."""
    tenant = find(request, tenant_id)
    typed = storable(request.POST.get("typed", "")).strip()
    problem, refusal, status = "", "", HTTPStatus.OK
    try:
        check_deletable(tenant, by=request.actor)
        if request.method == "POST" and typed == tenant.pk:
            delete_tenant(tenant, by=request.actor)
            messages.success(request, f"Tenant {tenant} is deleted, with everything it had.")
            return leave(request, reverse(LIST))
    except TenantError as error:
        refusal = str(error)
        status = HTTPStatus.CONFLICT if request.method == "POST" else HTTPStatus.OK
    else:
        if request.method == "POST":
            problem = f"Type {tenant} here, letter by letter."
            status = HTTPStatus.UNPROCESSABLE_ENTITY
    return render_dialog(
        request,
        "tenants/_delete.html",
        {
            "tenant": tenant,
            "goes": {} if refusal else what_goes_with(tenant),
            "typed": typed,
            "problem": problem,
            "refusal": refusal,
        },
        title=f"Delete {tenant.company}",
        back=back(request, page_of(tenant)),
        section=SECTION,
        status=status,
    )


def page_of(tenant: Tenant) -> str:
    """Return the address of a tenant's page."""
    return reverse("tenants:detail", args=[tenant.pk])


def _may_delete(request: TenantRequest) -> bool:
    return request.tenant.is_management and request.user.has_role(ADMIN)


def _tell(request: TenantRequest, is_done: bool, done: str, before: str) -> None:
    if is_done:
        messages.success(request, f"{done}.")
    else:
        messages.warning(request, f"Nothing was changed: it {before}.")


def refuse(form: TenantForm, error: TenantError) -> HTTPStatus:
    """Show a refusal in its form; return the status that says what kind it is."""
    form.refuse(error)
    is_input = isinstance(error, InvalidTenantError)
    return HTTPStatus.UNPROCESSABLE_ENTITY if is_input else HTTPStatus.CONFLICT


def is_unanswered(domain: str) -> bool:
    """Say whether this server would turn away who asks for it by ``domain``."""
    host, _ = split_domain_port(domain)
    return bool(domain) and not validate_host(host, settings.ALLOWED_HOSTS)


def tell_unanswered(request: TenantRequest, tenant: Tenant) -> None:
    """Warn that a domain leads nowhere yet."""
    if is_unanswered(tenant.domain):
        messages.warning(
            request,
            f"This server does not answer at {tenant.domain} yet: "
            "add it to GATEHOUSE_ALLOWED_HOSTS and start Gatehouse again.",
        )
