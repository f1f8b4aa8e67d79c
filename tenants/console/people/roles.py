"""Global roles: the list, and what can be done to each."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from tenants import global_roles
from tenants.administration import AdministrationError
from tenants.console.people.forms import RoleForm
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
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.models import GlobalRole
from ui.htmx import back, dialog_done, render_page, require_safe_or_post

LIST = "people:roles"
SECTION = "Global roles"


@require_safe
@tenant_view(*READ)
def role_list(request: TenantRequest) -> HttpResponse:
    """Show the global roles of the tenant, with their rights and how many have each."""
    return render_page(
        request,
        "people/role_list.html",
        {
            "roles": global_roles.roles_of(request.tenant),
            "may_act": may_act(request),
            "tab": "roles",
        },
        fragments=("people/_role_list.html",),
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def create(request: TenantRequest) -> HttpResponse:
    """Make a global role."""
    form = RoleForm(tenant=request.tenant)
    status = HTTPStatus.OK
    if request.method == "POST":
        form = RoleForm(request.POST, tenant=request.tenant)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                role = global_roles.create_role(
                    request.tenant, **form.cleaned_data, by=request.actor
                )
            except AdministrationError as error:
                status = refuse(form, error)
            else:
                messages.success(request, f"Role {role.name} is created.")
                return dialog_done(request, reverse(LIST), event=CHANGED)
    return _dialog(request, form, "Create global role", reverse("people:create_role"), status)


@require_safe_or_post
@tenant_view(*ADMIN)
def edit(request: TenantRequest, role_pk: int) -> HttpResponse:
    """Change a global role, for everybody who has it."""
    role = _role(request, role_pk)
    initial = {"name": role.name, "description": role.description, "roles": role.roles}
    form = RoleForm(tenant=request.tenant, name_is_fixed=role.is_built_in, initial=initial)
    status = HTTPStatus.OK
    if request.method == "POST":
        form = RoleForm(request.POST, tenant=request.tenant,
                        name_is_fixed=role.is_built_in, initial=initial)  # fmt: skip
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                global_roles.change_role(role, **form.cleaned_data, by=request.actor)
            except AdministrationError as error:
                status = refuse(form, error)
            else:
                messages.success(request, f"The role {form.cleaned_data['name']} is changed.")
                return dialog_done(request, reverse(LIST), event=CHANGED)
    action = reverse("people:edit_role", args=[role.pk])
    return _dialog(request, form, f"Edit the role {role.name}", action, status, role)


@require_safe_or_post
@tenant_view(*ADMIN)
def reset(request: TenantRequest, role_pk: int) -> HttpResponse:
    """Give a built-in role its default rights back."""
    role = _role(request, role_pk)

    def act() -> str:
        global_roles.reset_role(role, by=request.actor)
        return f"The role {role.name} has its default rights."

    sentence = "Everybody who has this role has the rights that every tenant starts with, at once."
    return ask(
        request,
        Question(f"Reset the role {role.name}", (sentence,), "Reset", "rotate-ccw"),
        act,
        back=back(request, reverse(LIST)),
        section=SECTION,
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def delete(request: TenantRequest, role_pk: int) -> HttpResponse:
    """Delete a role that nobody has."""
    role = _role(request, role_pk)

    def act() -> str:
        global_roles.delete_role(role, by=request.actor)
        return f"The role {role.name} is deleted."

    sentence = "A role can be deleted once nobody has it any more. This cannot be undone."
    return ask(
        request,
        Question(f"Delete the role {role.name}", (sentence,), "Delete", "trash-2", is_danger=True),
        act,
        back=back(request, reverse(LIST)),
        section=SECTION,
    )


def _role(request: TenantRequest, role_pk: int) -> GlobalRole:
    roles = global_roles.roles_of(request.tenant).select_related("tenant")
    return get_object_or_404(roles, pk=role_pk)


def _dialog(
    request: TenantRequest,
    form: RoleForm,
    title: str,
    action: str,
    status: HTTPStatus,
    role: GlobalRole | None = None,
) -> HttpResponse:
    return dialog(
        request,
        "people/_role_form.html",
        {"form": form, "role": role, "action": action, "title_text": title},
        title=title,
        back=back(request, reverse(LIST)),
        section=SECTION,
        status=status,
    )
