"""The audit log and the options in a real browser: found, opened, taken along, on every screen."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, assert_no_sideways_scroll, serious_violations

LOG = "/administration/audit-log/"
OPTIONS = "/administration/options/"
POLICY = "/tenant/options/device-registration/security-token.policy"
DESK = {"viewport": {"width": 1440, "height": 900}}


def found(page):
    return page.locator(".audit-table tbody tr")


@pytest.fixture
def options(others):
    """Nothing is set but what the test sets."""

    def clear():
        for path in (POLICY, "/tenant/options/mail/host", "/tenant/options/mail/credentials.x"):
            others.admin.call("DELETE", path)

    clear()
    yield others.admin
    clear()


def test_entries_are_found_while_typing_and_opened_beside_the_list(open_page, others, options):
    others.register("press-of-the-log", "saw-of-the-log")
    assert options.call("PUT", POLICY, json={"value": "REQUIRED"}).status_code == 200
    page = open_page(LOG)
    page.get_by_label("Search").fill("press-of-the-log")
    expect(found(page).first).to_contain_text("press-of-the-log")
    expect(page.get_by_text("saw-of-the-log")).to_have_count(0)
    expect(page).to_have_url(re.compile("q=press-of-the-log"))
    page.get_by_label("Search").fill("")
    expect(page.get_by_text("saw-of-the-log").first).to_be_visible()
    page.get_by_label("Type").select_option("Option")
    expect(page).to_have_url(re.compile("type=Option"))
    entry = found(page).first.get_by_role("link")
    expect(entry).to_have_text(re.compile("Option (set|changed)"))
    entry.click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("row", name="value")).to_contain_text("REQUIRED")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(entry).to_be_focused()
    page.reload()
    expect(page.get_by_label("Type")).to_have_value("Option")


def test_what_is_shown_is_what_is_exported(open_page, others):
    others.register("press-to-take")
    page = open_page(LOG)
    page.get_by_label("Search").fill("press-to-take")
    expect(page.locator("#audit-table input[name=q]")).to_have_value("press-to-take")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert re.fullmatch(r"audit-log-\d{4}-\d\d-\d\d\.csv", download.value.suggested_filename)
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) > 1
    assert all("press-to-take" in line for line in lines[1:])


def test_option_is_changed_reset_and_added_beside_the_list(open_page, options):
    page = open_page(OPTIONS)
    policy = page.get_by_role("row", name="Security token policy")
    expect(policy).to_contain_text("Platform default")
    policy.get_by_role("link", name="Change").click()
    dialog = page.get_by_role("dialog", name="Security token policy")
    dialog.get_by_label("Value").select_option("REQUIRED")
    dialog.get_by_role("button", name="Save").click()
    expect(policy).to_contain_text("Set here")
    expect(policy.locator(".cell-value")).to_have_text("REQUIRED")
    expect(page.get_by_text("Security token policy is changed.")).to_be_visible()
    policy.get_by_role("link", name="Reset").click()
    page.get_by_role("dialog").get_by_role("button", name="Reset").click()
    expect(policy).to_contain_text("Platform default")
    page.get_by_role("link", name="Add option").click()
    dialog = page.get_by_role("dialog", name="Add option")
    dialog.get_by_label("Category").fill("mail/x")
    dialog.get_by_label("Key").fill("host")
    dialog.get_by_role("button", name="Add").click()
    expect(dialog.get_by_text("cannot contain a slash")).to_be_visible()
    dialog.get_by_label("Category").fill("mail")
    dialog.get_by_role("button", name="Add").click()
    expect(page.get_by_role("row", name="host")).to_be_visible()


def test_management_reserves_an_option_of_another_tenant(open_page, others):
    page = open_page(OPTIONS)
    page.get_by_label("Tenant", exact=True).select_option("acme")
    expect(page.get_by_text("What counts for Acme")).to_be_visible()
    policy = page.get_by_role("row", name="Security token policy")
    policy.get_by_role("link", name="Change").click()
    page.get_by_role("dialog").get_by_label("Value").select_option("IGNORED")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(policy).to_contain_text("Set by this tenant")
    policy.get_by_role("button", name="Reserve").click()
    expect(policy).to_contain_text("Reserved")
    policy.get_by_role("button", name="Release").click()
    expect(policy).not_to_contain_text("Reserved")
    policy.get_by_role("link", name="Reset").click()
    page.get_by_role("dialog").get_by_role("button", name="Reset").click()
    expect(policy).to_contain_text("Platform default")


@pytest.mark.parametrize(
    "screen",
    [DESK | {"color_scheme": "light"}, PHONE | {"color_scheme": "dark"}],
    ids=["light", "dark, on a phone"],
)
def test_pages_can_be_used_by_everybody(open_page, others, options, screen):
    others.register("a-device-with-quite-a-long-name." + "0123456789" * 12)
    for path, value in (("mail/host", "x" * 300), ("mail/credentials.x", "secret")):
        options.call("PUT", f"/tenant/options/{path}", json={"value": value})
    page = open_page(LOG, **screen)
    violations = {}

    def look(what):
        page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
        violations[what] = serious_violations(page)
        assert_no_sideways_scroll(page)

    def look_at_dialog(what, link):
        link.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        look(what)
        page.keyboard.press("Escape")

    look("log")
    look_at_dialog("entry", found(page).filter(has_text="Option").first.get_by_role("link"))
    page.goto(f"{LOG}?q=nothing-like-this")
    look("nothing found")
    page.goto(OPTIONS)
    look("options")
    look_at_dialog("add", page.get_by_role("link", name="Add option"))
    look_at_dialog("choices", page.get_by_role("link", name="Change Security token policy"))
    look_at_dialog("number", page.get_by_role("link", name="Change Time limit"))
    look_at_dialog("text", page.get_by_role("link", name="Change host"))
    look_at_dialog("secret", page.get_by_role("link", name="Change credentials.x"))
    look_at_dialog("reset", page.get_by_role("link", name="Reset host"))
    page.goto(f"{OPTIONS}?tenant=acme")
    look("options of another tenant")
    assert {what: each for what, each in violations.items() if each} == {}
