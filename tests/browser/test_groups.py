"""Groups at a real browser: the tree, and choosing a group wherever one is chosen."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import (
    LIST,
    PHONE,
    assert_no_sideways_scroll,
    row,
    serious_violations,
)

GROUPS = "/devices/groups/"
CLEAR = """
from inventory.models import DeviceGroup, ManagedObject
ManagedObject.objects.filter(kind="group").update(parent=None)
DeviceGroup.objects.all().delete()
ManagedObject.objects.filter(tenant="management", kind="device", device_id="").delete()
"""
MAKE = """
from inventory.groups import group_at
from inventory.models import ManagedObject
from tenants.actors import SYSTEM
from tenants.models import Tenant
tenant = Tenant.objects.get(pk="management")
for path in ("Plant A/Hall 1/Line 1", "Plant A/Hall 2", "Plant B"):
    group_at(tenant, path, by=SYSTEM)
for name in ("Press 1", "Press 2", "Saw 1"):
    device = ManagedObject(tenant=tenant, kind="device")
    device.rename(name)
    device.save()
"""


@pytest.fixture
def groups(house):
    """Start from a few groups, and devices in none of them."""
    house.shell(CLEAR + MAKE)


def names(page):
    return page.locator(".tree-name").all_inner_texts()


def node(page, name):
    return page.get_by_role("link", name=name, exact=True)


def test_tree_is_made_renamed_moved_and_deleted(open_page, groups):
    page = open_page(GROUPS)
    page.get_by_role("link", name="Create group").click()
    dialog = page.get_by_role("dialog", name="Create group")
    expect(dialog.get_by_label("Name")).to_be_focused()
    page.keyboard.type("Plant C/Hall 7")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The group Plant C/Hall 7 is made.")).to_be_visible()
    expect(node(page, "Plant C")).to_be_visible()
    node(page, "Groups in Plant C").click()
    expect(node(page, "Hall 7")).to_be_visible()
    expect(node(page, "Groups in Plant C")).to_be_focused()
    expect(node(page, "Groups in Plant C")).to_have_attribute("aria-expanded", "true")

    node(page, "Rename Plant C/Hall 7").click()
    dialog = page.get_by_role("dialog", name="Rename Hall 7")
    dialog.get_by_label("Name").fill("")
    dialog.get_by_role("button", name="Rename").click()
    expect(dialog.get_by_text("A group needs a name.")).to_be_visible()
    dialog.get_by_label("Name").fill("Hall 8")
    dialog.get_by_role("button", name="Rename").click()
    expect(node(page, "Hall 8")).to_be_visible()  # the branch is still open

    node(page, "Move Plant C").click()
    dialog = page.get_by_role("dialog", name="Move Plant C")
    place = dialog.get_by_role("combobox", name="Move into group")
    place.fill("Plant C/Hall")
    expect(page.get_by_role("option").first).to_have_text("Plant C/Hall 8")
    page.get_by_role("option", name="Plant C/Hall 8").click()
    dialog.get_by_role("button", name="Move").click()
    expect(dialog.get_by_text("cannot be moved into itself")).to_be_visible()
    place.fill("Plant B")
    page.get_by_role("option", name="Plant B", exact=True).click()
    dialog.get_by_role("button", name="Move").click()
    expect(page.get_by_text("Plant C is now Plant B/Plant C.")).to_be_visible()
    expect(node(page, "Plant C")).to_have_count(0)

    node(page, "Plant B").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Plant B")
    page.get_by_role("link", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog", name="Delete Plant B")
    expect(dialog.get_by_label("What happens")).to_contain_text("Groups within it")
    dialog.get_by_role("button", name="Delete group").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Groups")
    expect(
        page.get_by_text("The group Plant B is deleted with 2 groups within it.")
    ).to_be_visible()
    assert names(page) == ["Plant A"]


def test_search_finds_groups_while_typing(open_page, groups):
    page = open_page(GROUPS)
    page.get_by_label("Search all groups").fill("line")
    expect(page.get_by_role("link", name="Plant A/Hall 1/Line 1", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("q=line"))
    page.get_by_label("Search all groups").fill("")
    expect(node(page, "Plant B")).to_be_visible()


def test_devices_are_put_into_a_group_and_taken_out(open_page, groups):
    page = open_page(GROUPS)
    node(page, "Plant B").click()
    page.get_by_role("link", name="Add devices").click()
    dialog = page.get_by_role("dialog", name="Add devices to Plant B")
    dialog.get_by_label("Find devices").fill("press")
    expect(dialog.get_by_label("Saw 1")).to_have_count(0)
    dialog.get_by_label("Press 1").check()
    dialog.get_by_label("Find devices").fill("saw")
    dialog.get_by_label("Saw 1").check()  # and what was ticked before stays
    expect(dialog.get_by_label("Press 1")).to_be_checked()
    dialog.get_by_role("button", name="Add devices").click()
    expect(page.get_by_text("2 devices put into Plant B.")).to_be_visible()
    rows = page.locator("[data-rows] > tr")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Take Saw 1 out of the group").click()
    expect(rows).to_have_count(1)
    expect(page.get_by_text("Saw 1 is taken out of Plant B.")).to_be_visible()
    page.get_by_role("link", name="Add devices").click()
    dialog.get_by_text("Paste a list of IDs").click()
    dialog.get_by_label("Device IDs, one in a line").fill("Press 2\nnothing")
    dialog.get_by_role("button", name="Add devices").click()
    expect(page.get_by_role("dialog")).to_contain_text("There is no device with this ID.")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Fix errors").click()
    expect(page.get_by_label("Device IDs, one in a line")).to_have_value("nothing")


def test_picker_is_used_by_keyboard_alone(open_page, groups):
    page = open_page(GROUPS)
    node(page, "Move Plant B").click()
    place = page.get_by_role("combobox", name="Move into group")
    expect(place).to_be_focused()
    expect(place).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowDown")
    options = page.get_by_role("option")
    expect(options).to_have_count(5)
    expect(place).to_have_attribute("aria-expanded", "true")
    page.keyboard.type("hall")
    expect(options).to_have_count(4)
    expect(options.nth(0).locator("mark")).to_have_text("Hall")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    active = options.nth(1).get_attribute("id")
    expect(place).to_have_attribute("aria-activedescendant", active)
    assert serious_violations(page) == []
    page.keyboard.press("Escape")  # closes the list, and the dialog stays
    expect(options).to_have_count(0)
    expect(place).to_have_attribute("aria-expanded", "false")
    expect(place).to_have_value("hall")
    page.keyboard.press("ArrowDown")
    expect(options).to_have_count(4)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")  # chooses, and sends nothing yet
    expect(place).to_have_value("Plant A/Hall 2")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Plant B is now Plant A/Hall 2/Plant B.")).to_be_visible()


def test_group_is_made_where_a_device_is_registered(open_page, groups):
    page = open_page(LIST)
    page.locator("[data-menu] summary").click()
    page.get_by_role("link", name="Single registration: General").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Device ID", exact=True).fill("press-1")
    dialog.get_by_label("Add to group").fill("Plant A/Hall 9")
    create = page.get_by_role("option", name="Create “Plant A/Hall 9”")
    expect(create).to_be_visible()
    create.click()
    expect(dialog.get_by_label("Add to group")).to_have_value("Plant A/Hall 9")
    dialog.get_by_role("button", name="Add device").click()
    second = dialog.get_by_label("Add to group").nth(1)
    second.fill("Hall 1")
    page.get_by_role("option", name="Plant A/Hall 1", exact=True).click()
    dialog.get_by_label("Device ID", exact=True).nth(1).fill("press-2")
    dialog.get_by_role("button", name="Next").click()
    expect(page.get_by_role("dialog", name="2 devices registered")).to_be_visible()
    page.keyboard.press("Escape")
    expect(row(page, "press-1")).to_contain_text("Plant A/Hall 9")
    expect(row(page, "press-2")).to_contain_text("Plant A/Hall 1")


def test_filter_offers_no_new_group(open_page, groups):
    page = open_page(LIST)
    group = page.get_by_label("Group", exact=True)
    group.fill("Hall 9")
    expect(page.locator(".picker-note")).to_have_text("There is no group “Hall 9”.")
    expect(page.get_by_role("option")).to_have_count(0)


@pytest.mark.parametrize(
    "screen",
    [{"viewport": {"width": 1280, "height": 800}}, PHONE | {"color_scheme": "dark"}],
    ids=["light", "dark, on a phone"],
)
def test_pages_of_groups_can_be_used_by_everybody(open_page, groups, house, screen):
    house.shell(
        "from inventory.groups import *; from inventory.models import *\n"
        "from tenants.actors import SYSTEM\n"
        "hall = DeviceGroup.objects.get(path='Plant A/Hall 1')\n"
        "add_to_group(hall, ManagedObject.objects.filter(kind='device', device_id=''), by=SYSTEM)\n"
        "name = 'Hall with a name of considerable length ' + '0123456789' * 9\n"
        "rename_group(hall, name, by=SYSTEM)\n"
        "create_group(hall.tenant, 'loose', by=SYSTEM, is_loose=True)"
    )
    page = open_page(GROUPS, **screen)
    found = {}

    def look(what):
        page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
        found[what] = serious_violations(page)
        assert_no_sideways_scroll(page)

    look("tree")
    node(page, "Groups in Plant A").click()
    expect(page.get_by_role("link", name=re.compile("^Hall with"))).to_be_visible()
    look("unfolded")
    page.get_by_role("link", name=re.compile("^Hall with")).click()
    expect(page.get_by_role("heading", name=re.compile("Devices in it"))).to_be_visible()
    look("group")
    for name in ("Rename", "Move", "Delete", "Create group", "Add devices"):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        look(name)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("link", name="Move", exact=True).click()
    page.get_by_label("Move into group").fill("plant")
    expect(page.get_by_role("option").first).to_be_visible()
    look("picker")
    page.goto(f"{GROUPS}?q=hall")
    look("search")
    page.goto(f"{GROUPS}?q=nothing")
    look("nothing found")
    page.goto(f"{GROUPS}new/")
    look("create as a page")
    assert {what: each for what, each in found.items() if each} == {}


def test_tree_is_used_without_javascript(open_page, groups):
    page = open_page(GROUPS, java_script_enabled=False)
    node(page, "Groups in Plant A").click()
    expect(node(page, "Hall 2")).to_be_visible()
    node(page, "Groups in Hall 1").click()
    expect(node(page, "Line 1")).to_be_visible()
    node(page, "Hall 2").click()
    page.get_by_role("link", name="Move").click()
    page.get_by_label("Move into group").fill("Plant B")
    page.get_by_role("button", name="Move").click()
    expect(page.get_by_text("Plant A/Hall 2 is now Plant B/Hall 2.")).to_be_visible()
