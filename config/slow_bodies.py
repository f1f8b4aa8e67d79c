"""A client that stops in the middle of its body must not stop everybody else.

The server hands a request to one of a worker's threads as soon as its headers are there. Reading
the body then holds that thread for as long as the client likes; devices on bad radio do so
without meaning harm, and a handful would silence the server. It has no time limit for bodies and
no way to take one back, so the connection is hung up underneath it: the reader then learns that
the client is gone, and the thread is free.
"""

import os
import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from registration.lane import Application, Environ, StartResponse

PATIENCE: Final = 10.0  # seconds without a byte while somebody waits for one
LEAST_PATIENCE: Final = 2.0  # seconds, when every thread of the worker waits
LOOK_EVERY: Final = 0.5  # seconds
# In Linux' struct tcp_info: milliseconds since data came; a 32-bit number after 8 + 11 * 4 bytes.
LAST_DATA_RECEIVED: Final = struct.Struct("=52xI")


class BodyCutOffError(OSError):
    """The body ended before the length that was announced."""


class SlowBodies:
    """A WSGI application in front of another one, which watches how long bodies take."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.waiting: dict[int, tuple[float, str]] = {}  # by thread: since when, for which address
        self.watch: threading.Thread | None = None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Let the application read the body, and answer 408 if it fails because none came."""
        length = environ.get("CONTENT_LENGTH") or ""
        if length in {"", "0"} and "HTTP_TRANSFER_ENCODING" not in environ:
            return self.application(environ, start_response)
        if self.watch is None:  # not before: threads do not survive the fork of a worker
            self.watch = threading.Thread(target=self._watch, daemon=True)
            self.watch.start()
        environ["wsgi.input"] = _Input(
            environ["wsgi.input"],
            self.waiting,
            environ.get("REMOTE_ADDR", ""),
            int(length) if length.isdigit() else None,
        )
        try:
            return self.application(environ, start_response)
        except BodyCutOffError:
            headers = [("Content-Type", "text/plain"), ("Connection", "close")]
            start_response("408 Request Timeout", headers)
            return [b"The body did not arrive.\n"]

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_EVERY)
            if self.waiting:
                hang_up_on(*self._overdue(), port=settings.PORT)

    def _overdue(self) -> tuple[set[str], float]:
        """Return whose bodies are overdue, and the patience that they have used up."""
        waiting = list(self.waiting.values())
        patience = PATIENCE if len(waiting) < settings.THREADS else LEAST_PATIENCE
        limit = time.monotonic() - patience
        return {address for since, address in waiting if since <= limit}, patience


class _Input:
    """A request's body, which says when somebody waits for it and when it was cut off."""

    def __init__(
        self, inner: Any, waiting: dict[int, tuple[float, str]], address: str, length: int | None
    ) -> None:
        self.inner = inner
        self.waiting = waiting
        self.address = address
        self.missing = length

    def read(self, size: int = -1) -> bytes:
        """Return ``size`` bytes, or all.

        Raises:
            BodyCutOffError: there are fewer; half a form must not be taken for a whole one.
        """
        if self.missing is None:
            return self._take(self.inner.read, size)
        wanted = self.missing if size < 0 else min(size, self.missing)
        data = b""
        while len(data) < wanted:
            data += self._take(self.inner.read, wanted - len(data))
        return data

    def readline(self, size: int = -1) -> bytes:
        """Return one line."""
        return self._take(self.inner.readline, size)

    def readlines(self, hint: int = -1) -> list[bytes]:
        """Return all lines, whatever the hint."""
        del hint
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _take(self, step: Any, size: int) -> bytes:
        thread = threading.get_ident()
        self.waiting[thread] = time.monotonic(), self.address
        try:
            data: bytes = step(size)
        finally:
            del self.waiting[thread]
        if self.missing is not None:
            self.missing -= len(data)
            if not data and size and self.missing > 0:
                raise BodyCutOffError
        return data


def hang_up_on(addresses: set[str], patience: float, *, port: int) -> None:
    """Shut connections from ``addresses`` to our ``port`` that were silent for so many seconds.

    Which of an address's connections is the stalled one cannot be told from here. The others that
    are just as silent carry nothing: they are idle, and clients are used to losing those.
    """
    for descriptor in _descriptors() if addresses else ():
        # A copy refers to the same connection, even if the number is given to another meanwhile.
        with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as connection:
            if (
                connection.type == socket.SOCK_STREAM
                and connection.family in {socket.AF_INET, socket.AF_INET6}
                and connection.getsockname()[1] == port  # and not to a database, say
                and connection.getpeername()[0] in addresses
                and _silence(connection) >= patience
            ):
                connection.shutdown(socket.SHUT_RDWR)


def _descriptors() -> list[int]:
    """Return this process's open files; none where the system is not Linux."""
    try:
        return [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]
    except OSError:
        return []


def _silence(connection: socket.socket) -> float:
    """Return for how many seconds nothing has come in."""
    information = connection.getsockopt(
        socket.IPPROTO_TCP, socket.TCP_INFO, LAST_DATA_RECEIVED.size
    )
    milliseconds: int = LAST_DATA_RECEIVED.unpack(information)[0]
    return milliseconds / 1000
