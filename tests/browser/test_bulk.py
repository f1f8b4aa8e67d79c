"""Bulk registration at a real browser: from the file to its result, and back."""

import re
import uuid

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LIST, PHONE, assert_no_sideways_scroll, serious_violations

BULK = f"{LIST}bulk/"
SECRET = "canary-S3cret!"
PAGE = re.compile(r"/bulk/[0-9a-f-]{36}/$")
SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 150_000}
DROP = """([names, text]) => {
    const dropped = new DataTransfer();
    for (const name of names) dropped.items.add(new File([text], name, { type: "text/csv" }));
    return dropped;
}"""


@pytest.fixture
def prefix():
    """Return what the IDs of a test begin with: what it registers is nobody else's."""
    return f"p{uuid.uuid4().hex[:8]}"


def full(prefix, number, *more):
    rows = [f"{prefix}-{each};{SECRET};Press {each};{prefix}/Hall" for each in range(number)]
    return "\n".join(["ID;CREDENTIALS;NAME;PATH", *rows, *more, ""])


def choose(page, text, name="factory.csv"):
    page.locator("#file").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    )


def upload(page, text, name="factory.csv"):
    page.goto(BULK)
    choose(page, text, name)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page).to_have_url(PAGE)


def headline(page):
    return page.locator("#import-headline")


@pytest.fixture
def desk(open_page):
    """The operator of acme, on the list of registrations."""
    return open_page(login="acme/operator")


def test_file_is_dropped_looked_at_registered_and_undone(desk, prefix):
    desk.locator("summary", has_text="Register device").click()
    desk.get_by_role("link", name="Bulk registration: General").click()
    button = desk.get_by_role("button", name="Upload", exact=True)
    expect(button).to_be_disabled()
    text = full(prefix, 5, f"bad id;{SECRET};;")
    dropped = desk.evaluate_handle(DROP, [["factory.csv"], text])
    desk.locator("[data-drop-area]").dispatch_event("drop", {"dataTransfer": dropped})
    expect(desk.locator("[data-chosen]")).to_contain_text("factory.csv")
    button.click()
    expect(headline(desk)).to_have_text("5 of 6 devices can be registered")
    expect(desk.locator("#import-problems")).to_contain_text("An ID cannot contain")
    expect(desk.locator("#import-notes")).to_contain_text(re.compile(r"groups?\s+will be made"))

    desk.get_by_role("button", name="Register 5 devices").click()
    expect(headline(desk)).to_have_text("5 of 6 registered")
    with desk.expect_download() as download:
        desk.get_by_role("link", name="Download rejects.csv").click()
    assert download.value.suggested_filename == "rejects.csv"
    rejects = download.value.path().read_text(encoding="utf-8-sig")
    assert "bad id" in rejects
    assert SECRET not in rejects
    desk.get_by_role("link", name="Created: 5").click()
    desk.get_by_role("link", name=f"{prefix}-3").click()
    expect(desk.get_by_role("heading", level=1)).to_contain_text("Press 3")
    desk.go_back()
    desk.go_back()

    desk.get_by_role("link", name="Undo").click()
    dialog = desk.get_by_role("dialog", name="Undo bulk registration")
    expect(dialog).to_contain_text("those that never logged in")
    dialog.get_by_role("button", name="Undo").click()
    expect(headline(desk)).to_have_text("5 devices taken away")
    expect(desk.locator("[data-looks-again]")).to_have_count(0)
    desk.goto(BULK)
    expect(desk.locator(".import-table tbody tr").first).to_contain_text("Undone")


def test_page_asks_what_becomes_of_devices_that_are_there(desk, prefix):
    upload(desk, full(prefix, 2))
    desk.get_by_role("button", name="Register 2 devices").click()
    expect(headline(desk)).to_have_text("All 2 are registered")
    upload(desk, full(prefix, 3).replace("Press", "Saw"))
    expect(headline(desk)).to_have_text("1 new device and 2 to update")
    start = desk.locator("#start-import")
    expect(start).to_have_text("Register 1 device", use_inner_text=True)
    start.click()
    expect(headline(desk)).to_have_text("1 new device and 2 to update")  # nothing was chosen
    desk.get_by_label("Update them").check()
    expect(start).to_have_text("Register 1 device and update 2", use_inner_text=True)
    start.click()
    expect(headline(desk)).to_have_text("All 3 are registered")
    expect(desk.get_by_role("link", name="Updated: 2")).to_be_visible()


def test_work_is_paused_resumed_and_cancelled(desk, prefix):
    rows = "".join(f"{prefix}-{number};\n" for number in range(120_000))
    upload(desk, f"ID;PATH\n{rows}")
    expect(headline(desk)).to_have_text("120,000 devices can be registered", timeout=60_000)
    desk.get_by_role("button", name="Register 120,000 devices").click()
    expect(desk.get_by_role("progressbar", name="Progress")).to_be_visible()
    desk.get_by_role("button", name="Pause").click()
    expect(headline(desk)).to_contain_text("Paused after")
    paused_at = headline(desk).inner_text()
    desk.reload()
    expect(headline(desk)).to_have_text(paused_at)

    desk.get_by_role("button", name="Resume").click()
    expect(headline(desk)).to_have_text("Registering 120,000 rows")
    desk.get_by_role("link", name="Cancel").click()
    dialog = desk.get_by_role("dialog", name="Cancel bulk registration")
    dialog.get_by_role("button", name="Cancel registration").click()
    expect(headline(desk)).to_contain_text("Cancelled after")
    expect(desk.locator("[data-looks-again]")).to_have_count(0)


def test_button_stays_under_the_hand_while_numbers_change(desk, house, prefix):
    # Nobody works on it: its lease is another's.
    code = f"""
from datetime import timedelta
from django.utils import timezone
from bulk.models import Import
print(Import.objects.create(
    tenant_id="acme", door="console", created_by_name="operator", file_name="{prefix}.csv",
    form="simple", state="running", rows=1000, holder="nobody:0:x",
    lease_until=timezone.now() + timedelta(hours=1)).pk)
"""
    pk = house.shell(code).split()[-1]
    desk.goto(f"{BULK}{pk}/")
    desk.get_by_role("button", name="Pause").focus()
    button = desk.get_by_role("button", name="Pause").element_handle()
    one = f"from bulk.models import Import; Import.objects.filter(pk='{pk}')"
    house.shell(f"{one}.update(seen=500, created=500)")
    expect(desk.locator("#import-progress")).to_contain_text("500 of 1,000 rows")
    expect(desk.locator("#import-numbers")).to_contain_text("500")
    assert button.evaluate("it => it.isConnected && it === document.activeElement")
    house.shell(f"{one}.delete()")
    expect(desk.locator("[data-message]").first).to_contain_text("no longer there")


@pytest.mark.parametrize(
    ("names", "text", "sentence"),
    [
        (["a.csv", "b.csv"], "ID\nx\n", "Too many files selected."),
        (["a.csv"], "", "File must not be empty, select another one."),
        (["x" * 256], "ID\nx\n", "The filename is too long."),
    ],
    ids=["two", "empty", "long name"],
)
def test_file_that_is_none_is_refused_before_it_is_sent(desk, names, text, sentence):
    desk.goto(BULK)
    dropped = desk.evaluate_handle(DROP, [names, text])
    desk.locator("[data-drop-area]").dispatch_event("drop", {"dataTransfer": dropped})
    expect(desk.locator("[data-file-problem]")).to_have_text(sentence)
    expect(desk.get_by_role("button", name="Upload", exact=True)).to_be_disabled()
    choose(desk, "ID;PATH\nx;y\n")
    expect(desk.locator("[data-file-problem]")).to_have_text("")
    desk.get_by_role("button", name="Remove").click()
    expect(desk.locator("[data-chosen]")).to_be_hidden()
    expect(desk.get_by_role("button", name="Upload", exact=True)).to_be_disabled()


def test_file_that_cannot_be_read_is_refused_in_place(desk):
    desk.goto(BULK)
    choose(desk, "NAME;PATH\nx;y\n")
    desk.get_by_role("button", name="Upload", exact=True).click()
    expect(desk.get_by_role("alert").first).to_contain_text("line 1, column ID")
    expect(desk.get_by_role("button", name="Upload", exact=True)).to_be_disabled()
    dropped = desk.evaluate_handle(DROP, [["factory.csv"], "ID;PATH\nx y;z\n"])
    desk.locator("[data-drop-area]").dispatch_event("drop", {"dataTransfer": dropped})
    desk.get_by_role("button", name="Upload", exact=True).click()
    expect(headline(desk)).to_have_text("There is nothing to register")


def test_upload_tells_how_far_it_is_and_can_be_cancelled(desk, prefix):
    desk.goto(BULK)
    network = desk.context.new_cdp_session(desk)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", SLOW)
    choose(desk, full(prefix, 30_000))
    desk.get_by_role("button", name="Upload", exact=True).click()
    said = desk.locator("[data-upload-said]")
    expect(said).to_have_text(re.compile(r"^[1-9]\d?% · .* of 1\.\d MB"))
    desk.get_by_role("button", name="Cancel upload").click()
    expect(desk.locator("[data-upload-progress]")).to_be_hidden()
    expect(desk.get_by_role("button", name="Upload", exact=True)).to_be_enabled()
    network.send("Network.emulateNetworkConditions", {**SLOW, "uploadThroughput": -1})
    desk.get_by_role("button", name="Upload", exact=True).click()
    expect(desk).to_have_url(PAGE)


def test_everything_works_without_javascript(open_page, prefix):
    page = open_page(login="acme/operator", java_script_enabled=False)
    page.locator("summary", has_text="Register device").click()
    page.get_by_role("link", name="Bulk registration: General").click()
    choose(page, "NAME\nx\n")
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("There is no column called ID.")
    choose(page, full(prefix, 2))
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page).to_have_url(PAGE)

    def look_until(words):
        again = page.get_by_role("link", name="Look again")
        for _ in range(40):
            if not again.count():
                break
            page.wait_for_timeout(250)
            again.click()
        expect(headline(page)).to_have_text(words)

    look_until("2 devices can be registered")
    page.get_by_role("button", name="Register 2 devices").click()
    look_until("All 2 are registered")
    page.get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    look_until("2 devices taken away")


@pytest.mark.parametrize(
    "screen",
    [
        {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
        PHONE | {"color_scheme": "dark"},
    ],
    ids=["light", "dark, on a phone"],
)
def test_every_page_can_be_used_by_everybody(open_page, prefix, screen):
    page = open_page(BULK, login="acme/operator", **screen)
    found = {}

    def look(what):
        page.evaluate(
            "Promise.all(document.getAnimations().filter(each => "
            "each.effect.getTiming().iterations === 1).map(each => each.finished))"
        )
        found[what] = serious_violations(page)
        assert_no_sideways_scroll(page)

    page.get_by_text("What the columns mean").click()
    look("start")
    choose(page, "NAME\nx\n", "a-file-with-quite-a-long-name-" + "0123456789" * 12 + ".csv")
    look("chosen")
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("no column called ID")
    look("refused")
    upload(page, full(prefix, 3, "bad id;x;;", f"{'1' * 12};{SECRET};;", f"1.2E+11;{SECRET};;"))
    expect(headline(page)).to_contain_text("can be registered")
    page.locator(".import-groups summary").first.click()
    look("plan")
    page.locator("#start-import").click()
    expect(headline(page)).to_contain_text("registered")
    expect(page.get_by_role("link", name="Undo")).to_be_visible()
    look("result")
    page.get_by_role("link", name="Undo").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look("undo")
    page.keyboard.press("Escape")
    page.get_by_role("link", name=re.compile("^Created: ")).click()
    look("rows")
    upload(page, full(prefix, 4).replace("Press", "Saw"))
    expect(headline(page)).to_contain_text("to update")
    look("question")
    page.get_by_role("button", name="Discard").click()
    expect(headline(page)).to_contain_text("Discarded")
    look("discarded")
    page.goto(BULK)
    look("list")
    assert {what: each for what, each in found.items() if each} == {}
