"""The published Cumulocity client for Python, as it is, against a running server."""

import threading

import pytest
import requests
from c8y_api import CumulocityApi, CumulocityDeviceRegistry

from tests.e2e.conftest import ADMIN_PASSWORD, BOOTSTRAP_PASSWORD

# The client leaves its sessions to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def c8y(server):
    return CumulocityApi(server.url, "management", "admin", ADMIN_PASSWORD)


@pytest.fixture
def registry(server):
    return CumulocityDeviceRegistry(server.url, "management", "devicebootstrap", BOOTSTRAP_PASSWORD)


@pytest.mark.parametrize("device_id", ["aa:bb:cc:00:11:22", "Zähler"])
def test_client_registers_accepts_and_collects(device_id, c8y, registry, server):
    c8y.device_inventory.request(device_id)
    with pytest.raises(ValueError, match="WAITING_FOR_CONNECTION"):
        c8y.device_inventory.accept(device_id)
    given = []
    waiting = threading.Thread(
        target=lambda: given.append(registry.await_credentials(device_id, "30s", "1s"))
    )
    waiting.start()
    while waiting.is_alive():
        try:
            c8y.device_inventory.accept(device_id)
            break
        except ValueError:  # the device has not knocked yet
            continue
    waiting.join()
    (credentials,) = given
    assert credentials.tenant_id == "management"
    assert credentials.username == f"device_{device_id}"
    as_device = CumulocityApi(
        server.url, credentials.tenant_id, credentials.username, credentials.password
    )
    assert as_device.get("/user/currentUser")["userName"] == f"device_{device_id}"
    assert as_device.get("/tenant/currentTenant")["name"] == "management"


def test_client_hears_what_is_wrong(c8y, server, registry):
    c8y.device_inventory.request("twice")
    with pytest.raises(ValueError, match="already exists"):
        c8y.device_inventory.request("twice")
    with pytest.raises(KeyError):
        c8y.device_inventory.accept("nobody")
    stranger = CumulocityDeviceRegistry(server.url, "management", "devicebootstrap", "guess")
    with pytest.raises(RuntimeError, match="401"):
        stranger.await_credentials("twice", "5s", "1s")
    with pytest.raises(TimeoutError):
        registry.await_credentials("nobody", "1s", "1s")


def test_client_reads_and_writes_options(c8y):
    c8y.tenant_options.set_value("suite", "key.with.dots", "value")
    assert c8y.tenant_options.get_value("suite", "key.with.dots") == "value"
    assert c8y.tenant_options.get_all_mapped("suite") == {"key.with.dots": "value"}
    c8y.tenant_options.delete_by("suite", "key.with.dots")
    with pytest.raises(KeyError):
        c8y.tenant_options.get_value("suite", "key.with.dots")


def test_stranger_is_told_how_to_log_in(server):
    options = requests.get(f"{server.url}/tenant/loginOptions", timeout=30)
    assert options.json()["loginOptions"][0]["type"] == "BASIC"
