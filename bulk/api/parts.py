"""The file in a request, as it comes: a part of a form, or the body itself.

Nothing is put aside on the way: each block goes on to whoever keeps the file. Django's own parser
takes a part without a file name for text, and loses what is not UTF-8; clients send such parts.
Source: Cumulocity REST, bulk new device requests; RFC 7578.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from tenants.api.http import ApiError, validation_error

PART: Final = "file"
CSV_TYPES: Final = frozenset({"text/csv", "text/plain"})
# Of a part. Base64 and the like are deprecated for forms, and no client that we know uses them.
PLAIN_ENCODINGS: Final = frozenset({"", "binary", "7bit", "8bit"})
BLOCK: Final = 64 * 1024  # bytes read at once
MAX_AROUND: Final = 256 * 1024  # bytes of a form that are not the file: other parts, their headers
MAX_PARTS: Final = 16
MAX_BOUNDARY: Final = 200  # characters; RFC 2046 allows 70

PIECES_OF_A_PATH: Final = re.compile(r"[\\/]")


@dataclass(frozen=True)
class Upload:
    """A file on its way in; its blocks can be read once, and end with an error if it is cut off."""

    file_name: str
    blocks: Iterator[bytes]


def read_upload(request: HttpRequest) -> Upload:
    """Return the file that the request brings.

    Raises:
        ApiError: here, or later from the blocks. 400 cut off, or no form; 411 a length is needed;
            413 too large; 415 another media type; 422 no file in the form, or several.
    """
    kind, options = parse_options_header(request.headers.get("Content-Type", ""))
    if kind == "multipart/form-data":
        body = _body(request, settings.BULK_API_MAX_BYTES + MAX_AROUND)
        return _Form(options.get("boundary", ""), body).upload()
    if kind in CSV_TYPES:
        if not request.headers.get("Content-Length"):
            # Nothing else says where it ends: one that was cut off would look like a whole one.
            raise ApiError(
                HTTPStatus.LENGTH_REQUIRED,
                "undefined/lengthRequired",
                "Send the length of the file in the header Content-Length, or send a form.",
            )
        return Upload("", _body(request, settings.BULK_API_MAX_BYTES))
    raise ApiError(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "undefined/unsupportedMediaType",
        f'Send a form (multipart/form-data) with the CSV file in a part named "{PART}".',
    )


def too_large(what: str) -> ApiError:
    """Return the refusal of a file with more than a request may take."""
    return ApiError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "undefined/requestTooLarge",
        f"{what} Register larger files in the console: Register device, Bulk registration.",
    )


def _file_too_large() -> ApiError:
    return too_large(f"The file has more than {settings.BULK_API_MAX_BYTES} bytes.")


def _bad_form(message: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, "undefined/badRequest", message)


def _body(request: HttpRequest, most: int) -> Iterator[bytes]:
    """Yield what the client sends, which is at most so many bytes.

    A body that says it has more is refused before anything of it is read.
    """
    said = request.headers.get("Content-Length", "")
    if said.isascii() and said.isdigit() and int(said[:20]) > most:
        raise _file_too_large()
    # Django reads nothing of a body without a length; this one is left to us as it comes.
    source = request if said else request.META["wsgi.input"]
    length = 0
    try:
        while block := source.read(BLOCK):
            length += len(block)
            if length > most:
                raise _file_too_large()
            yield block
    except OSError as error:
        raise _bad_form("The body did not arrive as a whole. Nothing was registered.") from error


class _Form:
    """A form of which only one part is wanted."""

    def __init__(self, boundary: str, body: Iterator[bytes]) -> None:
        if not 0 < len(boundary) <= MAX_BOUNDARY:
            raise _bad_form("The header Content-Type must say the boundary of the form.")
        self._events = self._parse(boundary, body)
        self._around = 0

    def upload(self) -> Upload:
        """Return the file; what stands before it is passed over."""
        for event in self._events:
            if isinstance(event, MultipartSegment) and event.name == PART:
                return Upload(_file_name(event), self._file(event))
            self._pass_over(event)
        raise validation_error(
            f'The form has no part named "{PART}". Send the CSV file in a part of that name.'
        )

    def _file(self, part: MultipartSegment) -> Iterator[bytes]:
        """Yield the file, and end only when the form has ended as it should."""
        encoding = part.header("Content-Transfer-Encoding", "").strip().lower()
        if encoding not in PLAIN_ENCODINGS:
            raise validation_error(
                "The file is encoded for transfer. Send it as it is, without "
                "Content-Transfer-Encoding."
            )
        for event in self._events:
            if isinstance(event, bytes) and not part.complete:
                if part.bytes_received > settings.BULK_API_MAX_BYTES:
                    raise _file_too_large()
                yield event
            elif isinstance(event, MultipartSegment) and event.name == PART:
                raise validation_error(
                    f'The form has several parts named "{PART}". Send one file at a time.'
                )
            else:
                self._pass_over(event)

    def _pass_over(self, event: MultipartSegment | bytes | None) -> None:
        if isinstance(event, bytes):
            self._around += len(event)
        if self._around > MAX_AROUND:
            raise _bad_form(f"Apart from the file the form has more than {MAX_AROUND} bytes.")

    def _parse(
        self, boundary: str, body: Iterator[bytes]
    ) -> Iterator[MultipartSegment | bytes | None]:
        try:
            # Names of files come in any charset; this one takes all bytes.
            parser = PushMultipartParser(
                boundary, max_segment_count=MAX_PARTS, header_charset="latin-1"
            )
            for block in body:
                yield from parser.parse(block)
        except MultipartError as error:
            raise _bad_form(f"The form in the body cannot be read: {error}.") from error
        try:
            parser.close()
        except MultipartError as error:
            raise _bad_form(
                "The body ends before the last boundary of the form, so that something is missing. "
                "Nothing was registered."
            ) from error


def _file_name(part: MultipartSegment) -> str:
    """Return the name of a file without the path that some clients send along."""
    name = PIECES_OF_A_PATH.split(part.filename or "")[-1]
    with suppress(UnicodeError):  # then it was Latin-1 all right
        name = name.encode("latin-1").decode()
    name = "".join(character for character in name if character.isprintable()).strip()
    return "" if set(name) <= {"."} else name
