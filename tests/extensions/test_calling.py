"""Calling a service: bounded in time and length, to the address that was checked, and no further.

The services are real sockets on this machine; how they misbehave is written out in bytes.
"""

import datetime
import ipaddress
import itertools
import socket
import ssl
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from extensions import calling
from extensions.calling import CallError, Target, Turns, call, check_url
from tests.extensions.services import answer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MOST = 10_000  # bytes
SECONDS = 0.6


def ask(url, *, allows_private=True, seconds=SECONDS, **how):
    target = Target(url, allows_private)
    how = {"headers": {}, "party": "acme", "most": MOST, "seconds": seconds, **how}
    return call(target, how.pop("method", "GET"), "/x", **how)


def test_answer_comes_back_with_its_status_and_type(service):
    service.says(answer(201, b'{"a": 1}', "Application/JSON; charset=utf-8"))
    found = ask(f"{service.url}/base/", headers={"X-Own": "1"}, seconds=5)
    assert (found.status, found.media_type, found.body) == (201, "application/json", b'{"a": 1}')
    request = service.requests[0]
    assert request.line == "GET /base/x HTTP/1.1"
    assert request.headers == {
        "host": f"127.0.0.1:{service.port}", "accept-encoding": "identity", "connection": "close",
        "x-own": "1",
    }  # fmt: skip


def drip(connection, _):
    connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
    for _ in range(200):
        connection.sendall(b" ")
        time.sleep(0.05)


def endless_headers(connection, _):
    connection.sendall(HEAD)
    for number in itertools.count():
        connection.sendall(f"X-{number}: {'x' * 1000}\r\n".encode())


def dripping_headers(connection, _):
    for byte in itertools.chain(HEAD, itertools.repeat(120)):
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def endless(connection, _):
    connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")


def again_and_again(connection, _):
    while True:
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        time.sleep(0.02)


def silent(connection, _):
    connection.settimeout(2)
    connection.recv(1)


def redirect(to):
    return answer(302, b"", Location=to)


FAULTS = {
    "silent": (silent, "took too long"),
    "drip": (drip, "took too long"),
    "dripping headers": (dripping_headers, "took too long"),
    "endless hints": (again_and_again, "took too long"),
    "endless headers": (endless_headers, "does not speak HTTP"),
    "endless": (endless, "too long: more than 10,000 bytes"),
    "long": (answer(body=b"x" * (MOST + 1)), "too long: more than 10,000 bytes"),
    "no answer": (b"", "does not speak HTTP"),
    "no HTTP": (b"220 mail.example ESMTP\r\n", "does not speak HTTP"),
    "half an answer": (HEAD + b"Content-Length: 100\r\n\r\n{", "does not speak HTTP"),
    "half a header": (HEAD, "does not speak HTTP"),
    "two lengths": (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "not speak HTTP"),
    "redirect": (redirect("http://169.254.169.254/latest/meta-data/"), r"redirects \(status 302\)"),
    "other protocol": (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", "not speak HTTP"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_of_a_service_is_a_sentence_in_bounded_time(service, fault):
    behave, sentence = FAULTS[fault]
    if isinstance(behave, bytes):
        service.says(behave)
    else:
        service.behave = behave
    began = time.monotonic()
    with pytest.raises(CallError, match=sentence):
        ask(service.url)
    assert time.monotonic() - began < 3 * SECONDS
    assert len(service.requests) == 1
    assert not calling.TURNS.taken


def test_nobody_there_is_a_sentence(service):
    service.close()
    with pytest.raises(CallError, match="Nobody answers there"):
        ask(service.url)


def test_private_service_is_not_called_unless_that_was_allowed(service):
    with pytest.raises(CallError, match="in a private network"):
        ask(service.url.replace("http:", "https:"), allows_private=False)
    assert not service.requests


def test_name_is_looked_up_once_and_the_address_that_was_checked_is_called(service, monkeypatch):
    real, asked = socket.getaddrinfo, []

    def look_up(host, port, *args, **kwargs):
        asked.append(host)
        if host == "rebinding.example":
            where = "127.0.0.1" if asked.count(host) == 1 else "169.254.169.254"
            return [(2, 1, 6, "", (where, port))]
        return real(host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert ask(f"http://rebinding.example:{service.port}", seconds=5).status == 200
    assert asked.count("rebinding.example") == 1
    assert service.requests[0].headers["host"] == f"rebinding.example:{service.port}"
    with pytest.raises(CallError, match="no extension may be at"):
        ask(f"http://rebinding.example:{service.port}")


@pytest.mark.parametrize("url", ["http://192.88.99.1", "HTTP://192.88.99.1", "hTTp://192.88.99.1"])
def test_public_service_is_not_called_in_clear(url):
    with pytest.raises(CallError, match="Use https://"):
        ask(url, allows_private=True)


def test_name_server_that_is_slow_holds_nobody_up(monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(10) and [])
    with pytest.raises(CallError, match=r"Looking up slow\.example took too long"):
        ask("http://slow.example")
    over.set()


@pytest.mark.parametrize(
    ("url", "why"),
    {
        "ftp://a.example": "https://", "a.example": "https://", "https://": "https://",
        "//a.example": "https://", "https:///path": "https://", "": "https://",
        "http://a.example": "Use https", "https://user@a.example": "user and the password",
        "https://user:pw@a.example": "user and the password", "https://@a.example": "user and",
        "https://a.example/?x": "follows the path", "https://a.example/#x": "follows the path",
        "https://a.example?": "follows the path", "https://a.example:0": "no URL",
        "https://a.example:99999": "no URL", "https://a.example:x": "no URL",
        "https://[::1": "no URL", "https://a.example/../b": "no URL", "https://ä.example": "ASCII",
        "https://a.example\\@b.example": "ASCII", "https://a.ex ample": "ASCII",
        "https://a.example/\x00": "ASCII", "https://a.example\r\nX: 1": "ASCII",
        "javascript:alert(1)": "https://", "file:///etc/passwd": "https://",
    }.items(),
)  # fmt: skip
def test_url_that_cannot_be_one_is_refused(url, why):
    with pytest.raises(CallError, match=why):
        check_url(url, allows_private=False)


def test_url_loses_its_last_slash_and_nothing_else():
    url = "https://[2606:4700::1111]:8443/Lora"
    assert check_url(f"{url}/", allows_private=False) == url
    assert check_url(url.replace("https", "HttpS"), allows_private=False) == url
    assert check_url("http://10.0.0.1", allows_private=True) == "http://10.0.0.1"


def test_stream_goes_out_piece_by_piece(service):
    made = []

    def pieces():
        for number in range(64):
            made.append(number)
            yield b"x" * 65536

    length = 64 * 65536
    found = ask(service.url, method="POST", content=pieces(), seconds=20,
                headers={"Content-Length": str(length)})  # fmt: skip
    assert found.status == 200
    assert len(service.requests[0].body) == length
    assert len(made) == 64


def test_service_that_takes_a_file_slowly_is_not_waited_for(make_service):
    service = make_service()
    service._talk = lambda connection: service.over.wait(5) and connection.close()
    began = time.monotonic()
    with pytest.raises(CallError, match="took too long"):
        ask(service.url, method="POST", content=itertools.repeat(b"x" * 65536),
            headers={"Content-Length": str(10**9)})  # fmt: skip
    assert time.monotonic() - began < 3 * SECONDS


def test_service_that_has_enough_of_a_file_is_heard(make_service):
    service = make_service()

    def talk(connection):
        with connection:
            connection.recv(100)
            connection.sendall(answer(413, b'{"message": "too much"}'))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    service._talk = talk
    length = 100 * 65536
    found = ask(service.url, method="POST", content=iter([b"x" * 65536] * 100), seconds=10,
                headers={"Content-Length": str(length)})  # fmt: skip
    assert found.status == 413


def test_one_tenant_cannot_take_all_turns_and_all_together_have_only_so_many(monkeypatch):
    monkeypatch.setattr(calling, "PATIENCE", 0.05)
    turns = Turns(3, 2)
    with turns.turn("acme"), turns.turn("acme"):
        with pytest.raises(CallError, match="Too many calls"), turns.turn("acme"):
            pass
        with (
            turns.turn("globex"),
            pytest.raises(CallError, match="Too many calls"),
            turns.turn("management"),
        ):
            pass
        with turns.turn("management"):
            pass
    assert not turns.taken


# --- TLS ----------------------------------------------------------------------------------------


def certificate(folder, host):
    """Write an authority, and a key with its certificate for ``host``; return their paths."""
    now = datetime.datetime.now(datetime.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
        for text in ("authority", "service")
    ]
    certificates = [
        x509.CertificateBuilder()
        .subject_name(names[number]).issuer_name(names[0]).public_key(keys[number].public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1))
        .add_extension(x509.BasicConstraints(ca=number == 0, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]),
                       critical=False)
        .sign(keys[0], hashes.SHA256())
        for number in range(2)
    ]  # fmt: skip
    paths = [folder / name for name in ("authority.pem", "service.pem")]
    pem = serialization.Encoding.PEM
    paths[0].write_bytes(certificates[0].public_bytes(pem))
    paths[1].write_bytes(
        certificates[1].public_bytes(pem)
        + keys[1].private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths


@pytest.mark.parametrize(
    ("host", "is_known", "works"),
    [("127.0.0.1", True, True), ("127.0.0.2", True, False), ("127.0.0.1", False, False)],
    ids=["right", "another host's", "of nobody known"],
)
def test_certificate_is_of_the_host_and_of_an_authority_that_is_known(
    make_service, tmp_path, monkeypatch, host, is_known, works
):
    authority, own = certificate(tmp_path, host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    service = make_service(context=context)
    if is_known:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    calling._ssl_context.cache_clear()
    try:
        if works:
            assert ask(service.url.replace("http:", "https:"), seconds=5).status == 200
        else:
            with pytest.raises(CallError, match="certificate is not valid"):
                ask(service.url.replace("http:", "https:"), seconds=5)
            assert not service.requests
    finally:
        calling._ssl_context.cache_clear()
