"""Words for templates about devices."""

from functools import cache
from typing import Final

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from inventory.models import State
from ui.templatetags.ui import glyph

register = template.Library()

# Icon and colour of each state; the text says the same.
LOOKS: Final = {
    State.NONE: ("circle-minus", "none"),
    State.NEVER_CONNECTED: ("unplug", "waiting"),
    State.CONNECTED: ("circle-check", "delivered"),
    State.DISABLED: ("ban", "blocked"),
}


@register.simple_tag
@cache  # a page shows fifty of these four
def device_state(state: str) -> SafeString:
    """Show where a device stands by icon, colour and text."""
    state = State(state)
    icon, look = LOOKS[state]
    return format_html('<span class="badge badge-{}">{}{}</span>', look, glyph(icon), state.label)
