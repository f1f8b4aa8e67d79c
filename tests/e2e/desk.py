"""A person at the console of a running Gatehouse, without JavaScript; and providers beside it."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.parse import urljoin

import requests

from tests.consoles import LIST, SIGN_IN, read
from tests.e2e.conftest import ADMIN_PASSWORD, DEADLINE, free_port

REGISTRY = "/settings/extensions/"
SECRET = "tweety-4711-of-pumps"
PERMISSION = "May be in a private network"
CSV = {"file": ("a.csv", "4711\n", "text/csv")}


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
        path = name.lower().replace(" ", "-")
        self.open(f"{REGISTRY}add/")
        said = {
            "Name": name, "URL of the service": url, "Context path": path,
            "Shared secret": SECRET, PERMISSION: "on", "Shared with all tenants": "on", **more,
        }  # fmt: skip
        self.fill(said, press="Add extension")
        assert self.answer.status_code == 200, self.page.text
        return self.card(name)

    def change(self, name, **more):
        """Change what is known of a service, and enter its secret again."""
        self.open(self.card(name).one("a", aria_label=f"Edit {name}")["href"])
        self.fill({"Shared secret": SECRET, **more}, press="Save")
        assert self.answer.status_code == 200, self.page.text

    def card(self, name):
        self.open(REGISTRY)
        return next(one for one in self.page.classed("extension") if one.one("h2").text == name)

    def badly(self, name):
        """Return what the card of an extension that fails says."""
        text = self.card(name).text
        assert "Failing" in text
        return text

    def test(self, name):
        self.fill(press="Test", within=self.card(name))
        return self.page

    def begin(self, name):
        """Fill in the form of a provider as far as its summary."""
        self.choose(f"Single registration: {name}")
        self.fill({"Number": "4711"}, press="Next")
        assert self.answer.status_code == 200

    def register(self, name):
        self.begin(name)
        self.fill(press="Register")

    def upload(self, name):
        self.choose(f"Bulk registration: {name}")
        self.fill(press="Upload", files=CSV)
