"""The WSGI application: stalled bodies cut off, chunked ones made readable, the lane, Django."""

import os
from collections.abc import Iterable
from tempfile import SpooledTemporaryFile

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_django = get_wsgi_application()

from config.slow_bodies import SlowBodies  # noqa: E402
from registration.lane import Application, Environ, FastLane, StartResponse  # noqa: E402

MAX_CHUNKED_BODY = 64 * 1024 * 1024  # bytes buffered of a body that does not say its length
IN_MEMORY = 256 * 1024  # bytes kept in memory; more goes to a temporary file


class ChunkedBodies:
    """Give a body without a length one, because Django reads nothing of it otherwise."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Buffer the body of a chunked request; refuse one that does not end."""
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        if not chunked or environ.get("CONTENT_LENGTH"):
            return self.application(environ, start_response)
        with SpooledTemporaryFile(max_size=IN_MEMORY) as buffer:
            source, length = environ["wsgi.input"], 0
            while block := source.read(64 * 1024):
                length += len(block)
                if length > MAX_CHUNKED_BODY:
                    start_response("413 Content Too Large", [("Content-Type", "text/plain")])
                    return [b"The body is too large.\n"]
                buffer.write(block)
            buffer.seek(0)
            environ["wsgi.input"] = buffer
            environ["CONTENT_LENGTH"] = str(length)
            return self.application(environ, start_response)


application = SlowBodies(ChunkedBodies(FastLane(_django)))
