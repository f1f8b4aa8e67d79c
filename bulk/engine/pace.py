"""How many rows go into one transaction, and how long others get their turn in between."""

import time
from typing import Final

from django.db import connection

from bulk.engine.sql import is_postgres

ROWS: Final = 5_000  # of a chunk on PostgreSQL: it holds nobody up, so only memory counts
FIRST: Final = 200  # rows of the first chunk on SQLite, where every writer waits for it
FEWEST, MOST = 20, 2_000  # rows of a chunk on SQLite
AIM: Final = 0.3  # seconds that a transaction may take there
TURN: Final = 0.2  # of that time, how long others have the database to themselves


class Pace:
    """Learns from each chunk how long the next one may be."""

    def __init__(self) -> None:
        self.is_shared = is_postgres()
        if not self.is_shared:
            _leave_writing_back_to_us()
        self.rows = ROWS if self.is_shared else FIRST

    def took(self, seconds: float) -> None:
        """Take notice of how long a chunk took, and let others have their turn."""
        if self.is_shared:
            return
        _write_back()
        wanted = self.rows * AIM / max(seconds, 0.001)
        self.rows = int(min(MOST, max(FEWEST, min(wanted, self.rows * 2))))
        time.sleep(min(AIM, seconds) * TURN)


def _leave_writing_back_to_us() -> None:
    """Let a commit of this connection end without moving its pages from the log to the file.

    SQLite would do that within the commit. Done by itself, it holds no other writer up.
    """
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_autocheckpoint = 0")


def _write_back() -> None:
    if connection.in_atomic_block:
        return  # somebody around us has a transaction open, and will end it
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
