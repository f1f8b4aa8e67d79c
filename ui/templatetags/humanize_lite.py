"""Numbers as people read them."""

from django import template

register = template.Library()


@register.filter
def grouped(number: int) -> str:
    """Return ``number`` with its thousands set apart."""
    return f"{number:,}"
