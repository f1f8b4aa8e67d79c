"""The form of an extension; what its details must be like is decided by the registry."""

from typing import Any, Final

from django import forms
from django.http import QueryDict

from extensions.models import Extension
from extensions.models.extension import (
    DEFAULT_PRIORITY,
    MAX_CONTEXT_PATH_LENGTH,
    MAX_DESCRIPTION_LENGTH,
    MAX_NAME_LENGTH,
    MAX_SECRET_LENGTH,
    MAX_URL_LENGTH,
)
from extensions.registry import MAX_PRIORITY, Details, InvalidExtensionError
from tenants.models import Tenant

PLAIN: Final = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
FOR_MANAGEMENT: Final = ("is_shared", "allows_private")
WRONG_PRIORITY: Final = f"Choose a number from 0 to {MAX_PRIORITY}."


class ExtensionForm(forms.Form):
    """What a person says of an extension, a new one or ``subject``."""

    name = forms.CharField(
        label="Name",
        max_length=MAX_NAME_LENGTH,
        help_text="Stands in the menu Register device.",
        error_messages={"required": "An extension needs a name: it stands in the menu."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "LoRa"}),
    )
    priority = forms.IntegerField(
        label="Priority",
        initial=DEFAULT_PRIORITY,
        min_value=0,
        max_value=MAX_PRIORITY,
        help_text="Higher ones stand first in the menu.",
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), WRONG_PRIORITY
        ),
        widget=forms.NumberInput(attrs={"autocomplete": "off"}),
    )
    description = forms.CharField(
        label="Description",
        required=False,
        max_length=MAX_DESCRIPTION_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    base_url = forms.CharField(
        label="URL of the service",
        max_length=MAX_URL_LENGTH,
        help_text="Gatehouse calls its addresses below /deviceRegistration.",
        error_messages={"required": "Write the URL with https:// and a host."},
        widget=forms.TextInput(
            attrs={**PLAIN, "inputmode": "url", "placeholder": "https://lora.example.com"}
        ),
    )
    context_path = forms.CharField(
        label="Context path",
        max_length=MAX_CONTEXT_PATH_LENGTH,
        help_text="What the service is called in addresses and in our login.",
        error_messages={"required": "Use small letters, digits, dashes and underscores."},
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "lora-devices"}),
    )
    secret = forms.CharField(
        label="Shared secret",
        required=False,
        strip=False,
        max_length=MAX_SECRET_LENGTH,
        help_text="The service knows us by it. Without one, it gets no login.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    forgets_secret = forms.BooleanField(label="Remove the shared secret", required=False)
    has_single = forms.BooleanField(label="Single registration", required=False, initial=True)
    has_bulk = forms.BooleanField(label="Bulk registration", required=False)
    is_shared = forms.BooleanField(
        label="Shared with all tenants",
        required=False,
        help_text="Their people can register devices by it; its URL and secret stay here.",
    )
    allows_private = forms.BooleanField(
        label="May be in a private network",
        required=False,
        help_text="The server may then call addresses of its own network, and http:// there.",
    )

    def __init__(
        self, sent: QueryDict | None, *, tenant: Tenant, subject: Extension | None = None
    ) -> None:
        super().__init__(sent)
        if subject:
            self.initial = vars(Details.of(subject))
        if subject and subject.sealed_secret:
            self.fields["secret"].help_text = "Unchanged if left blank. It is never shown again."
        else:
            del self.fields["forgets_secret"]
        if not tenant.is_management:
            for name in FOR_MANAGEMENT:
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """Refuse a new secret that is to be removed at once; ask again for one that is lost."""
        said = super().clean() or {}
        if said.get("secret") and said.get("forgets_secret"):
            self.add_error("secret", "Type a new secret, or remove the old one: not both.")
        return said

    @property
    def details(self) -> Details:
        """Return what was typed; a blank secret is none that was typed."""
        said = {**self.cleaned_data}
        secret = "" if said.pop("forgets_secret", False) else said.pop("secret") or None
        said.pop("secret", None)
        return Details(secret=secret, **said)

    def refuse(self, error: InvalidExtensionError) -> None:
        """Show a refusal of the registry beside the field it is about."""
        self.add_error(error.field if error.field in self.fields else None, str(error))

    def ask_again_for_secret(self) -> None:
        """Say that a typed secret does not come back in the page of a refused form."""
        if self.data.get("secret") and "secret" not in self.errors:
            self.add_error("secret", "Type the secret again; it is not kept in this page.")
