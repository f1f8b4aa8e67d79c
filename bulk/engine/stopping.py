"""Being asked to stop: whoever works looks between two chunks, and gives the lease back.

A process is asked when it is to end. One that has several imports to work on is also asked when a
turn is over, so that a small file need not wait for a large one.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

TURN: Final = 2.0  # seconds that an import has before others that wait come next


class Turn:
    """The time that one import has; it goes on for as long as nobody else waits."""

    def __init__(self, others_wait: Callable[[], bool]) -> None:
        self.gave_way = False
        self._others_wait = others_wait
        self._until = time.monotonic() + TURN

    def is_over(self) -> bool:
        """Say whether others come next; whoever was told so once is told so again."""
        if not self.gave_way and time.monotonic() >= self._until:
            self.gave_way = self._others_wait()
            self._until = time.monotonic() + TURN
        return self.gave_way


# Plain names and no locks: two signals, one within the handler of the other, could not pass one.
_asked = False
_turn: Turn | None = None


def ask() -> None:
    """Ask everybody in this process to stop after the rows on their way."""
    global _asked  # noqa: PLW0603 -- it is the state of the process
    _asked = True


def is_ending() -> bool:
    """Say whether this process is to end."""
    return _asked


def is_asked() -> bool:
    """Say whether work is to stop, for good or until the next turn."""
    return _asked or (_turn is not None and _turn.is_over())


@contextmanager
def turn(others_wait: Callable[[], bool]) -> Iterator[Turn]:
    """Let what is worked on within give way to others; for processes that do nothing else."""
    global _turn  # noqa: PLW0603 -- it is the state of the process
    _turn = Turn(others_wait)
    try:
        yield _turn
    finally:
        _turn = None
