"""``manage.py serve``: bring the database up to date and run the production server."""

import os
import signal
import socket
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import Error, connection, connections
from django.utils.module_loading import import_string
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from tenants.addresses import own_address
from tenants.companions import Companions
from tenants.installation import WrongKeyError, prepare_installation

PATIENCE = 3  # seconds that answers on their way are waited for when the server is stopped
SHORT_PASSWORD = 12  # characters; below this a password from the environment earns a warning


def load_application(target: str) -> Any:
    """Return the application, in the process of a worker that has just begun.

    A Ctrl-C reaches every process of the group, and the main process tells its workers to stop as
    well. A worker that is told twice at once can get stuck over it: it listens to the main
    process only.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    return import_string(target.replace(":", "."))


class Command(BaseCommand):
    """Serve until Ctrl-C, everything in this process group."""

    help = "Migrate, make the first accounts if there are none, and serve."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Get ready, say where to go, and serve."""
        address = self._listening_address()
        try:
            self.prepare()
        except KeyboardInterrupt:
            return
        # Workers open connections of their own; one that is shared across a fork breaks.
        connections.close_all()
        workers = settings.WORKERS or os.cpu_count() or 1
        self.stdout.write(f"Gatehouse is at {own_address()}  (Ctrl-C stops it)")
        self.stdout.flush()  # seen at once, also through a pipe
        server = Server(
            "config.wsgi:application",
            address=address,
            port=settings.PORT,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=settings.THREADS,
            log_level=LogLevels.error,
            respawn_failed_workers=True,
            # Devices keep their connections open and would keep the server waiting for ever.
            workers_kill_timeout=PATIENCE,
        )
        with Companions("work", settings.BULK_WORKERS):
            server.serve(target_loader=load_application)

    def _listening_address(self) -> str:
        """Return the address behind HOST, which may be a name; the server knows numbers only.

        One that cannot be had is refused here: the server's own words for that fill a screen.
        """
        try:
            found = socket.getaddrinfo(settings.HOST, settings.PORT, type=socket.SOCK_STREAM)
            family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
            with socket.socket(family) as probe:
                # Connections of the last run that are still winding up do not count.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "there is no such name"
            msg = f"HOST, PORT: cannot listen at {settings.HOST} port {settings.PORT}: {reason}."
            raise CommandError(msg) from error
        return str(address[0])

    def prepare(self) -> None:
        """Bring the database up to date and make the first accounts."""
        try:
            call_command("migrate", verbosity=0, interactive=False)
            call_command("clearsessions")
            first = prepare_installation()
            if connection.vendor == "sqlite":
                with connection.cursor() as cursor:
                    # Learn how the rows are spread, so that the right index is chosen.
                    cursor.execute("PRAGMA optimize=0x10002")
        except WrongKeyError as error:
            msg = (
                "GATEHOUSE_DATA_DIR: the secret key there is not the one this database was made "
                "with; restore secret.key from a backup (or set GATEHOUSE_SECRET_KEY to it)."
            )
            raise CommandError(msg) from error
        except Error as error:
            # The driver's message may repeat the URL's host, never its password.
            msg = f"DATABASE_URL: the database cannot be used: {' '.join(str(error).split())}"
            raise CommandError(msg) from error
        for name, value in (
            ("GATEHOUSE_ADMIN_PASSWORD", settings.ADMIN_PASSWORD),
            ("GATEHOUSE_BOOTSTRAP_PASSWORD", settings.BOOTSTRAP_PASSWORD),
        ):
            if value and len(value) < SHORT_PASSWORD:
                self.stderr.write(
                    f"{name} has fewer than {SHORT_PASSWORD} characters; choose a longer one."
                )
        if first.generated:
            self.stdout.write("First start. These passwords are shown once; keep them:")
            for login, password in first.generated.items():
                self.stdout.write(f"    {login}  {password}")
