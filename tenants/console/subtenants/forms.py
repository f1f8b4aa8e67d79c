"""Forms of the console about tenants; what a value must be like is decided by the domain."""

from typing import Any

from django import forms

from tenants.models import MAX_TENANT_ID_LENGTH, MAX_USERNAME_LENGTH, Tenant
from tenants.models.tenant import MAX_DEVICE_LIMIT
from tenants.subtenants import DEFAULT_ADMINISTRATOR, DETAILS, Administrator, TenantError

PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
OWN = {"autocomplete": "off"}  # what a browser knows about its user is not about this tenant


class TenantForm(forms.Form):
    """A form whose refusals come from the domain."""

    def add_error(self, field: str | None, error: Any) -> None:
        """Note an error; the first field that has one gets the focus."""
        super().add_error(field, error)
        if field in self.fields and not any("autofocus" in attrs for attrs in self._attrs()):
            self.fields[field].widget.attrs["autofocus"] = True

    def _attrs(self) -> list[dict[str, Any]]:
        return [field.widget.attrs for field in self.fields.values()]

    def refuse(self, error: TenantError) -> None:
        """Show a refusal of the domain beside the field it is about."""
        self.add_error(error.field if error.field in self.fields else None, str(error))


class DetailsForm(TenantForm):
    """What can be changed about a tenant."""

    company = forms.CharField(
        label="Company",
        max_length=255,
        error_messages={"required": DETAILS["company"]},
        widget=forms.TextInput(attrs={**OWN, "placeholder": "Acme Industries"}),
    )
    domain = forms.CharField(
        label="Domain",
        required=False,
        max_length=255,
        help_text="A host name by which this tenant's people reach Gatehouse. May stay empty.",
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "acme.example.com"}),
    )
    contact_name = forms.CharField(
        label="Name", required=False, max_length=255, widget=forms.TextInput(attrs=OWN)
    )
    contact_phone = forms.CharField(
        label="Phone", required=False, max_length=64, widget=forms.TextInput(attrs=OWN)
    )
    contact_email = forms.CharField(
        label="E-mail", required=False, max_length=254, widget=forms.EmailInput(attrs=OWN)
    )
    device_limit = forms.IntegerField(
        label="Device limit",
        required=False,
        min_value=0,
        max_value=MAX_DEVICE_LIMIT,
        help_text="How many devices may be let in. Empty: as many as come.",
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), DETAILS["device_limit"]
        ),
        widget=forms.NumberInput(attrs=OWN),
    )
    allow_create_tenants = forms.BooleanField(label="May own subtenants", required=False)

    def __init__(self, *args: Any, viewer: Tenant, subject: Tenant | None = None) -> None:
        super().__init__(*args)
        if subject:
            self.initial = {name: getattr(subject, name) for name in DETAILS}
        if not viewer.is_management or (subject and subject.is_management):
            del self.fields["allow_create_tenants"]

    @property
    def details(self) -> dict[str, Any]:
        """Return what was typed about the tenant."""
        return {name: self.cleaned_data[name] for name in DETAILS if name in self.fields}


class AdministratorForm(TenantForm):
    """Who is to run a tenant."""

    admin_username = forms.CharField(
        label="User name",
        initial=DEFAULT_ADMINISTRATOR,
        max_length=MAX_USERNAME_LENGTH,
        error_messages={"required": "Give the administrator a user name."},
        widget=forms.TextInput(attrs=PLAIN),
    )
    admin_full_name = forms.CharField(
        label="Name", required=False, max_length=255, widget=forms.TextInput(attrs=OWN)
    )
    admin_email = forms.CharField(
        label="E-mail", required=False, max_length=254, widget=forms.EmailInput(attrs=OWN)
    )

    @property
    def administrator(self) -> Administrator:
        """Return who was typed."""
        return Administrator(
            self.cleaned_data["admin_username"],
            self.cleaned_data["admin_full_name"],
            self.cleaned_data["admin_email"],
        )


class NewTenantForm(DetailsForm, AdministratorForm):
    """A tenant to be, and its first administrator."""

    id = forms.CharField(
        label="Tenant ID",
        required=False,
        max_length=MAX_TENANT_ID_LENGTH,
        help_text="For good: it cannot be changed. Left empty, one like t12345678 is made.",
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "acme"}),
    )
