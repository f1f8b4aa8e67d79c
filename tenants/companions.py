"""Processes that work beside the server: started with it, started again, ended with it."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from django.conf import settings

logger = logging.getLogger("gatehouse.companions")

LOOK = 0.5  # seconds between two looks whether they live
PAUSE, LONGEST_PAUSE = 1, 30  # seconds before one that died is started again; doubled each time
SETTLED = 60  # seconds after which one counts as started well
PATIENCE = 4  # seconds that they have to end


class Companions:
    """Processes of one management command, for as long as the block lasts.

    They end by themselves when this process is gone, however it went: they are told its ID, and
    look whether it is still their parent.
    """

    def __init__(self, command: str, number: int) -> None:
        self._command = command
        self._places = [Place(command) for _ in range(number)]
        self._is_over = threading.Event()
        self._watch = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> Self:
        for place in self._places:
            place.start()
        if self._places:
            self._watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        if self._places:
            self._watch.join()
        for place in self._places:
            place.process.terminate()
        end = time.monotonic() + PATIENCE
        for place in self._places:
            place.end(max(0.0, end - time.monotonic()))

    def _keep(self) -> None:
        """Start those again that died, until it is over."""
        while not self._is_over.wait(LOOK):
            for place in self._places:
                place.look()


class Place:
    """Where one process runs, and the next one when it has died."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._started = self._again_at = 0.0
        self._pause = 0

    def start(self) -> None:
        """Start a process that Ctrl-C does not reach: it is told by us when to end."""
        line = [sys.executable, str(settings.BASE_DIR / "manage.py"), self._command]
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.process = subprocess.Popen(  # noqa: S603 -- our own command
                [*line, "--parent", str(os.getpid())], stdin=subprocess.DEVNULL
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._started, self._again_at = time.monotonic(), 0.0

    def look(self) -> None:
        """Start the process again, a while after it died."""
        now = time.monotonic()
        if self.process.poll() is None:
            return
        if not self._again_at:
            again = now - self._started < SETTLED
            self._pause = max(PAUSE, min(self._pause * 2, LONGEST_PAUSE)) if again else PAUSE
            self._again_at = now + self._pause
            logger.warning(
                "%s (%d) ended with %d and is started again in %d s.",
                self._command, self.process.pid, self.process.returncode, self._pause,
            )  # fmt: skip
        elif now >= self._again_at:
            # There may be no room for a process just now; the next look tries once more.
            with suppress(OSError):
                self.start()

    def end(self, patience: float) -> None:
        """Wait for the process, which has been told; end it if it does not."""
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
