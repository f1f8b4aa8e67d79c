"""Signing in, by password and then by code, and out."""

import time
from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from tenants import audit, second_factors, throttle
from tenants.actors import Actor
from tenants.backends import PeopleBackend, record_failure
from tenants.console.accounts.forms import CodeForm, SignInForm
from tenants.installation import is_new
from tenants.models import User
from tenants.models.session import MAX_AGENT_LENGTH
from tenants.sessions import AGENT, SOURCE
from tenants.throttle import ThrottledError
from ui.htmx import posted, require_safe_or_post
from ui.text import storable

HALF: Final = "gatehouse_half"  # in the session: whose password was right; it grants nothing
TIME_FOR_CODE: Final = 5 * 60  # seconds
BACKEND: Final = "tenants.backends.PeopleBackend"


class SignIn(LoginView):
    """Ask for user and password; whoever is signed in already goes on."""

    authentication_form = SignInForm
    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Say where the first password is, until somebody has used one."""
        return super().get_context_data(**kwargs, is_new=is_new())

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Sign in, or ask for the code first."""
        user = form.get_user()
        assert isinstance(user, User)  # noqa: S101 -- for the type checker
        url = self.get_success_url()
        if not second_factors.has_one(user):
            return _enter(self.request, user, url, "Signed in")
        self.request.session.cycle_key()  # nobody who planted it knows the one that goes on
        self.request.session[HALF] = {
            "user": user.pk, "stamp": user.stamp, "at": time.time(), "next": url,
        }  # fmt: skip
        return redirect("accounts:second_factor")

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Show the form again, and say by the status that nobody was signed in."""
        response = super().form_invalid(form)
        response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        throttled: ThrottledError | None = getattr(form, "throttled", None)
        return refuse_for_now(response, throttled) if throttled else response


class SignOut(LogoutView):
    """End the session; by POST only, so that no link does it."""

    next_page = "accounts:sign_in"


@require_safe_or_post
def second_factor(request: HttpRequest) -> HttpResponse:
    """Ask for the code, once the password was right."""
    half = request.session.get(HALF)
    user = _half_signed_in(half)
    if half is None or user is None:
        if half is not None:
            messages.warning(request, "The time for the code is over. Sign in once more.")
            del request.session[HALF]
        return redirect("accounts:sign_in")
    form = CodeForm(posted(request))
    throttled = None
    if request.method == "POST" and form.is_valid():
        try:
            what = _verify(request, user, form.cleaned_data["code"])
        except ThrottledError as error:
            throttled = error
            form.add_error("code", str(error))
        else:
            if what:
                url = request.session.pop(HALF)["next"]
                return _enter(request, user, url, f"Signed in with {what}")
            form.add_error("code", "This code is wrong or was used already. Type the next one.")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    response = render(
        request, "accounts/second_factor.html", {"form": form, "who": user}, status=status
    )
    return refuse_for_now(response, throttled) if throttled else response


def refuse_for_now(response: HttpResponse, error: ThrottledError) -> HttpResponse:
    """Say by the status that too much failed, and until when."""
    response.status_code = HTTPStatus.TOO_MANY_REQUESTS
    response["Retry-After"] = str(error.seconds)
    return response


def _half_signed_in(half: Any) -> User | None:
    """Return whose password was right a moment ago, if nothing changed since."""
    if not half or time.time() - half["at"] > TIME_FOR_CODE:
        return None
    user = PeopleBackend().get_user(half["user"])
    return user if user and user.stamp == half["stamp"] else None


def _verify(request: HttpRequest, user: User, code: str) -> str:
    """Check a code; a wrong one counts as a failed sign-in."""
    attempt = throttle.begin(request, str(user), user)
    try:
        what = second_factors.verify(user, code)
    except ThrottledError:
        attempt.take_back()  # it was not looked at
        raise
    if what:
        attempt.take_back()
    else:
        record_failure(request, user, "Wrong code.")
    return what


def _enter(request: HttpRequest, user: User, url: str, activity: str) -> HttpResponse:
    """Sign ``user`` in and go on to ``url``."""
    by = Actor.of(request, user.username, user)
    with transaction.atomic():
        login(request, user, backend=BACKEND)
        request.session[SOURCE] = by.source
        agent = storable(request.headers.get("User-Agent", ""))
        request.session[AGENT] = agent[:MAX_AGENT_LENGTH]
        audit.record(by, user.tenant_id, audit.Type.SIGN_IN, activity, subject=str(user))
    throttle.note_success(request, user)
    response = redirect(url)
    throttle.remember_browser(request, response, user)
    return response
