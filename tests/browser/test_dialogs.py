"""Dialogs: deciding about many, cancelling, and where the focus goes."""

from playwright.sync_api import expect

from tests.browser.conftest import LIST, row


def test_escape_closes_a_dialog_and_gives_the_focus_back(page, others):
    others.register("press-1")
    cancel = row(page, "press-1").get_by_role("link", name="Cancel registration of press-1")
    cancel.click()
    dialog = page.get_by_role("dialog", name="Cancel device registration")
    expect(dialog).to_contain_text("“press-1”")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(cancel).to_be_focused()
    expect(row(page, "press-1")).to_be_visible()
    cancel.press("Enter")
    page.get_by_role("dialog").get_by_role("link", name="Close").click()
    expect(cancel).to_be_focused()


def test_cancelled_registration_leaves_the_list_and_the_focus_goes_on(page, others):
    others.register("press-1", "press-2")
    row(page, "press-1").get_by_role("link", name="Cancel registration of press-1").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel registration").click()
    expect(page.get_by_text("Device registration cancelled: press-1.")).to_be_visible()
    expect(row(page, "press-1")).to_have_count(0)
    expect(row(page, "press-2")).to_be_visible()
    assert page.evaluate("document.activeElement !== document.body")


def test_cancelling_on_the_page_of_a_registration_leads_to_the_list(page, others):
    others.register("press-1")
    row(page, "press-1").get_by_role("link", name="press-1", exact=True).click()
    page.get_by_role("link", name="Cancel registration").click()
    page.get_by_role("link", name="Close").click()
    expect(page.locator("#timeline")).to_be_visible()
    page.get_by_role("link", name="Cancel registration").click()
    page.get_by_role("button", name="Cancel registration").click()
    expect(page.get_by_text("Device registration cancelled: press-1.")).to_be_visible()
    expect(page.get_by_text("No open registrations")).to_be_visible()


def test_accept_all_takes_what_was_shown_and_tells_the_exceptions(page, others):
    others.pending("press-1", "press-2")
    others.pending("token-1", token="s3cret")
    expect(row(page, "token-1")).to_contain_text("Token sent")
    page.get_by_role("button", name="Accept all").click()
    preview = page.get_by_role("dialog", name="Accept 2 devices")
    expect(preview.locator(".result-failed")).to_contain_text("token-1")
    expect(preview.locator(".result-failed")).to_contain_text("accept it by itself")
    others.pending("late-1")
    preview.get_by_role("button", name="Accept 2").click()
    result = page.get_by_role("dialog", name="2 of 3 devices accepted")
    expect(result).to_be_visible()
    result.get_by_role("link", name="Close").click()
    for device, status in {
        "press-1": "Accepted",
        "press-2": "Accepted",
        "token-1": "Pending acceptance",
        "late-1": "Pending acceptance",
    }.items():
        expect(row(page, device)).to_contain_text(status)
    expect(page.get_by_role("button", name="Accept all")).to_be_focused()


def test_selected_rows_are_accepted_or_cancelled(page, others):
    others.pending("press-1", "press-2", "press-3")
    expect(page.get_by_role("button", name="Accept selected")).to_be_hidden()
    expect(page.locator("[data-rows] > tr")).to_have_count(3)
    page.get_by_label("Select all rows shown").check()
    row(page, "press-3").get_by_label("Select press-3").uncheck()
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.get_by_role("button", name="Accept selected").click()
    page.get_by_role("dialog").get_by_role("button", name="Accept 2").click()
    expect(page.get_by_role("dialog", name="2 of 2 devices accepted")).to_be_visible()
    page.keyboard.press("Escape")
    expect(row(page, "press-1")).to_contain_text("Accepted")
    expect(row(page, "press-3")).to_contain_text("Pending acceptance")
    for device in ("press-1", "press-2"):
        row(page, device).get_by_label(f"Select {device}").uncheck()
    row(page, "press-3").get_by_label("Select press-3").check()
    page.get_by_role("button", name="Cancel selected").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel 1 registration").click()
    expect(page.get_by_role("dialog", name="1 of 1 device cancelled")).to_be_visible()
    page.keyboard.press("Escape")
    expect(row(page, "press-3")).to_have_count(0)


def test_help_opens_beside_the_page(page):
    opener = page.get_by_role("link", name="Help: Connecting devices")
    opener.click()
    drawer = page.get_by_role("dialog", name="Connecting devices")
    expect(drawer).to_contain_text("Pending acceptance")
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_menu_closes_by_escape_and_by_a_click_elsewhere(page):
    menu = page.locator("[data-menu]")
    item = page.get_by_role("link", name="Single registration: General")
    menu.locator("summary").click()
    expect(item).to_be_visible()
    page.keyboard.press("Escape")
    expect(item).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()
    menu.locator("summary").click()
    page.get_by_role("heading", level=1).click()
    expect(item).to_be_hidden()


def test_dialogs_still_work_after_going_back(page, others):
    others.register("press-1", "saw-1")
    page.goto(LIST)
    page.get_by_label("Search by device ID").fill("press")
    expect(row(page, "saw-1")).to_have_count(0)
    page.wait_for_url("**q=press*")
    page.go_back()
    expect(row(page, "saw-1")).to_be_visible()
    cancel = row(page, "saw-1").get_by_role("link", name="Cancel registration of saw-1")
    cancel.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(cancel).to_be_focused()
    assert page.locator("#dialog").evaluate("dialog => dialog.childElementCount") == 0
    others.knock("saw-1")
    expect(row(page, "saw-1")).to_contain_text("Pending acceptance")
