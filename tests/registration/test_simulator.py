"""Simulated devices, against a small server that follows the contract."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from registration.simulator import (
    Answer,
    Device,
    Experience,
    Fleet,
    Habits,
    Login,
    described,
    device_login,
    experience_of,
    make_devices,
    pause_after_failure,
    token_for,
)

BOOTSTRAP = Login("management/devicebootstrap", "secret")
CREDENTIALS = {"id": "d", "tenantId": "acme", "username": "device_d", "password": "p"}
NAME, TYPE, FRAGMENTS = described("d", "c8y_Linux")
SERIAL = FRAGMENTS["c8y_Hardware"]["serialNumber"]


@pytest.fixture
def server():
    """A server that lets a device in at its third poll; it remembers what it was asked.

    It has no inventory, unless a test puts answers into ``inventory``, by the path.
    """
    asked = []
    inventory = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(("POST", self.headers["Authorization"], body))
            if self.path != "/devicecontrol/deviceCredentials":
                return self.answer(*inventory.get(self.path, (405, {})))
            if len(asked) < 3:
                return self.answer(404, {"message": "d is in state PENDING_ACCEPTANCE."})
            return self.answer(201, CREDENTIALS)

        def do_GET(self):
            asked.append(("GET", self.headers["Authorization"], {}))
            if self.path != "/user/currentUser":
                return self.answer(*inventory.get(self.path, (404, {})))
            return self.answer(200, {})

        def answer(self, status, payload):
            body = json.dumps(payload).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}", asked, inventory
        http.shutdown()


def run(url, devices, *, seconds=10, **habits):
    told = []
    fleet = Fleet(
        devices,
        url=url,
        bootstrap=BOOTSTRAP,
        habits=Habits(interval=0.01, spread=0.01, **habits),
        tell=told.append,
    )
    fleet.run(seconds)
    return fleet, told


def test_device_polls_until_it_is_in_and_logs_in(server):
    url, asked, _ = server
    _, told = run(url, [Device("d", "TOKEN")], confirms=True)
    assert told == [
        "d waits for acceptance, security token TOKEN",
        "d has its credentials",
        "d has logged in",
    ]
    assert asked[0] == ("POST", BOOTSTRAP.header, {"id": "d", "securityToken": "TOKEN"})
    assert asked[3][:2] == ("GET", Login("acme/device_d", "p").header)


def test_device_tells_what_it_is_and_binds_its_serial_number(server):
    url, asked, inventory = server
    inventory["/inventory/managedObjects"] = (201, {"id": "7"})
    inventory["/identity/globalIds/7/externalIds"] = (201, {})
    _, told = run(url, [Device("d")], confirms=True)
    assert told[-2:] == ["d has logged in", "d has told what it is"]
    found = {"name": NAME, "type": TYPE, **FRAGMENTS}
    assert [body for _, _, body in asked[-3:]] == [
        {},
        found,
        {"type": "c8y_Serial", "externalId": SERIAL},
    ]


def test_device_that_finds_itself_makes_no_second_one(server):
    url, asked, inventory = server
    inventory[f"/identity/externalIds/c8y_Serial/{SERIAL}"] = (200, {})
    _, told = run(url, [Device("d")], confirms=True)
    assert told[-1] == "d has told what it is"
    assert asked[-1][0] == "GET"


def test_device_is_content_with_a_server_that_has_no_inventory(server):
    url, asked, _ = server
    fleet, told = run(url, [Device("d")], confirms=True)
    assert told[-1] == "d has logged in"
    assert [one[0] for one in asked[-2:]] == ["GET", "POST"]
    assert not fleet.counts["failures"]


def test_lost_answer_is_asked_for_again(server):
    fleet, told = run(server[0], [Device("d")], lose_answers=1, seconds=0.5)
    assert fleet.counts["lost"] > 1
    assert told[-1] == "d was given credentials and lost the answer"


def test_device_without_a_server_says_so_once_and_goes_on():
    fleet, told = run("http://127.0.0.1:9", [Device("d")], seconds=0.3)
    assert len(told) == 1
    assert told[0].startswith("d cannot reach the server")
    assert fleet.counts["failures"] > 1


def test_passwords_are_told_nobody(server):
    fleet, told = run(server[0], [Device("d")], confirms=True)
    assert "secret" not in repr(BOOTSTRAP)
    assert not any("'p'" in line or "secret" in line for line in [*told, *fleet.summary()])


@pytest.mark.parametrize(
    ("status", "payload", "experience"),
    [
        (201, CREDENTIALS, Experience.DELIVERED),
        (200, CREDENTIALS, Experience.DELIVERED),
        (201, {}, Experience.FAILED),
        (404, {"message": "... is in state PENDING_ACCEPTANCE, ..."}, Experience.PENDING),
        (404, {"message": "... is in state BLOCKED, ..."}, Experience.BLOCKED),
        (404, {"message": "There is no newDeviceRequest for ..."}, Experience.UNKNOWN),
        (404, {}, Experience.FAILED),
        (401, {}, Experience.REFUSED),
        (403, {}, Experience.REFUSED),
        (500, {}, Experience.FAILED),
    ],
)
def test_what_an_answer_means(status, payload, experience):
    assert experience_of(Answer(status, payload)) is experience


def test_login_is_joined_from_tenant_and_user_name():
    assert device_login(CREDENTIALS).name == "acme/device_d"
    assert device_login({"username": "device_d", "password": "p"}).name == "device_d"


def test_tokens_are_the_same_at_every_start_and_belong_to_one_device():
    assert token_for("secret", "a") == token_for("secret", "a")
    assert len({token_for("secret", "a"), token_for("secret", "b"), token_for("other", "a")}) == 3


def test_about_the_wanted_share_of_devices_has_a_token():
    devices = make_devices([f"d{n}" for n in range(1000)], token_share=0.3, secret="s")
    assert 220 < sum(bool(device.token) for device in devices) < 380
    assert not any(d.token for d in make_devices(["a", "b"], token_share=0, secret="s"))
    assert all(d.token for d in make_devices(["a", "b"], token_share=1, secret="s"))


def test_pauses_grow_up_to_a_minute():
    assert [pause_after_failure(n, 5) for n in (1, 2, 3, 4, 5, 99)] == [5, 10, 20, 40, 60, 60]
    assert pause_after_failure(9, 600) == 600


def test_address_that_is_none_is_refused_before_anything_starts():
    with pytest.raises(ValueError, match="is no address"):
        Fleet([], url="ftp://x", bootstrap=BOOTSTRAP, habits=Habits(), tell=print)


def test_line_of_a_file_is_an_id_and_perhaps_a_token():
    assert Device.read("AA:BB  T0KEN\n") == Device("AA:BB", "T0KEN")
    assert Device.read("AA:BB\n") == Device("AA:BB")
