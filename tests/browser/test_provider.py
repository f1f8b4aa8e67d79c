"""The provider of the docs, as a process of its own, and a person at a browser."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LIST, REQUESTS, serious_violations
from tests.e2e.desk import SECRET, process
from tests.e2e.test_extensions import PROVIDER

TOKEN = """
from tenants.actors import SYSTEM
from tenants.models import User
from tenants.tokens import make_token
operator = User.objects.get(tenant_id="acme", username="operator")
print(make_token(operator, "pumps", ["ROLE_DEVICE_CONTROL_ADMIN"], expires_at=None, by=SYSTEM)[1])
"""


@pytest.fixture
def provider(house):
    tokens = json.dumps({"acme": house.shell(TOKEN).split()[-1]})
    with process(
        PROVIDER, GATEHOUSE_URL=house.url, GATEHOUSE_TOKENS=tokens, PROVIDER_SECRET=SECRET
    ) as url:
        yield url


def test_extension_is_added_tried_out_and_registers(open_page, provider, others):
    page = open_page("/settings/extensions/")
    page.get_by_role("link", name="Add extension").first.click()
    dialog = page.get_by_role("dialog")
    for label, text in (
        ("Name", "Pumps"), ("Description", "Pumps in wells, by their serial number"),
        ("URL of the service", provider), ("Context path", "pumps"), ("Shared secret", SECRET),
    ):  # fmt: skip
        dialog.get_by_label(label).fill(text)
    for label in ("Bulk registration", "Shared with all tenants", "May be in a private network"):
        dialog.get_by_label(label).check()
    dialog.get_by_role("button", name="Add extension").click()
    page.get_by_role("button", name="Test Pumps").click()
    expect(dialog.get_by_role("heading", name="Pumps works")).to_be_visible()
    expect(dialog).to_contain_text("Well")
    dialog.get_by_role("link", name="Close").click()
    expect(page.locator(".extension")).to_contain_text("Works")

    desk = open_page(LIST, login="acme/operator")
    desk.locator("details[data-menu] > summary").first.click()
    desk.get_by_role("link", name="Single registration: Pumps").click()
    form = desk.get_by_role("dialog", name="Pump")
    form.get_by_label("Serial number").fill("P4711")
    form.get_by_label("Model").select_option("large")
    form.get_by_role("button", name="Next").click()
    form.get_by_label("Depth in metres").fill("12.5")
    assert serious_violations(desk) == []
    form.get_by_role("button", name="Next").click()
    expect(form.locator(".provider-summary")).to_contain_text(
        re.compile("P4711.*large.*12.5", re.DOTALL)
    )
    form.get_by_role("button", name="Register").click()
    expect(desk.get_by_text("Your device was successfully registered.")).to_be_visible()
    # The list shows it at once, without being loaded anew.
    expect(desk.locator('[data-rows] > tr[data-device="P4711"]')).to_be_visible()

    page.get_by_role("link", name="Remove Pumps").click()
    dialog.get_by_role("button", name=re.compile("Remove")).click()
    expect(page.locator(".extension")).to_have_count(0)
    assert others.admin.call("GET", f"{REQUESTS}/P4711").json()["customProperties"] == {
        "model": "large",
        "depth": 12.5,
    }
