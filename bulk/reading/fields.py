"""The fields of a flat list, one after the other, wherever its lines end.

A separator is a run of blanks and line ends with one comma at most, and with a comma or a line end
at least: whether lines end with a comma makes no difference. A field that begins with a double
quote goes on to the closing one, and two of them are one; a quote elsewhere is a character like
others. Memory stays the same however long a field or a gap is.
Source: Cirrent, bulk upload; RFC 4180.
"""

import codecs
import re
from typing import BinaryIO, Final, NamedTuple

from bulk.reading.cells import BLANKS
from bulk.reading.problems import FileProblem
from bulk.reading.results import Position

BLOCK: Final = 262_144  # bytes read at once
MOST_KEPT: Final = 1_024  # characters of a field; longer ones are nothing that can be registered
NOT_UTF8: Final = (
    "The list is not UTF-8 from here on. Save it as “CSV UTF-8” or as plain text in UTF-8."
)
UNCLOSED: Final = (
    "A field begins with a double quote here and has no closing one. Close it, or leave it out."
)
TRAILING: Final = (
    "There is text behind the closing quote of a field. Put a comma or a line end there; a quote "
    "within a quoted field is doubled."
)
_GAP: Final = f"[{BLANKS}\r\n]*+"
_SEPARATOR: Final = f"(?:,{_GAP}|[\r\n]{_GAP}(?:,{_GAP})?+)"
_PLAIN: Final = f'([^"{BLANKS},\r\n][^,\r\n]*+)'
# Two fields in which nothing is special, and the beginning of what follows them.
_PAIR: Final = re.compile(f"{_PLAIN}({_SEPARATOR}){_PLAIN}({_SEPARATOR})(?=.)", re.DOTALL)
_BLANK: Final = re.compile(f"[^{BLANKS}\r\n]")
_SPACE: Final = re.compile(f"[^{BLANKS}]")
_END: Final = re.compile("[,\r\n]")
_QUOTE: Final = re.compile('"')


class Field(NamedTuple):
    """What stands between two separators; ``is_long`` if only its beginning is told."""

    text: str
    line: int
    is_long: bool = False


class Fields:
    """Reads the fields of a list, from the beginning of one on.

    ``line`` is the number of the line in which the next one begins.
    """

    def __init__(self, stream: BinaryIO, start: Position) -> None:
        self.line = start.line
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._offset = start.offset  # of the character ``_measured``
        self._measured = 0
        self._held = ""  # the first half of a line end, until it is known what follows
        self._is_end = False
        stream.seek(start.offset)
        self._pass_gap(_BLANK)

    def is_over(self) -> bool:
        """Say whether there are no more fields; this may read on."""
        return self._at == len(self._text) and not self._more()

    def position(self, row: int) -> Position:
        """Return where the next field begins; ``row`` pairs are before it."""
        self._measure()
        return Position(self._offset, self.line, row)

    def pair(self) -> tuple[Field, Field | None] | None:
        """Return the next two fields; the second one is None if there is none, None at the end.

        Raises:
            FileProblem: from here on the list makes no sense.
        """
        found = _PAIR.match(self._text, self._at)
        if found is None:
            first = self._next()
            return None if first is None else (first, self._next())
        one, between, other, behind = found.groups()
        line = self.line
        middle = line if between == "," else line + _lines(between)
        self.line = middle + _lines(behind)
        self._at = found.end()
        return Field(one.rstrip(BLANKS), line), Field(other.rstrip(BLANKS), middle)

    def _next(self) -> Field | None:
        """Return the next field, whatever it is like, and go behind its separator."""
        if self.is_over():
            return None
        line = self.line
        if self._text[self._at] == '"':
            self._at += 1
            text, is_long = self._quoted(line)
        else:
            text, is_long = self._up_to(_END)
            text = text.rstrip(BLANKS)
        self._pass_separator()
        return Field(text[:MOST_KEPT], line, is_long)

    def _quoted(self, line: int) -> tuple[str, bool]:
        """Return the text up to the closing quote, and go behind that."""
        kept = ""
        while True:
            text, _ = self._up_to(_QUOTE)
            if self.is_over():
                raise FileProblem(UNCLOSED, line=line, code="unclosed_quote")
            self._at += 1
            kept = (kept + text)[: MOST_KEPT + 1]
            if self.is_over() or self._text[self._at] != '"':
                return kept, len(kept) > MOST_KEPT
            self._at += 1
            kept = (kept + '"')[: MOST_KEPT + 1]

    def _pass_separator(self) -> None:
        """Go to the next field, or to the end of the list."""
        line = self.line
        self._pass_gap(_SPACE)
        if self.is_over():
            return
        if self._text[self._at] not in ",\r\n":
            raise FileProblem(TRAILING, line=line, code="text_after_quote")
        self._pass_gap(_BLANK)
        if not self.is_over() and self._text[self._at] == ",":
            self._at += 1
            self._pass_gap(_BLANK)

    def _pass_gap(self, other: re.Pattern[str]) -> None:
        """Go to the next character that is something ``other``."""
        while not self.is_over():
            found = other.search(self._text, self._at)
            end = found.start() if found else len(self._text)
            self.line += _lines(self._text[self._at : end])
            self._at = end
            if found:
                return

    def _up_to(self, mark: re.Pattern[str]) -> tuple[str, bool]:
        """Return the text before the next ``mark``, and go there.

        Of a long one it is the beginning, and True; blanks at its end do not make it long.
        """
        kept, rest = "", False
        while not self.is_over():
            found = mark.search(self._text, self._at)
            end = found.start() if found else len(self._text)
            piece = self._text[self._at : end]
            self.line += _lines(piece)
            self._at = end
            room = MOST_KEPT - len(kept)
            kept += piece[:room] if room > 0 else ""
            rest = rest or bool(piece[max(0, room) :].strip(BLANKS))
            if found:
                break
        return (kept.ljust(MOST_KEPT) + "…", True) if rest else (kept, False)

    def _more(self) -> bool:
        """Read on; say whether there is anything."""
        while not self._is_end and self._at == len(self._text):
            self._measure()
            self._text, self._at, self._measured = "", 0, 0
            data = self._stream.read(BLOCK)
            self._is_end = not data
            try:
                text = self._held + self._decoder.decode(data, self._is_end)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode("latin-1")
                line = self.line + _lines(self._held + before)
                raise FileProblem(NOT_UTF8, line=line, code="not_utf8") from None
            # The other half of a line end may follow.
            self._held = "\r" if text.endswith("\r") and not self._is_end else ""
            self._text = text.removesuffix("\r") if self._held else text
        return self._at < len(self._text)

    def _measure(self) -> None:
        """Let the known offset be that of the next character."""
        passed = self._text[self._measured : self._at]
        self._offset += len(passed) if passed.isascii() else len(passed.encode())
        self._measured = self._at


def _lines(text: str) -> int:
    """Return how many lines end in ``text``."""
    if "\r" in text:
        return text.count("\n") + text.count("\r") - text.count("\r\n")
    return text.count("\n")
