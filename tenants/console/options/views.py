"""The options page: what counts for a tenant, where it comes from, and changing it."""

from http import HTTPStatus
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from tenants.console.options.forms import NewOptionForm, ValueForm
from tenants.console.options.overview import (
    MAX_SEARCH_LENGTH,
    MAX_SHOWN,
    OptionRow,
    one_option,
    overview,
)
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.models import Tenant, TenantOption
from tenants.options import (
    NotEditableError,
    OptionError,
    clear_option,
    set_editable,
    set_option,
)
from tenants.roles import Role
from ui.htmx import dialog_done, posted, render_dialog, render_page, require_safe_or_post
from ui.text import storable

READ: Final = Role.OPTION_MANAGEMENT_READ
ADMIN: Final = Role.OPTION_MANAGEMENT_ADMIN
CHANGED: Final = "optionsChanged"  # the event on which the list looks again


@require_safe
@tenant_view(READ)
def options_list(request: TenantRequest) -> HttpResponse:
    """Show all options of a tenant; HTMX gets the list alone."""
    owner = _owner(request, request.GET.get("tenant", ""))
    search = storable(request.GET.get("q", "")).strip()[:MAX_SEARCH_LENGTH]
    context = {
        "owner": owner,
        "is_elsewhere": owner != request.tenant,
        "search": search,
        "overview": overview(owner, search),
        "max_shown": MAX_SHOWN,
        "may_change": request.user.has_role(ADMIN),
        "decides": request.tenant.is_management,
        "tenants": Tenant.objects.all() if request.tenant.is_management else (),
    }
    return render_page(
        request,
        "options/options_list.html",
        context,
        fragments=("options/_options_table.html",),
    )


@require_safe_or_post
@tenant_view(ADMIN)
def change_option(request: TenantRequest) -> HttpResponse:
    """Set an option that is known, stored or inherited; its names stand in the query string."""
    said = request.POST if request.method == "POST" else request.GET
    owner = _owner(request, said.get("tenant", ""))
    row = one_option(owner, storable(said.get("category", "")), storable(said.get("key", "")))
    if row is None:
        raise Http404
    form = ValueForm(row, posted(request))
    status = HTTPStatus.OK
    problem = ""
    if request.method == "POST":
        if form.is_valid():
            if form.keeps_secret:
                messages.info(request, f"{row.name} stays as it was.")
                return _done(request, owner)
            try:
                value = form.cleaned_data["value"]
                set_option(owner, row.category, row.key, value, by=request.actor)
            except NotEditableError as error:
                problem, status = str(error), HTTPStatus.CONFLICT
            except OptionError as error:
                problem, status = str(error), HTTPStatus.UNPROCESSABLE_ENTITY
            else:
                messages.success(request, f"{row.name} is changed.")
                return _done(request, owner)
        else:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
    return _dialog(
        request,
        "options/_change_option.html",
        f"Change {row.name}",
        owner,
        {"row": row, "form": form, "problem": problem, "may_set": _may_set(request, row)},
        status,
    )


@require_safe_or_post
@tenant_view(ADMIN)
def new_option(request: TenantRequest) -> HttpResponse:
    """Add an option that Gatehouse does not know by itself."""
    said = request.POST if request.method == "POST" else request.GET
    owner = _owner(request, said.get("tenant", ""))
    form = NewOptionForm(posted(request))
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            category, key = form.cleaned_data["category"], form.cleaned_data["key"]
            if TenantOption.objects.for_tenant(owner).filter(category=category, key=key).exists():
                form.add_error("key", "This option is there already. Change it in the list.")
                status = HTTPStatus.CONFLICT
            else:
                try:
                    set_option(owner, category, key, form.cleaned_data["value"], by=request.actor)
                except OptionError as error:
                    form.add_error("value", str(error))
                else:
                    messages.success(request, f"{category}/{key} is added.")
                    return _done(request, owner)
        form.forget_secret()
    return _dialog(request, "options/_new_option.html", "Add option", owner, {"form": form}, status)


@require_safe_or_post
@tenant_view(ADMIN)
def reset_option(request: TenantRequest, option_pk: int) -> HttpResponse:
    """Ask, then remove a tenant's own value, so that the inherited one counts."""
    option = _stored(request, option_pk)
    row = one_option(option.tenant, option.category, option.key)
    if row is None:
        raise Http404
    problem = ""
    if request.method == "POST":
        try:
            clear_option(option.tenant, option.category, option.key, by=request.actor)
        except NotEditableError as error:
            problem = str(error)
        else:
            messages.success(request, f"{row.name} has no value of its own any more.")
            return _done(request, option.tenant)
    return _dialog(
        request,
        "options/_reset_option.html",
        f"Reset {row.name}",
        option.tenant,
        {"row": row, "option": option, "problem": problem, "may_set": _may_set(request, row)},
        HTTPStatus.CONFLICT if problem else HTTPStatus.OK,
    )


@require_POST
@tenant_view(ADMIN, management=True)
def reserve_option(request: TenantRequest, option_pk: int) -> HttpResponse:
    """Let nobody but the management tenant change an option of a tenant, or let it again."""
    option = _stored(request, option_pk)
    is_editable = request.POST.get("editable") == "true"
    if set_editable(option, is_editable=is_editable, by=request.actor):
        what = "may be changed by" if is_editable else "is reserved: it can be read by"
        messages.success(request, f"{option} {what} {option.tenant_id}.")
    return _done(request, option.tenant)


def _owner(request: TenantRequest, text: str) -> Tenant:
    """Return the tenant whose options are meant: the person's own, or any for the management's."""
    if not text or text == request.tenant.pk:
        return request.tenant
    if not request.tenant.is_management:
        raise Http404
    return get_object_or_404(Tenant.objects.for_tenant(request.tenant), pk=storable(text))


def _stored(request: TenantRequest, pk: int) -> TenantOption:
    """Return an option that the person may look at."""
    options = TenantOption.objects.visible_to(request.tenant)
    return get_object_or_404(options.select_related("tenant__parent"), pk=pk)


def _may_set(request: TenantRequest, row: OptionRow) -> bool:
    return request.tenant.is_management or not row.is_reserved


def _page_of(request: TenantRequest, owner: Tenant) -> str:
    """Return the address of the list of a tenant's options."""
    url = reverse("options:list")
    return url if owner == request.tenant else f"{url}?{urlencode({'tenant': owner.pk})}"


def _done(request: TenantRequest, owner: Tenant) -> HttpResponse:
    return dialog_done(request, _page_of(request, owner), event=CHANGED)


def _dialog(
    request: TenantRequest,
    fragment: str,
    title: str,
    owner: Tenant,
    context: dict[str, object],
    status: HTTPStatus,
) -> HttpResponse:
    return render_dialog(
        request,
        fragment,
        {**context, "owner": owner, "is_elsewhere": owner != request.tenant},
        title=title,
        section="Options",
        back=_page_of(request, owner),
        status=status,
    )
