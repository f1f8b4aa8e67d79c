"""An answer that is lost on the way, wherever the line breaks: the device asks again."""

import contextlib
import socket
import struct
import threading
import uuid

import pytest
import requests

from tests.e2e.conftest import Remote

CUTS = ["in-the-request", "before-the-answer", "after-the-headers", "in-mid-body", "after-the-body"]


class CuttingProxy:
    """A line to the server that breaks at a chosen moment of its first request."""

    def __init__(self, upstream, cut):
        self.upstream, self.cut = upstream, cut
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.thread.join()
        self.listener.close()

    def serve(self):
        client, _ = self.listener.accept()
        with client, socket.create_connection(("127.0.0.1", self.upstream)) as server:
            request = read_message(client)
            if self.cut == "in-the-request":
                server.sendall(request[:-5])
            else:
                server.sendall(request)
                # The whole answer is awaited, so that the server has done its part for sure.
                answer = read_message(server)
                client.sendall(self.part_of(answer))
            # A hard end: what is not yet read on the other side is thrown away.
            for line in (client, server):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def part_of(self, answer):
        end_of_headers = answer.index(b"\r\n\r\n") + 4
        body = len(answer) - end_of_headers
        return {
            "before-the-answer": b"",
            "after-the-headers": answer[:end_of_headers],
            "in-mid-body": answer[: end_of_headers + body // 2],
            "after-the-body": answer,
        }[self.cut]


def read_message(line):
    """Read an HTTP message that says its length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += line.recv(65536)
    headers, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(header.partition(b":")[2])
        for header in headers.split(b"\r\n")
        if header.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += line.recv(65536)
    return headers + b"\r\n\r\n" + body


@pytest.mark.parametrize("cut", CUTS)
def test_device_whose_answer_was_lost_gets_a_working_password(cut, server, admin, device, log_in):
    device_id = f"lost-{uuid.uuid4().hex}"
    admin.register(device_id)
    assert device.poll(device_id).status_code == 404
    admin.accept(device_id)
    first = None
    with CuttingProxy(server.port, cut) as proxy:
        through = Remote(f"http://127.0.0.1:{proxy.port}", device.login)
        with contextlib.suppress(requests.RequestException):
            first = through.poll(device_id)
    again = device.poll(device_id)
    assert again.status_code == 201
    if first is not None:
        assert first.json()["password"] == again.json()["password"]
    assert log_in(again.json()) == 200
    over = device.poll(device_id)
    assert over.status_code == 404
    assert "There is no newDeviceRequest" in over.json()["message"]


def test_body_in_chunks_reaches_the_server(server, admin, device):
    device_id = f"chunks-{uuid.uuid4().hex}"
    admin.register(device_id)
    for _ in range(2):  # once for the view, once for the lane
        answer = device.call(
            "POST",
            "/devicecontrol/deviceCredentials",
            data=iter([b'{"id": ', f'"{device_id}"'.encode(), b"}"]),
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code == 404
        assert "PENDING_ACCEPTANCE" in answer.json()["message"]


def test_device_that_polls_fast_on_one_connection_is_answered_each_time(server, admin, device):
    device_id = f"fast-{uuid.uuid4().hex}"
    admin.register(device_id)
    path = f"{server.url}/devicecontrol/deviceCredentials"
    with requests.Session() as session:
        session.auth = device.login
        answers = {
            (answer.status_code, answer.headers["Content-Type"], answer.text)
            for answer in (session.post(path, json={"id": device_id}) for _ in range(50))
        }
    assert len(answers) == 1
    admin.accept(device_id)
    assert device.poll(device_id).status_code == 201


def test_id_of_any_script_travels_over_the_network(admin, device, log_in):
    for device_id in ("Zähler-日本語", "50%", "a?b#c&d"):
        answer = admin.call("POST", "/devicecontrol/newDeviceRequests", json={"id": device_id})
        path = answer.headers["Location"].removeprefix(admin.url)
        assert device.poll(device_id).status_code == 404
        assert admin.call("PUT", path, json={"status": "ACCEPTED"}).status_code == 200
        assert log_in(device.poll(device_id).json()) == 200
