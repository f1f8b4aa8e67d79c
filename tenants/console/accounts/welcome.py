"""Links that work once: an invitation is accepted, a lost password replaced."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.password_validation import password_validators_help_texts
from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from tenants import throttle
from tenants.actors import Actor
from tenants.backends import find_user, host_of
from tenants.console.accounts.forms import LoginForm, NewPasswordForm
from tenants.console.accounts.views import refuse_for_now
from tenants.links import find_link, link_digest, make_link, use_link
from tenants.mail import can_send
from tenants.models import OneTimeLink, User
from tenants.throttle import ThrottledError
from ui.htmx import posted, require_safe_or_post

logger = logging.getLogger("gatehouse.accounts")

LINK: Final = "gatehouse_link"  # in the session: the digest of the link that was opened


@require_safe
def open_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Take the secret out of the address, so that no page's address and no referrer has it."""
    digest = link_digest(secret)
    if find_link(digest) is None:
        return _dead(request)
    request.session[LINK] = digest
    return redirect("accounts:choose_password")


@require_safe_or_post
def choose_password(request: HttpRequest) -> HttpResponse:
    """Let the person behind the opened link choose a password."""
    link = find_link(request.session.get(LINK, ""))
    if link is None:
        return _dead(request)
    form = NewPasswordForm(posted(request), user=link.user)
    if request.method == "POST" and form.is_valid():
        by = Actor.of(request, link.user.username, link.user)
        if not use_link(link, form.cleaned_data["password"], by=by):
            return _dead(request)
        logout(request)  # whoever was signed in here: the next one in is the link's owner
        messages.success(request, f"Your password is set. Sign in as {link.user}.")
        return redirect("accounts:sign_in")
    context = {
        "form": form,
        "who": link.user,
        "is_invitation": link.purpose == OneTimeLink.Purpose.INVITATION,
        "rules": password_validators_help_texts(),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, "accounts/choose_password.html", context, status=status)


@require_safe_or_post
def forgotten_password(request: HttpRequest) -> HttpResponse:
    """Send a link to whoever lost the password; the answer is the same for unknown names."""
    if not can_send():
        return render(request, "accounts/forgotten_password.html", {"can_send": False})
    form = LoginForm(posted(request))
    throttled = None
    if request.method == "POST" and form.is_valid():
        login = form.cleaned_data["username"]
        user = find_user(login, host_of(request))
        try:
            may_have_one = throttle.begin_reset(request, login, user)
        except ThrottledError as error:
            throttled = error
            form.add_error("username", str(error))
        else:
            messages.success(
                request,
                "If this account exists and has an e-mail address, a link is on its way there.",
            )
            # Sending takes time, and time would tell which accounts exist: the answer goes first.
            return AnswerFirst(
                reverse("accounts:sign_in"),
                then=lambda: _send_link(request, user) if user and may_have_one else None,
            )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    context = {"form": form, "can_send": True}
    response = render(request, "accounts/forgotten_password.html", context, status=status)
    return refuse_for_now(response, throttled) if throttled else response


class AnswerFirst(HttpResponseRedirect):
    """A redirect, and something that is done once it has been sent."""

    def __init__(self, url: str, *, then: Callable[[], None]) -> None:
        super().__init__(url)
        self._then = then

    def close(self) -> None:
        """Do what was left for later; there is nobody any more to tell what goes wrong."""
        try:
            self._then()
        except Error as error:
            logger.warning("A link was not made: %s", type(error).__name__)
        super().close()


def _send_link(request: HttpRequest, user: User) -> None:
    if user.is_service or not user.email or not user.may_sign_in:
        return
    by = Actor.of(request, user.username)
    make_link(request, user, OneTimeLink.Purpose.PASSWORD_RESET, by=by)


def _dead(request: HttpRequest) -> HttpResponse:
    context: dict[str, Any] = {"can_send": can_send()}
    return render(request, "accounts/dead_link.html", context, status=HTTPStatus.NOT_FOUND)
