"""The form of a provisioning key."""

from django import forms

from registration.models.provisioning_key import MAX_DEVICES, MAX_KEY_NAME_LENGTH
from tenants.console.lifetimes import LifetimeForm


class ProvisioningKeyForm(LifetimeForm):
    """A new provisioning key: what it is for, how long it counts, and for how many devices."""

    name = forms.CharField(
        label="Name",
        max_length=MAX_KEY_NAME_LENGTH,
        help_text="Where it is used, a production line for example.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autofocus": True}
        ),
        error_messages={"required": "Give the key a name."},
    )
    max_devices = forms.IntegerField(
        label="Most devices",
        required=False,
        min_value=1,
        max_value=MAX_DEVICES,
        help_text="How many devices can come by this key. Empty: any number.",
        error_messages={
            "invalid": "Write a whole number, or leave it empty.",
            "min_value": "Choose 1 or more, or leave it empty.",
            "max_value": f"Choose {MAX_DEVICES:,} or fewer, or leave it empty.",
        },
    )
    field_order = ("name", "lifetime", "expires_on", "max_devices")
