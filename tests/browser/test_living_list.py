"""The list follows what others do, and never takes anything out of somebody's hands."""

from playwright.sync_api import expect

from tests.browser.conftest import LIST, row


def test_rows_of_others_come_and_go(page, others):
    others.register("press-1")
    expect(row(page, "press-1")).to_be_visible()
    others.register("press-2")
    expect(row(page, "press-2")).to_be_visible()
    others.cancel("press-1")
    expect(row(page, "press-1")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_contain_text("1 open")
    others.cancel("press-2")
    expect(page.get_by_text("No open registrations")).to_be_visible()
    expect(page.get_by_role("table")).to_have_count(0)


def test_typed_token_and_focus_survive_what_happens_meanwhile(page, others):
    others.pending("press-1", token="s3cret")
    others.pending("press-2")
    token = row(page, "press-1").get_by_label("Security token of press-1")
    token.fill("s3cr")
    token.press("ArrowLeft")
    others.register("press-3")  # another row comes
    expect(row(page, "press-3")).to_be_visible()
    others.accept("press-2")  # another row changes
    expect(row(page, "press-2")).to_contain_text("Accepted")
    others.knock("press-1", "another")  # this row changes
    expect(row(page, "press-1")).to_contain_text("Conflict")
    others.cancel("press-3")  # another row goes
    expect(row(page, "press-3")).to_have_count(0)
    expect(token).to_be_focused()
    expect(token).to_have_value("s3cr")
    assert token.evaluate("input => input.selectionStart") == 3
    page.keyboard.press("End")
    page.keyboard.type("et")
    page.keyboard.press("Enter")
    expect(row(page, "press-1")).to_contain_text("Accepted")


def test_ticked_rows_stay_ticked(page, others):
    others.pending("press-1", "press-2")
    row(page, "press-1").get_by_label("Select press-1").check()
    others.accept("press-1")
    expect(row(page, "press-1")).to_contain_text("Accepted")
    expect(row(page, "press-1").get_by_label("Select press-1")).to_be_checked()
    expect(page.get_by_text("1 selected")).to_be_visible()


def test_row_that_left_the_filter_stays_until_the_page_is_loaded_again(open_page, others):
    others.pending("press-1")
    page = open_page(f"{LIST}?status=pending")
    others.accept("press-1")
    expect(row(page, "press-1")).to_contain_text("Accepted")
    page.reload()
    expect(page.get_by_text("Nothing here")).to_be_visible()


def test_rows_too_far_down_to_be_looked_after_are_not_called_cancelled(open_page, others):
    devices = ("last-1", "last-2", "last-3", "last-4", "first-2", "first-1")
    others.pending(*devices[:1], token="s3cret")
    others.pending(*devices[1:])
    page = open_page(f"{LIST}?status=pending")
    expect(page.locator("[data-rows] > tr")).to_have_count(6)
    # As if there were two hundred above them; those that others accept are on no page any more.
    page.evaluate("document.querySelector('[data-live]').dataset.maxShown = '2'")
    row(page, "last-1").get_by_label("Security token of last-1").fill("s3cr")
    row(page, "last-2").get_by_label("Select last-2").check()
    row(page, "last-3").get_by_role("link", name="last-3", exact=True).focus()
    page.evaluate("""() => {
        window.told = [];
        new MutationObserver(() => window.told.push(announcer.textContent)).observe(
            announcer, { childList: true });
    }""")
    others.accept("first-1")
    expect(row(page, "first-1")).to_contain_text("Accepted")
    for device in ("last-4", "last-3", "last-2"):
        others.accept(device)
    others.cancel("last-1")
    expect(row(page, "last-4")).to_have_count(0)
    others.cancel("first-2")
    expect(row(page, "first-2")).to_have_count(0)
    expect(row(page, "last-3").get_by_role("link", name="last-3", exact=True)).to_be_focused()
    expect(row(page, "last-2").get_by_label("Select last-2")).to_be_checked()
    token = row(page, "last-1").get_by_label("Security token of last-1")
    expect(token).to_have_value("s3cr")
    expect(page.locator("#announcer")).to_contain_text("first-2: registration cancelled")
    told = " ".join(page.evaluate("window.told"))
    assert told.count("cancelled") == told.count("first-2: registration cancelled") > 0


def test_focus_stays_on_a_link_above_the_list(page, others):
    chip = page.get_by_role("link", name="Waiting")
    chip.focus()
    others.register("press-1")
    expect(chip).to_have_text("Waiting 1")
    expect(chip).to_be_focused()


def test_changes_are_announced(page, others):
    others.register("press-1")
    expect(page.locator("#announcer")).to_have_text("press-1: Waiting for connection")
    others.knock("press-1")
    expect(page.locator("#announcer")).to_have_text("press-1: Pending acceptance")
    others.cancel("press-1")
    expect(page.locator("#announcer")).to_have_text("press-1: registration cancelled")


def test_row_that_somebody_cancelled_says_so_instead_of_nothing(page, others):
    others.pending("press-1")
    expect(row(page, "press-1").get_by_role("button", name="Accept press-1")).to_be_visible()
    version = page.locator("[data-live]").get_attribute("data-live-version")
    # The page does not learn of it by itself.
    page.route("**/registration/live?*", lambda route: route.fulfill(body=version))
    others.cancel("press-1")
    row(page, "press-1").get_by_role("button", name="Accept press-1").click()
    expect(page.locator(".message-error")).to_contain_text("no longer there")
    expect(row(page, "press-1")).to_have_count(0)


def test_lost_server_is_told_and_found_again(page, others):
    page.context.set_offline(True)
    expect(page.get_by_text("The server does not answer.")).to_be_visible()
    page.context.set_offline(False)
    others.register("press-1")
    expect(row(page, "press-1")).to_be_visible()
    expect(page.get_by_text("The server does not answer.")).to_be_hidden()


def test_session_that_ended_leads_to_sign_in(page, others):
    page.context.clear_cookies()
    others.register("press-1")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
