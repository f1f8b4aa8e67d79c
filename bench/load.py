"""A load generator for the loopback interface: raw sockets, kept open, bounded in time and count.

It must cost less than what it measures, so it builds each request once and reads of an answer
only its status and its length.
"""

import multiprocessing
import re
import socket
import time
from dataclasses import dataclass
from multiprocessing.pool import Pool
from types import TracebackType
from typing import Final, Self

PROCESSES: Final = 2
SOCKETS: Final = 4  # per process; each has one request on its way
MAX_REQUESTS = 200_000  # per process and run
TIMEOUT = 30.0  # seconds for one answer
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Order:
    """What one process is to send, to whom, for how long."""

    port: int
    requests: tuple[bytes, ...]
    status: int  # the only one that counts as an answer
    seconds: float
    sockets: int = SOCKETS
    processes: int = PROCESSES


class WrongAnswerError(Exception):
    """The server answered something else than what is being measured."""


class Generator:
    """Processes that send requests on command."""

    def __enter__(self) -> Self:
        self.pool: Pool = multiprocessing.get_context("spawn").Pool(PROCESSES)
        self.pool.map(_nothing, range(PROCESSES))
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        self.pool.terminate()
        self.pool.join()

    def rate(self, order: Order) -> tuple[float, int]:
        """Run ``order`` in its processes; return answers per second, and how many there were."""
        results = self.pool.map(send, [order] * order.processes, chunksize=1)
        return sum(count / seconds for count, seconds in results), sum(c for c, _ in results)


def _nothing(_number: int) -> None:
    """Make the pool start its processes before anything is measured."""


def send(order: Order) -> tuple[int, float]:
    """Send requests until the time is over; return how many were answered, and in how long."""
    expected = b"HTTP/1.1 %d " % order.status
    lines = []
    try:
        for _ in range(order.sockets):
            line = socket.create_connection(("127.0.0.1", order.port), TIMEOUT)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            lines.append(line)
        count, turn = 0, 0
        started = time.perf_counter()
        for line in lines:
            line.sendall(order.requests[turn % len(order.requests)])
            turn += 1
        while True:
            going_on = time.perf_counter() - started < order.seconds and count < MAX_REQUESTS
            for line in lines:
                _read(line, expected)
                count += 1
                if going_on:
                    line.sendall(order.requests[turn % len(order.requests)])
                    turn += 1
            if not going_on:
                return count, time.perf_counter() - started
    finally:
        for line in lines:
            line.close()


def _read(line: socket.socket, expected: bytes) -> None:
    """Read one whole answer."""
    received = line.recv(262_144)
    while (end := received.find(b"\r\n\r\n")) < 0:
        more = line.recv(262_144)
        if not more:
            raise WrongAnswerError("The server hung up.")
        received += more
    if not received.startswith(expected):
        raise WrongAnswerError(received[:400].decode(errors="replace"))
    found = _LENGTH.search(received, 0, end)
    if found is None:
        raise WrongAnswerError("The answer does not say its length.")
    missing = end + 4 + int(found[1]) - len(received)
    while missing > 0:
        block = line.recv(min(missing, 262_144))
        if not block:
            raise WrongAnswerError("The server hung up.")
        missing -= len(block)


def request(
    method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> bytes:
    """Return a request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
