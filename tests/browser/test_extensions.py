"""Registering by a protocol that a package brought along: two pages, a summary, a file."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import serious_violations
from tests.browser.test_bulk import DROP, SLOW

EUI = "70B3D57ED0000001"


def drop(page, name, text):
    dropped = page.evaluate_handle(DROP, [[name], text])
    page.locator("[data-drop-area]").dispatch_event("drop", {"dataTransfer": dropped})


def choose(page, name):
    page.locator("details[data-menu] > summary").first.click()
    page.get_by_role("link", name=name).click()


def test_form_of_two_pages_is_filled_in_and_mended(page):
    choose(page, "Single registration: Tracker")
    dialog = page.get_by_role("dialog", name="Register a tracker")
    eui = dialog.get_by_label("Device EUI")
    expect(eui).to_be_focused()
    eui.fill("no EUI")
    dialog.get_by_role("button", name="Next").click()
    assert eui.evaluate("input => input.validity.patternMismatch"), "the browser looks, too"
    eui.fill("F" * 16)
    dialog.get_by_label("868.3").check()
    eui.press("Enter")
    key = dialog.get_by_label("Application key")
    expect(key).to_be_focused()
    assert serious_violations(page) == []
    key.fill("s3cret-of-tracker")
    dialog.get_by_label("Latitude").fill("48.2")
    dialog.get_by_role("button", name="Next").click()
    expect(dialog.get_by_label("Longitude")).to_be_focused()
    expect(dialog).to_contain_text("leave all of Position empty")
    dialog.get_by_label("Longitude").fill("16.3")
    dialog.get_by_role("button", name="Next").click()
    expect(dialog.get_by_role("button", name="Register")).to_be_visible()
    expect(dialog.locator(".provider-summary")).to_contain_text("••••••••")
    dialog.get_by_role("button", name="Register").click()
    expect(dialog).to_contain_text("This tracker belongs to somebody else.")
    dialog.get_by_role("button", name="Fix issue").click()
    expect(dialog.get_by_label("868.3")).to_be_checked()
    eui.fill(EUI)
    dialog.get_by_role("button", name="Next").click()
    expect(dialog.get_by_label("Longitude")).to_have_value("16.3")
    dialog.get_by_role("button", name="Back").click()
    expect(eui).to_have_value(EUI)
    dialog.get_by_role("button", name="Next").click()
    expect(key).to_be_visible()
    dialog.get_by_role("button", name="Next").click()
    dialog.get_by_role("button", name="Register").click()
    expect(page.get_by_text("Your device was successfully registered.")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_file_is_handed_on(page):
    choose(page, "Bulk registration: Tracker")
    dialog = page.get_by_role("dialog", name="Register trackers in bulk")
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Download template").first.click()
    assert download.value.suggested_filename == "few.csv"
    elsewhere = dialog.get_by_role("link", name="Open at files.example")
    with page.context.expect_page() as opened:
        page.context.route("https://files.example/**", lambda route: route.fulfill(body="ID"))
        elsewhere.click()
    assert opened.value.url == "https://files.example/many.csv"
    assert opened.value.evaluate("[window.opener, document.referrer]") == [None, ""]
    opened.value.close()
    upload = dialog.get_by_role("button", name="Upload", exact=True)
    drop(page, "a.csv", "")
    expect(dialog.get_by_role("alert")).to_have_text("File must not be empty, select another one.")
    expect(upload).to_be_disabled()
    drop(page, "a.csv", "bad")
    upload.click()
    failed = page.get_by_role("dialog", name="Bulk operation failed.")
    failed.get_by_role("link", name="Try another file").click()
    drop(page, "b.csv", "devEUI\n1\n")
    expect(dialog.locator("[data-chosen]")).to_contain_text("b.csv")
    assert serious_violations(page) == []
    upload.click()
    done = page.get_by_role("dialog", name="File successfully uploaded.")
    expect(done).to_contain_text("4711")
    assert serious_violations(page) == []
    done.get_by_role("link", name="Complete").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_closing_the_dialog_stops_the_upload(page):
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", SLOW)
    choose(page, "Bulk registration: Tracker")
    drop(page, "a.csv", "x" * 1_500_000)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator("[data-upload-said]")).to_have_text(re.compile(r"^[1-9]\d?% · "))
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/file/")):
        page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    choose(page, "Bulk registration: Tracker")
    drop(page, "b.csv", "1")  # the next one is taken
    expect(page.get_by_role("button", name="Upload", exact=True)).to_be_enabled()


def test_dialog_that_was_closed_while_it_loaded_stays_closed(page):
    held = []

    def hold(route):
        held.append(route)

    page.route("**/registering/tracker/?load=1", hold)
    choose(page, "Single registration: Tracker")
    dialog = page.get_by_role("dialog", name="Tracker")
    expect(dialog).to_contain_text("Loading the registration form definition…")
    dialog.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    with page.expect_response("**/registering/tracker/?load=1"):
        held[0].continue_()
    page.wait_for_timeout(300)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_focus_goes_to_what_is_wrong_and_comes_back_to_what_was_pressed(page):
    choose(page, "Single registration: Tracker")
    expect(page.get_by_role("dialog").get_by_label("Device EUI")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("details[data-menu] > summary").first).to_be_focused()
    page.goto("/settings/extensions/")
    page.get_by_role("link", name="Add extension").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Meters")
    dialog.get_by_label("URL of the service").fill("https://meters.example")
    dialog.get_by_label("Context path").fill("Capitals")
    dialog.get_by_role("button", name="Add extension").click()
    expect(dialog.get_by_label("Context path")).to_be_focused()
    dialog.get_by_label("Context path").fill("meters")
    dialog.get_by_role("button", name="Add extension").click()
    page.get_by_role("button", name="Disable Meters").press("Enter")
    expect(page.get_by_role("button", name="Enable Meters")).to_be_focused()
    page.get_by_role("link", name="Remove Meters").click()
    page.get_by_role("button", name="Remove extension").click()
    expect(page.get_by_text("Meters is removed.")).to_be_visible()
