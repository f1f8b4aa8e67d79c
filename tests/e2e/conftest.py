"""Gatehouse as its users start it: a process of its own, with a database of its own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import requests
from django.conf import settings

ADMIN_PASSWORD = "administrator of the suite"
BOOTSTRAP_PASSWORD = "bootstrap of the suite"
DEADLINE = 60  # seconds after which a start counts as hanging
SHELL = """
import contextlib, io, json, sys, traceback
for line in sys.stdin:
    printed, problem = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(printed):
            exec(json.loads(line), {})
    except Exception:
        problem = traceback.format_exc()
    print(json.dumps([problem, printed.getvalue()]), flush=True)
"""


@dataclass
class Gatehouse:
    """A running server and what it has said so far."""

    port: int
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def said(self):
        return self.output.read_text()

    def wait_until_up(self):
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            assert self.process.poll() is None, self.said()
            try:
                if requests.get(f"{self.url}/healthz", timeout=5).status_code == 200:
                    return
            except requests.ConnectionError:
                time.sleep(0.05)
        raise AssertionError(self.said())

    def stop(self):
        """End it as Ctrl-C does, by its process id only."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(data_dir, **more):
    """Return what a start sees: nothing of the machine's own settings."""
    return {
        "PATH": os.environ["PATH"],
        "GATEHOUSE_DATA_DIR": str(data_dir),
        "GATEHOUSE_WORKERS": "1",
        "PYTHONWARNINGS": "ignore",
        **more,
    }


def launch(output, env):
    with output.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=settings.BASE_DIR,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def collect_static_files():
    """Collect what a browser loads, if it changed since ``make`` did."""
    manifest = settings.BASE_DIR / "staticfiles/staticfiles.json"
    newest = max(path.stat().st_mtime for path in (settings.BASE_DIR / "static").iterdir())
    if not manifest.exists() or manifest.stat().st_mtime < newest:
        manage("collectstatic", "--no-input", "--verbosity", "0", env=dict(os.environ))
        manifest.touch()


def manage(*arguments, env):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env={**env, "DJANGO_SETTINGS_MODULE": "config.settings"},
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


@contextmanager
def shell(env):
    """Yield what runs code as ``manage.py shell`` does and returns what it prints.

    One process for all: to start takes longer than most of what is to be done.
    """
    with subprocess.Popen(
        [sys.executable, "manage.py", "shell", "--no-imports", "--command", SHELL],
        cwd=settings.BASE_DIR,
        env={**env, "DJANGO_SETTINGS_MODULE": "config.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def run(code):
            process.stdin.write(json.dumps(code) + "\n")
            process.stdin.flush()
            problem, printed = json.loads(process.stdout.readline())
            assert not problem, problem
            return printed

        yield run
        process.stdin.close()  # which ends it


@contextmanager
def empty_database():
    """Yield the variables that name a new database: none for SQLite, a URL for PostgreSQL."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        yield {}
        return
    name = f"gatehouse_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield {"DATABASE_URL": urlsplit(url)._replace(path=f"/{name}").geturl()}
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def running(data_dir, **more):
    """Start a server, wait until it answers, end it afterwards."""
    port = free_port()
    output = data_dir.parent / f"output-{port}.txt"
    env = environment(data_dir, HOST="127.0.0.1", PORT=str(port), **more)
    server = Gatehouse(port, launch(output, env), output)
    try:
        server.wait_until_up()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for all tests that only talk to it."""
    data_dir = tmp_path_factory.mktemp("installation") / "data"
    with (
        empty_database() as database,
        running(
            data_dir,
            GATEHOUSE_ADMIN_PASSWORD=ADMIN_PASSWORD,
            GATEHOUSE_BOOTSTRAP_PASSWORD=BOOTSTRAP_PASSWORD,
            **database,
        ) as server,
    ):
        yield server


@dataclass
class Remote:
    """The REST contract over the network, with one login."""

    url: str
    login: tuple[str, str]

    def call(self, method, path, **more):
        login = tuple(part.encode() for part in self.login)  # else it is sent as Latin-1
        with requests.Session() as session:
            return session.request(method, self.url + path, auth=login, timeout=30, **more)

    def register(self, device_id):
        answer = self.call("POST", "/devicecontrol/newDeviceRequests", json={"id": device_id})
        assert answer.status_code == 201

    def poll(self, device_id, **more):
        return self.call("POST", "/devicecontrol/deviceCredentials", json={"id": device_id}, **more)

    def accept(self, device_id):
        path = f"/devicecontrol/newDeviceRequests/{device_id}"
        assert self.call("PUT", path, json={"status": "ACCEPTED"}).status_code == 200


@pytest.fixture
def admin(server):
    return Remote(server.url, ("management/admin", ADMIN_PASSWORD))


@pytest.fixture
def device(server):
    return Remote(server.url, ("management/devicebootstrap", BOOTSTRAP_PASSWORD))


@pytest.fixture
def log_in(server):
    """Return the status that a device gets with the credentials it was given."""

    def status(credentials):
        login = f"{credentials['tenantId']}/{credentials['username']}"
        me = Remote(server.url, (login, credentials["password"])).call("GET", "/user/currentUser")
        return me.status_code

    return status


def passwords_in(text):
    """Return what looks like a generated password, by login."""
    return dict(re.findall(r"^\s+(\w+/\w+)\s+(\S{24})$", text, re.MULTILINE))
