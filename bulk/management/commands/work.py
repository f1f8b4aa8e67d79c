"""``manage.py work``: work on files of devices, in a process of its own."""

import argparse
import os
import signal
import threading
import time
from typing import Any

from django.core.management import BaseCommand, CommandParser

from bulk.engine import stopping
from bulk.worker import Worker, collect_less

LOOK = 0.1  # seconds between two looks for a signal
PATIENCE = 3  # seconds for the rows on their way


class Command(BaseCommand):
    """Work until Ctrl-C or TERM."""

    help = "Work on bulk registrations until Ctrl-C; `serve` starts one of these by itself."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the process that this one belongs to."""
        parser.add_argument("--parent", type=int, help=argparse.SUPPRESS)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Work in this thread; another one waits for the end.

        No signal interrupts what is being written: they are kept waiting, and looked for.
        """
        parent = options["parent"]
        # Ctrl-C reaches a companion as well; when it is to end, its parent says.
        signals = {signal.SIGTERM} if parent else {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        watch = threading.Thread(target=wait_for_end, args=(signals, parent), daemon=True)
        watch.start()
        collect_less()
        Worker().run()


def wait_for_end(signals: set[signal.Signals], parent: int | None) -> None:
    """Ask to stop when a signal comes or the parent is gone; end what does not stop."""
    while not signals & signal.sigpending() and parent in {None, os.getppid()}:
        time.sleep(LOOK)
    stopping.ask()
    time.sleep(PATIENCE)
    # As if it had been killed: what was begun is rolled back, the lease lapses by itself.
    os._exit(1)
