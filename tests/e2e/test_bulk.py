"""Files of devices over the network: in chunks, in any kind of part, cut off, too large."""

import base64
import contextlib
import socket
import struct
import uuid

import pytest
import requests

from tests.bulk.api.forms import BULK, form, part, upload, variants
from tests.e2e.conftest import Remote

PASSWORD = "canary-k3Tq9w"
LARGE = 6 * 1024 * 1024  # bytes; more than other bodies in chunks may have


@pytest.fixture
def mark():
    """A word that only this test uses; the server is shared."""
    return f"b{uuid.uuid4().hex[:12]}"


def file_of(*device_ids, padding=""):
    rows = "".join(f"{device_id};{PASSWORD};management;{padding}\n" for device_id in device_ids)
    return f"ID;CREDENTIALS;TENANT;note\n{rows}".encode()


def pieces(content, size=10_000):
    """Yield a body piece by piece: requests sends it in chunks, without a length."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


def send(admin, body, *, chunked, size=10_000):
    data = pieces(body.content, size) if chunked else body.content
    headers = {"Content-Type": body.content_type, "Accept": "application/json"}
    return admin.call("POST", BULK, data=data, headers=headers)


def registers(admin, device_id):
    """Say whether there is such a device."""
    path = f"/identity/externalIds/c8y_Serial/{device_id}"
    status = admin.call("GET", path).status_code
    assert status in {200, 404}
    return status == 200


@pytest.mark.parametrize("chunked", [True, False], ids=["chunks", "with-length"])
@pytest.mark.parametrize("name", variants(b""))
def test_file_arrives_however_it_is_sent(name, chunked, admin, log_in, mark):
    body = variants(file_of(mark))[name]
    answer = send(admin, body, chunked=chunked, size=7)
    if chunked and name.endswith("itself"):
        assert answer.status_code == 411
        return
    assert answer.status_code == 201, answer.text
    assert answer.json()["numberOfSuccessful"] == 1
    assert registers(admin, mark)
    login = {"tenantId": "management", "username": f"device_{mark}", "password": PASSWORD}
    assert log_in(login) == 200


@pytest.mark.parametrize("chunked", [True, False], ids=["chunks", "with-length"])
def test_large_file_passes_here_and_nowhere_else(chunked, admin, mark):
    ids = [f"{mark}-{number}" for number in range(LARGE // 10_000)]
    body = upload(file_of(*ids, padding="x" * 10_000))
    assert len(body.content) > LARGE
    answer = send(admin, body, chunked=chunked, size=100_000)
    assert answer.status_code == 201, answer.text
    assert answer.json()["numberOfCreated"] == len(ids)
    elsewhere = admin.call(
        "POST", "/devicecontrol/newDeviceRequests", data=pieces(body.content, 100_000)
    )
    assert elsewhere.status_code == 413


@pytest.mark.parametrize("chunked", [True, False], ids=["chunks", "with-length"])
@pytest.mark.parametrize("where", ["file", "after"])
def test_body_that_is_too_large_is_answered(where, chunked, admin, mark):
    endless = b"x" * 33 * 1024 * 1024
    file = file_of(mark)
    body = upload(file + endless) if where == "file" else form(part(file), after=endless)
    answer = send(admin, body, chunked=chunked, size=1024 * 1024)
    assert answer.status_code == 413
    assert "Register larger files in the console" in answer.json()["message"]
    assert not registers(admin, mark)


@pytest.mark.parametrize("login", [("management/admin", "guess"), ("", "")])
def test_stranger_is_answered_before_the_file_is_read(login, server, mark):
    stranger = Remote(server.url, login)
    body = upload(b"x" * LARGE)
    for chunked in (True, False):
        assert send(stranger, body, chunked=chunked, size=100_000).status_code == 401


@pytest.mark.parametrize("end", ["quietly", "hard"])
@pytest.mark.parametrize("length", ["chunks", "with-length"])
def test_body_that_is_cut_off_registers_nothing(length, end, admin, mark):
    body = upload(file_of(mark, f"{mark}-2"))
    host, port = admin.url.removeprefix("http://").split(":")
    credentials = base64.b64encode(":".join(admin.login).encode()).decode()
    for missing in (5, 40, len(body.content) // 2):
        sent = body.content[:-missing]
        head = [
            f"POST {BULK} HTTP/1.1", f"Host: {host}", f"Authorization: Basic {credentials}",
            f"Content-Type: {body.content_type}",
        ]  # fmt: skip
        if length == "chunks":
            head.append("Transfer-Encoding: chunked")
            sent = f"{len(sent):x}\r\n".encode() + sent + b"\r\n"
        else:
            head.append(f"Content-Length: {len(body.content)}")
        with socket.create_connection((host, int(port)), timeout=30) as line:
            line.sendall("\r\n".join([*head, "", ""]).encode() + sent)
            if end == "quietly":
                line.shutdown(socket.SHUT_WR)
                with contextlib.suppress(ConnectionError):
                    assert line.recv(100).split(b" ")[1:2] in ([b"400"], [b"408"], [])
            else:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # One that ends as it should is done behind it, so that the one before is over.
        assert send(admin, upload(file_of(f"{mark}-end")), chunked=False).status_code == 201
        assert not registers(admin, mark)


def test_sample_of_the_manual_for_python_works(admin, mark, tmp_path):
    """The reference shows these very lines."""
    name = tmp_path / "bulk_credential_request.csv"
    name.write_bytes(file_of(mark))
    headers = {"Accept": "application/json"}
    with name.open("rb") as opened:
        answer = admin.call("POST", BULK, headers=headers, files=[("file", opened)])
    assert (answer.status_code, answer.json()["numberOfCreated"]) == (201, 1)


def test_nothing_of_a_file_is_said_or_left_on_the_disk(admin, server, mark):
    secret = f"canary-{mark}"
    file = file_of(*[f"{mark}-{number}" for number in range(2_000)]).replace(
        PASSWORD.encode(), secret.encode()
    )
    answer = send(admin, upload(file + f"bad id;{secret};management;\n".encode()), chunked=True)
    assert (answer.status_code, answer.json()["numberOfFailed"]) == (201, 1)
    assert secret not in answer.text
    assert secret not in server.said()
    for path in (server.output.parent / "data").rglob("*"):
        assert path.is_dir() or secret.encode() not in path.read_bytes(), path


def test_answer_is_there_for_a_client_that_keeps_its_connection(admin, mark):
    with requests.Session() as session:
        session.auth = admin.login
        for number in range(3):
            body = upload(file_of(f"{mark}-{number}"))
            answer = session.post(
                admin.url + BULK, data=body.content, headers={"Content-Type": body.content_type}
            )
            assert answer.status_code == 201
