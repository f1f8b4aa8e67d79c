"""Calling a service: to a checked address, in bounded time, for a bounded answer.

No redirects, no proxies, no cookies and nothing compressed. Whatever goes wrong is a
:class:`CallError` with a sentence for whoever looks after the extension.
"""

import ssl
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import Condition
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore
from django.conf import settings

from extensions.addresses import AddressError, checked_addresses, is_public

OPERATION: Final = 10.0  # seconds that connecting, or one write, may take
PATIENCE: Final = 2.0  # seconds that a call waits for its turn
NOT_IN_CLEAR: Final = (
    "Use https://. Without it, whoever stands on the way could read what is sent; only an address "
    "of a private network may do without."
)


class CallError(Exception):
    """A call that did not work; the message says why, and is text from anywhere."""


class BusyError(CallError):
    """Nobody was called, as too many calls of ours are under way."""


@dataclass(frozen=True)
class Target:
    """Where a service is: below ``base_url``, an address that :func:`check_url` took."""

    base_url: str
    allows_private: bool = False


class Turns:
    """Who is calling now: only so many at once, and for one tenant only some of them."""

    def __init__(self, all_together: int, for_one: int) -> None:
        self.all_together, self.for_one = all_together, for_one
        self.taken: Counter[str] = Counter()
        self._changed = Condition()

    @contextmanager
    def turn(self, party: str) -> Iterator[None]:
        """Wait a little for a turn, and hold it.

        Raises:
            BusyError: too many calls are under way.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_free_for(party), PATIENCE):
                raise BusyError("Too many calls are under way. Try again in a moment.")
            self.taken[party] += 1
        try:
            yield
        finally:
            with self._changed:
                self.taken[party] -= 1
                self.taken += Counter()  # forgets those who have none
                self._changed.notify_all()

    def _is_free_for(self, party: str) -> bool:
        return self.taken.total() < self.all_together and self.taken[party] < self.for_one


TURNS: Final = Turns(settings.EXTENSION_CALLS, settings.EXTENSION_CALLS_FOR_TENANT)


@dataclass(frozen=True)
class Answer:
    """What a service said."""

    status: int
    media_type: str
    body: bytes


def check_url(url: str, *, allows_private: bool) -> str:
    """Return ``url`` as the base of a service's addresses, without a slash at its end.

    Raises:
        CallError: it cannot be one.
    """
    if not url.isascii() or not url.isprintable() or any(one in url for one in ' \\"<>^`{|}'):
        msg = "Write the URL in ASCII; a host in another script is written as xn--…"
        raise CallError(msg)
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise CallError("This is no URL.") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise CallError("Write the URL with https:// and a host.")
    if parts.scheme == "http" and not allows_private:
        raise CallError(NOT_IN_CLEAR)
    if parts.username is not None or parts.password is not None:
        raise CallError("Take the user and the password out of the URL; there is a shared secret.")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise CallError("Take out of the URL what follows the path (? and #).")
    if port == 0 or any(piece in {".", ".."} for piece in parts.path.split("/")):
        raise CallError("This is no URL.")
    # Its scheme in small letters, as all that decides by it compares them.
    return (parts.scheme + url[len(parts.scheme) :]).rstrip("/")


def call(
    target: Target,
    method: str,
    path: str,
    *,
    party: str,
    headers: Mapping[str, str],
    content: bytes | Iterator[bytes] | None = None,
    most: int,
    seconds: float,
) -> Answer:
    """Send a request to ``path`` below the target's base, and return what it says.

    ``party`` is the tenant in whose name this is, ``most`` the bytes that an answer may have, and
    ``seconds`` are for everything together.

    Raises:
        CallError: there is no answer to work with.
    """
    with TURNS.turn(party), _open(target, method, path, headers, content, seconds) as response:
        body = bytearray()
        for piece in response.iter_stream():
            body += piece
            if len(body) > most:
                raise CallError(f"The answer is too long: more than {most:,} bytes.")
        return Answer(response.status, _media_type(response), bytes(body))


@contextmanager
def _open(
    target: Target,
    method: str,
    path: str,
    headers: Mapping[str, str],
    content: bytes | Iterator[bytes] | None,
    seconds: float,
) -> Iterator[httpcore.Response]:
    url = check_url(target.base_url, allows_private=target.allows_private) + path
    clock = _Clock(seconds)
    backend = _Backend(
        clock, allows_private=target.allows_private, is_plain=url.startswith("http:")
    )
    every = {"Accept-Encoding": "identity", "Connection": "close", **headers}
    limits = dict.fromkeys(("connect", "write", "read", "pool"), OPERATION)
    with (
        _translated(),
        httpcore.ConnectionPool(
            ssl_context=_ssl_context(), max_connections=1, network_backend=backend
        ) as pool,
        pool.stream(
            method,
            url,
            headers=list(every.items()),
            content=content,
            extensions={"timeout": limits},
        ) as response,
    ):
        if 300 <= response.status < 400:
            msg = f"It redirects (status {response.status}), which is not followed."
            raise CallError(msg)
        yield response


@contextmanager
def _translated() -> Iterator[None]:
    """Say what went wrong in a sentence."""
    try:
        yield
    except AddressError as error:
        raise CallError(str(error)) from error
    except httpcore.TimeoutException as error:
        raise CallError("It took too long to answer.") from error
    except httpcore.ConnectError as error:
        if isinstance(error.__context__, ssl.SSLError):
            msg = "The connection cannot be trusted: its certificate is not valid for this host."
            raise CallError(msg) from error
        raise CallError("Nobody answers there.") from error
    except httpcore.ProtocolError as error:
        raise CallError("What answers there does not speak HTTP.") from error
    except (httpcore.NetworkError, OSError) as error:
        raise CallError("The connection broke.") from error


@cache
def _ssl_context() -> ssl.SSLContext:
    # The system's authorities, as an own one may have been added there.
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _media_type(response: httpcore.Response) -> str:
    for name, value in response.headers:
        if name.lower() == b"content-type":
            return str(value.decode("latin-1").partition(";")[0].strip().lower())
    return ""


class _Clock:
    """How long a call may still take."""

    def __init__(self, seconds: float) -> None:
        self.until: float = time.monotonic() + seconds

    def left(self, most: float | None) -> float:
        """Return the seconds that the next step may take."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("The time is over.")
        return left if most is None else min(most, left)


class _Backend(httpcore.NetworkBackend):
    """Connects to addresses that were checked, and to nothing else."""

    def __init__(self, clock: _Clock, *, allows_private: bool, is_plain: bool) -> None:
        self.clock, self.allows_private, self.is_plain = clock, allows_private, is_plain
        self.plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the host's addresses that answers."""
        addresses = checked_addresses(
            host.strip("[]"),
            port,
            allows_private=self.allows_private,
            timeout=self.clock.left(timeout),
        )
        if self.is_plain and any(is_public(address) for address in addresses):
            raise AddressError(NOT_IN_CLEAR)
        problem: Exception = httpcore.ConnectError("It has no address.")
        for address in addresses:
            try:
                stream = self.plain.connect_tcp(
                    str(address), port, self.clock.left(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
            else:
                return _Timed(stream, self.clock)
        raise problem


class _Timed(httpcore.NetworkStream):
    """A connection whose steps end when the call's time does, however little trickles in."""

    def __init__(self, stream: httpcore.NetworkStream, clock: _Clock) -> None:
        self.stream, self.clock = stream, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        """Return what comes next; a service may think until the call's time is over."""
        return self.stream.read(max_bytes, self.clock.left(None))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send, as long as the other side takes it."""
        # Piece by piece, so that one who takes a byte now and then does not go on for ever.
        connection = self.stream.get_extra_info("socket")
        rest = memoryview(buffer)
        try:
            while rest:
                connection.settimeout(self.clock.left(timeout))
                rest = rest[connection.send(rest) :]
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self.stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Speak TLS from now on, with the host by its name."""
        inner = self.stream.start_tls(ssl_context, server_hostname, self.clock.left(timeout))
        return _Timed(inner, self.clock)

    def get_extra_info(self, info: str) -> Any:
        """Return what the connection itself knows."""
        return self.stream.get_extra_info(info)
