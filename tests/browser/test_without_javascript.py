"""Everything works without JavaScript, only less smoothly."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LIST, row, sign_in


@pytest.fixture
def page(open_page):
    return open_page(java_script_enabled=False)


def test_person_signs_in_and_out(open_page):
    page = open_page(None, login=None, java_script_enabled=False)
    sign_in(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_devices_are_registered_row_by_row_and_from_a_list(page):
    page.locator("[data-menu] summary").click()
    page.get_by_role("link", name="Single registration: General").click()
    field = page.get_by_label("Device ID", exact=True)
    field.fill("press-1")
    page.get_by_role("button", name="Add device").click()
    field.nth(1).fill("press-2")
    page.get_by_text("Paste a list of IDs").click()
    page.get_by_label("Device IDs, one in a line").fill("press-3\npress-4\n")
    page.get_by_role("button", name="Make rows of them").click()
    expect(page.locator("[data-device-row]")).to_have_count(4)
    page.get_by_role("button", name="Remove this row").nth(2).click()
    expect(page.locator("[data-device-row]")).to_have_count(3)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="3 devices registered")).to_be_visible()
    page.get_by_role("link", name="Close").click()
    for device in ("press-1", "press-2", "press-4"):
        expect(row(page, device)).to_be_visible()


def test_device_is_accepted_with_its_token(page, others):
    others.pending("press-1", token="s3cret")
    page.goto(f"{LIST}?status=pending")
    row(page, "press-1").get_by_label("Security token of press-1").fill("wrong")
    row(page, "press-1").get_by_role("button", name="Accept press-1").click()
    expect(page.get_by_text("2 attempts are left.")).to_be_visible()
    row(page, "press-1").get_by_label("Security token of press-1").fill("s3cret")
    row(page, "press-1").get_by_role("button", name="Accept press-1").click()
    expect(page.get_by_text("press-1 is accepted.")).to_be_visible()
    assert page.url.endswith("?status=pending")


def test_many_are_accepted_and_some_are_cancelled(page, others):
    others.pending("press-1", "press-2")
    others.pending("token-1", token="s3cret")
    page.reload()
    page.get_by_role("button", name="Accept all").click()
    expect(page.get_by_role("heading", name="Accept 2 devices")).to_be_visible()
    page.get_by_role("button", name="Accept 2").click()
    expect(page.get_by_role("heading", name="2 of 3 devices accepted")).to_be_visible()
    page.get_by_role("link", name="Close").click()
    row(page, "press-1").get_by_label("Select press-1").check()
    row(page, "token-1").get_by_label("Select token-1").check()
    page.get_by_role("button", name="Cancel selected").click()
    page.get_by_role("button", name="Cancel 2 registrations").click()
    expect(page.get_by_role("heading", name="2 of 2 devices cancelled")).to_be_visible()
    page.get_by_role("link", name="Close").click()
    expect(page.locator("[data-rows] > tr")).to_have_count(1)


def test_registration_is_cancelled_and_another_unblocked(page, others):
    others.register("press-1")
    others.block("press-2")
    page.goto(f"{LIST}?q=press&sort=device")
    row(page, "press-1").get_by_role("link", name="Cancel registration of press-1").click()
    page.get_by_role("button", name="Cancel registration").click()
    expect(page.get_by_text("Device registration cancelled: press-1.")).to_be_visible()
    assert page.url.endswith("?q=press&sort=device")
    row(page, "press-2").get_by_role("link", name="Unblock press-2").click()
    page.get_by_role("button", name="Unblock").click()
    expect(page.get_by_text("Say why")).to_be_visible()
    page.get_by_label("Reason").fill("Looked at it.")
    page.get_by_role("button", name="Unblock").click()
    expect(row(page, "press-2")).to_contain_text("Waiting for connection")


def test_settings_are_changed(page, others):
    page.get_by_role("link", name="Registration settings").click()
    page.get_by_label("Required").check()
    page.get_by_label("Time limit, in hours").fill("0")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#hours-problem")).to_be_visible()
    page.get_by_label("Time limit, in hours").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The settings of device registration are saved.")).to_be_visible()
    others.pending("press-1")
    page.goto(LIST)
    expect(row(page, "press-1")).to_contain_text("Blocked")


def test_list_is_searched_sorted_and_left_through_help(page, others):
    others.register("press-1", "press-2", "saw-1")
    page.reload()
    page.get_by_label("Search by device ID").fill("press")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("[data-rows] > tr")).to_have_count(2)
    page.get_by_role("table").get_by_role("link", name="Device").click()
    expect(page.locator("[data-rows] > tr").first).to_contain_text("press-1")
    page.get_by_role("link", name="Help: Connecting devices").click()
    expect(page.get_by_role("heading", name="Connecting devices")).to_be_visible()
    page.get_by_role("link", name="Close").click()
    expect(page.locator("[data-rows] > tr")).to_have_count(3)


def test_link_that_is_shown_once_can_be_selected_where_nothing_copies_it(page):
    page.goto("/administration/people/invite/")
    page.get_by_label("User name").fill("hedy")
    page.get_by_label("reader").check()
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_label("Link for management/hedy")).to_have_value(re.compile("/welcome/"))
    expect(page.get_by_role("button", name="Copy")).to_be_hidden()
