"""Files that people send, as they wait for their view: sealed, and under no name.

Django would write a large file to a named file of the machine as it came, for whichever address
it was sent to. Here only an address that takes files gets any, and only from those who may send
some; what waits is encrypted with a key that is nowhere but in memory.
"""

import secrets
from collections.abc import Callable, Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, TypeVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

BLOCK: Final = 256 * 1024  # bytes sealed together
IN_MEMORY: Final = 2 * 1024 * 1024  # bytes; more goes to a file of the machine, without a name
KEY_BYTES: Final = 32
SIZE_BYTES: Final = 4  # of the number that stands before each sealed block

V = TypeVar("V", bound=Callable[..., Any])


def takes_files(may_send: Callable[[HttpRequest], bool]) -> Callable[[V], V]:
    """Let a view have the files sent to it by those of whom ``may_send`` is true.

    It is asked before anything of the request's body is known, the CSRF token included.
    """

    def mark(view: V) -> V:
        view.may_send_files = may_send  # type: ignore[attr-defined]
        return view

    return mark


class SealedFile(UploadedFile):  # type: ignore[type-arg]
    """A file that was sent; it is read in the order it came, and again from the start."""

    def __init__(self, sealed: IO[bytes], cipher: AESGCM, name: str, size: int) -> None:
        # Without a name it would count as no file at all; and Django cuts and refuses some.
        super().__init__(file=sealed, name="file", size=size)
        self.name_sent = name
        self._sealed = sealed
        self._cipher = cipher

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Yield what was sent, in the blocks it was sealed in."""
        del chunk_size
        self._sealed.seek(0)
        number = 0
        while head := self._sealed.read(SIZE_BYTES):
            block = self._sealed.read(int.from_bytes(head, "big"))
            yield self._cipher.decrypt(_nonce(number), block, None)
            number += 1


class SealingHandler(FileUploadHandler):
    """Takes the files of one request."""

    chunk_size = BLOCK

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin with a file, if there is a view that wants it from this person."""
        super().new_file(*args, **kwargs)
        # Without a match the body was read before the address was known: for no view at all.
        match = getattr(self.request, "resolver_match", None)
        may_send = getattr(match.func, "may_send_files", None) if match else None
        if may_send is None or self.request is None or not may_send(self.request):
            raise SkipFile
        self._cipher = AESGCM(secrets.token_bytes(KEY_BYTES))
        self._sealed = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 -- the view closes it
        self._number = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Seal what came; nobody else gets it."""
        del start
        block = self._cipher.encrypt(_nonce(self._number), bytes(raw_data), None)
        self._sealed.write(len(block).to_bytes(SIZE_BYTES, "big") + block)
        self._number += 1

    def file_complete(self, file_size: int) -> SealedFile:
        """Return the file."""
        return SealedFile(self._sealed, self._cipher, self.file_name or "", file_size)


def _nonce(number: int) -> bytes:
    # The key is the file's own, so that counting never gives one nonce twice.
    return number.to_bytes(12, "big")
