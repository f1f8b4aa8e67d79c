"""Services: accounts for programs and for devices that knock, their secrets and tokens."""

from http import HTTPStatus

from django.contrib import messages
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from tenants import people, services
from tenants.administration import AdministrationError
from tenants.console.people.forms import BootstrapForm, NewServiceForm, ServiceForm, TokenForm
from tenants.console.people.manners import (
    ADMIN,
    CHANGED,
    READ,
    Question,
    ask,
    dialog,
    may_act,
    refuse,
)
from tenants.console.people.views import MAX_TOKENS
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.models import User
from tenants.roles import DESCRIPTIONS
from tenants.usernames import BOOTSTRAP_USER
from ui.htmx import back, dialog_done, leave, render_page, require_safe_or_post

LIST = "people:services"
SECTION = "Services"
MAX_SERVICES = 500  # shown; a tenant has a handful


@require_safe
@tenant_view(*READ)
def service_list(request: TenantRequest) -> HttpResponse:
    """Show the services of the tenant."""
    found = list(_services(request).order_by("username")[:MAX_SERVICES])
    for service in found:
        service.is_bootstrap = services.is_bootstrap(service)  # type: ignore[attr-defined]
    return render_page(
        request,
        "people/service_list.html",
        {"services": found, "may_act": may_act(request), "tab": "services"},
        fragments=("people/_service_list.html",),
    )


@require_safe
@tenant_view(*READ)
def detail(request: TenantRequest, user_pk: int) -> HttpResponse:
    """Show one service: facts, what can be done, and its API tokens."""
    service = _service(request, user_pk)
    context = {
        "service": service,
        "is_bootstrap": services.is_bootstrap(service),
        "is_of_all_tenants": request.tenant.is_management and service.username == BOOTSTRAP_USER,
        "is_set_by_environment": services.is_set_by_environment(service),
        "rights": [(role, DESCRIPTIONS[role]) for role in DESCRIPTIONS
                   if role in service.effective_roles],
        "tokens": service.api_tokens.select_related("user__tenant")[:MAX_TOKENS],
        "may_act": may_act(request),
    }  # fmt: skip
    return render_page(
        request,
        "people/service_detail.html",
        context,
        fragments=("people/_service_facts.html",),
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def create(request: TenantRequest) -> HttpResponse:
    """Make a service; the secret of one that devices knock with is shown once."""
    form = NewServiceForm(tenant=request.tenant)
    status = HTTPStatus.OK
    if request.method == "POST":
        form = NewServiceForm(request.POST, tenant=request.tenant)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                return _created(request, form)
            except AdministrationError as error:
                status = refuse(form, error)
    return dialog(
        request,
        "people/_service_form.html",
        {"form": form, "service": None, "action": reverse("people:create_service")},
        title="Create service",
        back=back(request, reverse(LIST)),
        section=SECTION,
        status=status,
    )


def _created(request: TenantRequest, form: NewServiceForm) -> HttpResponse:
    name, full_name = form.cleaned_data["username"], form.cleaned_data["full_name"]
    if form.cleaned_data["is_bootstrap"]:
        user, secret = services.create_bootstrap(
            request.tenant, name, full_name=full_name, by=request.actor
        )
        return _secret(request, user, secret, f"Service {user.username} is created")
    user = services.create_service(
        request.tenant,
        name,
        full_name=full_name,
        roles=form.cleaned_data["roles"],
        by=request.actor,
    )
    messages.success(request, f"Service {user.username} is created. Now create its API token.")
    return leave(request, reverse("people:service", args=[user.pk]))


@require_safe_or_post
@tenant_view(*ADMIN)
def edit(request: TenantRequest, user_pk: int) -> HttpResponse:
    """Change what a service is for, and its roles."""
    service = _service(request, user_pk)
    where = back(request, reverse("people:service", args=[service.pk]))
    make = BootstrapForm if services.is_bootstrap(service) else ServiceForm
    roles = [role.pk for role in service.global_roles.all()]
    form = make(tenant=request.tenant, initial={"full_name": service.full_name, "roles": roles})
    status = HTTPStatus.OK
    if request.method == "POST":
        form = make(request.POST, tenant=request.tenant)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                people.change(
                    service,
                    full_name=form.cleaned_data["full_name"],
                    email=service.email,
                    roles=form.cleaned_data.get("roles", ()),
                    by=request.actor,
                )
            except AdministrationError as error:
                status = refuse(form, error)
            else:
                messages.success(request, f"{service.username} is changed.")
                return dialog_done(request, where, event=CHANGED)
    action = reverse("people:edit_service", args=[service.pk])
    return dialog(
        request,
        "people/_service_form.html",
        {"form": form, "service": service, "action": action},
        title=f"Edit {service.username}",
        back=where,
        section=SECTION,
        status=status,
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def new_secret(request: TenantRequest, user_pk: int) -> HttpResponse:
    """Replace the secret that devices knock with."""
    service = _service(request, user_pk)

    def act() -> HttpResponse:
        secret = services.new_secret(service, by=request.actor)
        return _secret(request, service, secret, f"New secret of {service.username}")

    return ask(
        request,
        Question(
            f"New secret for {service.username}",
            (
                "The present secret is void at once.",
                "Every device that knocks with this account needs the new one to come in.",
                "Devices that have credentials of their own are not affected.",
            ),
            "Make a new secret",
            "key-round",
            is_danger=True,
        ),
        act,
        back=back(request, reverse("people:service", args=[service.pk])),
        section=SECTION,
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def new_token(request: TenantRequest, user_pk: int) -> HttpResponse:
    """Make an API token of a service, and show it once."""
    service = _service(request, user_pk)
    where = back(request, reverse("people:service", args=[service.pk]))
    limit = request.user.effective_roles
    form = TokenForm(owner=service, limit=limit)
    status = HTTPStatus.OK
    if request.method == "POST":
        form = TokenForm(request.POST, owner=service, limit=limit)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                token, text = services.make_service_token(
                    service,
                    form.cleaned_data["name"],
                    form.cleaned_data["scopes"],
                    expires_at=form.cleaned_data["expires_at"],
                    by=request.actor,
                )
            except AdministrationError as error:
                status = refuse(form, error)
            else:
                return dialog(
                    request,
                    "people/_token.html",
                    {"token": token, "text": text, "owner": service},
                    title=f"Token {token.name}",
                    back=where,
                    section=SECTION,
                    changed=True,
                )
    return dialog(
        request,
        "people/_token_form.html",
        {"form": form, "service": service},
        title=f"Create API token of {service.username}",
        back=where,
        section=SECTION,
        status=status,
    )


def _secret(request: TenantRequest, user: User, secret: str, title: str) -> HttpResponse:
    return dialog(
        request,
        "people/_secret.html",
        {"service": user, "secret": secret, "title_text": title},
        title=title,
        back=reverse("people:service", args=[user.pk]),
        section=SECTION,
        changed=True,
    )


def _services(request: TenantRequest) -> QuerySet[User]:
    now = timezone.now()
    alive = Q(api_tokens__revoked_at=None, api_tokens__pk__isnull=False) & (
        Q(api_tokens__expires_at=None) | Q(api_tokens__expires_at__gt=now)
    )
    return (
        User.objects.for_tenant(request.tenant)
        .services()
        .annotate(
            token_count=Count("api_tokens", filter=alive),
            last_used=Max("api_tokens__last_used_at"),
        )
        .select_related("tenant")
        .prefetch_related("global_roles")
    )


def _service(request: TenantRequest, user_pk: int) -> User:
    return get_object_or_404(_services(request), pk=user_pk)
