"""The way of a device, as the person sees it who lets it in."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import row, sign_in


def test_three_devices_are_registered_and_one_comes_all_the_way_in(open_page, others):
    page = open_page(None, login=None)
    sign_in(page)
    page.get_by_role("link", name="Registration", exact=True).click()
    expect(page.get_by_text("No open registrations")).to_be_visible()
    page.get_by_text("Register device", exact=True).first.click()
    page.get_by_role("link", name="Single registration: General").click()
    dialog = page.get_by_role("dialog", name="Register devices")
    first = dialog.get_by_label("Device ID", exact=True).first
    expect(first).to_be_focused()
    page.evaluate("""() => {
        const data = new DataTransfer();
        data.setData("text", "press-1\\r\\npress-2\\n press-3 \\n");
        document.activeElement.dispatchEvent(
            new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    }""")
    expect(dialog.locator("[data-device-row]")).to_have_count(3)
    dialog.get_by_role("button", name="Next").click()
    result = page.get_by_role("dialog", name="3 devices registered")
    expect(result.locator(".result-done")).to_have_count(3)
    result.get_by_role("link", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("[data-rows] > tr")).to_have_count(3)
    expect(page.get_by_role("heading", level=1)).to_contain_text("3 open")

    press = row(page, "press-2")
    expect(press).to_contain_text("Waiting for connection")
    assert others.knock("press-2") is None
    expect(press).to_contain_text("Pending acceptance")
    press.get_by_role("button", name="Accept press-2").click()
    expect(press).to_contain_text("Accepted")
    expect(page.get_by_text("press-2 is accepted.")).to_be_visible()
    credentials = others.knock("press-2")
    expect(press).to_contain_text("Delivered")
    others.log_in(credentials)
    expect(press).to_contain_text("Confirmed")
    expect(row(page, "press-1")).to_contain_text("Waiting for connection")
    expect(page.get_by_role("heading", level=1)).to_contain_text("2 open")
    expect(page.get_by_role("link", name=re.compile("Confirmed [1-9]"))).to_be_visible()


def test_wrong_token_says_how_many_attempts_are_left_and_the_right_one_lets_in(page, others):
    others.pending("press-1", token="s3cret")
    press = row(page, "press-1")
    token = press.get_by_label("Security token of press-1")
    token.fill("wrong")
    assert token.get_attribute("type") == "password"
    press.get_by_role("button", name="Show the token").click()
    assert token.get_attribute("type") == "text"
    press.get_by_role("button", name="Accept press-1").click()
    expect(page.locator(".message-error")).to_contain_text("2 attempts are left.")
    expect(press).to_contain_text("2 attempts left")
    token.fill("s3cret")
    token.press("Enter")
    expect(press).to_contain_text("Accepted")
    assert others.knock("press-1", "s3cret")


def test_token_is_asked_for_before_anything_is_sent(page, others):
    others.pending("press-1", token="s3cret")
    press = row(page, "press-1")
    press.get_by_role("button", name="Accept press-1").click()
    token = press.get_by_label("Security token of press-1")
    assert token.evaluate("input => input.validity.valueMissing")
    expect(press).to_contain_text("Pending acceptance")
    expect(press).not_to_contain_text("left")


def test_last_wrong_token_blocks_and_a_reason_unblocks(page, others):
    others.pending("press-1", token="s3cret")
    press = row(page, "press-1")
    for left in ("2 attempts left", "1 attempt left", "Blocked"):
        press.get_by_label("Security token of press-1").fill("wrong")
        press.get_by_role("button", name="Accept press-1").click()
        expect(press).to_contain_text(left)
    press.get_by_role("link", name="Unblock press-1").click()
    dialog = page.get_by_role("dialog", name="Unblock press-1")
    reason = dialog.get_by_label("Reason")
    expect(reason).to_be_focused()
    dialog.get_by_role("button", name="Unblock").click()
    expect(dialog.get_by_text("Say why")).to_be_visible()
    expect(dialog.get_by_label("Reason")).to_be_focused()
    dialog.get_by_label("Reason").fill("The label was hard to read.")
    dialog.get_by_role("button", name="Unblock").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(press).to_contain_text("Waiting for connection")
    expect(page.get_by_text("press-1 is unblocked")).to_be_visible()
    press.get_by_role("link", name="press-1", exact=True).click()
    expect(page.get_by_text("The label was hard to read.")).to_be_visible()


def test_mistakes_are_told_while_typing_and_by_the_server(page, others):
    others.register("taken-1")
    page.locator("[data-menu] summary").click()
    page.get_by_role("link", name="Single registration: General").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Device ID", exact=True).first.fill("press 1")
    expect(dialog.get_by_text("Not allowed in a device ID: a space")).to_be_visible()
    dialog.get_by_label("Device ID", exact=True).first.fill("press-1")
    dialog.get_by_role("button", name="Add device").click()
    expect(dialog.get_by_label("Device ID", exact=True).nth(1)).to_be_focused()
    dialog.get_by_label("Device ID", exact=True).nth(1).fill("press-1")
    expect(dialog.get_by_text("Device ID duplicates are not allowed")).to_be_visible()
    dialog.get_by_role("button", name="Next").click()
    expect(dialog.locator("[id^=error_]")).to_have_text("Device ID duplicates are not allowed")
    dialog.get_by_label("Device ID", exact=True).nth(1).fill("taken-1")
    dialog.get_by_role("button", name="Next").click()
    result = page.get_by_role("dialog", name="Several devices failed to register")
    expect(result.locator(".result-failed")).to_contain_text("already exists")
    result.get_by_role("button", name="Fix errors").click()
    expect(dialog.locator("[data-device-row]")).to_have_count(1)
    dialog.get_by_label("Device ID", exact=True).first.fill("press-2")
    dialog.get_by_role("button", name="Next").click()
    expect(page.get_by_role("dialog", name="Device registered")).to_be_visible()
    page.keyboard.press("Escape")
    for device in ("press-1", "press-2", "taken-1"):
        expect(row(page, device)).to_be_visible()


def test_row_that_is_removed_is_not_registered(page):
    page.locator("[data-menu] summary").click()
    page.get_by_role("link", name="Single registration: General").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Device ID", exact=True).first.fill("mistake")
    dialog.get_by_role("button", name="Add device").click()
    dialog.get_by_label("Device ID", exact=True).nth(1).fill("press-1")
    dialog.get_by_role("button", name="Remove this row").first.click()
    expect(dialog.get_by_label("Device ID", exact=True)).to_be_focused()
    dialog.get_by_role("button", name="Next").click()
    expect(page.get_by_role("dialog", name="Device registered")).to_contain_text("press-1")


def test_rule_of_ids_while_typing_is_the_rule_of_the_server(page):
    page.locator("[data-menu] summary").click()
    page.get_by_role("link", name="Single registration: General").click()
    dialog = page.get_by_role("dialog")
    field = dialog.get_by_label("Device ID", exact=True)
    note = dialog.locator("[id$=-live]")
    for typed, said in {
        "a/b": "Not allowed in a device ID: /",
        "a\u200bb": "an invisible character",
        "limit": "limit means something else in addresses",
        " .. ": ".. means something else in addresses",
        "ä" * 501: "Too long for a device ID: 1002 bytes, and at most 1000 are allowed",
    }.items():
        field.fill(typed)
        expect(note).to_contain_text(said)
    for typed in (" press-1 ", "Limit", "ä" * 500, "a:b", "..."):
        field.fill("a b")
        expect(note).to_be_visible()
        field.fill(typed)
        expect(note).to_have_count(0)


def test_management_chooses_a_tenant_or_a_group(page):
    page.locator("[data-menu] summary").click()
    page.get_by_role("link", name="Single registration: General").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Device ID", exact=True).fill("press-1")
    expect(dialog.get_by_label("Add to group")).to_be_enabled()
    dialog.get_by_label("Add to group").fill("Hall 2")
    dialog.get_by_label("Add to tenant").fill("acm")
    expect(dialog.get_by_label("Add to group")).to_be_disabled()
    dialog.get_by_label("Add to tenant").fill("")
    expect(dialog.get_by_label("Add to group")).to_be_enabled()
    expect(dialog.get_by_label("Add to group")).to_have_value("Hall 2")
    dialog.get_by_label("Add to tenant").fill("acm")
    dialog.get_by_role("button", name="Next").click()
    expect(dialog.get_by_text("There is no active tenant with this ID.")).to_be_visible()
    dialog.get_by_label("Add to tenant").fill("acme")
    expect(dialog.get_by_label("Add to group")).to_be_disabled()
    dialog.get_by_role("button", name="Next").click()
    expect(page.get_by_role("dialog", name="Device registered")).to_contain_text("acme")
    page.keyboard.press("Escape")
    expect(row(page, "press-1").locator(".cell-tenant")).to_have_text("acme")


def test_tenant_of_its_own_sees_its_devices_and_no_others(open_page, others):
    others.register("of-management")
    page = open_page(login="acme/operator")
    page.locator("[data-menu] summary").click()
    page.get_by_role("link", name="Single registration: General").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Device ID", exact=True).fill("of-acme")
    dialog.get_by_label("Add to group").fill("Plant A/Hall 2")
    dialog.get_by_role("button", name="Next").click()
    expect(page.get_by_role("dialog", name="Device registered")).to_be_visible()
    page.keyboard.press("Escape")
    expect(row(page, "of-acme")).to_contain_text("Plant A/Hall 2")
    expect(row(page, "of-management")).to_have_count(0)


def test_page_of_a_registration_lives_and_acts(open_page, others):
    others.register("press-1")
    page = open_page()
    row(page, "press-1").get_by_role("link", name="press-1", exact=True).click()
    others.knock("press-1", "s3cret")
    expect(page.locator("#facts")).to_contain_text("Pending acceptance")
    expect(page.locator("#timeline")).to_contain_text("Knocked for the first time")
    token = page.get_by_label("Security token")
    token.fill("s3cret")
    others.knock("press-1", "a stranger's")  # a conflict: the page looks again
    expect(page.locator("#timeline")).to_contain_text("Conflict noticed")
    expect(token).to_have_value("s3cret")
    page.get_by_role("button", name="Accept").click()
    expect(page.locator("#facts")).to_contain_text("Accepted")
    others.knock("press-1", "s3cret")
    expect(page.get_by_role("button", name="Hand over again")).to_be_visible()
    page.get_by_role("button", name="Hand over again").click()
    expect(page.locator(".badge").first).to_have_text(re.compile("Accepted"))
    page.get_by_label("Add to group").fill("Hall 2")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#facts")).to_contain_text("Hall 2")
