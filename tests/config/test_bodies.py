"""Bodies reach the application whole, or not at all."""

import io

import pytest

from config.bodies import MAX_CHUNKED_BODY, BodyCutOffError, ChunkedBodies, WholeBodies


def call(application, body: bytes, **environ):
    answered = []
    environ = {"wsgi.input": io.BytesIO(body), "REMOTE_ADDR": "192.0.2.7", **environ}
    content = WholeBodies(application)(environ, lambda status, _headers: answered.append(status))
    return answered, b"".join(content)


def reader(environ, start_response):
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


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


# --- Bodies in chunks -----------------------------------------------------------------------


def call_chunked(path, body):
    seen, answered = [], []

    def application(environ, start_response):
        seen.append((environ.get("CONTENT_LENGTH"), environ["wsgi.input"]))
        return reader(environ, start_response)

    environ = {
        "PATH_INFO": path,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": io.BytesIO(body),
    }
    chunked = ChunkedBodies(application, streamed={"/stream"})
    content = chunked(environ, lambda status, _headers: answered.append(status))
    return seen, answered, b"".join(content), environ["wsgi.input"]


def test_body_in_chunks_gets_a_length():
    seen, answered, content, _ = call_chunked("/other", b"chunks")
    assert (seen[0][0], answered, content) == ("6", ["200 OK"], b"chunks")


def test_body_in_chunks_is_bounded_where_it_is_kept():
    seen, answered, _, _ = call_chunked("/other", b"x" * (MAX_CHUNKED_BODY + 1))
    assert (seen, answered) == ([], ["413 Content Too Large"])


def test_body_in_chunks_is_written_to_no_file_of_the_machine(monkeypatch):
    def no_file(*_args, **_kwargs):
        raise AssertionError

    monkeypatch.setattr("tempfile.TemporaryFile", no_file)
    assert call_chunked("/other", b"x" * MAX_CHUNKED_BODY)[1] == ["200 OK"]


@pytest.mark.parametrize("path", ["/stream/", "/stream/more", "/Stream", "//stream"])
def test_only_the_very_path_is_streamed(path):
    assert call_chunked(path, b"x" * (MAX_CHUNKED_BODY + 1))[1] == ["413 Content Too Large"]


def test_streamed_body_is_left_as_it_comes():
    body = b"x" * (MAX_CHUNKED_BODY + 1)
    seen, answered, content, source = call_chunked("/stream", body)
    assert seen == [(None, source)]
    assert (answered, len(content)) == (["200 OK"], len(body))
