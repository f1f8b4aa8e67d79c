"""The devices that stand in a list more than once, and whether always with the same secret.

Two secrets for one device contradict each other: which of them counts cannot be guessed, so that
neither row may be carried out. That has to be known before the first of them is.
"""

import secrets
import sqlite3
import time
from collections.abc import Collection, Iterable
from hashlib import blake2b
from typing import Final, Self

from bulk.engine import lease, stopping
from bulk.engine.opening import rows_of
from bulk.keys import item_key
from bulk.models import Import
from bulk.reading.results import Entry

ROWS: Final = 5_000  # looked at together
SIGN_OF_LIFE: Final = 5.0  # seconds between two


class Repeats:
    """What is known of a list that has been looked through from end to end."""

    def __init__(self) -> None:
        # On disk, without a name: memory stays the same however long the list is.
        self._seen = sqlite3.connect("")
        self._seen.execute(
            "CREATE TABLE seen (key INTEGER PRIMARY KEY, line INTEGER, mark BLOB, "
            "times INTEGER, differs INTEGER)"
        )
        # Of this list alone: what is on disk says nothing of a secret.
        self._key = secrets.token_bytes(32)
        self._is_empty = True

    @classmethod
    def among(cls, entries: Iterable[Entry]) -> Self:
        """Look through a list that is in memory."""
        found = cls()
        found._add(entries)
        found._close()
        return found

    @classmethod
    def within(cls, one: Import) -> Self | None:
        """Look through the file of an import, always from its beginning; None if we are to end.

        Raises:
            LostLeaseError: somebody else works on it now.
        """
        found, noted = cls(), time.monotonic()
        for batch in rows_of(one, most=ROWS, from_start=True):
            found._add(batch.entries)
            if stopping.is_ending():
                return None
            if time.monotonic() - noted > SIGN_OF_LIFE:
                noted = time.monotonic()
                lease.keep(one)
        found._close()
        return found

    def _add(self, entries: Iterable[Entry]) -> None:
        self._seen.executemany(
            "INSERT INTO seen VALUES (?, ?, ?, 1, 0) ON CONFLICT (key) DO UPDATE SET "
            "times = times + 1, differs = differs OR mark <> excluded.mark",
            (
                (item_key(entry.device_id), entry.line, self._mark(entry.password))
                for entry in entries
            ),
        )

    def _mark(self, secret: str) -> bytes:
        text = secret.encode("utf-8", "surrogatepass")
        return blake2b(text, digest_size=16, key=self._key).digest()

    def _close(self) -> None:
        self._seen.execute("DELETE FROM seen WHERE times = 1")
        self._is_empty = self._seen.execute("SELECT 1 FROM seen").fetchone() is None

    def of(self, keys: Collection[int]) -> dict[int, tuple[int, bool]]:
        """Return those of the devices that stand there repeatedly, by their keys.

        With each comes the line of its first row, and whether the secrets differ.
        """
        if self._is_empty:
            return {}
        found: dict[int, tuple[int, bool]] = {}
        for key in keys:
            asked = self._seen.execute("SELECT line, differs FROM seen WHERE key = ?", (key,))
            if row := asked.fetchone():
                found[key] = row[0], bool(row[1])
        return found
