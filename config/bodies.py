"""Request bodies as the applications behind may rely on them: with a length, and whole.

The server passes a body on piece by piece, as if it were complete when the client has gone, and
says no length for one that comes in chunks.
"""

import io
from collections.abc import Collection, Iterable, Iterator
from http import HTTPStatus
from typing import Any, Final

from django.core.handlers.wsgi import WSGIRequest

from registration.lane import Application, Environ, StartResponse
from tenants.api.errors import ApiError, family_of, refusal

MAX_CHUNKED_BODY: Final = 4 * 1024 * 1024  # bytes buffered of a body that says no length
BLOCK: Final = 64 * 1024  # bytes read at once


class BodyCutOffError(OSError):
    """The body ended before the length that was announced."""


class ChunkedBodies:
    """Give a body without a length one, because Django reads nothing of it otherwise.

    Whoever answers at a ``streamed`` path reads the body as it comes, and says how much is enough.
    """

    def __init__(self, application: Application, *, streamed: Collection[str] = ()) -> None:
        self.application = application
        self.streamed = streamed

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Buffer the body of a chunked request; refuse one that does not end."""
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        if (
            not chunked
            or environ.get("CONTENT_LENGTH")
            or environ.get("PATH_INFO") in self.streamed
        ):
            return self.application(environ, start_response)
        # In memory: a file of the machine would hold passwords as they are.
        buffer, source = io.BytesIO(), environ["wsgi.input"]
        while block := source.read(BLOCK):
            if buffer.tell() + len(block) > MAX_CHUNKED_BODY:
                return _refuse(
                    environ, start_response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    "The body is too large.",
                )  # fmt: skip
            buffer.write(block)
        environ["CONTENT_LENGTH"] = str(buffer.tell())
        buffer.seek(0)
        environ["wsgi.input"] = buffer
        return self.application(environ, start_response)


class WholeBodies:
    """Refuse a body that ended early: half a form must not be taken for a whole one."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Let the application read the body, and answer 408 if less came than was announced."""
        length = environ.get("CONTENT_LENGTH") or ""
        if not length.isdigit() or length == "0":
            return self.application(environ, start_response)
        environ["wsgi.input"] = _WholeInput(environ["wsgi.input"], int(length))
        try:
            return self.application(environ, start_response)
        except BodyCutOffError:
            return _refuse(
                environ, start_response, HTTPStatus.REQUEST_TIMEOUT, "The body did not arrive.",
                ("Connection", "close"),
            )  # fmt: skip


def _refuse(
    environ: Environ,
    start_response: StartResponse,
    status: HTTPStatus,
    message: str,
    *headers: tuple[str, str],
) -> list[bytes]:
    """Answer before Django could; where an API has its own way to refuse, in that way."""
    content_type, body = "text/plain", f"{message}\n".encode()
    if family_of(environ.get("PATH_INFO") or "") is not None:
        request = WSGIRequest({**environ, "wsgi.input": io.BytesIO()})
        answer = refusal(request, ApiError(status, "undefined/badRequest", message))
        content_type, body = answer["Content-Type"], answer.content
    reason = {413: "Content Too Large"}.get(status, status.phrase)
    start_response(
        f"{status.value} {reason}",
        [
            ("Content-Type", content_type),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            *headers,
        ],
    )
    return [body]


class _WholeInput:
    """A request's body that knows how much of it is still missing."""

    def __init__(self, inner: Any, length: int) -> None:
        self.inner = inner
        self.missing = length

    def read(self, size: int = -1) -> bytes:
        """Return ``size`` bytes, or all.

        Raises:
            BodyCutOffError: there are fewer.
        """
        wanted = self.missing if size < 0 else min(size, self.missing)
        data = b""
        while len(data) < wanted:
            data += self._took(self.inner.read(wanted - len(data)))
        return data

    def readline(self, size: int = -1) -> bytes:
        """Return one line.

        Raises:
            BodyCutOffError: the body ended before its announced length.
        """
        return self._took(self.inner.readline(size)) if self.missing else b""

    def readlines(self, hint: int = -1) -> list[bytes]:
        """Return all lines, whatever the hint."""
        del hint
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _took(self, data: bytes) -> bytes:
        if not data:
            raise BodyCutOffError
        self.missing -= len(data)
        return data
