"""Services that register devices, as the suite plays them: on a real socket, well or badly."""

import json
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field

METADATA = {
    "c8y_DeviceRegistration": {
        "title": "LoRa device",
        "description": "Joins by OTAA",
        "pages": [
            {"type": "object", "title": "Device", "required": ["devEUI"],
             "properties": {"devEUI": {"type": "string", "title": "Device EUI"}}},
            {"type": "object", "title": "Keys", "properties": {"appKey": {"type": "string"}}},
        ],
        "bulk": {
            "title": "LoRa devices",
            "exampleFileUrls": [
                {"title": "Few", "description": "Three devices",
                 "url": "/service/lora/examples/few.csv"}
            ],
        },
    }
}  # fmt: skip


def answer(status=200, body=b"{}", content_type="application/json", **headers):
    """Return an HTTP answer as it goes over the wire; what is no text becomes JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Type: {content_type}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode() + content


@dataclass
class Request:
    """What a service was asked: ``head`` are its lines, headers by their small names."""

    line: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Service:
    """A service on this machine; ``behave`` takes a connection and the request, and answers."""

    behave: object = None
    context: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._serve)]
        self.threads[0].start()

    def says(self, raw):
        """Answer every request with the same bytes."""
        self.behave = lambda connection, _: connection.sendall(raw)
        return self

    def close(self):
        self.over.set()
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(timeout=10)

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._talk, args=(connection,))
            self.threads.append(thread)
            thread.start()

    def _talk(self, connection):
        connection.settimeout(10)
        with suppress(OSError), connection:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection:
                request = read_request(connection)
                self.requests.append(request)
                self.behave(connection, request)
                if not isinstance(connection, ssl.SSLSocket):
                    # What was not read would make the end a reset.
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass


def read_request(connection):
    """Read a request to its end."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        piece = connection.recv(65536)
        if not piece:
            raise OSError
        raw += piece
    head, _, body = raw.partition(b"\r\n\r\n")
    line, *rest = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in rest)}
    request = Request(line, headers, body)
    while len(request.body) < int(headers.get("content-length", 0)):
        request.body += connection.recv(65536)
    return request
