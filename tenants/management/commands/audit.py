"""``manage.py audit verify``: say whether the audit log is whole."""

import argparse
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import Error

from tenants.audit import verify

PLACE: Final = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})?", re.ASCII)


def place(text: str) -> tuple[int, str]:
    """Return the number and the digest in ``text``."""
    found = PLACE.fullmatch(text.strip())
    if not found or bool(int(found[1])) != bool(found[2]):
        msg = "must look like 1234:0a1b…, a number and a digest of 64 characters"
        raise argparse.ArgumentTypeError(msg)
    return int(found[1]), found[2] or ""


class Command(BaseCommand):
    """Verify the audit log, against what an earlier verification found.

    The end of the last log that was in order is kept in the data directory, outside the database:
    an end that was cut off, or a log begun anew, shows by it. Who can write to that directory as
    well is found out by ``--known`` only, with what was printed earlier and kept elsewhere.
    """

    help = "Verify the audit log: exit code 0 if it is whole, 1 if an entry is altered or missing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Describe the command line."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        checking = actions.add_parser("verify", help="check every entry of the log")
        checking.add_argument(
            "--known",
            type=place,
            metavar="NUMBER:DIGEST",
            help="an entry from an earlier verification that must still be there; takes the "
            "place of the one that is kept in the data directory",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Check the log; keep where it ends if it is in order."""
        kept = head_file()
        known = options.get("known") or self._kept(kept)
        try:
            found = verify(known=known)
        except Error as error:
            msg = f"The audit log cannot be read: {' '.join(str(error).split())}"
            raise CommandError(msg) from error
        if not found.is_intact:
            msg = f"Entry {found.broken_at} of the audit log: {found.problem}"
            if found.number:
                msg += f" The entries before it are in order, up to {found.number}:{found.digest}"
            raise CommandError(msg)
        self._keep(kept, f"{found.number}:{found.digest}\n")
        self.stdout.write(f"The audit log is whole: {found.number} entries.")
        if found.number:
            self.stdout.write(f"Its last entry is {found.number}:{found.digest}")
            self.stdout.write("Keep that line elsewhere; --known checks it next time.")

    def _kept(self, path: Path) -> tuple[int, str] | None:
        """Return the end that the last verification kept, if there was one."""
        try:
            return place(path.read_text(encoding="ascii"))
        except FileNotFoundError:
            self.stdout.write(
                f"There is no {path}: whether an end was cut off before now cannot be told."
            )
            return None
        except (argparse.ArgumentTypeError, OSError, ValueError) as error:
            msg = (
                f"{path} cannot be read. Give --known with a line from an earlier verification; "
                "a new file is then written."
            )
            raise CommandError(msg) from error

    def _keep(self, path: Path, text: str) -> None:
        try:
            write_whole(path, text)
        except OSError as error:
            msg = f"The audit log is whole, but {path} cannot be written: {error.strerror}."
            raise CommandError(msg) from error


def head_file() -> Path:
    """Return where the end of the last log that was in order is kept."""
    return Path(settings.DATA_DIR) / "audit-head"


def write_whole(path: Path, text: str) -> None:
    """Write ``path`` so that a crash leaves the old file or the new one, never half of one."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise
