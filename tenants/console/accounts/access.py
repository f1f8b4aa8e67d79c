"""What opens the door in the own name: sessions and API tokens."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from tenants.console.accounts.forms import TokenForm
from tenants.console.accounts.profile import CHANGED, PROFILE, done, own_dialog
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.models import ApiToken
from tenants.sessions import end_session, end_sessions
from tenants.tokens import TokenError, make_token, revoke_token
from ui.htmx import posted, render_dialog, require_safe_or_post


@require_POST
@tenant_view()
def end(request: TenantRequest, session_id: str) -> HttpResponse:
    """End one of the own sessions; a second click finds it ended."""
    if end_session(request.user, session_id, by=request.actor):
        messages.success(request, "The session has ended.")
    else:
        messages.warning(request, "This session had ended already.")
    return done(request)


@require_POST
@tenant_view()
def end_others(request: TenantRequest) -> HttpResponse:
    """End all own sessions but this one."""
    number = end_sessions(request.user, by=request.actor, keep=request.session.session_key or "")
    if number:
        messages.success(request, f"{number} other session{'s' * (number > 1)} ended.")
    else:
        messages.warning(request, "There is no other session.")
    return done(request)


@require_safe_or_post
@tenant_view()
def new_token(request: TenantRequest) -> HttpResponse:
    """Make a token with some of the own rights and show it once."""
    form = TokenForm(posted(request), user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            token, text = make_token(
                request.user,
                form.cleaned_data["name"],
                form.cleaned_data["scopes"],
                expires_at=form.expires_at,
                by=request.actor,
            )
        except TokenError as error:
            form.add_error("scopes", str(error))
        else:
            response = render_dialog(
                request,
                "people/_token.html",
                {"token": token, "text": text, "owner": request.user},
                title="Create API token",
                back=reverse(PROFILE),
                section="Profile",
            )
            response["HX-Trigger"] = CHANGED
            return response
    return own_dialog(request, "accounts/_new_token.html", form, "Create API token")


@require_POST
@tenant_view()
def revoke(request: TenantRequest, token_pk: int) -> HttpResponse:
    """Make one of the own tokens void."""
    own = ApiToken.objects.for_tenant(request.tenant).filter(user=request.user)
    token = get_object_or_404(own.select_related("user"), pk=token_pk)
    if revoke_token(token, by=request.actor):
        messages.success(request, f"The token {token.name} is revoked.")
    else:
        messages.warning(request, f"The token {token.name} was revoked already.")
    return done(request)
