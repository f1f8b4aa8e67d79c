"""The sign-in form."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from tenants.backends import BusyError


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
        "busy": "Many sign-ins are being checked right now. Try again in a moment.",
    }

    def clean(self) -> dict[str, Any]:
        """Check user and password; say so when that had to wait for too many others."""
        try:
            return super().clean()
        except BusyError as error:
            raise ValidationError(self.error_messages["busy"], code="busy") from error
