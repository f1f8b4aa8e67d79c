"""Measure polls, lists, devices and groups on both databases, and print ratios.

Absolute figures belong to a machine; ratios of runs that took turns on it say something about
the product. Everything listens on the loopback interface and ends with this process.
"""

import base64
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

from bench.load import Generator, Order, request

ROOT: Final = Path(__file__).resolve().parent.parent
ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
FEW_ROWS = 1000
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))  # of one run
WORKERS = 2
START_TIMEOUT = 30  # seconds
EMPTY: Final = "empty view"
LOGIN: Final = "management/devicebootstrap"
LIST: Final = "/devices/registration/"
DEVICES: Final = "/devices/"
GROUPS: Final = "/devices/groups/"
QUERY: Final = "/inventory/managedObjects?query=$filter="
BY_NAME: Final = "name%20eq%20'Press%200000007'"


@dataclass
class Installation:
    """A database with so many rows, and the server in front of it."""

    rows: int
    environment: dict[str, str]
    log: TextIO
    facts: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """Return the port that the server listens at."""
        return int(self.environment["PORT"])

    def seed(self, *arguments: str) -> str:
        """Run a step of ``bench.seed`` against the database."""
        command = [sys.executable, "-m", "bench.seed", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.PIPE
        )
        return done.stdout.decode()

    def start(self) -> None:
        """Fill the database and serve it."""
        self.facts = json.loads(self.seed("fill", str(self.rows)))
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env=self.environment,
            stdout=self.log,
            stderr=self.log,
        )
        until = time.monotonic() + START_TIMEOUT
        while time.monotonic() < until:
            with suppress(OSError), urllib.request.urlopen(self.url("/healthz"), timeout=2):
                return
            time.sleep(0.1)
        raise SystemExit(f"The server did not start; see {self.log.name}.")

    def stop(self) -> None:
        """End the server and wait for it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=20)

    def url(self, path: str) -> str:
        """Return the address of ``path`` on this server."""
        return f"http://127.0.0.1:{self.port}{path}"

    def cpu_seconds(self) -> float:
        """Return the processor time the server has used; 0 where the system does not tell."""
        if self.process is None:
            return 0.0
        total, ticks = 0, os.sysconf("SC_CLK_TCK")
        for pid in _family(self.process.pid):
            with suppress(OSError):
                times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                total += int(times[11]) + int(times[12])
        return total / ticks


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _family(int(child))


Address = Callable[[Installation], str]


@dataclass
class Result:
    """What the runs of one thing gave, one entry for each round."""

    rates: list[float] = field(default_factory=list)  # answers per second
    costs: list[float] = field(default_factory=list)  # microseconds of the server's processors

    @property
    def rate(self) -> float:
        """Return the median of the rates."""
        return statistics.median(self.rates)


@dataclass(frozen=True)
class Runner:
    """Sends orders in turns, so that whatever else the machine does hits all of them alike."""

    generator: Generator

    def take_turns(
        self, orders: Mapping[str, tuple[Installation, Order]], fresh: Installation | None = None
    ) -> dict[str, Result]:
        """Run every order once to warm up, then ``ROUNDS`` times in turns."""
        results = {name: Result() for name in orders}
        for number in range(ROUNDS + 1):
            if fresh:
                fresh.seed("freshen")
            for name, (installation, order) in orders.items():
                before = installation.cpu_seconds()
                rate, count = self.generator.rate(order)
                if number:
                    results[name].rates.append(rate)
                    cost = (installation.cpu_seconds() - before) / count
                    results[name].costs.append(cost * 1e6)
        return results


def ratios(of: Result, to: Result) -> list[float]:
    """Return the ratio of each round, where both ran next to each other."""
    return [one / other for one, other in zip(of.rates, to.rates, strict=True)]


def measure_polls(runner: Runner, large: Installation) -> None:
    """Compare what changes nothing with the view that does nothing."""
    password = large.environment["GATEHOUSE_BOOTSTRAP_PASSWORD"]
    header = "Basic " + base64.b64encode(f"{LOGIN}:{password}".encode()).decode()
    bodies = [
        json.dumps({"id": device_id, "securityToken": token}).encode()
        for device_id, token in large.facts["polled"]
    ]

    def polls(**headers: str) -> tuple[bytes, ...]:
        every = {"Authorization": header, "Accept": "application/json", **headers}
        path = "/devicecontrol/deviceCredentials"
        return tuple(request("POST", path, every, body) for body in bodies)

    empty = (request("GET", "/bench/empty"),)
    live = (request("GET", f"/devices/registration/live?key={large.facts['live_key']}"),)
    orders = {
        EMPTY: (empty, 200),
        "poll of a waiting device": (polls(), 404),
        # The lane leaves a request with this header to the view, which ignores POST in it.
        "the same poll, lane bypassed": (polls(**{"X-HTTP-Method": "POST"}), 404),
        "live version check": (live, 200),
        "empty view once more": (empty, 200),
    }
    results = runner.take_turns(
        {
            name: (large, Order(large.port, requests, status, SECONDS))
            for name, (requests, status) in orders.items()
        },
        fresh=large,
    )
    print(
        f"  {'answers per second, relative to the empty view':<48}ratio   (range)    per s     CPU"
    )
    base = results[EMPTY]
    for name, result in results.items():
        each = ratios(result, base)
        print(_line(name, each) + f"{result.rate:10.0f}{statistics.median(result.costs):8.0f} us")
    print(f"    noise: the empty view ran at {_spread(base)} of its median")


def measure_lists(runner: Runner, large: Installation, small: Installation) -> None:
    """Compare pages of a long list with the same pages of a short one."""
    pages: dict[str, Address] = {
        "default view": lambda _: LIST,
        "?status=pending": lambda _: LIST + "?status=pending",
        "a page in the middle": lambda one: f"{LIST}?after={one.facts['middle']}",
        "search by prefix": lambda _: LIST + "?q=bench-0000",
    }
    compare(
        runner,
        large,
        small,
        pages,
        f"time of a list page, {ROWS:,} registrations relative to {FEW_ROWS:,}",
    )


def measure_devices(runner: Runner, large: Installation, small: Installation) -> None:
    """Compare what shows devices and groups where there are many with where there are few."""

    def fact(path: str, name: str) -> Address:
        return lambda one: path.format(one.facts[name])

    pages: dict[str, Address] = {
        "the dashboard": lambda _: "/",
        "all devices": lambda _: DEVICES,
        "one state": lambda _: DEVICES + "?state=connected",
        "one type": lambda _: DEVICES + "?type=press",
        "by name": lambda _: DEVICES + "?sort=name",
        "a page in the middle": fact(DEVICES + "?after={}", "middle_device"),
        "one group": fact(DEVICES + "?group={}", "a_path"),
        "search by a device ID": lambda _: DEVICES + "?q=bench-0000",
        "search by a name": lambda _: DEVICES + "?q=press%20000",
        "search by an external ID": lambda _: DEVICES + "?q=SN-000000",
        "one device": fact("/devices/{}/", "a_device"),
        "groups: the top of the tree": lambda _: GROUPS,
        "groups: one with subgroups": fact(GROUPS + "{}/", "first_group"),
        "groups: search": lambda _: GROUPS + "?q=hall%20000",
        "groups: suggestions while typing": lambda _: GROUPS + "options/?group=Hall%20000",
        "API: find a device by name": lambda _: QUERY + "has(c8y_IsDevice)%20and%20" + BY_NAME,
        "API: a page of devices": lambda _: "/inventory/managedObjects?q=&pageSize=50",
        "API: an external ID": lambda _: "/identity/externalIds/c8y_Serial/SN-000000007",
    }
    compare(
        runner,
        large,
        small,
        pages,
        f"time of a page, {ROWS:,} devices relative to {FEW_ROWS:,}",
    )


def compare(
    runner: Runner,
    large: Installation,
    small: Installation,
    pages: Mapping[str, Address],
    title: str,
) -> None:
    """Print how much longer each page takes where there is much."""
    orders = {}
    for name, path in pages.items():
        for which, one in (("small", small), ("large", large)):
            headers = {"Cookie": f"gatehouse_session={one.facts['session']}"}
            if name.startswith("API"):
                headers = {"Authorization": f"Bearer {one.facts['token']}"}
            page = request("GET", path(one), headers)
            # One connection: of two, the system may give both to one worker, or one to each.
            order = Order(one.port, (page,), 200, SECONDS, sockets=1, processes=1)
            orders[f"{name} {which}"] = (one, order)
    results = runner.take_turns(orders)
    _head(title, "of CPU", "per s")
    for name in pages:
        few, many = results[f"{name} small"], results[f"{name} large"]
        # Of the server's processors alone: steadier, and on SQLite all there is.
        cost = statistics.median(many.costs) / statistics.median(few.costs)
        print(_line(name, ratios(few, many)) + f"{cost:10.2f}{many.rate:10.0f}")
    first = next(iter(pages))
    noise = _spread(results[f"{first} small"])
    print(f"    noise: {first}, where there is little, ran at {noise} of its median")


def _head(title: str, *columns: str) -> None:
    print(f"  {title:<56}{'ratio':>6}{'(range)':>14}" + "".join(f"{one:>10}" for one in columns))


def _line(name: str, each: list[float]) -> str:
    between = f"({min(each):.2f}-{max(each):.2f})"
    return f"    {name:<54}{statistics.median(each):6.2f}{between:>14}"


def _spread(result: Result) -> str:
    low, high = min(result.rates) / result.rate, max(result.rates) / result.rate
    return f"{low:.2f} to {high:.2f}"


@contextmanager
def installation(rows: int, database_url: str) -> Iterator[Installation]:
    """Yield a filled and served installation in a temporary directory."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as directory:
        environment = _environment(directory, database_url)
        with (Path(directory) / "server.log").open("w") as log:
            one = Installation(rows, environment, log)
            try:
                one.start()
                yield one
            finally:
                one.stop()


def _environment(directory: str, database_url: str) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "DATABASE_URL": database_url,
        "GATEHOUSE_DATA_DIR": directory,
        "GATEHOUSE_ADMIN_PASSWORD": secrets.token_urlsafe(18),
        "GATEHOUSE_BOOTSTRAP_PASSWORD": secrets.token_urlsafe(18),
        "GATEHOUSE_WORKERS": str(WORKERS),
        "HOST": "127.0.0.1",
        "PORT": str(_free_port()),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _database_urls() -> tuple[str, str]:
    """Return the databases for the long and the short list; empty means a file of its own."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        return "", ""
    return url, _another_database(url, "short_list")


def _another_database(url: str, name: str) -> str:
    """Make a database on the same server; return where it is."""
    import psycopg  # noqa: PLC0415 -- on SQLite nothing of it is needed

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    base, _, rest = url.partition("?")
    return f"{base.rpartition('/')[0]}/{name}{'?' + rest if rest else ''}"


def measure_bulk(long_url: str) -> None:
    """Register a file in a database of its own, in a process of its own."""
    url = long_url and _another_database(long_url, "bulk")
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as directory:
        command = [sys.executable, "-m", "bench.bulk", str(ROWS)]
        environment = _environment(directory, url)
        sys.stdout.flush()
        subprocess.run(command, cwd=ROOT, env=environment, check=True)


def measure() -> None:
    """Measure on the database that the environment names."""
    long_url, short_url = _database_urls()
    name = "PostgreSQL" if long_url else "SQLite"
    started = time.monotonic()
    with ExitStack() as stack:
        large = stack.enter_context(installation(ROWS, long_url))
        filled = time.monotonic() - started
        small = stack.enter_context(installation(FEW_ROWS, short_url))
        runner = Runner(stack.enter_context(Generator()))
        print(
            f"{name}, {ROWS:,} registrations (filled in {filled:.0f} s), {WORKERS} workers, "
            f"{os.cpu_count()} processors, median of {ROUNDS} rounds"
        )
        measure_polls(runner, large)
        measure_lists(runner, large, small)
        measure_devices(runner, large, small)
    measure_bulk(long_url)
    print(f"  took {time.monotonic() - started:.0f} s\n", flush=True)


def main() -> int:
    """Measure on SQLite, then on PostgreSQL; each in a process of its own."""
    if sys.argv[1:] == ["here"]:
        measure()
        return 0
    here = [sys.executable, "-m", "bench", "here"]
    without = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    codes = []
    for command in (here, [sys.executable, "tests/with_postgres.py", "--", *here]):
        with subprocess.Popen(command, cwd=ROOT, env=without) as process:
            try:
                codes.append(process.wait())
            except KeyboardInterrupt:  # it got that as well, and cleans up
                process.wait()
                return 130
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
