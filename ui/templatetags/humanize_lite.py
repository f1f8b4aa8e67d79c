"""Numbers and times as people read them."""

from datetime import datetime
from typing import Final

from django import template
from django.utils import timezone

register = template.Library()

UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60))  # seconds


@register.filter
def grouped(number: int) -> str:
    """Return ``number`` with its thousands set apart."""
    return f"{number:,}"


@register.filter
def how_long(since: datetime) -> str:
    """Return how long ago ``since`` is, in whole days, hours or minutes."""
    seconds = int((timezone.now() - since).total_seconds())
    for unit, size in UNITS:
        number = seconds // size
        if number >= 1:
            return f"{number:,} {unit}{'' if number == 1 else 's'}"
    return "just now"
