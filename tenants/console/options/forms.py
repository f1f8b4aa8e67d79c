"""Forms about options: the right field for what an option may hold."""

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from tenants.console.options.overview import OptionRow
from tenants.models.option import MAX_NAME_LENGTH, is_encrypted
from tenants.options import MAX_VALUE_LENGTH

PLAIN: Final = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


class ValueForm(forms.Form):
    """The value of one option that is there."""

    value = forms.CharField(label="Value", required=False, strip=False)

    def __init__(self, row: OptionRow, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row
        self.fields["value"] = self._field()
        if not row.is_secret:
            self.initial.setdefault("value", row.value)

    def _field(self) -> forms.Field:
        known = self.row.known
        if self.row.is_secret:
            has_own = self.row.own is not None
            return forms.CharField(
                label="New secret",
                required=not has_own,
                strip=False,
                max_length=MAX_VALUE_LENGTH,
                help_text="Unchanged if left blank." if has_own else "",
                widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
                error_messages={"required": "Type the secret."},
            )
        if known and known.choices:
            choices = [(each, each) for each in known.choices]
            return forms.ChoiceField(label="Value", choices=choices)
        if known and known.minimum is not None and known.maximum is not None:
            return forms.IntegerField(
                label=f"Value, from {known.minimum} to {known.maximum}",
                min_value=known.minimum,
                max_value=known.maximum,
                widget=forms.NumberInput(attrs={"class": "number"}),
            )
        return forms.CharField(
            label="Value",
            required=False,
            strip=False,
            max_length=MAX_VALUE_LENGTH,
            widget=forms.Textarea(attrs={"rows": 3, **PLAIN}),
        )

    def clean_value(self) -> Any:
        """Return the value with the ends of lines as they were, not as a browser sends them."""
        return _lines(self.cleaned_data["value"])

    @property
    def keeps_secret(self) -> bool:
        """Say whether a secret was left as it is."""
        return self.row.is_secret and not self.cleaned_data["value"]


class NewOptionForm(forms.Form):
    """An option that Gatehouse does not know: any name, any text."""

    category = forms.CharField(
        label="Category",
        max_length=MAX_NAME_LENGTH,
        widget=forms.TextInput(attrs={**PLAIN, "autofocus": True}),
    )
    key = forms.CharField(
        label="Key",
        max_length=MAX_NAME_LENGTH,
        widget=forms.TextInput(attrs=PLAIN),
        help_text="What begins with “credentials.” is kept encrypted and never shown again.",
    )
    value = forms.CharField(
        label="Value",
        required=False,
        strip=False,
        max_length=MAX_VALUE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3, **PLAIN}),
    )

    def clean_category(self) -> str:
        """Refuse what no address leads to."""
        category = str(self.cleaned_data["category"])
        if "/" in category:
            raise ValidationError("A category cannot contain a slash.")
        return category

    def clean_value(self) -> Any:
        """Return the value with the ends of lines as they were, not as a browser sends them."""
        return _lines(self.cleaned_data["value"])

    def forget_secret(self) -> None:
        """Take a refused secret out of the form: it must not come back in a page."""
        if is_encrypted(str(self.data.get("key", "")).strip()):
            kept = {name: self.data.get(name, "") for name in ("category", "key")}
            self.data = {**kept, "value": ""}


def _lines(value: Any) -> Any:
    return value.replace("\r\n", "\n") if isinstance(value, str) else value
