"""The sign-in form."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm


class SignInForm(AuthenticationForm):
    """User and password; the tenant stands before a slash where the name alone is not enough."""

    username = forms.CharField(
        label="User",
        help_text="Your user name; tenant/user if the name exists in several tenants.",
        widget=forms.TextInput(
            attrs={
                "autofocus": True,
                "autocomplete": "username",
                "autocapitalize": "off",
                "spellcheck": "false",
            }
        ),
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    error_messages = {
        "invalid_login": "User and password do not fit together. Check both, and the tenant.",
        "inactive": "This account is not active.",
    }
