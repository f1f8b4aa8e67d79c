"""What pages about the own account draw."""

import segno
from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_tag
def qr_code(text: str, label: str) -> SafeString:
    """Draw ``text`` as a QR code, dark on light in every colour scheme: cameras expect that."""
    drawn = segno.make(text, error="m", micro=False).svg_inline(
        dark="#000", light="#fff", border=3, svgclass="qr-code", lineclass=None,
        omitsize=True, title=label,
    )  # fmt: skip
    return mark_safe(drawn)  # noqa: S308 -- drawn here; the title is escaped by the library
