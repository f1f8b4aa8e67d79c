"""IDs with secrets at a real browser: handed over, looked at, registered, corrected."""

import uuid

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LIST, PHONE, assert_no_sideways_scroll, serious_violations
from tests.browser.test_bulk import PAGE, headline

SECRET = "canary-S3cret"
PASTE = """(field, text) => {
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
}"""
MAKE = """
from inventory.device_types import TypeDetails, create_type
from tenants.actors import SYSTEM
from tenants.models import Tenant
create_type(Tenant.objects.get(pk="acme"), TypeDetails("%s"), by=SYSTEM)
"""


@pytest.fixture
def prefix(house):
    """Return what the IDs of a test begin with; a device type has that name."""
    prefix = f"p{uuid.uuid4().hex[:8]}"
    house.shell(MAKE % prefix)
    return prefix


def hand_over(page, prefix, text, *, partial=False):
    page.goto(f"{LIST}bulk/pairs/")
    page.get_by_label("Device type").select_option(label=prefix)
    page.get_by_label("Or paste the list").evaluate(PASTE, text)
    if partial:
        page.get_by_label("Store valid pairs, skip the rest").check()
    page.get_by_role("button", name="Upload", exact=True).click()


def test_list_is_handed_over_looked_at_corrected_and_registered(open_page, prefix):
    desk = open_page(login="acme/operator")
    desk.locator("summary", has_text="Register device").click()
    desk.get_by_role("link", name="Bulk registration: IDs with secrets").click()
    button = desk.get_by_role("button", name="Upload", exact=True)
    expect(button).to_be_disabled()
    assert not serious_violations(desk)
    # A field is missing: nothing is kept, and nothing stays in the page.
    hand_over(desk, prefix, f"{prefix}-1, {SECRET}\n{prefix}-2\n")
    expect(desk.get_by_role("alert").first).to_contain_text("an odd number")
    expect(desk.get_by_label("Or paste the list")).to_have_value("")
    assert SECRET not in desk.content()
    # A file instead; one of its secrets is too short.
    desk.get_by_label("Device type").select_option(label=prefix)
    text = f"{prefix}-1, {SECRET}-1,\n{prefix}-2, short"
    desk.locator("#file").set_input_files(
        {"name": "pairs.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )
    expect(button).to_be_enabled()
    button.click()
    expect(desk).to_have_url(PAGE)
    expect(headline(desk)).to_contain_text("1 pair has an error, so nothing can be registered")
    assert not serious_violations(desk)
    hand_over(desk, prefix, f"{prefix}-1, {SECRET}-1,\n{prefix}-2, {SECRET}-2")
    expect(desk).to_have_url(PAGE)
    desk.get_by_role("button", name="Register 2 devices").click()
    expect(headline(desk)).to_contain_text("2 pairs are registered")
    # Another secret for one of them: only for somebody who says so.
    hand_over(desk, prefix, f"{prefix}-1, {SECRET}-3")
    box = desk.get_by_label("Replace the secret of 1 device")
    desk.get_by_role("button", name="Update 1 device").click()
    expect(desk.locator("#existing-problem")).to_contain_text("Tick the box")
    box.check()
    desk.get_by_role("button", name="Update 1 device").click()
    expect(headline(desk)).to_contain_text("1 pair is registered")
    assert SECRET not in desk.content()


def test_long_list_is_pasted_on_a_phone(open_page, prefix):
    """What is too long for a form goes as a file, without anybody noticing."""
    desk = open_page(login="acme/operator", **PHONE)
    text = "\n".join(f"{prefix}-{n}, {SECRET}-{'x' * 200}" for n in range(2_500)) + "\nbad, bad"
    hand_over(desk, prefix, text, partial=True)
    expect(desk).to_have_url(PAGE)
    expect(desk.get_by_role("button", name="Register 2,500 devices")).to_be_visible()
    assert_no_sideways_scroll(desk)
