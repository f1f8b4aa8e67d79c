"""How long something that a form makes is to count."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.utils import timezone

ON_A_DATE: Final = "date"
NEVER: Final = "never"
LIFETIMES: Final = (
    ("30", "In 30 days"),
    ("90", "In 90 days"),
    ("365", "In 365 days"),
    (ON_A_DATE, "On a date"),
    (NEVER, "Never"),
)


class LifetimeForm(forms.Form):
    """Something that expires; what comes out is ``expires_at``, or None for never."""

    lifetime = forms.ChoiceField(label="Expires", choices=LIFETIMES, initial="90")
    expires_on = forms.DateField(
        label="Last day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "Write a date like 2030-12-31."},
    )

    def clean(self) -> dict[str, Any]:
        """Turn the choice of a lifetime into the moment at which it ends."""
        cleaned = super().clean() or self.cleaned_data
        lifetime, last_day = cleaned.get("lifetime", ""), cleaned.get("expires_on")
        expires_at = None
        if lifetime == ON_A_DATE and "expires_on" not in self.errors:
            if last_day is None or last_day < timezone.now().date():
                self.add_error("expires_on", "Choose today or a later day.")
            else:
                expires_at = datetime.combine(last_day, time(23, 59, 59), tzinfo=UTC)
        elif lifetime.isdigit():
            expires_at = timezone.now() + timedelta(days=int(lifetime))
        cleaned["expires_at"] = expires_at
        return cleaned
