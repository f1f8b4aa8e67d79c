"""Starting: what is wrong is said in one sentence, what is secret is said once."""

import os
import socket
from urllib.parse import urlsplit

import psycopg
import pytest
import requests

from tests.e2e.conftest import (
    DEADLINE,
    Remote,
    empty_database,
    environment,
    free_port,
    launch,
    passwords_in,
    running,
)

WRONG = {
    "PORT": ["abc", "0", "65536", "80 80"],
    "HOST": ["no.such.host.invalid", "192.0.2.1", "a..b"],
    "DATABASE_URL": [
        "mysql://me:hunter2@db/gatehouse",
        "postgresql://me:hunter2@127.0.0.1:1/gatehouse",
        "postgresql://me:hunter2@127.0.0.1",
        "sqlite://",
    ],
    "GATEHOUSE_WORKERS": ["many"],
    "GATEHOUSE_BULK_WORKERS": ["-1"],
    "GATEHOUSE_SECRET_KEY": ["hunter2"],
    "GATEHOUSE_PUBLIC_URL": ["gatehouse"],
    "GATEHOUSE_LOG_LEVEL": ["LOUD"],
    "GATEHOUSE_MAX_TOKEN_ATTEMPTS": ["0"],
    "GATEHOUSE_DATA_DIR": ["/dev/null/data"],
}
CASES = [(name, value) for name, values in WRONG.items() for value in values]


@pytest.fixture(scope="module")
def wrong_starts(tmp_path_factory):
    """Start with every wrong setting, all side by side; return the processes and outputs."""
    starts = {}
    for name, value in CASES:
        directory = tmp_path_factory.mktemp("wrong")
        output = directory / "output.txt"
        env = environment(directory / "data", PORT=str(free_port())) | {name: value}
        starts[name, value] = (launch(output, env), output)
    yield starts
    for process, _ in starts.values():
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.mark.parametrize(("name", "value"), CASES)
def test_wrong_setting_ends_the_start_with_one_sentence_that_names_it(name, value, wrong_starts):
    process, output = wrong_starts[name, value]
    assert process.wait(DEADLINE) not in {None, 0}
    said = output.read_text().strip()
    assert name in said
    assert len(said.splitlines()) == 1
    assert "Traceback" not in said
    assert "hunter2" not in said


def test_port_that_is_taken_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        env = environment(tmp_path / "data", PORT=str(other.getsockname()[1]))
        process = launch(tmp_path / "output.txt", env)
        assert process.wait(DEADLINE) != 0
    said = (tmp_path / "output.txt").read_text()
    assert "PORT" in said
    assert "Traceback" not in said


def test_accounts_stay_and_passwords_are_printed_once(tmp_path):
    data = tmp_path / "data"
    with empty_database() as database:
        with running(data, **database) as first:
            passwords = passwords_in(first.said())
            assert set(passwords) == {"management/admin", "management/devicebootstrap"}
            for password in passwords.values():
                assert first.said().count(password) == 1
            admin = Remote(first.url, ("management/admin", passwords["management/admin"]))
            admin.register("4711")
        assert first.process.returncode == 0
        with running(data, **database) as second:
            assert passwords_in(second.said()) == {}
            for password in passwords.values():
                assert password not in second.said()
            admin.url = second.url
            answer = admin.call("GET", "/devicecontrol/newDeviceRequests/4711")
            assert answer.json()["status"] == "WAITING_FOR_CONNECTION"
        key = (data / "secret.key").read_text()
        (data / "secret.key").unlink()
        process = launch(
            tmp_path / "without-key.txt", environment(data, PORT=str(free_port()), **database)
        )
        assert process.wait(DEADLINE) != 0
        said = (tmp_path / "without-key.txt").read_text()
        assert "secret.key" in said
        assert "Traceback" not in said
        assert len(said.strip().splitlines()) == 1
        (data / "secret.key").write_text(key)
        with running(data, **database) as third:
            admin.url = third.url
            assert admin.call("GET", "/user/currentUser").status_code == 200


def test_what_is_kept_is_for_nobody_else(server):
    data = server.output.parent / "data"
    assert data.stat().st_mode & 0o077 == 0
    assert (data / "secret.key").stat().st_mode & 0o077 == 0


def test_given_passwords_are_not_printed(server):
    assert passwords_in(server.said()) == {}
    assert "of the suite" not in server.said()


def test_host_may_be_a_name(tmp_path):
    port = str(free_port())
    with empty_database() as database:
        env = environment(tmp_path / "data", HOST="localhost", PORT=port, **database)
        process = launch(tmp_path / "output.txt", env)
        try:
            answer = wait_for(f"http://localhost:{port}/healthz", process)
            assert answer.json() == {"status": "up", "database": "answers"}
        finally:
            process.terminate()
            process.wait(DEADLINE)


def wait_for(url, process):
    while process.poll() is None:
        try:
            return requests.get(url, timeout=5)
        except requests.ConnectionError:
            continue
    pytest.fail("The server ended.")


@pytest.mark.postgres
def test_pulse_says_when_the_database_is_gone(tmp_path):
    with empty_database() as database, running(tmp_path / "data", **database) as server:
        name = urlsplit(database["DATABASE_URL"]).path.removeprefix("/")
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
            other.execute(f"DROP DATABASE {name} WITH (FORCE)")
        answer = requests.get(f"{server.url}/healthz", timeout=30)
        assert (answer.status_code, answer.json()["status"]) == (503, "down")
        assert "Traceback" not in server.said()
