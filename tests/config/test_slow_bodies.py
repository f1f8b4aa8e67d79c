"""Clients that stop in the middle of a body: they are cut off, nobody else is."""

import io
import socket
import time

import pytest

from config.slow_bodies import BodyCutOffError, SlowBodies, hang_up_on


def call(application, body: bytes, **environ):
    answered = []
    environ = {"wsgi.input": io.BytesIO(body), "REMOTE_ADDR": "192.0.2.7", **environ}
    content = SlowBodies(application)(environ, lambda status, _headers: answered.append(status))
    return answered, b"".join(content)


def reader(environ, start_response):
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


@pytest.fixture
def connection():
    """A connection within this process, as (the client's end, the server's end)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        with client, server:
            client.settimeout(2)
            server.settimeout(2)
            yield client, server


def test_whole_body_reaches_the_application():
    assert call(reader, b"whole", CONTENT_LENGTH="5") == (["200 OK"], b"whole")


def test_body_is_read_in_pieces_up_to_its_length_and_no_further():
    def application(environ, start_response):
        source = environ["wsgi.input"]
        return [source.read(3), b"|", source.read(100), b"|", source.read(1)]

    assert call(application, b"abcdefg and more", CONTENT_LENGTH="7")[1] == b"abc|defg|"


def test_body_that_ends_early_is_no_body():
    assert call(lambda environ, _: [environ["wsgi.input"].read()], b"hal", CONTENT_LENGTH="4")[
        0
    ] == ["408 Request Timeout"]


def test_line_by_line_reading_notices_the_early_end_too():
    def application(environ, _start_response):
        with pytest.raises(BodyCutOffError):
            environ["wsgi.input"].readlines()
        return []

    call(application, b"one\ntwo\n", CONTENT_LENGTH="9")


def test_body_without_a_length_is_read_to_its_end():
    assert call(reader, b"chunks", HTTP_TRANSFER_ENCODING="chunked")[1] == b"chunks"


def test_request_without_a_body_is_left_alone():
    body = io.BytesIO()

    def application(environ, _start_response):
        assert environ["wsgi.input"] is body
        return []

    call(application, b"", **{"wsgi.input": body})


def test_silent_connection_is_hung_up(connection):
    _, server = connection
    time.sleep(0.1)
    hang_up_on({"127.0.0.1"}, 0.05, port=server.getsockname()[1])
    assert server.recv(1) == b""


@pytest.mark.parametrize(
    ("addresses", "patience", "other_port"),
    [
        ({"192.0.2.7"}, 0.0, 0),
        ({"127.0.0.1"}, 60.0, 0),
        ({"127.0.0.1"}, 0.0, 1),
        (set(), 0.0, 0),
    ],
    ids=["another address", "not silent for long", "not ours", "nobody is overdue"],
)
def test_other_connections_live_on(connection, addresses, patience, other_port):
    client, server = connection
    hang_up_on(addresses, patience, port=other_port or server.getsockname()[1])
    client.sendall(b"x")
    assert server.recv(1) == b"x"


def test_patience_is_shorter_when_every_thread_waits(settings):
    bodies = SlowBodies(reader)
    since = time.monotonic() - 3
    bodies.waiting = dict.fromkeys(range(settings.THREADS), (since, "192.0.2.7"))
    assert bodies._overdue() == ({"192.0.2.7"}, 2.0)
    del bodies.waiting[0]
    assert bodies._overdue() == (set(), 10.0)
