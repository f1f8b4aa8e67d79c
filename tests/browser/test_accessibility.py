"""Everybody can use it: on a phone, in the dark, by keyboard, with a screen reader."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import (
    LIST,
    PHONE,
    assert_no_sideways_scroll,
    row,
    serious_violations,
)
from tests.e2e.conftest import ADMIN_PASSWORD

DESK = {"viewport": {"width": 1280, "height": 800}}
every_screen = pytest.mark.parametrize(
    "screen",
    [DESK | {"color_scheme": "light"}, PHONE | {"color_scheme": "dark"}],
    ids=["light", "dark, on a phone"],
)


@every_screen
def test_every_page_can_be_used_by_everybody(open_page, others, screen):
    others.all_stages()
    others.register("a-device-with-quite-a-long-name." + "0123456789" * 12)
    page = open_page("/sign-in/", login=None, **screen)
    found = {"sign-in": serious_violations(page)}
    assert_no_sideways_scroll(page)
    page = open_page(**screen)

    def look(what, path=None):
        if path:
            page.goto(path)
        # A colour on its way is neither the old one nor the new one.
        page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
        found[what] = serious_violations(page)
        assert_no_sideways_scroll(page)

    look("dashboard", "/")
    look("events", f"{LIST}events/")
    look("list", LIST)
    look("confirmed", f"{LIST}?status=confirmed")
    look("nothing found", f"{LIST}?q=nothing")
    page.goto(LIST)
    row(page, "stage-token").get_by_label("Security token of stage-token").fill("wrong")
    row(page, "stage-token").get_by_role("button", name="Accept stage-token").click()
    expect(page.locator(".message-error")).to_be_visible()
    look("message")
    page.get_by_label("Select stage-pending").check()
    look("selection")
    page.get_by_role("button", name="Accept all").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look("decision")
    page.keyboard.press("Escape")
    row(page, "stage-waiting").get_by_role("link", name="Cancel registration").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look("cancel")
    page.keyboard.press("Escape")
    page.locator("[data-menu] summary").click()
    look("menu")
    page.get_by_role("link", name="Single registration: General").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add device").click()
    dialog.get_by_label("Device ID", exact=True).nth(0).fill("a b")
    dialog.get_by_label("Device ID", exact=True).nth(1).fill("stage-waiting")
    look("register")
    dialog.get_by_label("Device ID", exact=True).nth(0).fill("new")
    dialog.get_by_role("button", name="Next").click()
    expect(page.get_by_role("dialog", name="Several devices")).to_be_visible()
    look("result")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Help: Connecting devices").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look("drawer")
    for device in ("stage-token", "stage-blocked", "stage-confirmed", "stage-delivered"):
        page.goto(f"{LIST}?status={'confirmed' if device == 'stage-confirmed' else ''}")
        row(page, device).get_by_role("link", name=device, exact=True).click()
        expect(page.locator("#timeline")).to_be_visible()
        look(device)
    look("settings", "/settings/device-registration/")
    page.get_by_label("Time limit, in hours").fill("0")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#hours-problem")).to_be_visible()
    look("settings, refused")
    look("help", "/help/connecting-devices/")
    look("error", "/nowhere/")
    look("register as a page", f"{LIST}new/")
    assert {what: each for what, each in found.items() if each} == {}


def press_until(page, key, target, limit=60):
    """Press ``key`` until ``target`` has the focus."""
    for _ in range(limit):
        if target.count() and target.evaluate("it => it === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} never came to {target}")


def test_the_whole_way_can_be_gone_by_keyboard(open_page, others):
    page = open_page("/", login=None)
    expect(page.get_by_label("User")).to_be_focused()
    page.keyboard.type("management/admin")
    page.keyboard.press("Tab")
    page.keyboard.type(ADMIN_PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
    press_until(page, "Tab", page.get_by_role("link", name="Registration", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Device registration")
    press_until(page, "Tab", page.locator("[data-menu] summary"))
    page.keyboard.press("Space")
    press_until(page, "Tab", page.get_by_role("link", name="Single registration: General"))
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Register devices")
    expect(dialog.get_by_label("Device ID", exact=True)).to_be_focused()
    page.keyboard.type("press-1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Device registered")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    others.knock("press-1", "s3cret")
    token = row(page, "press-1").get_by_label("Security token of press-1")
    expect(token).to_be_visible()
    press_until(page, "Tab", token)
    page.keyboard.type("s3cret")
    press_until(page, "Tab", row(page, "press-1").get_by_role("button", name="Accept press-1"))
    page.keyboard.press("Space")
    expect(row(page, "press-1")).to_contain_text("Accepted")
    assert page.evaluate("document.activeElement !== document.body")


def test_focus_never_leaves_an_open_dialog(page, others):
    others.register("press-1")
    row(page, "press-1").get_by_role("link", name="Cancel registration").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body"
            " || document.getElementById('dialog').contains(document.activeElement)"
        )


def test_first_tab_leads_to_the_content(page):
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.getElementById('content').contains(document.activeElement)")


def test_everything_is_within_reach_on_a_phone(open_page, others):
    others.pending("press-1", token="s3cret")
    page = open_page(**PHONE)
    press = row(page, "press-1")
    press.get_by_label("Security token of press-1").fill("s3cret")
    press.get_by_role("button", name="Accept press-1").tap()
    expect(press).to_contain_text("Accepted")
    page.locator("[data-navigator] summary").tap()
    page.get_by_role("link", name="Registration settings").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Registration settings")
    assert_no_sideways_scroll(page)
