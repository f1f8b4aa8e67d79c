"""What people type about a device, judged before the inventory hears of it."""

import unicodedata

from django import forms

from inventory.identity import CONTROLS
from inventory.models.external_id import MAX_EXTERNAL_ID_BYTES, MAX_EXTERNAL_TYPE_BYTES
from inventory.models.managed_object import MAX_NAME_LENGTH, MAX_TYPE_LENGTH


class DeviceForm(forms.Form):
    """Name and type of a device."""

    name = forms.CharField(
        label="Name",
        max_length=MAX_NAME_LENGTH,
        required=False,
        error_messages={
            "max_length": f"Shorten the name: it can have at most {MAX_NAME_LENGTH} characters."
        },
    )
    type = forms.CharField(
        label="Type",
        max_length=MAX_TYPE_LENGTH,
        required=False,
        help_text="What kind of device it is, such as c8y_Linux. Devices can be filtered by it.",
        error_messages={
            "max_length": f"Shorten the type: it can have at most {MAX_TYPE_LENGTH} characters."
        },
    )


class ExternalIdForm(forms.Form):
    """A further name of a device, such as its serial number."""

    type = forms.CharField(
        label="Type",
        error_messages={"required": "Say what kind of ID this is, such as c8y_Serial."},
    )
    value = forms.CharField(label="External ID", error_messages={"required": "Type the ID itself."})

    def clean_type(self) -> str:
        """Judge what a type can be made of, and its length as it is stored."""
        if "/" in self.cleaned_data["type"]:
            raise forms.ValidationError("Leave out the slash: in addresses it ends the type.")
        return _fitting(self.cleaned_data["type"], "type", MAX_EXTERNAL_TYPE_BYTES)

    def clean_value(self) -> str:
        """Judge what an ID can be made of, and its length as it is stored."""
        return _fitting(self.cleaned_data["value"], "external ID", MAX_EXTERNAL_ID_BYTES)


def _fitting(text: str, what: str, most: int) -> str:
    if len(text.encode()) > most:
        msg = f"Shorten the {what}: it can have at most {most} bytes."
        raise forms.ValidationError(msg)
    if any(unicodedata.category(character) in CONTROLS for character in text):
        msg = f"Leave out tabs and line breaks: the {what} cannot contain control characters."
        raise forms.ValidationError(msg)
    return text
