"""One row split into its cells.

A cell is quoted if it begins with a double quote; within it, a delimiter and a line break are
text, and two double quotes are one. Anywhere else a quote is a character like others: there are
clients that write passwords as they are.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

MAX_ROW: Final = 65_536  # characters of a row
MAX_ROW_LINES: Final = 100  # physical lines that a row with quotes can go over
BLANKS: Final = " \t\u00a0\u3000"
UNCLOSED: Final = (
    "A cell begins with a double quote and has no closing one. Close it, or leave it out."
)
TRAILING: Final = (
    "There is text behind the closing quote of a cell. A quote within a quoted cell is doubled."
)


class Row(NamedTuple):
    """The cells of a row; unquoted ones without the blanks around them."""

    cells: list[str]
    quoted: frozenset[int]  # positions of the quoted ones
    after: int  # the line behind it, as an index


class LongLine(str):
    """The beginning of a physical line that is longer than a row can be."""

    __slots__ = ()


class QuoteProblem(Exception):  # noqa: N818 - a finding about the file
    """A quoted cell that has no end, or something behind it."""


class MoreLinesNeeded(Exception):  # noqa: N818 - a question, not an error
    """The row may go on in lines that have not been read yet."""


def split(lines: Sequence[str], start: int, delimiter: str, *, is_end: bool = True) -> Row:
    """Return the row that begins at ``lines[start]``; ``is_end`` says that no more lines follow.

    Raises:
        QuoteProblem: its quotes make no sense.
        MoreLinesNeeded: there may be more of it.
    """
    line = lines[start]
    if '"' not in line:
        return Row([cell.strip(BLANKS) for cell in line.split(delimiter)], frozenset(), start + 1)
    cells: list[str] = []
    quoted: set[int] = set()
    index, at, blanks = start, 0, BLANKS.replace(delimiter, "")
    while True:
        begin = at
        while at < len(line) and line[at] in blanks:
            at += 1
        if line[at : at + 1] == '"':
            text, index, at = _quoted(lines, index, at + 1, start, is_end=is_end)
            line = lines[index]
            quoted.add(len(cells))
            cells.append(text)
            end = line.find(delimiter, at)
            rest = line[at:] if end < 0 else line[at:end]
            if rest.strip(BLANKS):
                raise QuoteProblem(TRAILING)
        else:
            end = line.find(delimiter, begin)
            cells.append((line[begin:] if end < 0 else line[begin:end]).strip(BLANKS))
        if end < 0:
            return Row(cells, frozenset(quoted), index + 1)
        at = end + 1


def _quoted(
    lines: Sequence[str], index: int, at: int, start: int, *, is_end: bool
) -> tuple[str, int, int]:
    """Return the text of a quoted cell, and the line and the place behind its closing quote."""
    pieces: list[str] = []
    size = 0
    line = lines[index]
    while True:
        end = line.find('"', at)
        if end < 0:
            pieces.append(line[at:])
            pieces.append("\n")
            index, at, size = index + 1, 0, size + len(line)
            if index - start >= MAX_ROW_LINES or size > MAX_ROW:
                raise QuoteProblem(UNCLOSED)
            if index >= len(lines):
                if is_end:
                    raise QuoteProblem(UNCLOSED)
                raise MoreLinesNeeded
            line = lines[index]
            if isinstance(line, LongLine):
                raise QuoteProblem(UNCLOSED)
        elif line[end + 1 : end + 2] == '"':
            pieces.append(line[at : end + 1])
            at = end + 2
        else:
            pieces.append(line[at:end])
            return "".join(pieces), index, end + 1
