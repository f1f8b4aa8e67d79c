"""Small words for templates: icons, links that keep the rest of the URL, times."""

from functools import cache
from typing import Any, Final

import lucide
from django import template
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@cache
def _drawn(name: str, size: int, css_class: str) -> SafeString:
    # Rendering parses XML; a page shows a dozen icons fifty times each.
    svg = lucide._render_icon(  # noqa: SLF001 -- the public tag is a template tag only
        name, size, **{"class": f"icon {css_class}".strip(), "aria-hidden": "true"}
    )
    return mark_safe(svg)  # noqa: S308 -- drawn from the installed package, never from input


@register.simple_tag
def icon(name: str, size: int = 18, css_class: str = "") -> SafeString:
    """Draw the icon ``name``; it is hidden from screen readers, so text must stand beside it."""
    return _drawn(str(name), int(size), str(css_class))


# Drawn once in the page and referred to by its rows, which would otherwise be mostly icons.
GLYPHS: Final = (
    "arrow-right-left",
    "ban",
    "check",
    "check-check",
    "chevron-down",
    "chevron-right",
    "circle-check",
    "circle-dot",
    "circle-minus",
    "copy",
    "eye",
    "folder",
    "folder-input",
    "folder-plus",
    "history",
    "lock-open",
    "mail",
    "pencil",
    "plug",
    "refresh-cw",
    "send",
    "trash-2",
    "triangle-alert",
    "unplug",
    "x",
)
GLYPH_SIZE: Final = 16  # pixels


@register.simple_tag
@cache
def glyphs() -> SafeString:
    """Draw all glyphs, to be referred to; stands once in every page."""
    symbols = (
        # Without a size of its own, or it would be cut off where it is shown smaller.
        _drawn(name, 24, "")
        .replace('<svg width="24" height="24"', f'<symbol id="glyph-{name}"', 1)
        .replace("</svg>", "</symbol>")
        for name in GLYPHS
    )
    return mark_safe(  # noqa: S308 -- drawn from the installed package, never from input
        f'<svg class="glyphs" aria-hidden="true" hidden>{"".join(symbols)}</svg>'
    )


@register.simple_tag
@cache
def glyph(name: str) -> SafeString:
    """Draw the glyph ``name`` by reference, for what a page shows many times."""
    if name not in GLYPHS:
        msg = f"{name} is no glyph; add it to GLYPHS."
        raise ValueError(msg)
    return format_html(
        '<svg class="icon" width="{0}" height="{0}" aria-hidden="true">'
        '<use href="#glyph-{1}"/></svg>',
        GLYPH_SIZE,
        name,
    )


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    """Return this page's query string with ``changes``; an empty value drops its parameter."""
    parameters = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            parameters.pop(name, None)
        else:
            parameters[name] = value
    return f"?{parameters.urlencode()}" if parameters else ""


@register.simple_tag
def moment(when: Any, never: str = "never", *, exact: bool = False) -> SafeString | str:
    """Show a time in UTC; ``console.js`` turns it into the reader's own words.

    Those are "5 min. ago", or date and hour where ``exact`` says that they matter: a deadline.
    """
    if when is None or when.year <= 1970:
        return format_html('<span class="quiet">{}</span>', never)
    return format_html(
        '<time {}datetime="{}">{}</time>',
        "data-exact " if exact else "",
        when.strftime("%Y-%m-%dT%H:%M:%SZ"),
        when.strftime("%-d %b %Y, %H:%M UTC"),
    )
