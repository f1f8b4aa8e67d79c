"""What people type about a device type, or about one device to register by it."""

from collections.abc import Collection
from typing import Any, Final

from django import forms

from inventory.console.groups.picker import GroupRights
from inventory.device_types import TypeDetails
from inventory.models import (
    MAX_PATH_LENGTH,
    PATH_SEPARATOR,
    Acceptance,
    DeviceGroup,
    DeviceType,
    GroupPathError,
    SecurityOption,
    split_path,
)
from inventory.models.device_type import (
    MAX_DESCRIPTION_LENGTH,
    MAX_PATTERN_LENGTH,
    MAX_SECRET_LENGTH,
    MAX_TYPE_NAME_LENGTH,
    MIN_SECRET_LENGTH,
)
from inventory.models.managed_object import MAX_NAME_LENGTH
from tenants.models import Tenant

AS_TYPED: Final = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
# What each security option means to whoever chooses it.
MEANINGS: Final = {
    SecurityOption.SHARED_SECRET: (
        "Each device has an ID and a secret from the factory. Register both here: it may log in "
        "at once."
    ),
    SecurityOption.TEMPORARY_CREDENTIALS: (
        "Devices share a provisioning key and knock with it. Each then gets credentials of its own."
    ),
    SecurityOption.CERTIFICATE: (
        "Each device has a signed certificate. Only its ID is registered here, and no secret."
    ),
}


class DeviceTypeForm(forms.Form):
    """A device type; ``is_in_use`` says that its security option has to stay."""

    name = forms.CharField(
        label="Name",
        max_length=MAX_TYPE_NAME_LENGTH,
        help_text="One for each product or SKU, such as Thermostat T2.",
        error_messages={"required": "Give the device type a name."},
    )
    description = forms.CharField(
        label="Description",
        max_length=MAX_DESCRIPTION_LENGTH,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    security_option = forms.ChoiceField(label="Security option", choices=SecurityOption.choices)
    acceptance = forms.ChoiceField(
        label="Acceptance",
        choices=Acceptance.choices,
        required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
        help_text="Who lets a device in that knocks with a provisioning key of this type.",
    )
    min_secret_length = forms.IntegerField(
        label="Minimal length of a secret",
        min_value=MIN_SECRET_LENGTH,
        max_value=MAX_SECRET_LENGTH,
        required=False,
        widget=forms.NumberInput(attrs={"class": "form-control number"}),
        help_text=f"In characters, from {MIN_SECRET_LENGTH} to {MAX_SECRET_LENGTH}.",
    )
    device_id_pattern = forms.CharField(
        label="Pattern of device IDs",
        max_length=MAX_PATTERN_LENGTH,
        required=False,
        widget=forms.TextInput(attrs=AS_TYPED | {"placeholder": "T2-[0-9]{6}"}),
        help_text="A regular expression (RE2) that a whole ID has to match. Empty: any ID.",
    )

    def __init__(self, *args: Any, is_in_use: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["security_option"].disabled = is_in_use

    @property
    def options(self) -> list[tuple[SecurityOption, str, bool]]:
        """Return the security options: each with what it means, and whether it is chosen."""
        chosen = str(self["security_option"].value() or SecurityOption.SHARED_SECRET)
        return [(each, meaning, each.value == chosen) for each, meaning in MEANINGS.items()]

    def clean(self) -> dict[str, Any]:
        """Fill in what means nothing for the chosen option, and is therefore not shown."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("security_option") != SecurityOption.SHARED_SECRET:
            self.errors.pop("min_secret_length", None)
            cleaned["min_secret_length"] = self.initial.get("min_secret_length")
        cleaned["min_secret_length"] = cleaned.get("min_secret_length") or MIN_SECRET_LENGTH
        cleaned["acceptance"] = cleaned.get("acceptance") or Acceptance.MANUAL.value
        return cleaned

    @property
    def details(self) -> TypeDetails:
        """Return what was typed, as the inventory takes it."""
        return TypeDetails(**self.cleaned_data)


class RegisterForm(forms.Form):
    """One device to register by a device type; the types are those that may be chosen."""

    device_type = forms.ChoiceField(
        label="Device type",
        error_messages={
            "required": "Choose a device type.",
            "invalid_choice": "Choose one of the device types.",
        },
    )
    device_id = forms.CharField(
        label="Device ID",
        max_length=1_000,  # the rule of IDs says it in words
        widget=forms.TextInput(attrs=AS_TYPED | {"placeholder": "0123ab32fcd"}),
        error_messages={"required": "Type the device ID: what the device calls itself."},
    )
    secret = forms.CharField(label="Secret", required=False, strip=False, max_length=1_000)
    name = forms.CharField(label="Name", max_length=MAX_NAME_LENGTH, required=False)
    group = forms.CharField(label="Add to group", max_length=MAX_PATH_LENGTH, required=False)

    def __init__(
        self,
        *args: Any,
        viewer: Tenant,
        types: Collection[DeviceType],
        groups: GroupRights,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.viewer, self.groups = viewer, groups
        self.types = {str(one.pk): one for one in types}
        choices = [(pk, str(one)) for pk, one in self.types.items()]
        self.fields["device_type"].choices = choices  # type: ignore[attr-defined]
        if not groups.may_see:
            del self.fields["group"]

    @property
    def chosen(self) -> DeviceType:
        """Return the device type that was chosen."""
        return self.types[self.cleaned_data["device_type"]]

    def clean_group(self) -> str:
        """Check that the path can be a group's, and that the person may make what is missing."""
        path: str = self.cleaned_data["group"].strip()
        if path:
            try:
                path = PATH_SEPARATOR.join(split_path(path))
                if not self.groups.may_make:
                    DeviceGroup.objects.existing(self.viewer, path)
            except GroupPathError as error:
                raise forms.ValidationError(str(error)) from error
        return path
