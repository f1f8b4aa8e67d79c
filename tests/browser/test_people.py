"""Looking after people at a real browser: an invitation, its link, roles and tokens."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, assert_no_sideways_scroll, serious_violations

PEOPLE = "/administration/people/"
every_screen = pytest.mark.parametrize(
    "screen",
    [{"color_scheme": "light"}, PHONE | {"color_scheme": "dark"}],
    ids=["light", "dark, on a phone"],
)


def invite(page, name):
    page.goto(PEOPLE)
    page.get_by_role("link", name="Invite person").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("User name").fill(name)
    dialog.get_by_label("reader").check()
    dialog.get_by_role("button", name="Invite", exact=True).click()
    return page.get_by_role("dialog", name=f"{name} is invited")


def test_person_is_invited_and_the_link_is_there_to_hand_over(open_page):
    page = open_page(PEOPLE)
    page.get_by_role("link", name="Invite person").click()
    dialog = page.get_by_role("dialog", name="Invite a person")
    expect(dialog.get_by_label("User name")).to_be_focused()
    dialog.get_by_role("button", name="Invite", exact=True).click()
    expect(dialog.get_by_text("Choose at least one role.")).to_be_visible()
    dialog.get_by_label("User name").fill("device_4711")
    dialog.get_by_label("reader").check()
    dialog.get_by_role("button", name="Invite", exact=True).click()
    expect(dialog.get_by_text("belong to devices")).to_be_visible()
    dialog.get_by_label("User name").fill("anna")
    dialog.get_by_role("button", name="Invite", exact=True).click()
    result = page.get_by_role("dialog", name="anna is invited")
    expect(result.locator("#handover-link")).to_have_value(
        re.compile(r"^http://[^/]+/welcome/[\w-]{43}/$")
    )
    link = result.locator("#handover-link").input_value()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    result.get_by_role("button", name="Copy").click()
    expect(result.get_by_role("button", name="Copied")).to_be_focused()
    assert page.evaluate("navigator.clipboard.readText()") == link
    # The list under the dialog has looked again already.
    result.get_by_role("link", name="Close").click()
    expect(page.locator("#people-table tr", has_text="anna")).to_contain_text("Invited")


def test_person_is_shut_out_opened_and_deleted(open_page):
    page = open_page(PEOPLE)
    invite(page, "bert").get_by_role("link", name="Close").click()
    page.get_by_role("link", name="bert").click()
    page.get_by_role("link", name="Deactivate").click()
    page.get_by_role("dialog").get_by_role("button", name="Deactivate").click()
    expect(page.locator("#person-facts .badge-blocked")).to_have_text("Deactivated")
    expect(page.get_by_text("bert is deactivated.")).to_be_visible()
    # The button that was pressed is gone; the focus is on the title, not lost.
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.get_by_role("link", name="Activate").click()
    page.get_by_role("dialog").get_by_role("button", name="Activate").click()
    expect(page.get_by_role("link", name="Invite again")).to_be_visible()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("dialog", name="Delete bert").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("bert is deleted.")).to_be_visible()
    expect(page.locator("#people-table")).not_to_contain_text("bert")


def test_link_is_copied_where_the_browser_keeps_the_clipboard_from_the_page(open_page):
    """As it does on any page that came by plain HTTP."""
    page = open_page(PEOPLE)
    page.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined});"
        "document.addEventListener('copy', () => { window.taken = document.activeElement.value; });"
    )
    result = invite(page, "carl")
    link = result.locator("#handover-link").input_value()
    result.get_by_role("button", name="Copy").click()
    expect(result.get_by_role("button", name="Copied")).to_be_focused()
    assert page.evaluate("window.taken") == link


def test_focus_stays_on_the_button_whose_dialog_changed_the_page(open_page):
    page = open_page(PEOPLE)
    invite(page, "dora").get_by_role("link", name="Close").click()
    page.get_by_role("link", name="dora").click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_role("dialog").get_by_label("Name", exact=True).fill("Dora")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.locator("#person-facts .facts")).to_contain_text("Dora")
    expect(page.get_by_role("link", name="Edit")).to_be_focused()


def test_service_gets_a_token_that_is_shown_once(open_page):
    page = open_page("/administration/services/")
    page.get_by_role("link", name="Create service").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("User name").fill("erp")
    dialog.get_by_label("operator").check()
    dialog.get_by_role("button", name="Create service").click()
    # What it needs next stands on its page.
    page.get_by_role("link", name="Create token").click()
    dialog.get_by_label("Name").fill("import")
    dialog.get_by_label("See device registrations.").check()
    dialog.get_by_role("button", name="Create token").click()
    made = page.get_by_role("dialog", name="API token import is created")
    expect(made.locator("#token-text")).to_have_value(re.compile(r"^ght_[\w-]{43}$"))
    made.get_by_role("link", name="Close").click()
    page.get_by_role("link", name="Revoke import").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.locator(".tokens tbody tr")).to_contain_text("Revoked")


@every_screen
def test_everybody_can_use_these_pages(open_page, screen):
    page = open_page(PEOPLE, **screen)
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

    look("list", PEOPLE)
    look("invite", link="Invite person")
    page.get_by_role("dialog").get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_text("Choose at least one role.")).to_be_visible()
    look("invite, refused")
    look("nobody", f"{PEOPLE}?q=nobody")
    page.goto(PEOPLE)
    page.get_by_role("link", name="admin", exact=True).click()
    expect(page.locator("#person-facts")).to_be_visible()
    page.get_by_text("All rights").click()
    look("person")
    look("edit", link="Edit")
    look("roles", "/administration/roles/")
    look("role", link="Edit operator")
    look("services", "/administration/services/")
    page.get_by_role("link", name="devicebootstrap").click()
    expect(page.locator("#service-facts")).to_be_visible()
    look("service")
    look("new service", "/administration/services/new/")
    assert not {what: problems for what, problems in found.items() if problems}
