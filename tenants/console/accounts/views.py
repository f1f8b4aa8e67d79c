"""Signing in and out."""

from http import HTTPStatus

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import Http404, HttpRequest, HttpResponse

from tenants.console.accounts.forms import SignInForm


class SignIn(LoginView):
    """Ask for user and password; whoever is signed in already goes on."""

    authentication_form = SignInForm
    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Show the form again, and say by the status that nobody was signed in."""
        response = super().form_invalid(form)
        response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return response


class SignOut(LogoutView):
    """End the session; by POST only, so that no link does it."""

    next_page = "accounts:sign_in"


def welcome(_request: HttpRequest, secret: str) -> HttpResponse:  # noqa: ARG001
    """Hold the place of the view that opens links; another branch brings it."""
    raise Http404
