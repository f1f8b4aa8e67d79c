"""Forms of signing in and of the own account."""

from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from tenants.backends import BusyError, is_right
from tenants.models import User
from tenants.models.token import MAX_TOKEN_NAME_LENGTH
from tenants.passwords import MAX_PASSWORD_LENGTH
from tenants.roles import DESCRIPTIONS
from tenants.throttle import ThrottledError

MAX_CODE_LENGTH: Final = 64  # characters; a recovery code has 19
MAX_LOGIN_LENGTH: Final = 254  # characters; a tenant, a slash and a user name
BUSY: Final = "Many passwords are being checked right now. Try again in a moment."
LIFETIMES: Final = (("30", "30 days"), ("90", "90 days"), ("365", "One year"), ("", "No end"))


def _password(autocomplete: str, **attrs: Any) -> forms.PasswordInput:
    return forms.PasswordInput(attrs={"autocomplete": autocomplete, **attrs})


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
        widget=_password("current-password"),
    )
    error_messages = {
        "invalid_login": "User and password do not fit together. Check both, and the tenant.",
        "inactive": "This account is not active.",
        "busy": "Many sign-ins are being checked right now. Try again in a moment.",
    }
    throttled: ThrottledError | None = None

    def clean(self) -> dict[str, Any]:
        """Check user and password; say so when that had to wait for too many others."""
        try:
            return super().clean()
        except BusyError as error:
            raise ValidationError(self.error_messages["busy"], code="busy") from error
        except ThrottledError as error:
            self.throttled = error
            raise ValidationError(str(error), code="throttled") from error


class CodeForm(forms.Form):
    """A code of the authenticator app, or a recovery code."""

    code = forms.CharField(
        label="Code",
        max_length=MAX_CODE_LENGTH,
        error_messages={"required": "Type the code that your app shows."},
        widget=forms.TextInput(
            attrs={
                "autofocus": True,
                "autocomplete": "one-time-code",
                "autocapitalize": "off",
                "spellcheck": "false",
                "class": "code-field",
            }
        ),
    )


class LoginForm(forms.Form):
    """Whose password was lost."""

    username = forms.CharField(
        label="User",
        max_length=MAX_LOGIN_LENGTH,
        help_text=SignInForm.base_fields["username"].help_text,
        error_messages={"required": "Type your user name."},
        widget=forms.TextInput(
            attrs={
                "autofocus": True,
                "autocomplete": "username",
                "autocapitalize": "off",
                "spellcheck": "false",
            }
        ),
    )


class PersonForm(forms.Form):
    """A form about one person."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user


class NewPasswordForm(PersonForm):
    """A new password, typed twice."""

    password = forms.CharField(
        label="New password",
        strip=False,
        max_length=MAX_PASSWORD_LENGTH,
        error_messages={"required": "Choose a password."},
        widget=_password("new-password", autofocus=True),
    )
    again = forms.CharField(
        label="The same again",
        strip=False,
        max_length=MAX_PASSWORD_LENGTH,
        error_messages={"required": "Type the new password a second time."},
        widget=_password("new-password"),
    )

    def clean_password(self) -> str:
        """Check the rules."""
        password: str = self.cleaned_data["password"]
        validate_password(password, self.user)
        return password

    def clean(self) -> dict[str, Any]:
        """Check that both are the same."""
        cleaned: dict[str, Any] = super().clean() or {}
        if {"password", "again"} <= cleaned.keys() and cleaned["password"] != cleaned["again"]:
            self.add_error("again", "The two passwords differ. Type the same one twice.")
        return cleaned


class OwnForm(PersonForm):
    """What a person changes about the own account, proving it by the current password.

    ``throttled`` says that too many wrong passwords were typed: nothing was looked at.
    """

    current = forms.CharField(
        label="Current password",
        strip=False,
        max_length=MAX_PASSWORD_LENGTH,
        error_messages={"required": "Type your current password."},
        widget=_password("current-password"),
    )
    throttled: ThrottledError | None = None

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def needs_proof(self) -> bool:
        """Say whether the password is asked for; only once everything else is in order."""
        return not self.errors

    def clean(self) -> dict[str, Any]:
        """Check the current password."""
        cleaned: dict[str, Any] = super().clean() or {}
        if self.needs_proof():
            try:
                if not is_right(self.user, cleaned.get("current", ""), request=self.request):
                    self.add_error("current", "This is not your current password.")
            except BusyError:
                self.add_error("current", BUSY)
            except ThrottledError as error:
                self.throttled = error
                self.add_error("current", str(error))
        return cleaned


class DetailsForm(OwnForm):
    """Name and address; the password is asked for when the address changes."""

    full_name = forms.CharField(
        label="Name", required=False, max_length=255,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )  # fmt: skip
    email = forms.EmailField(
        label="E-mail address",
        required=False,
        help_text="Links for a new password go there.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    field_order = ("full_name", "email", "current")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["current"].required = False
        self.fields["current"].help_text = "Only needed to change the e-mail address."

    def needs_proof(self) -> bool:
        """Ask only where mail would go somewhere else."""
        return super().needs_proof() and self.cleaned_data["email"] != self.user.email


class PasswordForm(OwnForm, NewPasswordForm):
    """The current password and a new one."""

    field_order = ("current", "password", "again")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].widget.attrs.pop("autofocus", None)

    def clean(self) -> dict[str, Any]:
        """Look at the new password first: a wrong one costs no try."""
        cleaned = super().clean()
        if not self.errors and cleaned["password"] == cleaned["current"]:
            self.add_error("password", "This is your password already. Choose another one.")
        return cleaned


class TokenForm(forms.Form):
    """A token: what it is called, what it may do, for how long."""

    name = forms.CharField(
        label="Name",
        max_length=MAX_TOKEN_NAME_LENGTH,
        help_text="What uses it, so that you recognise it later.",
        error_messages={"required": "Give the token a name."},
    )
    scopes = forms.MultipleChoiceField(
        label="Rights",
        error_messages={"required": "Choose at least one right for the token."},
        widget=forms.CheckboxSelectMultiple,
    )
    lifetime = forms.ChoiceField(
        label="Expires after", required=False, choices=LIFETIMES, initial="90"
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = [(str(role), text) for role, text in DESCRIPTIONS.items() if user.has_role(role)]
        self.fields["scopes"].choices = own  # type: ignore[attr-defined]

    @property
    def expires_at(self) -> datetime | None:
        """Return when it expires, or None."""
        days = self.cleaned_data["lifetime"]
        return timezone.now() + timedelta(days=int(days)) if days else None
