"""``manage.py simulate``: let devices that do not exist knock at a server that does."""

import argparse
import getpass
import math
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from registration.simulator import Device, Fleet, Habits, Login, make_devices

PASSWORD_VARIABLE = "GATEHOUSE_BOOTSTRAP_PASSWORD"  # noqa: S105 -- a name


class Command(BaseCommand):
    """Run simulated devices; nothing is read from our own database."""

    help = "Let simulated devices poll for their credentials at any server with the contract."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Say what can be chosen."""
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="address of the server")
        parser.add_argument(
            "--bootstrap",
            default="management/devicebootstrap",
            help="login that devices knock with; its password comes from "
            f"{PASSWORD_VARIABLE}, from --password-file, or is asked for",
        )
        parser.add_argument(
            "--password-file", type=Path, help="file with the bootstrap password in one line"
        )
        parser.add_argument(
            "--devices", type=_whole_number, default=20, help="number of devices (20)"
        )
        parser.add_argument("--prefix", default="demo-", help="start of the device IDs (demo-)")
        parser.add_argument(
            "--ids-file",
            help="file of device IDs instead, one in a line, a security token may follow after a "
            "blank; - is standard input",
        )
        parser.add_argument(
            "--token-share",
            type=_share,
            default=0.3,
            help="share of the devices that send a security token (0.3); the tokens are printed, "
            "and are the same at every start with the same bootstrap password",
        )
        parser.add_argument(
            "--interval", type=_seconds, default=5.0, help="seconds between two polls (5)"
        )
        parser.add_argument(
            "--spread",
            type=_seconds,
            help="seconds over which the first knocks are spread (one interval)",
        )
        parser.add_argument("--duration", type=_seconds, help="seconds until the end (none)")
        parser.add_argument(
            "--lose-answers",
            type=_share,
            default=0.0,
            help="share of delivered credentials that get lost on their way (0)",
        )
        parser.add_argument(
            "--confirm", action="store_true", help="log in with the credentials received"
        )

    def handle(self, **options: Any) -> None:
        """Run the devices until they are in, the time is over, or Ctrl-C."""
        bootstrap = Login(options["bootstrap"], self._password(options["password_file"]))
        try:
            fleet = Fleet(
                self._devices(options, bootstrap.password),
                url=options["url"],
                bootstrap=bootstrap,
                habits=Habits(
                    interval=options["interval"],
                    spread=options["interval"] if options["spread"] is None else options["spread"],
                    lose_answers=options["lose_answers"],
                    confirms=options["confirm"],
                ),
                tell=self._tell,
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        if not fleet.devices:
            raise CommandError("There is no device to simulate.")
        try:
            fleet.run(options["duration"])
        except KeyboardInterrupt:
            self.stdout.write("")
        for line in fleet.summary():
            self.stdout.write(line)

    def _tell(self, news: str) -> None:
        self.stdout.write(f"{time.strftime('%H:%M:%S')} {news}")
        self.stdout.flush()

    def _password(self, file: Path | None) -> str:
        if file is not None:
            try:
                return file.read_text().rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                msg = f"--password-file: {file} cannot be read."
                raise CommandError(msg) from error
        password = settings.BOOTSTRAP_PASSWORD
        if not password and sys.stdin.isatty():
            password = getpass.getpass("Bootstrap password: ")
        if not password:
            msg = f"Give the bootstrap password by {PASSWORD_VARIABLE} or --password-file."
            raise CommandError(msg)
        return password

    def _devices(self, options: dict[str, Any], secret: str) -> list[Device]:
        share = options["token_share"]
        name = options["ids_file"]
        if name is None:
            numbers = range(1, options["devices"] + 1)
            ids = [f"{options['prefix']}{number:04}" for number in numbers]
            return make_devices(ids, token_share=share, secret=secret)
        try:
            text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            msg = f"--ids-file: {name} cannot be read."
            raise CommandError(msg) from error
        # A token in the file is a decision; where there is none in the whole file, chance decides.
        devices = [Device.read(line) for line in text.splitlines() if line.strip()]
        if any(device.token for device in devices):
            return devices
        ids = [device.device_id for device in devices]
        return make_devices(ids, token_share=share, secret=secret)


def _whole_number(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 1_000_000:
        raise argparse.ArgumentTypeError("must be from 1 to 1000000")
    return number


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("must be from 0 to 1")
    return share


def _seconds(text: str) -> float:
    seconds = float(text)
    if not (math.isfinite(seconds) and seconds > 0):
        raise argparse.ArgumentTypeError("must be a number of seconds above 0")
    return seconds
