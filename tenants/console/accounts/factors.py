"""The own second factor: set up, moved, switched off; new recovery codes."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from tenants import second_factors
from tenants.console.accounts.forms import CodeForm, OwnForm
from tenants.console.accounts.profile import CHANGED, PROFILE, done, own_dialog
from tenants.console.accounts.views import refuse_for_now
from tenants.decorators import SET_UP, tenant_view
from tenants.http import TenantRequest
from tenants.models import Authenticator
from tenants.second_factors import RequiredError
from tenants.sessions import end_sessions
from tenants.throttle import ThrottledError
from ui.htmx import posted, render_dialog, require_safe_or_post


@require_safe_or_post
@tenant_view(open_before_set_up=True)
def set_up(request: TenantRequest) -> HttpResponse:
    """Ask for the password, show the key, take the first code, show the recovery codes."""
    if request.method == "POST" and "code" in request.POST:
        return _confirm(request)
    form = OwnForm(posted(request), request=request, user=request.user)
    if request.method == "POST" and form.is_valid():
        Authenticator.prepare(request.user)
        return redirect(SET_UP)
    waiting = None if form.is_bound else second_factors.being_set_up(request.user)
    return _page(request, CodeForm() if waiting else form, waiting, form.throttled)


def _confirm(request: TenantRequest) -> HttpResponse:
    form = CodeForm(request.POST)
    throttled = None
    if form.is_valid():
        try:
            codes = second_factors.confirm(
                request.user, form.cleaned_data["code"], by=request.actor
            )
        except ThrottledError as error:
            throttled = error
            form.add_error("code", str(error))
        else:
            if codes is not None:
                # The others came in by the password alone.
                end_sessions(request.user, by=request.actor, keep=request.session.session_key or "")
                return render(request, "accounts/second_factor_ready.html", {"codes": codes})
            form.add_error("code", "This code is wrong. Type the one that your app shows now.")
    waiting = second_factors.being_set_up(request.user)
    if waiting is None:
        return redirect(PROFILE if second_factors.has_one(request.user) else SET_UP)
    return _page(request, form, waiting, throttled)


def _page(
    request: TenantRequest,
    form: CodeForm | OwnForm,
    waiting: Authenticator | None,
    throttled: ThrottledError | None,
) -> HttpResponse:
    has_one = second_factors.has_one(request.user)
    context = {
        "form": form,
        "waiting": waiting,
        "has_one": has_one,
        "has_to": not has_one and second_factors.is_required(request.tenant),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    response = render(request, "accounts/second_factor_set_up.html", context, status=status)
    return refuse_for_now(response, throttled) if throttled else response


@require_safe_or_post
@tenant_view()
def recovery_codes(request: TenantRequest) -> HttpResponse:
    """Make new recovery codes and show them once."""
    if not second_factors.has_one(request.user):
        return redirect(SET_UP)
    form = OwnForm(posted(request), request=request, user=request.user)
    title = "New recovery codes"
    if request.method == "POST" and form.is_valid():
        codes = second_factors.new_codes(request.user, by=request.actor)
        response = render_dialog(
            request,
            "accounts/_recovery_codes_made.html",
            {"codes": codes},
            title=title,
            back=reverse(PROFILE),
            section="Profile",
        )
        response["HX-Trigger"] = CHANGED
        return response
    return own_dialog(request, "accounts/_recovery_codes.html", form, title)


@require_safe_or_post
@tenant_view()
def switch_off(request: TenantRequest) -> HttpResponse:
    """Go back to the password alone, where the tenant allows it."""
    form = OwnForm(posted(request), request=request, user=request.user)
    title = "Switch the second factor off"
    if request.method == "POST" and form.is_valid():
        try:
            was_on = second_factors.switch_off(request.user, by=request.actor)
        except RequiredError as error:
            form.add_error(None, str(error))
            response = own_dialog(request, "accounts/_switch_off.html", form, title)
            response.status_code = HTTPStatus.CONFLICT
            return response
        if was_on:
            messages.success(request, "The second factor is off. Your password is enough now.")
        return done(request)
    return own_dialog(request, "accounts/_switch_off.html", form, title)
