"""Providers that are processes of their own, and packages, from the registry to the device.

The people here have no JavaScript; that a browser does as well is proved among its tests.
"""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import partial

import pytest
import requests
from django.conf import settings

from tests.consoles import LIST
from tests.e2e.conftest import (
    ADMIN_PASSWORD,
    DEADLINE,
    Remote,
    collect_static_files,
    empty_database,
    environment,
    manage,
    running,
)
from tests.e2e.desk import CSV, PERMISSION, SECRET, Desk, process

REQUESTS = "/devicecontrol/newDeviceRequests"
PROVIDER = settings.BASE_DIR / "docs/examples/provider.py"
WELLS = settings.BASE_DIR / "docs/examples/gatehouse_wells.py"
MICROSERVICE = settings.BASE_DIR / "tests/extensions/microservice.py"
MISBEHAVING = settings.BASE_DIR / "tests/extensions/misbehaving.py"
PACKAGES = [settings.BASE_DIR / "tests/extensions/package", PROVIDER.parent]
WAITED_FOR = 4  # seconds, instead of minutes
BULK = {"Bulk registration": "on"}
NO_FORM = "Cannot fetch a form definition from the microservice."
NOT_REACHED = "Unable to reach the microservice."
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
        **{
            f"GATEHOUSE_EXTENSION_{what}_SECONDS": str(WAITED_FOR)
            for what in ("METADATA", "REGISTER", "FILE")
        },
    }
    with empty_database() as database, running(data_dir, **database, **more) as server:
        env = environment(data_dir, **database)
        server.token = manage("shell", "-c", PREPARE % ADMIN_PASSWORD, env=env).split()[-1]
        yield server


@pytest.fixture(scope="module")
def microservice():
    with process(MICROSERVICE) as url:
        yield url


@pytest.fixture(scope="module")
def misbehaving():
    with process(MISBEHAVING) as url:
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


def written(house):
    """Return what would be another one had anything been registered, or noted as registered."""
    api = Remote(house.url, ("management/admin", ADMIN_PASSWORD))
    audited = api.call("GET", "/audit/auditRecords?pageSize=2000").json()["auditRecords"]
    return registered(house), [one for one in audited if "registered" in one["activity"]]


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


FAULTS = {
    "HTML": "It answers with text/html that is no JSON.",
    "Broken": "It answers with application/json that is no JSON.",
    "Huge": "The answer is too long: more than {most} bytes.",
    "Redirect": "It redirects (status 302), which is not followed.",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_provider_that_misbehaves_is_a_sentence_and_nothing_is_written(
    house, misbehaving, admin, fault
):
    before = written(house)
    form, posts = f"{fault} form", f"{fault} posts"
    for name in (form, posts):
        admin.add_extension(name, f"{misbehaving}/{name.split()[1]}/{fault.lower()}", **BULK)

    def refuses(name, sentence, most):
        cause = FAULTS[fault].format(most=most)
        assert admin.answer.status_code == 424
        assert sentence in admin.alert
        assert cause in admin.alert
        assert f"Last error {cause}" in admin.badly(name)

    for kind in ("Single", "Bulk"):
        admin.choose(f"{kind} registration: {form}")
        refuses(form, NO_FORM, "1,048,576")
    admin.register(posts)
    assert "Fix issue" in admin.page.text
    refuses(posts, NOT_REACHED, "262,144")
    admin.upload(posts)
    refuses(posts, NOT_REACHED, "262,144")
    assert written(house) == before


def test_providers_that_keep_people_waiting_are_given_up_and_stop_nobody(
    house, misbehaving, admin, operator
):
    before = written(house)
    for name in ("Silent form", "Silent posts", "Drip form", "Drip posts"):
        fault, place = name.lower().split()
        admin.add_extension(name, f"{misbehaving}/{place}/{fault}", **BULK)
    calls = []  # as many as there may be at once, and as one tenant may have
    for fault, person in (("Silent", admin), ("Drip", operator)):
        opening, registering, uploading = (copy(person) for _ in range(3))
        registering.begin(f"{fault} posts")
        uploading.choose(f"Bulk registration: {fault} posts")
        form = f"Single registration: {fault} form"
        calls += [(opening, partial(opening.choose, form), NO_FORM)]
        calls += [(registering, partial(registering.fill, press="Register"), NOT_REACHED)]
        calls += [(uploading, partial(uploading.fill, press="Upload", files=CSV), NOT_REACHED)]
    with ThreadPoolExecutor(len(calls)) as at_once:
        began = time.monotonic()
        hanging = [at_once.submit(act) for _, act, _ in calls]
        requests.get(f"{misbehaving}/waiting/{len(calls)}", timeout=DEADLINE)
        other = copy(operator)
        assert other.open(LIST).all("a", aria_label="Single registration: Drip form")
        assert not any(each.done() for each in hanging)
    assert WAITED_FOR <= time.monotonic() - began < 5 * WAITED_FOR
    for person, _, sentence in calls:
        assert person.answer.status_code == 424
        assert sentence in person.alert
        # What is wrong with a shared service is for those who look after it.
        assert ("It took too long to answer." in person.alert) == (person.session is admin.session)
    for name in ("Silent form", "Silent posts", "Drip form", "Drip posts"):
        assert "Last error It took too long to answer." in admin.badly(name)
    assert written(house) == before
    operator.begin("Silent posts")  # their turns are free again


def test_provider_in_a_private_network_is_not_called_without_permission(
    house, misbehaving, admin, operator
):
    before = written(house)
    private = "is in a private network. Only an extension of the management tenant can be allowed"
    for name, host, cause in (
        ("Private name", "localhost", f"localhost {private}"),
        ("Private address", "10.0.0.1", f"10.0.0.1 {private}"),
        ("Metadata", "169.254.169.254", "169.254.169.254 stands for an address that no extension"),
    ):
        admin.add_extension(name, f"https://{host}", **BULK, **{PERMISSION: None})
        for kind in ("Single", "Bulk"):
            admin.choose(f"{kind} registration: {name}")
            assert admin.answer.status_code == 424
            assert NO_FORM in admin.alert
            assert cause in admin.alert
        assert cause in admin.badly(name)

    # The permission is taken away while people have its dialogs open.
    admin.add_extension("Once allowed", f"{misbehaving}/posts/html", **BULK)
    registering, uploading = copy(operator), copy(operator)
    registering.begin("Once allowed")
    uploading.choose("Bulk registration: Once allowed")
    there = misbehaving.replace("http://127.0.0.1", "https://localhost")
    admin.change("Once allowed", **{"URL of the service": there, PERMISSION: None})
    registering.fill(press="Register")
    assert NO_FORM in registering.alert
    assert "What you filled in is kept" in registering.page.text
    assert f"localhost {private}" in admin.badly("Once allowed")
    uploading.fill(press="Upload", files=CSV)
    assert NOT_REACHED in uploading.alert
    for person in (registering, uploading):
        assert person.answer.status_code == 424
        assert "localhost" not in person.alert
    assert written(house) == before


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
    wells = set(registered(house))
    assert "well-3" in wells
    assert "well-2" not in wells  # all of a file or nothing

    said = house.said()
    assert "not today" in said
    assert "'A/B' cannot be a key" in said
    assert "There are two protocols with the key 'tracker'." in said
    assert "s3cret-of-tracker" not in said


@pytest.mark.parametrize(
    ("example", "most"), [(PROVIDER, 60), (WELLS, 45)], ids=["HTTP", "package"]
)
def test_docs_show_the_very_examples(example, most):
    source = example.read_text()
    assert f"```python\n{source}```\n" in (PROVIDER.parent.parent / "extensions.md").read_text()
    assert len(source.splitlines()) <= most
