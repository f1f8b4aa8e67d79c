"""The own account: who one is, the password, and everything that opens the door."""

from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.password_validation import password_validators_help_texts
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from tenants import audit, second_factors
from tenants.console.accounts.browsers import browser_name
from tenants.console.accounts.forms import DetailsForm, OwnForm, PasswordForm
from tenants.console.accounts.views import refuse_for_now
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.links import void_links
from tenants.models import ApiToken, Session
from tenants.passwords import change_password
from tenants.sessions import session_id
from ui.htmx import dialog_done, posted, render_dialog, render_page, require_safe_or_post

PROFILE: Final = "accounts:profile"
CHANGED: Final = "profileChanged"


@require_safe
@tenant_view(open_before_set_up=True)
def profile(request: TenantRequest) -> HttpResponse:
    """Show the own account."""
    user = request.user
    has_one = second_factors.has_one(user)
    is_required = second_factors.is_required(request.tenant)
    context = {
        "roles": user.global_roles.order_by("name"),
        "has_one": has_one,
        "is_required": is_required,
        "has_to_set_up": is_required and not has_one,
        "codes_left": second_factors.codes_left(user) if has_one else 0,
        "sessions": _sessions(request),
        "tokens": ApiToken.objects.for_tenant(request.tenant)
        .filter(user=user, revoked_at=None)
        .select_related("user__tenant"),
    }
    return render_page(
        request, "accounts/profile.html", context, fragments=("accounts/_profile_cards.html",)
    )


def _sessions(request: TenantRequest) -> list[dict[str, Any]]:
    """Return where the person is signed in, this browser first."""
    rows = [
        {
            "id": session_id(row),
            "is_this": row.session_key == request.session.session_key,
            "browser": browser_name(row.agent),
            "row": row,
        }
        for row in Session.objects.of(request.user)
    ]
    return sorted(rows, key=lambda row: not row["is_this"])


@require_safe_or_post
@tenant_view()
def details(request: TenantRequest) -> HttpResponse:
    """Change the own name and address."""
    user = request.user
    initial = {"full_name": user.full_name, "email": user.email}
    data = posted(request)
    form = DetailsForm(data, initial=initial, request=request, user=user)
    if request.method == "POST" and form.is_valid():
        after = {name: form.cleaned_data[name] for name in initial}
        with transaction.atomic():
            user.full_name, user.email = after["full_name"], after["email"]
            user.save(update_fields=["full_name", "email"])
            if after["email"] != initial["email"]:
                void_links(user)  # the one that was sent to the old address
            audit.record(
                request.actor, user.tenant_id, audit.Type.USER, "Profile changed",
                subject=str(user), changes={name: (initial[name], after[name]) for name in initial},
            )  # fmt: skip
        messages.success(request, "Your profile is saved.")
        return done(request)
    return own_dialog(request, "accounts/_details.html", form, "Name and e-mail address")


@require_safe_or_post
@tenant_view()
def password(request: TenantRequest) -> HttpResponse:
    """Change the own password; all other sessions end."""
    user = request.user
    data = posted(request)
    form = PasswordForm(data, request=request, user=user)
    if request.method == "POST" and form.is_valid():
        key = request.session.session_key or ""
        change_password(user, form.cleaned_data["password"], by=request.actor, keep=key)
        update_session_auth_hash(request, user)
        messages.success(request, "Your password is changed. Other sessions have ended.")
        return done(request)
    rules = password_validators_help_texts()
    return own_dialog(request, "accounts/_password.html", form, "Change password", rules=rules)


def own_dialog(
    request: TenantRequest, fragment: str, form: forms.Form, title: str, **context: Any
) -> HttpResponse:
    """Show a form of the profile; what was typed wrongly is said in it."""
    response = render_dialog(
        request,
        fragment,
        {**context, "form": form},
        title=title,
        back=reverse(PROFILE),
        section="Profile",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK,
    )
    throttled = form.throttled if isinstance(form, OwnForm) else None
    return refuse_for_now(response, throttled) if throttled else response


def done(request: TenantRequest) -> HttpResponse:
    """Close the dialog, if one is open, and show the profile as it is now."""
    return dialog_done(request, reverse(PROFILE), event=CHANGED)
