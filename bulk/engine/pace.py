"""How many rows go into one transaction, and how long others get their turn in between."""

import time
from typing import Final

from bulk.engine.sql import is_postgres

ROWS: Final = 5_000  # of a chunk on PostgreSQL: it holds nobody up, so only memory counts
FIRST: Final = 200  # rows of the first chunk on SQLite, where every writer waits for it
FEWEST, MOST = 20, 2_000  # rows of a chunk on SQLite
AIM: Final = 0.15  # seconds that a transaction may take there
TURN: Final = 0.3  # of that time, how long others have the database to themselves


class Pace:
    """Learns from each chunk how long the next one may be."""

    def __init__(self) -> None:
        self.is_shared = is_postgres()
        self.rows = ROWS if self.is_shared else FIRST

    def took(self, seconds: float) -> None:
        """Take notice of how long a chunk took, and let others have their turn."""
        if self.is_shared:
            return
        wanted = self.rows * AIM / max(seconds, 0.001)
        self.rows = int(min(MOST, max(FEWEST, min(wanted, self.rows * 2))))
        time.sleep(min(AIM, seconds) * TURN)
