"""Forms of the console about registrations."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import BaseFormSet, formset_factory
from django.urls import reverse_lazy

from inventory.console.groups.picker import GroupRights
from inventory.models import (
    MAX_PATH_LENGTH,
    PATH_SEPARATOR,
    DeviceGroup,
    GroupPathError,
    split_path,
)
from registration.device_ids import HTML_PATTERN, clean_device_id
from registration.errors import DeviceIdError
from registration.lifecycle import TokenPolicy
from registration.options import HANDOVER_HOURS
from tenants.models import MANAGEMENT, Tenant

MAX_ROWS = 1000  # devices registered in one dialog; more come as a file


class DeviceRowForm(forms.Form):
    """One device to expect: its ID, and where it is to go.

    ``tenants`` are those of all rows that may be chosen, by ID, looked up once. ``groups`` says
    what the person may do about groups; who may not see them has no field for one.
    """

    device_id = forms.CharField(
        label="Device ID",
        required=False,  # checked below, so that a wholly empty row can be passed over
        strip=True,
        widget=forms.TextInput(
            attrs={
                "placeholder": "0123ab32fcd",
                "pattern": HTML_PATTERN,
                "autocomplete": "off",
                "autocapitalize": "off",
                "spellcheck": "false",
            }
        ),
    )
    tenant = forms.CharField(
        label="Add to tenant",
        required=False,
        initial=MANAGEMENT,
        widget=forms.TextInput(
            attrs={
                "list": "tenant-options",
                "autocomplete": "off",
                "autocapitalize": "off",
                "spellcheck": "false",
                "hx-get": reverse_lazy("registration:tenant_options"),
                "hx-trigger": "input changed delay:250ms, focus once",
                "hx-target": "#tenant-options",
                "hx-swap": "innerHTML",
            }
        ),
    )
    group = forms.CharField(
        label="Add to group",
        required=False,
        max_length=MAX_PATH_LENGTH,
        widget=forms.TextInput(
            attrs={
                "placeholder": "Start typing to search",
                "autocomplete": "off",
                "autocapitalize": "off",
                "spellcheck": "false",
                "data-picker": True,
                "hx-get": reverse_lazy("groups:options"),
                "hx-trigger": "input changed delay:250ms, pick",
                "hx-target": "next [data-picker-panel]",
                "hx-swap": "innerHTML",
                "hx-sync": "this:replace",
            }
        ),
    )

    def __init__(
        self,
        *args: Any,
        viewer: Tenant,
        tenants: Mapping[str, Tenant],
        groups: GroupRights,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.viewer = viewer
        self.tenants = tenants
        self.groups = groups
        self.empty_permitted = True  # also the first row: it may be the one that was removed
        if not viewer.is_management:
            del self.fields["tenant"]
        if not groups.may_see:
            del self.fields["group"]

    def has_changed(self) -> bool:
        """Say whether anything was typed; a tenant that stands there by itself is nothing."""
        return any(self[name].value() for name in ("device_id", "group") if name in self.fields)

    def clean_device_id(self) -> str:
        """Apply the one rule of device IDs."""
        try:
            return clean_device_id(self.cleaned_data["device_id"])
        except DeviceIdError as error:
            message = str(error) if error.device_id else "This field is required."
            raise ValidationError(message) from error

    def clean_tenant(self) -> Tenant:
        """Return the tenant with the ID that was typed; without one, the viewer's own."""
        typed: str = self.cleaned_data["tenant"]
        tenant = self.tenants.get(typed) if typed else self.viewer
        if tenant is None:
            raise ValidationError("There is no active tenant with this ID.")
        return tenant

    def clean_group(self) -> str:
        """Check that the path can be a group's."""
        path: str = self.cleaned_data["group"].strip()
        if path:
            try:
                path = PATH_SEPARATOR.join(split_path(path))
                if not self.groups.may_make:
                    DeviceGroup.objects.existing(self.viewer, path)
            except GroupPathError as error:
                raise ValidationError(str(error)) from error
        return path

    def clean(self) -> dict[str, Any]:
        """Refuse a tenant together with a group: a group belongs to the tenant that sees it."""
        cleaned = super().clean() or self.cleaned_data
        tenant = cleaned.get("tenant")
        if tenant and tenant != self.viewer and cleaned.get("group"):
            self.add_error(
                "group",
                "A device goes to another tenant or into a group, not both: that tenant's own "
                "operators choose the group.",
            )
        return cleaned

    @property
    def target(self) -> Tenant:
        """Return the tenant the device is registered for."""
        tenant: Tenant | None = self.cleaned_data.get("tenant")
        return tenant or self.viewer


if TYPE_CHECKING:
    DeviceRows = BaseFormSet[DeviceRowForm]
else:  # Django's formsets take no type arguments at run time
    DeviceRows = BaseFormSet


class BaseDeviceFormSet(DeviceRows):
    """All rows of the dialog together; there is always at least one."""

    default_error_messages = {
        "missing_management_form": "The rows did not arrive as they were sent. Please try again.",
        "too_many_forms": (
            f"At most {MAX_ROWS:,} devices can be registered at once; "
            f"only the first {MAX_ROWS:,} are here."
        ),
    }

    def total_form_count(self) -> int:
        """Return how many rows there are, also when their number arrived damaged."""
        return max(1, super().total_form_count())

    def clean(self) -> None:
        """Refuse an ID that stands in two rows, and a dialog without any."""
        seen: set[str] = set()
        for form in self.forms:
            device_id = getattr(form, "cleaned_data", {}).get("device_id")
            if device_id in seen:
                form.add_error("device_id", "Device ID duplicates are not allowed")
            elif device_id:
                seen.add(device_id)
        if not seen and not any(form.has_changed() for form in self.forms):
            self.forms[0].add_error("device_id", "This field is required.")


def filled(formset: DeviceRows) -> list[DeviceRowForm]:
    """Return the rows in which something was typed."""
    return [form for form in formset if form.has_changed()]


DeviceFormSet = formset_factory(
    DeviceRowForm,
    formset=BaseDeviceFormSet,
    extra=0,
    min_num=1,
    max_num=MAX_ROWS,
    absolute_max=MAX_ROWS,
)


class PolicyForm(forms.Form):
    """The settings of device registration; an empty choice takes what the tenant inherits."""

    policy = forms.ChoiceField(required=False, choices=TokenPolicy.choices)
    handover_hours = forms.IntegerField(
        required=False, min_value=HANDOVER_HOURS.minimum, max_value=HANDOVER_HOURS.maximum
    )
