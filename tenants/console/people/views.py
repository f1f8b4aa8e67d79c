"""People: the list, the page of one person, invitations and changes."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from tenants import people
from tenants.administration import AdministrationError
from tenants.console.people.forms import InviteForm, PersonForm
from tenants.console.people.manners import ADMIN, CHANGED, READ, dialog, may_act, refuse
from tenants.console.people.tables import PeopleQuery, PeopleTable
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.links import Handover
from tenants.models import OneTimeLink, Session, User
from tenants.roles import DESCRIPTIONS
from ui.htmx import back, dialog_done, render_page, require_safe_or_post
from ui.tables import LAST_PAGE

LIST = "people:list"
MAX_TOKENS = 200  # newest ones shown


@require_safe
@tenant_view(*READ)
def people_list(request: TenantRequest) -> HttpResponse:
    """Show the people of the tenant; HTMX gets the table alone."""
    query = PeopleQuery.read(request.tenant, request.GET)
    page = query.page(request.GET.get("after", ""))
    context = {
        "query": query,
        "page": page,
        "last_page": LAST_PAGE,
        "table": PeopleTable.of(page.rows, order=query.order),
        "may_act": may_act(request),
        "tab": "people",
    }
    return render_page(
        request,
        "people/people_list.html",
        context,
        fragments=("people/_people_table.html",),
    )


@require_safe
@tenant_view(*READ)
def detail(request: TenantRequest, user_pk: int) -> HttpResponse:
    """Show one person: facts, what can be done, and the API tokens."""
    person = get_person(request, user_pk)
    context = {
        "person": person,
        "is_self": person.pk == request.user.pk,
        "rights": [(role, DESCRIPTIONS[role]) for role in DESCRIPTIONS
                   if role in person.effective_roles],
        "link": OneTimeLink.objects.for_tenant(request.tenant).usable().filter(user=person).first(),
        "sessions": Session.objects.of(person).count(),
        "tokens": person.api_tokens.select_related("user__tenant")[:MAX_TOKENS],
        "may_act": may_act(request),
    }  # fmt: skip
    return render_page(
        request,
        "people/person_detail.html",
        context,
        fragments=("people/_person_facts.html",),
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def invite(request: TenantRequest) -> HttpResponse:
    """Invite somebody, and show the link if it could not be sent."""
    form = InviteForm(request.POST or None, tenant=request.tenant)
    status = HTTPStatus.OK
    where = back(request, reverse(LIST))
    if request.method == "POST":
        form = InviteForm(request.POST, tenant=request.tenant)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                handover = people.invite(
                    request,
                    request.tenant,
                    form.cleaned_data["username"],
                    full_name=form.cleaned_data["full_name"],
                    email=form.cleaned_data["email"],
                    roles=form.cleaned_data["roles"],
                    by=request.actor,
                )
            except AdministrationError as error:
                status = refuse(form, error)
            else:
                return handed_over(request, handover)
    return dialog(
        request,
        "people/_invite.html",
        {"form": form},
        title="Invite a person",
        back=where,
        status=status,
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def edit(request: TenantRequest, user_pk: int) -> HttpResponse:
    """Change the name, the address and the roles of a person."""
    person = get_person(request, user_pk)
    where = back(request, reverse("people:detail", args=[person.pk]))
    status = HTTPStatus.OK
    if request.method == "POST":
        form = PersonForm(request.POST, tenant=request.tenant)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                is_void = people.change(person, **form.cleaned_data, by=request.actor)
            except AdministrationError as error:
                status = refuse(form, error)
            else:
                messages.success(request, f"{person.username} is changed.")
                if is_void:
                    messages.warning(request, "The link made before is void. Make a new one.")
                return dialog_done(request, where, event=CHANGED)
    else:
        form = PersonForm(tenant=request.tenant, initial={
            "full_name": person.full_name, "email": person.email,
            "roles": [role.pk for role in person.global_roles.all()]})  # fmt: skip
    return dialog(
        request,
        "people/_person_form.html",
        {"form": form, "person": person, "action": reverse("people:edit", args=[person.pk])},
        title=f"Edit {person.username}",
        back=where,
        status=status,
    )


def get_person(request: TenantRequest, user_pk: int) -> User:
    """Return a person of the tenant."""
    return get_object_or_404(people.people_of(request.tenant), pk=user_pk)


def handed_over(request: TenantRequest, handover: Handover) -> HttpResponse:
    """Tell what became of a link that was made just now; show it only if it was not sent."""
    user = handover.user
    link = OneTimeLink.objects.for_tenant(request.tenant).filter(user=user).latest("pk")
    is_invitation = link.purpose == OneTimeLink.Purpose.INVITATION
    return dialog(
        request,
        "people/_handover.html",
        {
            "person": user,
            "link": link,
            "url": "" if handover.was_sent else handover.url,
            "is_invitation": is_invitation,
        },
        title=f"{user.username} is invited" if is_invitation else "A new password",
        back=reverse("people:detail", args=[user.pk]),
        changed=True,
    )
