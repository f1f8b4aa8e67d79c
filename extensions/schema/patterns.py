"""Patterns of JSON Schema for inputs of HTML, where a browser can be trusted to understand them.

A browser reads patterns by stricter rules than those who write schemas know, says a broken one in
its console, and goes back over what was typed. What is not certain to be right there is left to
the server.
"""

import re
from typing import Final

import re2

from extensions.schema.checking import compiled

MAX_LENGTH: Final = 200  # characters

_IN_SET: Final = r"\w-\w|[\w .:,@#]|\\[dws]|\\[-.^$*+?()\[\]{}|/\\]"
_ONE: Final = rf"(?:\[\^?(?:{_IN_SET})+\]|[\w :,@#%=!<>~&;'\"-]|\\[dws.^$*+?()\[\]{{}}|/\\]|\.)"
# No group is repeated: that is what keeps a browser busy.
_PIECES: Final = rf"(?:{_ONE}(?:[*+?]|\{{\d{{1,3}}(?:,\d{{0,3}})?\}})?)*"
_GROUP: Final = rf"\((?:\?:)?{_PIECES}(?:\|{_PIECES})*\)\??"
_KNOWN: Final = re2.compile(rf"(\^?)((?:{_PIECES}|{_GROUP})*)(\$?)")
_TWICE: Final = re.compile(r"([.:,@#])\1")  # which means something else within brackets


def for_html(pattern: str) -> str:
    """Return a pattern for the whole of an input, where the schema looks for it anywhere."""
    if len(pattern) > MAX_LENGTH or not pattern.isascii() or _TWICE.search(pattern):
        return ""
    known = _KNOWN.fullmatch(pattern)
    if known is None or compiled(pattern) is None:
        return ""
    start, middle, end = known.groups()
    return f"{'' if start else '.*'}{middle}{'' if end else '.*'}"
