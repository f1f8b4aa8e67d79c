"""``manage.py demo``: serve sample data, with simulated devices that knock."""

import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management import CommandError

from registration.samples import (
    InUseError,
    new_simulator_password,
    prepare_samples,
    simulated_devices,
)
from tenants.addresses import own_address
from tenants.management.commands.serve import Command as ServeCommand

KNOCK_WITHIN = 60  # seconds after the start until the last device has knocked
INTERVAL = 5  # seconds between two polls
PATIENCE = 5  # seconds for the simulator to end by itself
DEVICES_FILE = "simulated-devices.txt"  # in the data directory


class Command(ServeCommand):
    """Serve as always; the samples are made before, the devices are children of this process."""

    help = "Serve sample tenants, registrations at every stage, and devices that knock."

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until Ctrl-C, and take the simulated devices along."""
        self.simulator: subprocess.Popen[str] | None = None
        try:
            super().handle(*args, **options)
        finally:
            self._end_simulator()

    def prepare(self) -> None:
        """Make samples where there are none, and let the devices start."""
        super().prepare()
        try:
            made = prepare_samples()
        except InUseError as error:
            msg = (
                "GATEHOUSE_DATA_DIR: this database is in use. The demo wants one of its own: "
                "name an empty directory, and no DATABASE_URL."
            )
            raise CommandError(msg) from error
        if made is None:
            self.stdout.write(
                f"The samples are there already; remove {settings.DATA_DIR} to start over."
            )
        else:
            self.stdout.write("Sample people. These passwords are shown once as well:")
            for login, password in made.passwords.items():
                self.stdout.write(f"    {login}  {password}")
            self.stdout.write("Security tokens of devices that wait:")
            for device_id, token in made.tokens.items():
                self.stdout.write(f"    {device_id}  {token}")
        self.stdout.write(f"Sign in at {own_address()}/ with a login as shown, tenant included.")
        self._start_simulator()

    def _start_simulator(self) -> None:
        devices = [f"{device_id} {token}".strip() for device_id, token in simulated_devices()]
        if not devices:
            return
        file = settings.DATA_DIR / DEVICES_FILE
        file.write_text("".join(f"{device}\n" for device in devices))
        command: list[str] = [
            *(sys.executable, str(settings.BASE_DIR / "manage.py"), "simulate"),
            *("--url", self._loopback()),
            *("--bootstrap", "management/demo-devices", "--password-file", "/dev/stdin"),
            *("--ids-file", str(file), "--spread", str(KNOCK_WITHIN), "--interval", str(INTERVAL)),
            "--confirm",
        ]
        self.simulator = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
        assert self.simulator.stdin is not None  # noqa: S101 -- for the type checker
        with self.simulator.stdin as pipe:
            pipe.write(new_simulator_password())

    def _loopback(self) -> str:
        """Return the address at which a process on this machine reaches the server."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}"

    def _end_simulator(self) -> None:
        """Wait for the simulator, which got the same Ctrl-C; end it if it did not."""
        if self.simulator is None:
            return
        try:
            self.simulator.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            self.simulator.terminate()
            try:
                self.simulator.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                self.simulator.kill()
