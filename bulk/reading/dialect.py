"""How a file is written: found out while it is received, without keeping it."""

import codecs
import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Final

from bulk.reading.cells import BLANKS, QuoteProblem, split
from bulk.reading.problems import FileProblem
from ui.csv_export import unguarded

MAX_HEADER: Final = 262_144  # bytes of the line that names the columns
DELIMITERS: Final = {";": "semicolons", ",": "commas", "\t": "tabs"}
NEWLINES: Final = {"LF": "\n", "CRLF": "\n", "CR": "\r"}  # what lines are split at
_ENCODINGS: Final = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16 (little-endian)",
    "utf-16-be": "UTF-16 (big-endian)",
    "cp1252": "Windows-1252",
}
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LOOKED_AT: Final = 8  # bytes in which UTF-16 without a mark is obvious: ID;P or "ID"
_SAVE_AS: Final = "Open it in the spreadsheet program and save it as “CSV UTF-8”."
_KNOWN_BINARIES: Final = (
    (b"PK\x03\x04", f"This is a workbook or a ZIP archive, not a CSV file. {_SAVE_AS}"),
    (b"\xd0\xcf\x11\xe0", f"This is a workbook, not a CSV file. {_SAVE_AS}"),
    (b"\x1f\x8b", "This file is compressed. Unpack it first."),
)
_SEPARATOR_LINE: Final = re.compile(r'"?sep=([;,\t])"?', re.IGNORECASE)  # a habit of Excel
_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_NAMES: Final = {"\n": "LF", "\r\n": "CRLF", "\r": "CR"}
_AROUND: Final = BLANKS + "\ufeff"  # some programs write the byte order mark twice
_NO_TEXT: Final = "This is not a text file: there is a NUL byte in it. Save the list as CSV."


@dataclass(frozen=True)
class Dialect:
    """How a file is written; ``bom`` counts the bytes of its byte order mark."""

    encoding: str
    bom: int
    delimiter: str
    newline: str

    def as_dict(self) -> dict[str, Any]:
        """Return the dialect as JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Dialect":
        """Return the dialect that :meth:`as_dict` wrote down."""
        return cls(data["encoding"], data["bom"], data["delimiter"], data["newline"])

    def label(self) -> str:
        """Return the dialect in words."""
        return (
            f"{_ENCODINGS[self.encoding]}, separated by {DELIMITERS[self.delimiter]}, lines end "
            f"with {self.newline}"
        )

    @property
    def errors(self) -> str:
        """Return what becomes of bytes that are no text: characters that no cell can hold."""
        return "surrogatepass" if self.encoding.startswith("utf-16") else "surrogateescape"

    def size(self, text: str) -> int:
        """Return how many bytes of the file ``text`` was."""
        if self.encoding == "cp1252":
            return len(text)
        if self.encoding == "utf-8":
            return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))
        return len(text.encode(self.encoding, "surrogatepass"))


class Detector:
    """Finds the dialect of a file that comes by in blocks; of these only the header is kept."""

    def __init__(self) -> None:
        self._lead = bytearray()  # the first bytes, until there are enough of them to look at
        self._head = bytearray()  # what there is of the header, until it is complete
        self._blank = 0  # bytes of blank lines before it
        self._encoding = ""
        self._bom = 0
        self._decoder: codecs.IncrementalDecoder | None = None  # as long as it proves right
        self._is_within = False  # a character that goes on in the next block
        self._has_letters = False  # beyond ASCII; they were valid so far
        self._passed: Counter[str] = Counter()  # ends of lines of both kinds
        self._delimiter = self._newline = ""

    def feed(self, block: bytes) -> None:
        """Look at the next block of the file.

        Raises:
            FileProblem: it is no CSV file.
        """
        if not self._encoding:
            self._lead += block
            if len(self._lead) < _LOOKED_AT:
                return
            block = self._start()
        self._take(block)

    def finish(self) -> Dialect:
        """Return the dialect of the file that has been fed.

        Raises:
            FileProblem: it is empty, or no CSV file.
        """
        if not self._encoding:
            self._take(self._start())
        self._decode(b"", is_end=True)
        if not self._newline:
            self._find_header(is_end=True)
        if not self._newline:
            raise FileProblem("The file is empty.", line=1)
        return Dialect(self._encoding, self._bom, self._delimiter, self._newline)

    def _start(self) -> bytes:
        """Tell the encoding, as far as the first bytes do; return them without their mark."""
        lead, self._lead = bytes(self._lead), bytearray()
        for magic, message in _KNOWN_BINARIES:
            if lead.startswith(magic):
                raise FileProblem(message, line=1)
        for mark, encoding in _BOMS:
            if lead.startswith(mark):
                self._encoding, self._bom = encoding, len(mark)
        self._encoding = self._encoding or _unmarked(lead[:_LOOKED_AT])
        self._decoder = codecs.getincrementaldecoder(self._encoding)()
        return lead[self._bom :]

    def _take(self, block: bytes) -> None:
        is_wide = self._encoding.startswith("utf-16")
        text = self._decode(block) if is_wide else ""
        nul = text.find("\0") if is_wide else block.find(b"\0")
        if nul >= 0:
            before = text[:nul] if is_wide else block[:nul].decode("latin-1")
            raise FileProblem(_NO_TEXT, line=self._line(before))
        if not is_wide and (self._is_within or not block.isascii()):
            self._decode(block)
        if not self._newline:
            self._head += block
            if b"\n" in block or b"\r" in block or self._ends_with_cr(block):
                self._find_header()
            if self._blank + len(self._head) > MAX_HEADER:
                msg = f"The first line names the columns; it can have at most {MAX_HEADER:,} bytes."
                raise FileProblem(msg, line=self._line())
        for end in "\n\r":
            self._passed[end] += text.count(end) if is_wide else block.count(end.encode())

    def _ends_with_cr(self, block: bytes) -> bool:
        """Say whether a line may have ended right before ``block``."""
        return b"\r" in self._head[-len(block) - 2 :]

    def _decode(self, block: bytes, *, is_end: bool = False) -> str:
        """Return the text of ``block`` if the encoding is right; else say or find out."""
        if self._decoder is None:
            return ""
        try:
            text = self._decoder.decode(block, is_end)
        except UnicodeDecodeError as error:
            before = error.object[: error.start]
            if self._encoding == "utf-8" and not (
                self._bom or self._has_letters or not before.isascii()
            ):
                self._encoding, self._decoder, self._is_within = "cp1252", None, False
                return ""
            wide = "" if self._encoding == "utf-8" else self._encoding
            line = self._line(before.decode(wide or "latin-1", "replace"))
            msg = (
                f"The file begins as {_ENCODINGS[self._encoding]}, and this line is something "
                "else. Save the whole list as “CSV UTF-8”."
            )
            raise FileProblem(msg, line=line) from None
        self._has_letters = self._has_letters or not text.isascii()
        self._is_within = bool(self._decoder.getstate()[0])
        return text

    def _line(self, before: str = "") -> int:
        """Return the number of the line in which the present block is, behind ``before``."""
        lf, cr = (self._passed[end] + before.count(end) for end in "\n\r")
        return 1 + (cr if self._newline == "CR" else lf or cr * (not self._newline))

    def _find_header(self, *, is_end: bool = False) -> None:
        """Look for the header in what there is; blank lines before it are forgotten."""
        is_wide = self._encoding.startswith("utf-16")
        encoding, errors = (self._encoding, "ignore") if is_wide else ("utf-8", "surrogateescape")
        head = self._head.decode(encoding, errors)
        at = 0
        while not self._newline:
            found = _LINE_END.search(head, at)
            if found is None and (not is_end or at >= len(head)):
                break
            if found and found[0] == "\r" and found.end() == len(head) and not is_end:
                break  # the other half of CRLF may follow
            line = head[at : found.start()] if found else head[at:]
            if separator := _SEPARATOR_LINE.fullmatch(line.strip(_AROUND)):
                self._delimiter = separator[1]
            elif line.strip(_AROUND):
                self._delimiter = self._delimiter or _delimiter_of(line)
                self._newline = _NAMES[found[0] if found else "\n"]
                self._head, self._blank = bytearray(), 0
                return
            at = found.end() if found else len(head)
        blank = len(head[:at].encode(encoding, errors))
        self._blank += blank
        del self._head[:blank]


def _unmarked(lead: bytes) -> str:
    """Return the encoding of a file without a mark: in UTF-16 every other byte of names is 0."""
    even, odd = lead[0::2], lead[1::2]
    if len(odd) >= 2:
        if not any(odd) and all(even):
            return "utf-16-le"
        if not any(even) and all(odd):
            return "utf-16-be"
    return "utf-8"


def header_names(line: str, delimiter: str) -> list[str]:
    """Return the names in the header; quotes that make no sense are left out.

    A guard of our own is taken off.
    """
    try:
        cells = split([line], 0, delimiter).cells
    except QuoteProblem:
        cells = [cell.strip(BLANKS + '"') for cell in line.split(delimiter)]
    return [unguarded(cell).strip(BLANKS) for cell in cells]


def _delimiter_of(line: str) -> str:
    """Return what separates the names in the header: what sets ID apart, and is there most."""

    def score(delimiter: str) -> tuple[bool, int]:
        names = header_names(line.lstrip(_AROUND), delimiter)
        return any(name.upper() == "ID" for name in names), len(names)

    return max(DELIMITERS, key=score)


def is_separator_line(line: str) -> bool:
    """Say whether this is Excel's note of the delimiter, which stands before the header."""
    return _SEPARATOR_LINE.fullmatch(line.strip(_AROUND)) is not None
