"""Signing in and out."""

from django.contrib.auth.views import LoginView, LogoutView

from tenants.console.forms import SignInForm


class SignIn(LoginView):
    """Ask for user and password; whoever is signed in already goes on."""

    authentication_form = SignInForm
    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """End the session; by POST only, so that no link does it."""

    next_page = "accounts:sign_in"
