"""Devices that do not exist, knocking at a server that does.

Everything here speaks HTTP and nothing else: no model, no setting, no database. What can be
pointed at Gatehouse can be pointed at any server with the same contract.

Source: Cumulocity REST, ``POST /devicecontrol/deviceCredentials`` and how its clients poll.
"""

import base64
import heapq
import hmac
import json
import random
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final, Self
from urllib.parse import urlsplit

POLL_PATH: Final = "/devicecontrol/deviceCredentials"
LOGIN_PATH: Final = "/user/currentUser"
OBJECTS_PATH: Final = "/inventory/managedObjects"
EXTERNAL_IDS_PATH: Final = "/identity/externalIds"
GLOBAL_IDS_PATH: Final = "/identity/globalIds"
SERIAL: Final = "c8y_Serial"  # the type of the external ID that devices look for themselves by
PATIENCE: Final = 20.0  # seconds until an answer counts as lost
JITTER: Final = 0.2  # of every pause, either way: real devices never knock in step
MAX_PAUSE: Final = 60.0  # seconds between attempts while the server is in trouble
LINES: Final = 8  # connections; enough for thousands of devices that mostly wait
READABLE: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none of 0 O 1 I: a person types it
TOKEN_LENGTH: Final = 8  # characters

# Which devices wait how long and lose what decides nothing that is worth guessing.
_chance = random.SystemRandom()


class Experience(StrEnum):
    """What a device has come to know, in words for the person who watches."""

    UNREACHABLE = "cannot reach the server"
    FAILED = "got an answer that makes no sense"
    REFUSED = "may not ask: the bootstrap login is refused"
    UNKNOWN = "is not expected: there is no registration"
    PENDING = "waits for acceptance"
    BLOCKED = "is blocked"
    LOST = "was given credentials and lost the answer"
    DELIVERED = "has its credentials"
    CONFIRMED = "has logged in"
    REPORTED = "has told what it is"


TROUBLE: Final = frozenset({Experience.UNREACHABLE, Experience.FAILED, Experience.REFUSED})


@dataclass(frozen=True)
class Login:
    """Who asks: a user name, with the tenant where it needs one, and a password."""

    name: str
    password: str = field(repr=False)

    @property
    def header(self) -> str:
        """Return the value of the header ``Authorization``."""
        return "Basic " + base64.b64encode(f"{self.name}:{self.password}".encode()).decode()


@dataclass
class Device:
    """A simulated device and what it remembers."""

    device_id: str
    token: str = ""
    experience: Experience | None = None
    failures: int = 0  # in a row

    @classmethod
    def read(cls, line: str) -> Self:
        """Return the device in a line of a file: its ID, and its security token if it has one."""
        device_id, _, token = line.strip().partition(" ")
        return cls(device_id, token.strip())


@dataclass(frozen=True)
class Habits:
    """How devices behave."""

    interval: float = 5.0  # seconds between two polls
    spread: float = 5.0  # seconds over which the first knocks are spread
    lose_answers: float = 0.0  # share of credentials that get lost on their way
    confirms: bool = False  # whether a device logs in with what it was given, and reports
    type: str = "c8y_Linux"  # what it reports to be


@dataclass(frozen=True)
class Answer:
    """What the server said; ``payload`` is empty unless it was a JSON object."""

    status: int
    payload: dict[str, Any]

    @property
    def message(self) -> str:
        """Return the sentence by which agents tell the states apart."""
        return str(self.payload.get("message", ""))


class Line:
    """One connection to a server, kept open between requests and opened again when it broke."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            msg = f"{url!r} is no address like http://127.0.0.1:8000."
            raise ValueError(msg)
        self.base = parts.path.rstrip("/")
        self.connection: HTTPConnection
        if parts.scheme == "https":
            self.connection = HTTPSConnection(
                parts.hostname, parts.port, timeout=PATIENCE, context=ssl.create_default_context()
            )
        else:
            self.connection = HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)

    def ask(
        self, method: str, path: str, login: Login, body: dict[str, Any] | None = None
    ) -> Answer:
        """Send one request and return the answer.

        Raises:
            OSError, HTTPException: there was none, on a fresh connection.
        """
        if self.connection.sock is not None:
            try:
                return self._ask(method, path, login, body)
            except (OSError, HTTPException):
                # Most likely the server closed an idle connection; polling twice does no harm.
                self.connection.close()
        try:
            return self._ask(method, path, login, body)
        except (OSError, HTTPException):
            self.connection.close()
            raise

    def _ask(self, method: str, path: str, login: Login, body: dict[str, Any] | None) -> Answer:
        headers = {"Authorization": login.header, "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        self.connection.request(
            method, self.base + path, json.dumps(body) if body is not None else None, headers
        )
        response = self.connection.getresponse()
        text = response.read()
        try:
            payload = json.loads(text)
        except ValueError:
            payload = {}
        return Answer(response.status, payload if isinstance(payload, dict) else {})

    def close(self) -> None:
        """Hang up."""
        self.connection.close()


def experience_of(answer: Answer) -> Experience:
    """Return what the answer to a poll means to the device."""
    if answer.status in {HTTPStatus.OK, HTTPStatus.CREATED}:
        complete = all(isinstance(answer.payload.get(n), str) for n in ("username", "password"))
        return Experience.DELIVERED if complete else Experience.FAILED
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return Experience.REFUSED
    if answer.status != HTTPStatus.NOT_FOUND:
        return Experience.FAILED
    for word, experience in (
        ("PENDING_ACCEPTANCE", Experience.PENDING),
        ("BLOCKED", Experience.BLOCKED),
        ("There is no newDeviceRequest", Experience.UNKNOWN),
    ):
        if word in answer.message:
            return experience
    return Experience.FAILED


def device_login(payload: dict[str, Any]) -> Login:
    """Return the login in delivered credentials: agents join tenant and user name themselves."""
    tenant = payload.get("tenantId")
    name = payload["username"]
    return Login(f"{tenant}/{name}" if tenant else name, payload["password"])


def token_for(secret: str, device_id: str) -> str:
    """Return the security token of a device: the same at every start, unknown without ``secret``.

    A device that came back with another token would be taken for a stranger.
    """
    number = int.from_bytes(hmac.digest(secret.encode(), b"token:" + device_id.encode(), "sha256"))
    letters = []
    for _ in range(TOKEN_LENGTH):
        number, index = divmod(number, len(READABLE))
        letters.append(READABLE[index])
    return "".join(letters)


def make_devices(ids: Iterable[str], *, token_share: float, secret: str) -> list[Device]:
    """Return devices with these IDs, of which about ``token_share`` have a security token."""
    devices = []
    for device_id in ids:
        mac = hmac.digest(secret.encode(), b"share:" + device_id.encode(), "sha256")
        has_token = int.from_bytes(mac[:4]) < token_share * 2**32
        devices.append(Device(device_id, token_for(secret, device_id) if has_token else ""))
    return devices


def described(device_id: str, kind: str) -> tuple[str, str, dict[str, Any]]:
    """Return the name, the type and the fragments with which a simulated device reports."""
    stem, _, number = device_id.rpartition("-")
    name = f"{stem.partition('-')[0].capitalize() or 'Device'} {number}".strip()
    mac = hmac.digest(b"described", device_id.encode(), "sha256").hex()
    fragments: dict[str, Any] = {
        "c8y_IsDevice": {},
        "com_cumulocity_model_Agent": {},
        "c8y_Hardware": {
            "model": f"{kind}-{mac[0]}00",
            "revision": f"{int(mac[1], 16) % 4 + 1}.{int(mac[2], 16) % 9}",
            "serialNumber": mac[3:13].upper(),
        },
        "c8y_Firmware": {"name": "controller", "version": f"4.{int(mac[13], 16)}.1"},
        "c8y_RequiredAvailability": {"responseInterval": 10},
        "c8y_SupportedOperations": ["c8y_Restart", "c8y_Configuration", "c8y_Firmware"],
    }
    return name, kind, fragments


def pause_after_failure(failures: int, interval: float) -> float:
    """Return how many seconds to wait after so many failures in a row: longer each time."""
    return min(interval * 2.0 ** min(failures - 1, 10), max(MAX_PAUSE, interval))


class Fleet:
    """Many devices, each at its own pace, over a few connections."""

    def __init__(
        self,
        devices: Iterable[Device],
        *,
        url: str,
        bootstrap: Login,
        habits: Habits,
        tell: Callable[[str], None],
    ) -> None:
        Line(url)  # refuses an address that is none before anything starts
        self.devices = list(devices)
        self.url = url
        self.bootstrap = bootstrap
        self.habits = habits
        self.counts: Counter[str] = Counter()
        self.answer_times: list[float] = []  # seconds
        self._tell = tell
        self._turns: list[tuple[float, int]] = []  # when, and the device's place in the list
        self._asking = 0
        self._stopped = False
        self._changed = threading.Condition()

    def run(self, seconds: float | None = None) -> None:
        """Let all devices knock until they are in, ``seconds`` are over or the caller stops it."""
        now = time.monotonic()
        self._turns = [
            (now + _chance.uniform(0, self.habits.spread), n) for n in range(len(self.devices))
        ]
        heapq.heapify(self._turns)
        workers = [
            threading.Thread(target=self._work, daemon=True)
            for _ in range(min(LINES, len(self.devices)))
        ]
        for worker in workers:
            worker.start()
        try:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._is_done(), seconds)
        finally:
            self.stop()
            for worker in workers:
                worker.join(timeout=2)

    def stop(self) -> None:
        """Let no device knock any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _is_done(self) -> bool:
        return not self._turns and not self._asking

    def _work(self) -> None:
        line = Line(self.url)
        while (number := self._next()) is not None:
            pause = self._turn(self.devices[number], line)
            with self._changed:
                self._asking -= 1
                if pause is not None:
                    due = time.monotonic() + pause * _chance.uniform(1 - JITTER, 1 + JITTER)
                    heapq.heappush(self._turns, (due, number))
                self._changed.notify_all()
        line.close()

    def _next(self) -> int | None:
        """Wait for a device whose turn it is; None when there will be no more turns."""
        with self._changed:
            while not self._stopped and not self._is_done():
                wait = self._turns[0][0] - time.monotonic() if self._turns else None
                if wait is not None and wait <= 0:
                    self._asking += 1
                    return heapq.heappop(self._turns)[1]
                self._changed.wait(wait)
        return None

    def _turn(self, device: Device, line: Line) -> float | None:
        """Let a device knock once; return after how many seconds it does so again, if ever."""
        started = time.monotonic()
        credentials: Login | None = None
        try:
            answer = self._poll(device, line)
            experience, detail = experience_of(answer), f"{answer.status} {answer.message}"
            if experience is Experience.DELIVERED:
                if _chance.random() < self.habits.lose_answers:
                    experience = Experience.LOST
                else:
                    credentials = device_login(answer.payload)
        except (OSError, HTTPException) as error:
            experience, detail = Experience.UNREACHABLE, str(error) or type(error).__name__
        else:
            self.answer_times.append(time.monotonic() - started)
        self._count("polls")
        if experience is Experience.LOST:
            self._count("lost")
        self._note(device, experience, detail if experience in TROUBLE else "")
        if credentials:
            return self._confirm(device, line, credentials) if self.habits.confirms else None
        return self._pause(device)

    def _poll(self, device: Device, line: Line) -> Answer:
        body = {"id": device.device_id}
        if device.token:
            body["securityToken"] = device.token
        return line.ask("POST", POLL_PATH, self.bootstrap, body)

    def _confirm(self, device: Device, line: Line, login: Login) -> float | None:
        """Log in with the credentials; a device that cannot asks for them again."""
        try:
            answer = line.ask("GET", LOGIN_PATH, login)
        except (OSError, HTTPException) as error:
            self._note(device, Experience.UNREACHABLE, str(error) or type(error).__name__)
            return self._pause(device)
        if answer.status == HTTPStatus.OK:
            self._note(device, Experience.CONFIRMED)
            self._report(device, line, login)
            return None
        self._note(device, Experience.FAILED, f"its login is refused: {answer.status}")
        return self._pause(device)

    def _report(self, device: Device, line: Line, login: Login) -> None:
        """Tell what the device is, as agents do: look for oneself, create the object, bind its ID.

        A server without an inventory answers 404 or 405, and that is that.
        """
        name, kind, fragments = described(device.device_id, self.habits.type)
        serial = fragments["c8y_Hardware"]["serialNumber"]
        try:
            known = line.ask("GET", f"{EXTERNAL_IDS_PATH}/{SERIAL}/{serial}", login)
            if known.status == HTTPStatus.OK:
                self._note(device, Experience.REPORTED)
                return
            created = line.ask(
                "POST", OBJECTS_PATH, login, {"name": name, "type": kind, **fragments}
            )
            if created.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
                return
            path = f"{GLOBAL_IDS_PATH}/{created.payload.get('id')}/externalIds"
            bound = line.ask("POST", path, login, {"type": SERIAL, "externalId": serial})
        except (OSError, HTTPException) as error:
            self._note(device, Experience.UNREACHABLE, str(error) or type(error).__name__)
            return
        if bound.status == HTTPStatus.CREATED:
            self._note(device, Experience.REPORTED)

    def _pause(self, device: Device) -> float:
        if device.experience not in TROUBLE:
            device.failures = 0
            return self.habits.interval
        device.failures += 1
        self._count("failures")
        return pause_after_failure(device.failures, self.habits.interval)

    def _count(self, what: str) -> None:
        with self._changed:
            self.counts[what] += 1

    def _note(self, device: Device, experience: Experience, detail: str = "") -> None:
        """Say what a device has come to know, if that is news."""
        if experience is device.experience and experience is not Experience.LOST:
            return
        device.experience = experience
        token = f", security token {device.token}" if device.token else ""
        shown = token if experience is Experience.PENDING else ""
        self._tell(f"{device.device_id} {experience}{shown}{f' ({detail})' if detail else ''}")

    def summary(self) -> list[str]:
        """Return what became of the devices, in a few lines."""
        ends = Counter(device.experience for device in self.devices)
        lines = [f"{len(self.devices)} devices, {self.counts['polls']} polls."]
        lines += [f"{ends[one]:>6}  {one}" for one in Experience if ends[one]]
        if ends[None]:
            lines.append(f"{ends[None]:>6}  never knocked")
        if self.counts["lost"]:
            lines.append(f"{self.counts['lost']} answers were lost on purpose.")
        if self.counts["failures"]:
            lines.append(f"{self.counts['failures']} polls failed.")
        if self.answer_times:
            times = sorted(self.answer_times)
            middle, late = times[len(times) // 2], times[int(len(times) * 0.95)]
            lines.append(
                f"Half of the answers came within {middle * 1000:.1f} ms, "
                f"95 % within {late * 1000:.1f} ms."
            )
        return lines
