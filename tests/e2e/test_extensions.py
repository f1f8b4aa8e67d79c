"""Providers that are processes of their own, and packages, from the registry to the device.

The people here have no JavaScript; that a browser does as well is proved among its tests.
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from urllib.parse import urljoin

import pytest
import requests
from django.conf import settings

from tests.consoles import LIST, SIGN_IN, read
from tests.e2e.conftest import (
    ADMIN_PASSWORD,
    DEADLINE,
    Remote,
    collect_static_files,
    empty_database,
    environment,
    free_port,
    manage,
    running,
)

REGISTRY = "/settings/extensions/"
REQUESTS = "/devicecontrol/newDeviceRequests"
PROVIDER = settings.BASE_DIR / "docs/examples/provider.py"
WELLS = settings.BASE_DIR / "docs/examples/gatehouse_wells.py"
MICROSERVICE = settings.BASE_DIR / "tests/extensions/microservice.py"
PACKAGES = [settings.BASE_DIR / "tests/extensions/package", PROVIDER.parent]
SECRET = "tweety-4711-of-pumps"
PREPARE = """
import json
from tenants.actors import SYSTEM
from tenants.models import GlobalRole, Tenant, User
from tenants.tokens import make_token
acme = Tenant.objects.create(id="acme", company="Acme", parent_id="management")
GlobalRole.objects.prepare(acme)
operator = User.objects.create_user(acme, "operator", %r, global_roles=["operator"])
scopes = ["ROLE_DEVICE_CONTROL_ADMIN"]
print(make_token(operator, "pumps", scopes, expires_at=None, by=SYSTEM)[1])
"""
INSTALLED = {
    "wells": "from gatehouse_wells import Wells as Protocol",
    # And some that cannot be used.
    "raises": "raise RuntimeError('not today')",
    "nothing": "Protocol = 7",
    "bad-key": "from gatehouse_tracker import Tracker\nclass Protocol(Tracker):\n    key = 'A/B'",
    "twice": "from gatehouse_tracker import Tracker\nclass Protocol(Tracker):\n    name = 'Second'",
}


def install(folder, name, source):
    """Install a package, as far as Python looks at what is installed."""
    module = f"with_{name.replace('-', '_')}"
    (folder / f"{module}.py").write_text(source)
    # Behind the good one: the first of a key stays.
    info = folder / f"zz_{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[gatehouse.protocols]\n{name} = {module}:Protocol\n")


@contextmanager
def process(script, **variables):
    """Run a provider as somebody would on his own machine; yield its address."""
    port = free_port()
    env = {"PATH": os.environ["PATH"], "PORT": str(port), **variables}
    started = subprocess.Popen([sys.executable, script], env=env, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + DEADLINE
        while started.poll() is None and time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        started.terminate()
        started.wait(DEADLINE)


class Desk:
    """A person at the console, who reads labels and presses buttons."""

    def __init__(self, house, login):
        self.house, self.session = house, requests.Session()
        self.open(SIGN_IN)
        self.fill({"User": login, "Password": ADMIN_PASSWORD}, press="Sign in")

    def open(self, path):
        return self._see(self.session.get(self.house.url + path, timeout=DEADLINE))

    def fill(self, values=(), *, press, within=None, files=None):
        """Fill in a form by its labels, and press one of its buttons."""
        place = within or self.page
        form, button = next(
            (form, button)
            for form in place.all("form")
            for button in form.all("button")
            if button.text == press and "hidden" not in button.attrs
        )
        sent = form.fields
        ticked = form.all("input", type="checkbox", checked=True, name=True)
        sent.update({each["name"]: "on" for each in ticked if not each.attrs.get("value")})
        sent.update({b["name"]: b["value"] for b in [button] if "name" in b.attrs})
        for label, value in dict(values).items():
            sent[self._named(form, label)] = value
        if files:
            sent.pop("file")
        url = urljoin(self.answer.url, form.attrs.get("action", ""))
        return self._see(self.session.post(url, data=sent, files=files, timeout=DEADLINE))

    def choose(self, entry):
        """Choose an entry of the menu *Register device*."""
        self.open(LIST)
        return self.open(self.page.all("a", aria_label=entry)[0]["href"])

    @staticmethod
    def _named(form, text):
        by_id = {each["id"]: each for each in form.walk() if "id" in each.attrs}
        label = next(one for one in form.all("label") if one.text.removesuffix(" *") == text)
        return by_id[label["for"]]["name"]

    def _see(self, answer):
        self.answer, self.page = answer, read(answer)
        return self.page

    @property
    def alert(self):
        return self.page.one(role="alert").text

    def add_extension(self, name, url, **more):
        """Make a service known, with a shared secret; return its card."""
        path = name.lower()
        self.open(f"{REGISTRY}add/")
        said = {
            "Name": name, "URL of the service": url, "Context path": path,
            "Shared secret": SECRET, "May be in a private network": "on",
            "Shared with all tenants": "on", **more,
        }  # fmt: skip
        self.fill(said, press="Add extension")
        assert self.answer.status_code == 200, self.page.text
        return self.card(name)

    def card(self, name):
        self.open(REGISTRY)
        return next(one for one in self.page.classed("extension") if one.one("h2").text == name)

    def test(self, name):
        self.fill(press="Test", within=self.card(name))
        return self.page


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server with packages, one of which is good."""
    collect_static_files()
    data_dir = tmp_path_factory.mktemp("extensions") / "data"
    packages = tmp_path_factory.mktemp("packages")
    for name, source in INSTALLED.items():
        install(packages, name, source)
    more = {
        "GATEHOUSE_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "PYTHONPATH": os.pathsep.join(map(str, [*PACKAGES, packages])),
    }
    with empty_database() as database, running(data_dir, **database, **more) as server:
        env = environment(data_dir, **database)
        server.token = manage("shell", "-c", PREPARE % ADMIN_PASSWORD, env=env).split()[-1]
        yield server


@pytest.fixture(scope="module")
def microservice():
    with process(MICROSERVICE) as url:
        yield url


@pytest.fixture
def admin(house):
    return Desk(house, "management/admin")


@pytest.fixture
def operator(house):
    return Desk(house, "acme/operator")


def registered(house):
    """Return what the REST API of acme says: what each device ID was registered with."""
    api = Remote(house.url, ("acme/operator", ADMIN_PASSWORD))
    found = api.call("GET", f"{REQUESTS}?pageSize=100").json()["newDeviceRequests"]
    return {each["id"]: each.get("customProperties") for each in found}


def test_provider_of_the_docs_registers_from_the_registry_to_the_device(house, admin, operator):
    tokens = json.dumps({"acme": house.token})
    with process(
        PROVIDER, GATEHOUSE_URL=house.url, GATEHOUSE_TOKENS=tokens, PROVIDER_SECRET=SECRET
    ) as url:
        card = admin.add_extension("Pumps", url, **{"Bulk registration": "on"})
        assert "Not tried yet" in card.text
        assert "Pumps works" in admin.test("Pumps").text
        assert "Works" in admin.card("Pumps").text

        operator.choose("Single registration: Pumps")
        operator.fill({"Serial number": "4711"}, press="Next")
        assert operator.answer.status_code == 422
        operator.fill({"Serial number": "P4711", "Model": "1"}, press="Next")
        operator.fill({"Depth in metres": "12.5"}, press="Next")
        assert "P4711" in operator.page.classed("provider-summary")[0].text
        operator.fill(press="Register")
        assert "Your device was successfully registered." in operator.page.text
        assert registered(house)["P4711"] == {"model": "large", "depth": 12.5}

        # Once more: Gatehouse's own refusal comes back through the provider.
        operator.choose("Single registration: Pumps")
        operator.fill({"Serial number": "P4711"}, press="Next")
        operator.fill({"Depth in metres": "80"}, press="Next")
        operator.fill(press="Register")
        assert operator.answer.status_code == 422
        assert "already" in operator.alert
        operator.fill(press="Fix issue")
        operator.fill({"Serial number": "P4712"}, press="Next")
        operator.fill(press="Next")
        operator.fill(press="Register")
        assert registered(house)["P4712"] == {"model": "small", "depth": 80}

        operator.choose("Bulk registration: Pumps")
        example = operator.page.one("ul", class_="provider-examples").one("a")["href"]
        text = operator.session.get(house.url + example, timeout=DEADLINE).text
        assert text.split() == ["P0001", "P0002"]
        operator.fill(press="Upload", files={"file": ("pumps.csv", text, "text/csv")})
        assert "Registered: 2." in operator.page.text
        assert {"P0001", "P0002"} <= set(registered(house))
        operator.choose("Bulk registration: Pumps")
        operator.fill(press="Upload", files={"file": ("pumps.csv", text, "text/csv")})
        assert "Device registration failed." in operator.alert

        # The provider has no token of this tenant.
        admin.choose("Single registration: Pumps")
        admin.fill({"Serial number": "P9999"}, press="Next")
        admin.fill({"Depth in metres": "1"}, press="Next")
        admin.fill(press="Register")
        assert admin.answer.status_code == 422
    # It is down now.
    operator.choose("Single registration: Pumps")
    assert operator.answer.status_code == 424
    assert "Cannot fetch a form definition from the microservice." in operator.alert
    assert "127.0.0.1" not in operator.page.text
    assert "Nobody answers there." in admin.card("Pumps").text
    assert SECRET not in house.said() + admin.answer.text


def test_microservice_written_for_the_original_works_as_it_is(house, microservice, admin, operator):
    more = {"Bulk registration": "on"}
    admin.add_extension("LWM2M", f"{microservice}/lwm2m", **more)
    operator.choose("Single registration: LWM2M")
    operator.fill({"Endpoint": "taken", "Mode": "1", "Key": "AB\nCD"}, press="Next")
    operator.fill({"Keep old values": "on"}, press="Next")
    operator.fill(press="Register")
    assert operator.alert == "The endpoint <b>is</b> taken."
    operator.fill(press="Fix issue")
    operator.fill({"Endpoint": "urn:imei:4711"}, press="Next")
    operator.fill(press="Next")
    operator.fill(press="Register")
    assert "Your device was successfully registered." in operator.page.text
    operator.choose("Bulk registration: LWM2M")
    operator.fill(press="Upload", files={"file": ("a.csv", "ID\n4711\n", "text/csv")})
    assert "Two devices." in operator.page.text
    _, (path, kind, body), (at, form, content) = requests.get(
        f"{microservice}/told", timeout=DEADLINE
    ).json()
    assert (path, kind) == ("/lwm2m/deviceRegistration", "application/json")
    assert json.loads(body) == {
        "endpoint": "urn:imei:4711",
        "bootstrapSecurity": {"mode": "PSK", "key": "AB\nCD"},
        "shortServerId": 1,
        "keepsOldValues": True,
    }
    assert at == "/lwm2m/deviceRegistration/bulk"
    assert form.startswith("multipart/form-data; boundary=")
    assert 'name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\nID\n4711' in content


def test_services_that_misbehave_are_a_sentence_and_stop_nobody(house, microservice, admin):
    for name in ("HTML", "Redirect", "Slow"):
        admin.add_extension(name, f"{microservice}/{name.lower()}")
    admin.add_extension("Metadata", "http://169.254.169.254")
    before = registered(house)
    for name, cause in (
        ("HTML", "It answers with text/html that is no JSON."),
        ("Redirect", "It redirects (status 302), which is not followed."),
        ("Metadata", "169.254.169.254 stands for an address that no extension may be at."),
    ):
        admin.choose(f"Single registration: {name}")
        assert admin.answer.status_code == 424
        assert "Cannot fetch a form definition from the microservice." in admin.alert
        assert cause in admin.alert
        assert cause in admin.card(name).text
    waiting = threading.Thread(target=admin.choose, args=["Single registration: Slow"])
    waiting.start()
    try:
        assert requests.get(f"{microservice}/asked", timeout=DEADLINE).json() is True
        other = Desk(house, "acme/operator")
        assert other.open(LIST).all("a", aria_label="Single registration: Slow")
        assert waiting.is_alive()
    finally:
        requests.get(f"{microservice}/release", timeout=DEADLINE)
        waiting.join(DEADLINE)
    assert admin.answer.status_code == 424
    assert registered(house) == before


def test_packages_register_and_broken_ones_stop_nothing(house, operator):
    operator.choose("Single registration: Tracker")
    operator.fill({"Device EUI": "70B3D57ED0000001"}, press="Next")
    operator.fill({"Application key": "s3cret-of-tracker"}, press="Next")
    operator.fill(press="Register")
    assert "Your device was successfully registered." in operator.page.text
    entries = {each.attrs.get("aria-label") for each in operator.page.all("a")}
    assert "Single registration: Second" not in entries

    operator.choose("Single registration: Wells")
    operator.fill({"Number of the well": "well-1", "Depth in metres": "12"}, press="Next")
    operator.fill(press="Register")
    assert registered(house)["well-1"] == {"depth": 12}
    operator.choose("Bulk registration: Wells")
    operator.fill(press="Upload", files={"file": ("a.csv", "well-2\nwell-1\n", "text/csv")})
    assert "well-1 already exists." in operator.alert
    operator.choose("Bulk registration: Wells")
    operator.fill(press="Upload", files={"file": ("a.csv", "well-3\n", "text/csv")})
    assert "1 wells are registered." in operator.page.text
    assert {"well-2", "well-3"} <= set(registered(house))

    said = house.said()
    assert "not today" in said
    assert "'A/B' cannot be a key" in said
    assert "There are two protocols with the key 'tracker'." in said
    assert "s3cret-of-tracker" not in said


@pytest.mark.parametrize(
    ("example", "most"), [(PROVIDER, 60), (WELLS, 40)], ids=["HTTP", "package"]
)
def test_docs_show_the_very_examples(example, most):
    source = example.read_text()
    assert f"```python\n{source}```\n" in (PROVIDER.parent.parent / "extensions.md").read_text()
    assert len(source.splitlines()) <= most
