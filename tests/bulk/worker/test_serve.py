"""The server has its workers: they come with it, come again, and go with it."""

import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest
import requests
from django.conf import settings

from bulk import imports
from bulk.models import Existing
from tests.bulk.files import received
from tests.bulk.worker.conftest import children, finished, kill, lives, now, surroundings, until
from tests.bulk.worker.test_kills import ROWS, file_of
from tests.e2e.conftest import ADMIN_PASSWORD, BOOTSTRAP_PASSWORD, free_port

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def serve(tmp_path):
    """Start servers on the database of the test; nothing of them outlives it."""
    output = tmp_path / "output.txt"
    known = set()

    @contextmanager
    def running(**more):
        port = free_port()
        env = surroundings(
            HOST="127.0.0.1",
            PORT=str(port),
            GATEHOUSE_WORKERS="1",
            GATEHOUSE_ADMIN_PASSWORD=ADMIN_PASSWORD,
            GATEHOUSE_BOOTSTRAP_PASSWORD=BOOTSTRAP_PASSWORD,
            **more,
        )
        with output.open("ab") as file:
            server = subprocess.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=settings.BASE_DIR,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        server.port = port
        try:
            until(lambda: answers(port))
            known.update(family(server))
            yield server
        finally:
            if server.poll() is None:
                known.update(family(server))
                server.terminate()
                server.wait(30)
            for pid in known:
                if lives(pid):
                    kill(pid)

    running.said = output.read_text
    return running


def answers(port):
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def family(server):
    """Return the IDs of all that a server started."""
    return [*children(server.pid, "work"), *children(server.pid, "serve")]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_worker_comes_and_goes_with_the_server(name, serve):
    with serve(GATEHOUSE_BULK_WORKERS="2") as server:
        pids = until(lambda: len(found := children(server.pid)) == 2 and found)
        server.send_signal(getattr(signal, name))
        assert server.wait(30) == 0
        assert not any(lives(pid) for pid in pids)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", server.port))
    assert "Traceback" not in serve.said()


def test_worker_is_left_out_when_it_runs_elsewhere(serve):
    with serve(GATEHOUSE_BULK_WORKERS="0") as server:
        assert children(server.pid) == []


def test_worker_that_died_is_started_again(serve):
    with serve() as server:
        (first,) = until(lambda: children(server.pid))
        kill(first)
        (second,) = until(lambda: [pid for pid in children(server.pid) if pid != first])
        assert lives(second)
        assert "is started again in 1 s" in serve.said()


def test_everything_is_killed_and_goes_on_by_itself(acme, operator, serve):
    one = received(acme, file_of("full"), operator)
    imports.start(one, on_existing=Existing.UPDATE, by=operator)
    with serve() as server:
        until(lambda: now(one).seen)
        (worker,) = children(server.pid)
        kill(server.pid)
        server.wait()
        until(lambda: not lives(worker), 10)  # though nobody told it
    assert now(one).seen < ROWS
    with serve():
        finished(one)
    assert "Traceback" not in serve.said()
