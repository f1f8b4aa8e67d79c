"""What can be done to groups: made, renamed, moved, deleted; each in a dialog of its own."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse

from inventory import groups
from inventory.console.groups.manners import (
    ADMIN,
    CHANGED,
    DETAIL,
    LIST,
    SECTION,
    find,
    page_of,
)
from inventory.console.groups.picker import group_at
from inventory.errors import GroupConflictError
from inventory.group_numbers import TOLD_UP_TO, Farewell
from inventory.models import PATH_SEPARATOR, DeviceGroup, GroupPathError
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.models import Tenant
from ui.htmx import back, dialog_done, is_htmx, leave, render_dialog, require_safe_or_post
from ui.text import storable

Refusals = (GroupPathError, GroupConflictError)


def _status(error: Exception) -> HTTPStatus:
    """Return 422 for input that cannot be kept, 409 for what a rule refuses."""
    is_conflict = isinstance(error, GroupConflictError)
    return HTTPStatus.CONFLICT if is_conflict else HTTPStatus.UNPROCESSABLE_ENTITY


def _typed(request: TenantRequest, name: str) -> str:
    return storable(request.POST.get(name, "")).strip()


@require_safe_or_post
@tenant_view(ADMIN)
def create(request: TenantRequest) -> HttpResponse:
    """Ask for a name and a place, then make the group, with those above it that are missing.

    ``within`` in the URL is the number of the group that it is to be in, ``tenant`` whose it is.
    """
    name, place, wanted, problems = "", "", request.tenant.pk, {}
    status = HTTPStatus.OK
    if request.method == "POST":
        name, place = _typed(request, "name"), _typed(request, "place")
        wanted = _typed(request, "tenant").lower() or wanted
        try:
            made = _create(request, name, place, wanted)
        except _FieldError as error:
            problems, status = {error.field: str(error)}, error.status
        else:
            messages.success(request, f"The group {made} is made.")
            return dialog_done(request, back(request, page_of(made)), event=CHANGED)
    else:
        within = storable(request.GET.get("within", ""))
        visible = DeviceGroup.objects.visible_to(request.tenant)
        group = visible.by_text_id(within) if within else None
        if group is not None:
            place, wanted = group.path, group.tenant_id
        elif request.tenant.is_management:
            wanted = storable(request.GET.get("tenant", "")).strip() or wanted
    return render_dialog(
        request,
        "groups/_create.html",
        {
            "name": name,
            "place": place,
            "tenant_id": wanted,
            "problems": problems,
            "is_management": request.tenant.is_management,
        },
        title="Create group",
        back=back(request, reverse(LIST)),
        section=SECTION,
        status=status,
    )


class _FieldError(Exception):
    """What is wrong with one field of the dialog."""

    def __init__(self, field: str, message: str, status: HTTPStatus) -> None:
        super().__init__(message)
        self.field, self.status = field, status


def _create(request: TenantRequest, name: str, place: str, tenant_id: str) -> DeviceGroup:
    tenant = request.tenant
    if request.tenant.is_management and tenant_id != tenant.pk:
        found = Tenant.objects.filter(pk=tenant_id).first()
        if found is None:
            raise _FieldError(
                "tenant", "There is no tenant with this ID.", HTTPStatus.UNPROCESSABLE_ENTITY
            )
        tenant = found
    if not name:
        raise _FieldError("name", "A group needs a name.", HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        with transaction.atomic():
            # The place by itself first, so that what is wrong with it is said beside it.
            if place:
                groups.group_at(tenant, place, by=request.actor)
            return _create_in(request, tenant, name, place)
    except GroupPathError as error:
        raise _FieldError("place", str(error), _status(error)) from error


def _create_in(request: TenantRequest, tenant: Tenant, name: str, place: str) -> DeviceGroup:
    path = f"{place}{PATH_SEPARATOR}{name}" if place else name
    try:
        return groups.create_at(tenant, path, by=request.actor)
    except Refusals as error:
        raise _FieldError("name", str(error), _status(error)) from error


@require_safe_or_post
@tenant_view(ADMIN)
def rename(request: TenantRequest, group_pk: int) -> HttpResponse:
    """Ask for another name, then give it to the group."""
    group = find(request, group_pk)
    name, problem, status = group.name, "", HTTPStatus.OK
    if request.method == "POST":
        name, before = _typed(request, "name"), str(group)
        try:
            groups.rename_group(group, name, by=request.actor)
        except Refusals as error:
            problem, status = str(error), _status(error)
        else:
            group.refresh_from_db()
            messages.success(request, f"{before} is now {group}.")
            return dialog_done(request, back(request, page_of(group)), event=CHANGED)
    return _dialog(
        request,
        "groups/_rename.html",
        {"group": group, "name": name, "problem": problem},
        title=f"Rename {group.name}",
        group=group,
        status=status,
    )


@require_safe_or_post
@tenant_view(ADMIN)
def move(request: TenantRequest, group_pk: int) -> HttpResponse:
    """Ask for another place, then put the group there with everything in it."""
    group = find(request, group_pk)
    place = group.parent.path if group.parent else ""
    problem, status = "", HTTPStatus.OK
    if request.method == "POST":
        place, before = _typed(request, "place"), str(group)
        try:
            with transaction.atomic():  # else a group made for it would stay when it is refused
                parent = group_at(request, group.tenant, place)
                groups.move_group(group, parent, by=request.actor)
        except Refusals as error:
            problem, status = str(error), _status(error)
        else:
            group.refresh_from_db()
            messages.success(request, f"{before} is now {group}.")
            return dialog_done(request, back(request, page_of(group)), event=CHANGED)
    return _dialog(
        request,
        "groups/_move.html",
        {"group": group, "place": place, "problem": problem},
        title=f"Move {group.name}",
        group=group,
        status=status,
    )


@require_safe_or_post
@tenant_view(ADMIN)
def delete(request: TenantRequest, group_pk: int) -> HttpResponse:
    """Say what goes and what stays, then delete the group with all groups within it."""
    group = find(request, group_pk)
    if request.method == "POST":
        page, path = page_of(group), str(group)
        gone = groups.delete_group(group, by=request.actor)
        within = gone - 1
        also = f" with {within} group{'' if within == 1 else 's'} within it" if within else ""
        messages.success(request, f"The group {path} is deleted{also}.")
        url = back(request, reverse(LIST))
        if urlsplit(url).path.startswith(page) or _is_looked_at(request, page):
            above = group.parent_id
            return leave(request, reverse(DETAIL, args=[above]) if above else reverse(LIST))
        return dialog_done(request, url, event=CHANGED)
    return _dialog(
        request,
        "groups/_delete.html",
        {"group": group, "farewell": Farewell.of(group), "told_up_to": TOLD_UP_TO},
        title=f"Delete {group.name}",
        group=group,
        status=HTTPStatus.OK,
    )


def _is_looked_at(request: TenantRequest, page: str) -> bool:
    """Say whether the page underneath the dialog is the one of what has just gone."""
    here = str(request.htmx.current_url_abs_path or "") if is_htmx(request) else ""
    return urlsplit(here).path.startswith(page)


def _dialog(
    request: TenantRequest,
    fragment: str,
    context: dict[str, Any],
    *,
    title: str,
    group: DeviceGroup,
    status: HTTPStatus,
) -> HttpResponse:
    return render_dialog(
        request,
        fragment,
        context,
        title=title,
        back=back(request, page_of(group)),
        section=SECTION,
        status=status,
    )
