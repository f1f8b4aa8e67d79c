"""What a device tells of itself, as JSON that people can read.

Every piece of text is escaped where it becomes part of the page. The text of the ``code`` elements
of all fragments, line by line, is the JSON itself: that is what the copy button takes.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

LONG: Final = 240  # characters of a text that are shown before it is folded
ON_ONE_LINE: Final = 72  # characters of a list of plain values
MAX_DEPTH: Final = 12  # levels that are laid out; what is deeper stands on one line
MAX_TOKENS: Final = 3_000  # coloured pieces of one fragment; a larger one is shown plain
OPEN_UP_TO: Final = 12  # lines of a fragment that is open from the start
INDENT: Final = "  "


@dataclass(frozen=True)
class Fragment:
    """One fragment as it is drawn; ``about`` says how much is in it, empty for a plain value."""

    name: str
    value: SafeString
    about: str
    is_open: bool
    is_last: bool


def drawn(fragments: Mapping[str, Any]) -> list[Fragment]:
    """Return the fragments in the order of their names."""
    names = sorted(fragments, key=lambda name: (name.casefold(), name))
    return [
        _fragment(name, fragments[name], is_last=number == len(names))
        for number, name in enumerate(names, start=1)
    ]


def _fragment(name: str, value: Any, *, is_last: bool) -> Fragment:
    try:
        html = "".join(_Pieces().of(value))
    except _TooMuchError:
        html = escape(_plain(value))
    return Fragment(
        name=json.dumps(name, ensure_ascii=False),
        value=mark_safe(html),  # noqa: S308 -- every text in it was escaped
        about=_about(value),
        is_open=html.count("\n") < OPEN_UP_TO,
        is_last=is_last,
    )


def _about(value: Any) -> str:
    if isinstance(value, dict) and value:
        return f"{len(value)} member{'' if len(value) == 1 else 's'}"
    if isinstance(value, list) and value:
        return f"{len(value)} element{'' if len(value) == 1 else 's'}"
    return "long text" if isinstance(value, str) and len(value) > LONG else ""


def _plain(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "… nested too deeply to be shown"


class _TooMuchError(Exception):
    """More pieces than a browser likes to draw."""


class _Pieces:
    """Draws one fragment, piece by piece."""

    def __init__(self) -> None:
        self.left = MAX_TOKENS

    def of(self, value: Any, depth: int = 0) -> Iterator[str]:
        self.left -= 1
        if self.left < 0:
            raise _TooMuchError
        if isinstance(value, dict | list) and value:
            if depth >= MAX_DEPTH:
                yield escape(_plain(value))
            elif isinstance(value, dict):
                yield from self._members(value, depth)
            else:
                yield from self._elements(value, depth)
        else:
            yield _scalar(value)

    def _members(self, value: Mapping[str, Any], depth: int) -> Iterator[str]:
        yield "{"
        for number, (name, member) in enumerate(value.items()):
            yield f"{',' if number else ''}\n{INDENT * (depth + 1)}"
            yield format_html(
                '<span class="json-name">{}</span>: ', json.dumps(name, ensure_ascii=False)
            )
            yield from self.of(member, depth + 1)
        yield f"\n{INDENT * depth}}}"

    def _elements(self, value: list[Any], depth: int) -> Iterator[str]:
        is_flat = not any(isinstance(one, dict | list) for one in value)
        is_short = is_flat and len(_plain(value)) <= ON_ONE_LINE
        yield "["
        for number, element in enumerate(value):
            if is_short:
                yield ", " if number else ""
            else:
                yield f"{',' if number else ''}\n{INDENT * (depth + 1)}"
            yield from self.of(element, depth + 1)
        yield "]" if is_short else f"\n{INDENT * depth}]"


def _scalar(value: Any) -> str:
    text = _plain(value)
    if isinstance(value, str):
        return _text(text)
    look = "json-number" if isinstance(value, int | float) else "json-word"
    if isinstance(value, bool) or value is None:
        look = "json-word"
    if isinstance(value, dict | list):  # empty
        return text
    return format_html('<span class="{}">{}</span>', look, text)


def _text(text: str) -> str:
    if len(text) <= LONG:
        return format_html('<span class="json-text">{}</span>', text)
    return format_html(
        '<span class="json-text">{}<details class="json-long"><summary aria-label="{}"></summary>'
        "{}</details></span>",
        text[:LONG],
        f"Show all {len(text):,} characters",
        text[LONG:],
    )
