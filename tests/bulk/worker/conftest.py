"""Workers as they really run: processes of their own, on the database of the test."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from bulk.models import Import, State

DEADLINE = 60  # seconds after which something counts as hanging
PACE = 0.02  # seconds between two looks


def database():
    """Return the setting that leads other processes to the database of this test."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def surroundings(**more):
    """Return what a process sees that belongs to this house."""
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database(),
        "GATEHOUSE_DATA_DIR": str(settings.DATA_DIR),
        "GATEHOUSE_SECRET_KEY": os.environ["GATEHOUSE_SECRET_KEY"],
        "PYTHONWARNINGS": "ignore",
        **more,
    }


class Workers:
    """Worker processes; each is ended by its own ID."""

    def __init__(self, output: Path):
        self.output = output
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments):
        with self.output.open("ab") as file:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "work", *arguments],
                cwd=settings.BASE_DIR,
                env=surroundings(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process

    def said(self):
        return self.output.read_text()

    def end(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()


@pytest.fixture
def workers(tmp_path, transactional_db):
    """Start workers; none of them outlives the test."""
    workers = Workers(tmp_path / "workers.txt")
    yield workers
    workers.end()


def until(what, patience=DEADLINE):
    """Wait until something is so; return what it is then."""
    end = time.monotonic() + patience
    while not (found := what()):
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(PACE)
    return found


def now(one):
    """Return an import as it is now."""
    return Import.objects.get(pk=one.pk)


def finished(one, state=State.FINISHED):
    """Wait until an import is done; return it."""
    return until(lambda: (found := now(one)).state == state and found)


def lives(pid):
    """Say whether there is such a process, and it is no ghost."""
    asked = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip()[:1] not in {"", "Z"}


def children(pid, word="work"):
    """Return the IDs of the processes that a process started by a command of ours."""
    asked = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    )
    lines = (line.split(None, 2) for line in asked.stdout.splitlines())
    return [
        int(line[0]) for line in lines if line[1] == str(pid) and f"manage.py {word}" in line[2]
    ]


def kill(pid):
    os.kill(pid, signal.SIGKILL)
