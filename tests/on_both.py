"""Run a command on SQLite and on PostgreSQL at once; fail if it fails on either.

    python tests/on_both.py -- python -m pytest

Tests wait a good deal, for browsers, servers and each other; meanwhile the other half goes on.
What is said about PostgreSQL is kept back until all is said about SQLite.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

WITH_POSTGRES = Path(__file__).with_name("with_postgres.py")


def main(command: list[str]) -> int:
    """Run ``command`` twice and return 1 if one of them failed."""
    # A polite end of this process is an end of both, which clean up after themselves.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    on_sqlite = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    with_postgres = [sys.executable, str(WITH_POSTGRES), "--", *command]
    with tempfile.TemporaryFile("w+b") as kept, Path(os.devnull).open() as nothing:
        _say("== On SQLite")
        halves = {
            "SQLite": subprocess.Popen(command, env=on_sqlite, stdin=nothing),
            "PostgreSQL": subprocess.Popen(
                with_postgres, stdin=nothing, stdout=kept, stderr=subprocess.STDOUT
            ),
        }
        try:
            halves["SQLite"].wait()
            _say("== On PostgreSQL")
            _follow(halves["PostgreSQL"], kept)
        except BaseException as error:
            for half in halves.values():
                if not isinstance(error, KeyboardInterrupt):  # which they got as well
                    half.terminate()
                half.wait()
            raise
    failed = [name for name, half in halves.items() if half.returncode]
    for name in failed:
        print(f"The suite failed on {name}.", file=sys.stderr)
    return int(bool(failed))


def _say(line: str) -> None:
    print(line, flush=True)


def _follow(process: subprocess.Popen[bytes], kept: IO[bytes]) -> None:
    """Pass on what the process said and still says, until it ends."""
    said = 0
    while True:
        has_ended = process.poll() is not None  # before the last look
        news = os.pread(kept.fileno(), 1 << 16, said)
        said += len(news)
        sys.stdout.buffer.write(news)
        sys.stdout.buffer.flush()
        if not news:
            if has_ended:
                return
            time.sleep(0.2)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[:1] == ["--"]:
        arguments = arguments[1:]
    if not arguments:
        sys.exit("Usage: python tests/on_both.py -- COMMAND...")
    try:
        sys.exit(main(arguments))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
