"""Bodies as clients send them, byte by byte."""

from dataclasses import dataclass

BULK = "/devicecontrol/bulkNewDeviceRequests"
FORM = "multipart/form-data; boundary="


@dataclass(frozen=True)
class Body:
    """A body and what its header says of it."""

    content_type: str
    content: bytes


def part(content, *, name="file", file_name=None, headers=()):
    """Return one part of a form."""
    says = f'Content-Disposition: form-data; name="{name}"'
    if file_name is not None:
        says += f'; filename="{file_name}"'
    return "\r\n".join([says, *headers]).encode() + b"\r\n\r\n" + content


def form(*parts, boundary="b0undary", before=b"", after=b""):
    """Return a form of these parts, whole."""
    line = b"--" + boundary.encode()
    whole = b"".join(line + b"\r\n" + each + b"\r\n" for each in parts)
    return Body(FORM + boundary, before + whole + line + b"--\r\n" + after)


def upload(content, file_name="devices.csv"):
    """Return a file as the console of the platform and most tools send it."""
    return form(part(content, file_name=file_name, headers=["Content-Type: text/csv"]))


def variants(content):
    """Return the file in every way that a published client, or an old one, sends it."""
    go_boundary = "5d1ea1c0f5d9f94fd1b6ab7a2cd4e8d1b3a2f6f3f2f1c7d2a4b5c6d7e8f9"
    browser = "----WebKitFormBoundaryo7X4GzBqvM2Lk9Aa"
    node = "--------------------------873012954873012954873012"
    quoted = form(part(content, file_name="a.csv"), boundary="a b:c=d")
    metadata = part(
        b'{"name":"devices.csv","type":"application/octet-stream"}',
        name="object",
        headers=["Content-Type: application/json"],
    )
    octets = ["Content-Type: application/octet-stream"]
    return {
        "browser": form(
            part(content, file_name="bulk.csv", headers=["Content-Type: text/csv"]),
            boundary=browser,
        ),
        "node": form(
            part(content, file_name="bulk-registration.csv", headers=["Content-Type: text/csv"]),
            boundary=node,
        ),
        "command-line": form(part(content), boundary=go_boundary),
        "go-with-metadata": form(
            metadata, part(content, file_name=".", headers=octets), boundary=go_boundary
        ),
        "metadata-behind": form(part(content, file_name="a.csv"), metadata),
        "odd-text": form(part(content, file_name="a.csv", headers=["Content-Type: plain/text"])),
        "plain-text": form(part(content, headers=["Content-Type: text/plain; charset=utf-8"])),
        "excel": form(
            part(content, file_name="a.csv", headers=["Content-Type: application/vnd.ms-excel"])
        ),
        "java": form(
            part(
                content,
                file_name="a.csv",
                headers=[*octets, "Content-Transfer-Encoding: binary"],
            )
        ),
        "with-its-length": form(
            part(content, file_name="a.csv", headers=[f"Content-Length: {len(content)}"])
        ),
        "bare-name": form(b"Content-Disposition: form-data; name=file\r\n\r\n" + content),
        "small-headers": form(
            b'content-disposition: form-data; name="file"; filename=a.csv\r\n\r\n' + content
        ),
        "quoted-boundary": Body(FORM + '"a b:c=d"', quoted.content),
        "shouted-type": Body("Multipart/Form-Data; charset=utf-8; Boundary=b0undary",
                             form(part(content)).content),
        "preamble-and-epilogue": form(
            part(content), before=b"This is a form.\r\n", after=b"\r\nThat was it.\r\n"
        ),
        "empty-line-first": form(part(content), before=b"\r\n"),
        "no-line-end-at-the-end": Body(
            form(part(content)).content_type, form(part(content)).content[:-2]
        ),
        "csv-itself": Body("text/csv", content),
        "text-itself": Body("text/plain; charset=utf-8", content),
    }  # fmt: skip
