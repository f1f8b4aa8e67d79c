"""Files as they are kept while they are needed: encrypted, in pieces, in the database.

So any worker can go on with one, whichever machine it runs on, and a server that is killed in the
middle leaves nothing behind that could be read. The pieces and their key go as soon as the file
is no longer needed.
"""

import io
import secrets
import uuid
from collections.abc import Callable
from functools import partial
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import transaction

from bulk.models import Import, ImportBlock
from tenants.encryption import unwrap_key, wrap_key

BLOCK: Final = 1024 * 1024  # bytes of the file in each piece
KEY_BYTES: Final = 32
SWEPT_AT_ONCE: Final = 16  # pieces

Fetch = Callable[[int], bytes | None]  # a piece by its number, as it is kept


class FileGoneError(Exception):
    """A piece of the file is not there."""


class Keeper:
    """Takes a file piece by piece."""

    def __init__(self, owner: Import) -> None:
        self.owner = owner
        key = secrets.token_bytes(KEY_BYTES)
        owner.file_key = wrap_key(key, str(owner.pk))
        self._cipher = AESGCM(key)
        self._rest = bytearray()
        self._number = 0

    def write(self, data: bytes) -> None:
        """Keep what comes next."""
        self._rest += data
        self.owner.size += len(data)
        while len(self._rest) >= BLOCK:
            self._keep(bytes(self._rest[:BLOCK]))
            del self._rest[:BLOCK]

    def close(self) -> None:
        """Keep the last piece."""
        if self._rest:
            self._keep(bytes(self._rest))
        self._rest.clear()

    def _keep(self, piece: bytes) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number), piece, None)
        ImportBlock.objects.create(owner=self.owner, number=self._number, data=sealed)
        self._number += 1


class KeptFile(io.RawIOBase):
    """A file that was kept, for reading from any place on."""

    def __init__(self, owner: Import, fetch: Fetch | None = None) -> None:
        super().__init__()
        self._owner = owner
        self._sealed = fetch or partial(sealed, owner)
        self._cipher = AESGCM(unwrap_key(bytes(owner.file_key), str(owner.pk)))
        self._at = 0
        self._number, self._piece = -1, b""

    def readable(self) -> bool:
        """Say that this can be read."""
        return True

    def seekable(self) -> bool:
        """Say that reading can begin anywhere."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; the end cannot be counted from."""
        self._at = offset if whence == io.SEEK_SET else self._at + offset
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read what is in the present piece, at most as much as there is room for."""
        number, start = divmod(self._at, BLOCK)
        if number != self._number:
            self._piece = self._fetch(number)
            self._number = number
        data = self._piece[start : start + len(buffer)]
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _fetch(self, number: int) -> bytes:
        data = self._sealed(number)
        if data is not None:
            return self._cipher.decrypt(_nonce(number), data, None)
        if number * BLOCK < self._owner.size:
            # Half a file must not be taken for a whole one.
            raise FileGoneError
        return b""


def sealed(owner: Import, number: int) -> bytes | None:
    """Return a piece of the file as it is kept, or None if there is no such piece."""
    kept = ImportBlock.objects.filter(owner=owner, number=number)
    data = kept.values_list("data", flat=True).first()
    return None if data is None else bytes(data)


def open_file(owner: Import, fetch: Fetch | None = None) -> io.BufferedReader:
    """Return the file for reading; ``fetch`` gets its pieces, if not from the database here."""
    return io.BufferedReader(KeptFile(owner, fetch), buffer_size=256 * 1024)


def shred(owner: Import) -> None:
    """Let nothing be left of the file: without its key the pieces are noise, and they go too.

    The caller saves ``file_key`` and ``position``, in the same transaction.
    """
    owner.file_key, owner.position = b"", {}
    pk = owner.pk
    transaction.on_commit(lambda: sweep(pk))


def sweep(pk: uuid.UUID) -> None:
    """Remove the pieces of a file that nobody can read any more, a few at a time.

    On SQLite everybody who writes waits for whoever does, and a file may be large.
    """
    pieces = ImportBlock.objects.filter(owner=pk, owner__file_key=b"")
    while some := list(pieces.values_list("pk", flat=True)[:SWEPT_AT_ONCE]):
        ImportBlock.objects.filter(pk__in=some).delete()


def forget(owner: Import) -> None:
    """Remove an import of which only a part has come, and that part."""
    Import.objects.filter(pk=owner.pk).update(file_key=b"")
    sweep(owner.pk)
    owner.delete()


def sweep_all() -> None:
    """Remove pieces that were left when a server was killed right after a file was shredded."""
    left = ImportBlock.objects.filter(owner__file_key=b"").values_list("owner", flat=True)
    for pk in list(left.distinct()):
        sweep(pk)


def _nonce(number: int) -> bytes:
    # The key is the file's own, so that counting never gives one nonce twice.
    return number.to_bytes(12, "big")
