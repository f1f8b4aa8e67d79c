"""A person at a real browser, devices that really knock, and a server between them."""

import os
import re
import shutil
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import expect, sync_playwright

from tests.e2e.conftest import (
    ADMIN_PASSWORD,
    BOOTSTRAP_PASSWORD,
    Remote,
    collect_static_files,
    empty_database,
    environment,
    running,
    shell,
)

LIST = "/devices/registration/"
REQUESTS = "/devicecontrol/newDeviceRequests"
# Behind the address bar of each new window, of which each context opens one, Chromium prepares two
# pages that nobody sees; that takes longer than ours do. The rest is what Playwright switches off
# itself: of two such flags the last one counts.
UNUSED = [
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup"),
    *("AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync"),
    *("DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades"),
    *("LensOverlay", "MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints"),
    *("PaintHolding", "PreconnectToSearch", "ThirdPartyStoragePartitioning"),
]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    f"--disable-features={','.join(UNUSED)}",
]
PHONE = {"viewport": {"width": 375, "height": 700}, "has_touch": True, "is_mobile": True}
PATIENCE = 15_000  # milliseconds; reached only by what never comes
# Chromium notes every refused request by itself; the page shows what was refused. HTMX notes a
# request that ends with its page; one that fails it calls a sendError besides, which is not here.
REFUSED = re.compile(
    r"Failed to load resource: .*( status of (401|404|409|422|424) |net::ERR_INTERNET_DISCONNECTED)"
    r"|Response Status Error Code 404 from |(error: )?htmx:(afterRequest|sendAbort)\b"
    r"|\[DOM\] Input elements should have autocomplete attributes"  # the library's
)
PEOPLE = """
from tenants.models import GlobalRole, Tenant, User
acme = Tenant.objects.create(id="acme", company="Acme", parent_id="management")
GlobalRole.objects.prepare(acme)
User.objects.create_user(acme, "operator", "%s", global_roles=["operator"])
"""
PACKAGE = settings.BASE_DIR / "tests/extensions/package"  # as it were installed
MANY = 200  # registrations; as many are cancelled one by one in the time of a new process
CANCEL_ALL = """
from registration.models import BulkDecision, Registration
from tenants.actors import SYSTEM
from tenants.models import Tenant
decision = BulkDecision.about(
    Registration.objects.unfinished(),
    BulkDecision.Action.REMOVE,
    tenant=Tenant.objects.get(id="management"),
    by=SYSTEM,
    hand_picked=False,
)
decision.carry_out(by=SYSTEM)
"""


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def find_chromium():
    for path in (os.environ.get("GATEHOUSE_CHROMIUM"), shutil.which("chromium")):
        if path and Path(path).exists():
            return path
    usual = "/usr/bin/chromium"
    return usual if Path(usual).exists() else None


@pytest.fixture(scope="package")
def browser():
    path = find_chromium()
    if path is None:
        reason = "needs Chromium: install it, or name it by GATEHOUSE_CHROMIUM"
        if os.environ.get("GATEHOUSE_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=PATIENCE)
    # Of this package only: its event loop would be in the way of the tests that use the ORM.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def static_files():
    collect_static_files()


@pytest.fixture(scope="package")
def house(static_files, tmp_path_factory):
    """A server of its own, with a second tenant."""
    data_dir = tmp_path_factory.mktemp("browser") / "data"
    with (
        empty_database() as database,
        running(
            data_dir,
            GATEHOUSE_ADMIN_PASSWORD=ADMIN_PASSWORD,
            GATEHOUSE_BOOTSTRAP_PASSWORD=BOOTSTRAP_PASSWORD,
            PYTHONPATH=str(PACKAGE),
            **database,
        ) as server,
        shell(environment(data_dir, **database)) as server.shell,
    ):
        server.shell(PEOPLE % ADMIN_PASSWORD)
        yield server


class Others:
    """Everybody else: devices that knock, and another operator who uses the REST contract."""

    def __init__(self, url, shell):
        self.url, self.shell = url, shell
        self.admin = Remote(url, ("management/admin", ADMIN_PASSWORD))
        self.bootstrap = Remote(url, ("management/devicebootstrap", BOOTSTRAP_PASSWORD))

    def register(self, *device_ids):
        for device_id in device_ids:
            self.admin.register(device_id)

    def knock(self, device_id, token=None):
        """Knock as a device; return the credentials it is given, or None."""
        body = {"id": device_id} | ({"securityToken": token} if token else {})
        answer = self.bootstrap.call("POST", "/devicecontrol/deviceCredentials", json=body)
        assert answer.status_code in {201, 404}
        return answer.json() if answer.status_code == 201 else None

    def pending(self, *device_ids, token=None):
        self.register(*device_ids)
        for device_id in device_ids:
            self.knock(device_id, token)

    def accept(self, device_id):
        self.admin.accept(device_id)

    def cancel(self, device_id):
        assert self.admin.call("DELETE", f"{REQUESTS}/{device_id}").status_code == 204

    def block(self, device_id):
        self.pending(device_id, token="right")
        for _ in range(3):
            self.admin.call("PUT", f"{REQUESTS}/{device_id}",
                            json={"status": "ACCEPTED", "securityToken": "wrong"})  # fmt: skip

    def log_in(self, credentials):
        login = (f"{credentials['tenantId']}/{credentials['username']}", credentials["password"])
        assert Remote(self.url, login).call("GET", "/user/currentUser").status_code == 200

    def all_stages(self):
        """Make one registration at every stage."""
        self.register("stage-waiting")
        self.pending("stage-pending", "stage-accepted", "stage-delivered", "stage-confirmed")
        self.pending("stage-token", token="right")
        self.knock("stage-token", "another")  # a conflict
        for device_id in ("stage-accepted", "stage-delivered", "stage-confirmed"):
            self.accept(device_id)
        self.knock("stage-delivered")
        self.log_in(self.knock("stage-confirmed"))
        self.block("stage-blocked")

    def clear(self):
        asked = f"{REQUESTS}?pageSize={MANY}"
        found = self.admin.call("GET", asked).json()["newDeviceRequests"]
        if len(found) == MANY:  # a file was registered, and a request for each takes minutes
            self.shell(CANCEL_ALL)
            found = self.admin.call("GET", asked).json()["newDeviceRequests"]
        for each in found:
            self.cancel(each["id"])
        operator = Remote(self.url, ("acme/operator", ADMIN_PASSWORD))
        for person in (self.admin, operator):
            self.clear_groups(person)
        option = "/tenant/options/device-registration/security-token.policy"
        self.admin.call("DELETE", option)

    @staticmethod
    def clear_groups(person):
        objects = "/inventory/managedObjects"
        asked = f"{objects}?fragmentType=c8y_IsDeviceGroup&pageSize=2000"
        for group in person.call("GET", asked).json()["managedObjects"]:
            # One within another went with that one.
            gone = person.call("DELETE", f"{objects}/{group['id']}")
            assert gone.status_code in {204, 404}


@pytest.fixture
def others(house):
    others = Others(house.url, house.shell)
    others.clear()
    return others


@pytest.fixture(scope="package")
def signed_in(browser, house):
    """Return the cookies of somebody who signed in, by login."""
    states = {}

    def state(login):
        if login not in states:
            with browser.new_context(base_url=house.url) as context:
                sign_in(context.new_page(), login)
                states[login] = context.storage_state()
        return states[login]

    return state


def sign_in(page, login="management/admin"):
    page.goto("/")
    page.get_by_label("User").fill(login)
    page.get_by_label("Password").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")


@pytest.fixture
def open_page(browser, house, others, signed_in):
    """Return a page as somebody has it in front of them; whatever it complains about fails."""
    complaints, contexts = [], []

    def open_(path=LIST, *, login="management/admin", **how):
        context = browser.new_context(
            base_url=house.url, storage_state=signed_in(login) if login else None, **how
        )
        context.set_default_timeout(PATIENCE)
        context.on(
            "console",
            lambda message: (
                REFUSED.match(message.text) or complaints.append(f"{message.type}: {message.text}")
            ),
        )
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        contexts.append(context)
        page = context.new_page()
        if path:
            page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(open_page):
    return open_page()


def row(page, device_id):
    """Return the row of a device in the list."""
    return page.locator(f'[data-rows] > tr[data-device="{device_id}"]')


def serious_violations(page):
    """Return what axe finds that keeps somebody from using the page."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{each['id']}: {node['html'][:160]} -- {node['failureSummary'][:300]}"
        for each in found
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]


def assert_no_sideways_scroll(page):
    widths = "[document.scrollingElement.scrollWidth, window.innerWidth]"
    needed, there = page.evaluate(widths)
    assert needed <= there
