"""Words for templates about registrations."""

from functools import cache
from typing import Final

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from registration.lifecycle import Stage
from ui.templatetags.ui import glyph

register = template.Library()

GLYPHS: Final = {
    Stage.WAITING: "unplug",
    Stage.PENDING: "circle-dot",
    Stage.ACCEPTED: "circle-check",
    Stage.DELIVERED: "send",
    Stage.CONFIRMED: "check-check",
    Stage.BLOCKED: "ban",
}


@register.simple_tag
@cache
def stage_glyph(stage: Stage) -> SafeString:
    """Show a stage by its icon alone; its text must stand beside it."""
    return glyph(GLYPHS[stage])


@register.simple_tag
@cache  # a page shows fifty of these six
def stage_badge(stage: Stage) -> SafeString:
    """Show a stage by icon, colour and text."""
    return format_html(
        '<span class="badge badge-{}">{}{}</span>', stage.value, glyph(GLYPHS[stage]), stage.label
    )
