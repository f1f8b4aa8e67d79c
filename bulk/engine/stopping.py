"""Being asked to stop: whoever works looks between two chunks, and gives the lease back."""

import threading

_asked = threading.Event()


def ask() -> None:
    """Ask everybody in this process to stop after the rows on their way."""
    _asked.set()


def is_asked() -> bool:
    """Say whether work is to stop."""
    return _asked.is_set()
