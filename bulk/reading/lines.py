"""The physical lines of a file, a block at a time, and where in the file they are."""

import codecs
from typing import BinaryIO, Final

from bulk.reading.cells import MAX_ROW, LongLine
from bulk.reading.dialect import NEWLINES, Dialect
from bulk.reading.results import Position

BLOCK: Final = 262_144  # bytes read at once
HEAD: Final = 2_000  # characters that are kept of a line that is too long
LOST: Final = "\udcff"  # what half a character at the end of the file becomes


class Lines:
    """Some lines of a file at a time, without what they end with.

    ``number`` is that of the first one; a line that is too long is a :class:`LongLine`, which has
    an unprintable character at its end, so that nobody takes it for one that is fine.
    """

    def __init__(self, stream: BinaryIO, dialect: Dialect, start: Position) -> None:
        self.lines: list[str] = []
        self.number = start.line
        self.is_end = False
        self.blocks = 0  # read so far
        self._stream, self._dialect = stream, dialect
        self._newline = NEWLINES[dialect.newline]
        self._decoder = codecs.getincrementaldecoder(dialect.encoding)(dialect.errors)
        self._raw: list[str] = []  # the lines as they are in the file
        self._long: dict[int, int] = {}  # sizes of the lines that are too long
        self._rest = ""  # of the block: the beginning of a line
        self._offset = start.offset  # of the line ``_measured``
        self._measured = 0
        self._is_open = False  # the last line of the file has no end
        stream.seek(start.offset)

    def position(self, index: int, *, row: int) -> Position:
        """Return where ``lines[index]`` begins; ``row`` rows of data are before it."""
        self._measure(index)
        lacks = (
            self._dialect.size(self._newline) if self._is_open and index == len(self._raw) else 0
        )
        return Position(self._offset - lacks, self.number + index, row)

    def more(self, done: int) -> bool:
        """Forget the first ``done`` lines and read on; say whether anything was read."""
        if self.is_end:
            return False
        self._measure(done)
        self.number += done
        self.lines, self._raw, self._measured = self.lines[done:], self._raw[done:], 0
        self._long = {index - done: size for index, size in self._long.items() if index >= done}
        text = self._rest + self._read()
        raw = text.split(self._newline)
        self._rest = raw.pop()
        if self.is_end and self._rest:
            raw.append(self._rest)
            self._rest, self._is_open = "", True
        self._add(raw, text)
        if len(self._rest) > MAX_ROW:
            self._pass_over()
        return True

    def _read(self) -> str:
        """Return the next block as text; at the end of the file, whatever is left."""
        data = self._stream.read(BLOCK)
        self.blocks += 1
        if data:
            return self._decoder.decode(data)
        self.is_end = True
        try:
            return self._decoder.decode(b"", True)
        except UnicodeDecodeError:
            return LOST

    def _add(self, raw: list[str], text: str) -> None:
        """Take the lines of ``text``; what is left of other kinds of line ends is taken off."""
        clean = list(raw)
        if self._newline == "\n" and "\r" in text:
            clean = [line.removesuffix("\r") for line in raw]
        elif self._newline == "\r" and "\n" in text:
            clean = [line.removeprefix("\n") for line in raw]
        if raw and max(map(len, raw)) > MAX_ROW:
            for index, line in enumerate(raw):
                if len(line) > MAX_ROW:
                    self._long[len(self._raw) + index] = self._dialect.size(line)
                    clean[index] = LongLine(line[:HEAD] + "\n")
                    raw[index] = ""
        self.lines += clean
        self._raw += raw

    def _pass_over(self) -> None:
        """Read to the end of a line that is too long, holding a block of it at most."""
        head, size = self._rest[:HEAD], self._dialect.size(self._rest)
        self._rest = ""
        while not self.is_end:
            text = self._read()
            end = text.find(self._newline)
            size += self._dialect.size(text if end < 0 else text[:end])
            if end >= 0:
                self._rest = text[end + 1 :]
                break
        else:
            self._is_open = True
        self._long[len(self._raw)] = size
        self._raw.append("")
        self.lines.append(LongLine(head + "\n"))
        if self._newline in self._rest:
            raw = self._rest.split(self._newline)
            self._rest = raw.pop()
            self._add(raw, text)

    def _measure(self, index: int) -> None:
        """Move the known offset on to ``lines[index]``."""
        if index > self._measured:
            passed = self._raw[self._measured : index]
            self._offset += self._dialect.size(self._newline.join(passed) + self._newline)
            for number, size in self._long.items():
                if self._measured <= number < index:
                    self._offset += size
            self._measured = index
