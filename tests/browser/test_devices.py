"""All devices in a browser: found, looked at, named, grouped and deleted."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, assert_no_sideways_scroll, row, serious_violations
from tests.browser.test_accessibility import DESK

DEVICES = "/devices/"
every_screen = pytest.mark.parametrize(
    "screen",
    [DESK | {"color_scheme": "light"}, PHONE | {"color_scheme": "dark"}],
    ids=["light", "dark, on a phone"],
)
MAKE = """
from inventory import logins
from inventory.devices import let_in, report
from inventory.groups import add_to_group, group_at
from inventory.identity import bind
from inventory.models import ChildLink, DeviceCredentials, DeviceGroup, ManagedObject, Tombstone
from inventory.objects import create_object
from tenants.actors import Actor
from tenants.models import Tenant
by, acme = Actor("operator"), Tenant.objects.get(pk="acme")
DeviceCredentials.objects.all().delete()
Tombstone.objects.all().delete()
ManagedObject.objects.exclude(kind="group").delete()
hall = group_at(acme, "Plant A/Hall 2", by=by)
for number in range(60):
    login = let_in(acme, f"press-{number:02}", "x" * 32, by=by)
    if number == 3:
        continue
    said = {"c8y_IsDevice": {}, "c8y_Hardware": {"model": "P7", "note": "long " * 90}}
    kind = "press-controller" if number % 2 else "c8y_Linux"
    device, _ = report(login, name=f"Press {number}", kind=kind, fragments=said, by=by)
    bind(device, "c8y_Serial", f"SN-{number:03}", by=by)
    if number < 5:
        add_to_group(hall, [device], by=by)
    if number == 7:
        logins.disable(login, by=by)
sensor, _ = create_object(acme, {"name": "Sensor", "c8y_IsDevice": {}}, by=by)
first = ManagedObject.objects.get(device_id="press-00")
ChildLink.objects.create(parent=first, child=sensor, kind="device")
"""


@pytest.fixture
def page(open_page, house):
    house.shell(MAKE)
    return open_page(DEVICES, login="acme/operator")


def shown(page):
    return page.locator("[data-rows] > tr").evaluate_all("rows => rows.map(r => r.dataset.device)")


def test_device_is_found_by_typing_and_narrowed_by_filters(page):
    expect(page.get_by_role("heading", level=1)).to_have_text("All devices 61 devices")
    page.keyboard.press("/")
    page.keyboard.type("sn-01")
    expect(row(page, "press-12")).to_be_visible()
    expect(page.locator("[data-rows] > tr")).to_have_count(10)
    expect(page).to_have_url(re.compile("q=sn-01"))
    expect(page.get_by_label("Search by ID, name")).to_be_focused()
    expect(page.get_by_role("heading", level=1)).to_have_text("All devices 10 found")
    # The search field says that it changed when it loses the focus.
    with page.expect_response(re.compile(r"/devices/\?.*q=sn-01")):
        page.get_by_label("Type", exact=True).focus()
    page.get_by_label("Type", exact=True).fill("c8y_Linux")
    page.keyboard.press("Tab")
    expect(page.locator("[data-rows] > tr")).to_have_count(5)
    expect(page).to_have_url(re.compile("type=c8y_Linux"))
    page.goto(DEVICES)
    with page.expect_response(re.compile("/groups/options/")):
        page.get_by_label("Group", exact=True).fill("Plant A")
    page.keyboard.press("Tab")
    expect(page.get_by_text("tick “and below”")).to_be_visible()
    page.get_by_label("and below").check()
    expect(page.locator("[data-rows] > tr")).to_have_count(4)
    expect(page).to_have_url(re.compile("below=1"))
    page.reload()
    assert set(shown(page)) == {"press-00", "press-01", "press-02", "press-04"}
    page.get_by_role("navigation", name="Main").get_by_role("link", name="All devices").click()
    page.get_by_role("link", name="Disabled", exact=True).click()
    expect(row(page, "press-07")).to_contain_text("Disabled")
    assert shown(page) == ["press-07"]


def test_types_are_suggested_while_typing(page):
    page.get_by_label("Type", exact=True).focus()
    expect(page.locator("#type-filter-options option")).to_have_count(2)
    assert page.locator("#type-filter-options option").evaluate_all(
        "all => all.map(one => one.value)"
    ) == ["c8y_Linux", "press-controller"]


def test_pages_and_headings_lead_on_and_back(page):
    page.get_by_role("table").get_by_role("link", name="Device").click()
    expect(page.locator("th[aria-sort]")).to_have_text("Device")
    page.get_by_role("link", name="Next").click()
    expect(row(page, "press-59")).to_be_visible()
    page.get_by_role("link", name="Previous").click()
    expect(row(page, "press-00")).to_be_visible()
    page.get_by_role("link", name="Last page").click()
    expect(row(page, "press-59")).to_be_visible()


def test_list_is_taken_along_as_a_file(page):
    page.goto(f"{DEVICES}?q=press-0&sort=device")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 11
    assert lines[1].startswith('"press-00","Press 0"')


def test_device_is_looked_after_from_its_page(page):
    row(page, "press-20").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Press 20")

    names = page.get_by_role("region", name="External IDs")
    names.get_by_label("Type").fill("c8y_Serial")
    names.get_by_label("External ID").fill("SN-021")
    names.get_by_role("button", name="Add").click()
    expect(names.get_by_text("is taken. It is the one of Press 21.")).to_be_visible()
    names.get_by_label("External ID").fill("SN-900")
    names.get_by_role("button", name="Add").click()
    expect(names.get_by_role("listitem").filter(has_text="SN-900")).to_be_visible()
    expect(page.get_by_text("is also known as c8y_Serial SN-900")).to_be_visible()
    names.get_by_role("link", name="Remove c8y_Serial SN-020").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(names.get_by_role("listitem")).to_have_count(1)

    groups = page.get_by_role("region", name="Groups")
    groups.get_by_label("Put into a group").fill("Plant B/Hall 9")
    groups.get_by_role("button", name="Add").click()
    expect(groups.get_by_role("listitem")).to_have_text(["Plant B/Hall 9"])
    groups.get_by_role("button", name="Take out of Plant B/Hall 9").click()
    expect(groups.get_by_text("In no group.")).to_be_visible()

    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_role("dialog").get_by_label("Name").fill("The <b>twentieth</b>")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The <b>twentieth</b>")
    timeline = page.get_by_role("region", name="Timeline").get_by_role("listitem")
    expect(timeline.first).to_contain_text("Name: Press 20 → The <b>twentieth</b>.")
    expect(timeline.last).to_contain_text("Created its device object")

    page.get_by_role("link", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Delete the login too")).to_be_checked()
    expect(dialog).to_contain_text("External IDs 1")
    dialog.get_by_role("button", name="Delete device").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("All devices 60 devices")
    expect(page.get_by_text("The <b>twentieth</b> is deleted.")).to_be_visible()
    expect(row(page, "press-20")).to_have_count(0)


def test_what_a_device_tells_is_folded_and_copied_whole(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{DEVICES}id/press-21/")
    told = page.get_by_role("region", name="What it tells of itself")
    more = told.get_by_label("Show all 452 characters")
    expect(more).to_be_visible()
    page.get_by_role("button", name="Copy as JSON").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText().then(JSON.parse)")
    assert copied["c8y_Hardware"] == {"model": "P7", "note": "long " * 90}
    more.click()
    expect(more).to_be_hidden()


@every_screen
def test_devices_can_be_looked_after_by_everybody(page, open_page, screen):
    page = open_page(DEVICES, login="acme/operator", **screen)
    found = {}

    def look(what, path=None):
        if path:
            page.goto(path)
        page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
        found[what] = serious_violations(page)
        assert_no_sideways_scroll(page)

    look("list")
    look("nothing found", f"{DEVICES}?q=nothing&group=Nowhere&type=x")
    look("device", f"{DEVICES}id/press-00/")
    page.get_by_role("region", name="External IDs").get_by_role("button", name="Add").click()
    expect(page.get_by_text("Type the ID itself.")).to_be_visible()
    look("refused")
    page.get_by_role("link", name="Edit", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look("edit")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Delete", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look("delete")
    look("child", f"{DEVICES}?q=sensor")
    page.locator("[data-rows] a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sensor")
    look("child device")
    look("never reported", f"{DEVICES}id/press-03/")
    assert {what: each for what, each in found.items() if each} == {}
