"""Looking after logins at a real browser, with devices that really use them."""

import itertools
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, assert_no_sideways_scroll, row, serious_violations
from tests.browser.test_accessibility import DESK
from tests.e2e.conftest import Remote

LOGINS = "/devices/credentials/"
DELETED = "/devices/deleted/"
numbers = itertools.count(1)
every_screen = pytest.mark.parametrize(
    "screen",
    [DESK | {"color_scheme": "light"}, PHONE | {"color_scheme": "dark"}],
    ids=["light", "dark, on a phone"],
)


@pytest.fixture
def device(others):
    """A device that is in; it knows its ID and its password."""

    class Device:
        device_id = f"turnstile-{next(numbers)}"

        def __init__(self):
            others.pending(self.device_id)
            others.accept(self.device_id)
            self.credentials = others.knock(self.device_id)
            self.password = self.credentials["password"]
            others.log_in(self.credentials)

        def comes_in(self, password=None):
            """Log in by a real request; say whether the door opened."""
            login = (f"management/device_{self.device_id}", password or self.password)
            answer = Remote(others.url, login).call("GET", "/user/currentUser")
            assert answer.status_code in {200, 401}
            return answer.status_code == 200

    device = Device()
    yield device
    others.admin.call("DELETE", f"/user/management/users/device_{device.device_id}")


def test_password_is_renewed_copied_used_and_the_old_one_dies(open_page, device):
    page = open_page(LOGINS)
    mine = row(page, device.device_id)
    expect(mine.locator(".badge")).to_have_text("Enabled")
    mine.get_by_role("link", name=f"New password for {device.device_id}").click()
    dialog = page.get_by_role("dialog", name=f"New password for {device.device_id}")
    expect(dialog.get_by_label("For 7 days")).to_be_checked()
    expect(dialog.get_by_label("For 7 days")).to_be_focused()
    dialog.get_by_label("For 1 day").check()
    dialog.get_by_role("button", name="Make a new password").click()
    shown = page.get_by_role("dialog", name=f"New password of {device.device_id}")
    expect(shown.locator("#password-text")).to_have_value(re.compile(r"^[A-Za-z2-9]{32}$"))
    expect(shown.locator("#password-text")).to_be_focused()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown.locator("[data-copy='#password-text']").click()
    expect(shown.get_by_role("button", name="Copied")).to_be_visible()
    new = page.evaluate("navigator.clipboard.readText()")
    assert new == shown.locator("#password-text").input_value()
    # The list under the dialog has looked again already.
    shown.get_by_role("link", name="Close").click()
    expect(mine.locator(".badge")).to_have_text("New password under way")

    assert device.comes_in()
    assert device.comes_in(new)
    assert not device.comes_in()
    page.reload()
    expect(mine.locator(".badge")).to_have_text("Enabled")
    expect(page.locator("body")).not_to_contain_text(new)
    mine.get_by_role("link", name=f"device_{device.device_id}").click()
    expect(page.locator(".timeline")).to_contain_text("New password used; the old one is void")


def test_login_is_disabled_and_enabled_in_place(open_page, device):
    page = open_page(f"{LOGINS}?state=")
    mine = row(page, device.device_id)
    mine.get_by_role("button", name=f"Disable {device.device_id}").click()
    expect(mine.locator(".badge")).to_have_text("Disabled")
    expect(page.get_by_text("is disabled. It is refused from its next request on.")).to_be_visible()
    assert mine.evaluate("row => row.contains(document.activeElement)")
    assert not device.comes_in()
    mine.get_by_role("button", name=f"Enable {device.device_id}").click()
    expect(mine.locator(".badge")).to_have_text("Enabled")
    assert device.comes_in()
    # On its own page too, where the timeline follows.
    mine.get_by_role("link", name=f"device_{device.device_id}").click()
    page.get_by_role("button", name="Disable").click()
    expect(page.locator("#credentials-card .badge")).to_have_text("Disabled")
    expect(page.locator(".timeline li").first).to_contain_text("Login disabled")
    expect(page.locator("[data-message]").last).to_contain_text("is disabled")
    assert not device.comes_in()
    page.get_by_role("button", name="Enable").click()
    expect(page.locator("#credentials-card .badge")).to_have_text("Enabled")
    page.get_by_role("link", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.locator("#credentials-card .badge")).to_have_text("Revoked")
    assert not device.comes_in()


def test_deleted_device_comes_back_and_is_let_in_by_hand_only(open_page, others, device):
    page = open_page(LOGINS)
    row(page, device.device_id).get_by_role("link", name="Delete the login").click()
    dialog = page.get_by_role("dialog", name=f"Delete the login of {device.device_id}")
    dialog.get_by_label("Reason").fill("Sold to Globex.")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text(f"The login of {device.device_id} is deleted.")).to_be_visible()
    expect(row(page, device.device_id)).to_have_count(0)

    assert not device.comes_in()
    page.get_by_role("link", name="Deleted devices").click()
    mine = row(page, device.device_id)
    expect(mine).to_contain_text("Came back")
    expect(mine).to_contain_text("Sold to Globex.")
    mine.get_by_role("link", name=f"Register {device.device_id} again").click()
    dialog = page.get_by_role("dialog", name="Register devices")
    expect(dialog.get_by_label("Device ID").first).to_have_value(device.device_id)
    dialog.get_by_role("button", name="Next").last.click()
    expect(page.get_by_role("dialog").get_by_text("Device registered")).to_be_visible()

    others.knock(device.device_id)
    page.goto("/devices/registration/")
    mine = row(page, device.device_id)
    expect(mine).to_contain_text("Deleted before")
    page.get_by_role("button", name="Accept all").click()
    expect(page.get_by_role("dialog")).to_contain_text("It was deleted here before")
    page.get_by_role("dialog").get_by_role("link", name="Close").click()
    mine.get_by_role("button", name=f"Accept {device.device_id}").click()
    expect(mine).to_contain_text("Accepted")
    expect(mine).to_contain_text("Deleted before")
    device.password = others.knock(device.device_id)["password"]
    assert device.comes_in()
    page.goto(DELETED)
    expect(row(page, device.device_id)).to_have_count(0)


def test_login_is_deleted_from_its_own_page_which_is_left(open_page, device):
    page = open_page(f"{LOGINS}?q={device.device_id}")
    row(page, device.device_id).get_by_role("link", name=f"device_{device.device_id}").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.wait_for_url(f"**{LOGINS}")
    expect(page.get_by_text("is deleted. It is no longer let in.")).to_be_visible()
    page.goto(DELETED)
    row(page, device.device_id).get_by_role("link", name=f"Forget {device.device_id}").click()
    page.get_by_role("dialog").get_by_role("button", name="Forget").click()
    expect(row(page, device.device_id)).to_have_count(0)


@every_screen
def test_everybody_can_use_these_pages(open_page, others, device, screen):
    page = open_page(LOGINS, **screen)
    found = {}

    def look(what, path=None, link=None):
        if path:
            page.goto(path)
        if link:
            page.get_by_role("link", name=link).first.click()
            expect(page.get_by_role("dialog")).to_be_visible()
        page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
        found[what] = serious_violations(page)
        assert_no_sideways_scroll(page)

    look("list")
    look("new password", link=f"New password for {device.device_id}")
    page.get_by_role("dialog").get_by_role("button", name="Make a new password").click()
    expect(page.locator("#password-text")).to_be_visible()
    look("shown once")
    page.get_by_role("link", name="Close").click()
    page.get_by_role("link", name=f"device_{device.device_id}").first.click()
    expect(page.locator("#credentials-card")).to_be_visible()
    look("one login")
    look("revoke", link="Revoke")
    page.keyboard.press("Escape")
    look("delete", link="Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.wait_for_url(f"**{LOGINS}")
    others.knock(device.device_id)
    look("deleted", DELETED)
    look("forget", link=f"Forget {device.device_id}")
    look("nothing", f"{DELETED}?q=nobody")
    others.pending(device.device_id)
    page.goto("/devices/registration/")
    expect(row(page, device.device_id)).to_contain_text("Deleted before")
    look("registrations")
    row(page, device.device_id).get_by_role("link", name=device.device_id, exact=True).click()
    expect(page.locator("#facts .notice-warning")).to_be_visible()
    look("registration")
    assert not {what: problems for what, problems in found.items() if problems}
