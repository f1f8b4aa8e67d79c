"""The file comes out of the request as it went in, or not at all."""

import io
import tracemalloc

import pytest
from django.core.handlers.wsgi import WSGIRequest
from hypothesis import given
from hypothesis import strategies as st

from bulk.api.parts import MAX_AROUND, MAX_PARTS, read_upload
from tenants.api.http import ApiError
from tests.bulk.api.forms import BULK, FORM, Body, form, part, upload, variants

# Not UTF-8, with what looks like a boundary, and every line end there is.
FILE = b"ID;CREDENTIALS\r\nM\xfcller;\xff\xfe\n--b0undar\r\r\n--\x1a\x00;--b0undary--\r\n"
VARIANTS = variants(FILE)


class Line:
    """A socket that delivers so many bytes at a time, and may break."""

    def __init__(self, content, *, at_a_time=None, breaks=False):
        self.content, self.at_a_time, self.breaks = io.BytesIO(content), at_a_time, breaks
        self.delivered = 0

    def read(self, size):
        data = self.content.read(min(size, self.at_a_time or size))
        self.delivered += len(data)
        if not data and self.breaks:
            raise ConnectionResetError
        return data

    readline = None  # Django takes it along, and nobody may call it


def request_of(body, *, line=None, length=True, **environ):
    line = line or Line(body.content)
    if length:
        environ.setdefault("CONTENT_LENGTH", str(len(body.content)))
    else:
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    return WSGIRequest(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": BULK,
            "CONTENT_TYPE": body.content_type,
            "wsgi.input": line,
            **environ,
        }
    )


def taken(body, **how):
    found = read_upload(request_of(body, **how))
    return b"".join(found.blocks)


def refusal(body, **how):
    with pytest.raises(ApiError) as caught:
        taken(body, **how)
    return caught.value


@pytest.mark.parametrize("body", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("at_a_time", [1, 7, None], ids=["byte-by-byte", "in-sevens", "at-once"])
def test_file_arrives_byte_for_byte(body, at_a_time):
    assert taken(body, line=Line(body.content, at_a_time=at_a_time)) == FILE


@pytest.mark.parametrize(
    "body",
    [body for name, body in VARIANTS.items() if not name.endswith("itself")],
    ids=[name for name in VARIANTS if not name.endswith("itself")],
)
def test_form_needs_no_length(body):
    assert taken(body, length=False) == FILE


@given(content=st.binary(max_size=300), at_a_time=st.integers(1, 50))
def test_any_bytes_survive_however_they_are_delivered(content, at_a_time):
    body = upload(content.replace(b"\r\n--b0undary", b""))
    expected = content.replace(b"\r\n--b0undary", b"")
    assert taken(body, line=Line(body.content, at_a_time=at_a_time)) == expected


@given(content=st.binary(max_size=300), at_a_time=st.integers(1, 50))
def test_noise_is_refused_with_a_sentence(content, at_a_time):
    body = Body(FORM + "b0undary", content)
    error = refusal(body, line=Line(content, at_a_time=at_a_time))
    assert error.status in {400, 422}
    assert error.message.endswith(".")


@pytest.mark.parametrize("length", [True, False], ids=["with-length", "chunked"])
def test_form_that_is_cut_off_anywhere_is_refused(length):
    whole = upload(FILE)
    for end in range(len(whole.content) - 4):  # the last two bytes say that it is the last line
        body = Body(whole.content_type, whole.content[:end])
        assert refusal(body, length=length).status == 400, end


@pytest.mark.parametrize("name", ["browser", "csv-itself"])
def test_body_shorter_than_announced_is_refused(name):
    body = VARIANTS[name]
    cut = Line(body.content[:-1], breaks=True)
    error = refusal(body, line=cut)
    assert (error.status, error.error) == (400, "undefined/badRequest")
    assert "Nothing was registered" in error.message


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("devices.csv", "devices.csv"),
        ("C:\\fakepath\\devices.csv", "devices.csv"),
        ("../../etc/devices.csv", "devices.csv"),
        ("Geräte 日本.csv", "Geräte 日本.csv"),
        ("a%22b.csv", 'a"b.csv'),
        ("a\x00\x7fb.csv", "ab.csv"),
        (".", ""),
        ("..", ""),
        ("", ""),
    ],
)
def test_name_of_the_file_is_kept_without_its_path(sent, kept):
    assert read_upload(request_of(upload(FILE, sent))).file_name == kept


def test_name_in_an_old_charset_is_kept():
    body = upload(FILE, "Ger?te.csv")
    body = Body(body.content_type, body.content.replace(b"Ger?te", b"Ger\xe4te"))
    assert read_upload(request_of(body)).file_name == "Geräte.csv"


CRLF_AS_LF = upload(FILE)
REFUSED = {
    "no-type": (Body("", FILE), 415, "multipart/form-data"),
    "json": (Body("application/json", b"{}"), 415, "multipart/form-data"),
    "other-multipart": (Body("multipart/mixed; boundary=b", b"--b--"), 415, "multipart/form-data"),
    "url-encoded": (Body("application/x-www-form-urlencoded", b"file=ID"), 415, "part named"),
    "no-boundary": (Body("multipart/form-data", form(part(FILE)).content), 400, "boundary"),
    "empty-boundary": (Body(FORM + '""', form(part(FILE)).content), 400, "boundary"),
    "endless-boundary": (form(part(FILE), boundary="b" * 201), 400, "boundary"),
    "other-boundary": (Body(FORM + "other", form(part(FILE)).content), 400, "ends before"),
    "empty-body": (Body(FORM + "b", b""), 400, "ends before"),
    "no-parts": (form(), 422, 'no part named "file"'),
    "other-part": (form(part(FILE, name="csv")), 422, 'no part named "file"'),
    "nameless-part": (form(b"Content-Disposition: form-data\r\n\r\n" + FILE), 422, "no part"),
    "two-files": (form(part(FILE), part(FILE)), 422, "several parts"),
    "base64": (
        form(part(b"SUQ=", headers=["Content-Transfer-Encoding: base64"])), 422, "as it is",
    ),
    "no-disposition": (form(b"Content-Type: text/csv\r\n\r\n" + FILE), 400, "cannot be read"),
    "line-feeds": (
        Body(CRLF_AS_LF.content_type, CRLF_AS_LF.content.replace(b"\r\n", b"\n")), 400, "",
    ),
    "wrong-length-of-part": (
        form(part(FILE, headers=["Content-Length: 3"])), 400, "cannot be read",
    ),
    "long-header": (form(part(FILE, headers=["X: " + "x" * 5000])), 400, "cannot be read"),
    "many-headers": (form(part(FILE, headers=["X: x"] * 9)), 400, "cannot be read"),
    "many-parts": (
        form(*[part(b"", name="x")] * MAX_PARTS, part(FILE)), 400, "cannot be read",
    ),
    "large-metadata": (
        form(part(b"x" * (MAX_AROUND + 1), name="object"), part(FILE)), 400, "Apart from the file",
    ),
    "large-metadata-behind": (
        form(part(FILE), part(b"x" * (MAX_AROUND + 1), name="object")), 400, "Apart from the file",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "status", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_upload_is_refused_with_a_sentence(body, status, words):
    error = refusal(body)
    assert (error.status, error.message[-1]) == (status, ".")
    assert words in error.message


def test_csv_without_a_length_could_be_half_of_one():
    error = refusal(VARIANTS["csv-itself"], length=False)
    assert (error.status, error.error) == (411, "undefined/lengthRequired")


@pytest.mark.parametrize("name", ["browser", "command-line", "csv-itself"])
def test_body_that_says_it_is_too_large_is_not_read(name, settings):
    settings.BULK_API_MAX_BYTES = 10
    line = Line(b"")
    body = variants(b"x" * (MAX_AROUND + 11))[name]
    error = refusal(body, line=line)
    assert (error.status, line.delivered) == (413, 0)
    assert "10 bytes" in error.message
    assert "console" in error.message


@pytest.mark.parametrize("length", [True, False], ids=["with-length", "chunked"])
def test_file_that_is_too_large_is_refused_when_it_is(length, settings):
    settings.BULK_API_MAX_BYTES = len(FILE)
    assert taken(upload(FILE), length=length) == FILE
    assert refusal(upload(FILE + b"x"), length=length).status == 413


@pytest.mark.parametrize("where", ["before", "after"])
def test_endless_body_is_not_read_to_its_end(where, settings):
    settings.BULK_API_MAX_BYTES = 1024
    body = form(part(FILE), **{where: b"x" * 50 + b"\r\n" + b"x" * 10_000_000})
    line = Line(body.content)
    assert refusal(body, line=line, length=False).status in {400, 413}
    assert line.delivered < 2 * MAX_AROUND


def test_memory_does_not_grow_with_the_file():
    size = 30 * 1024 * 1024
    body = upload(b"x" * size)
    line = Line(body.content)
    tracemalloc.start()
    try:
        assert sum(len(block) for block in read_upload(request_of(body, line=line)).blocks) == size
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * 1024 * 1024
