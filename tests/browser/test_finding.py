"""Finding devices: search, chips, sorting, pages, and the way back."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import LIST, row


def shown(page):
    return page.locator("[data-rows] > tr").evaluate_all("rows => rows.map(r => r.dataset.device)")


def test_search_finds_while_typing_and_stays_in_the_address(page, others):
    others.register("press-1", "saw-1")
    expect(row(page, "saw-1")).to_be_visible()
    page.keyboard.press("/")
    search = page.get_by_label("Search by device ID")
    expect(search).to_be_focused()
    page.keyboard.type("pre")
    expect(row(page, "saw-1")).to_have_count(0)
    expect(row(page, "press-1")).to_be_visible()
    expect(search).to_be_focused()
    expect(page).to_have_url(re.compile("q=pre"))
    others.register("press-2", "saw-2")
    expect(row(page, "press-2")).to_be_visible()
    expect(row(page, "saw-2")).to_have_count(0)
    page.reload()
    assert set(shown(page)) == {"press-1", "press-2"}
    expect(search).to_have_value("pre")


def test_chips_and_headings_lead_to_addresses_and_back_comes_back(page, others):
    others.register("b-1", "a-1")
    others.pending("c-1")
    page.reload()
    page.get_by_role("link", name="Waiting 2").click()
    expect(page).to_have_url(re.compile("status=waiting"))
    assert shown(page) == ["a-1", "b-1"]
    page.get_by_role("table").get_by_role("link", name="Device").click()
    expect(page).to_have_url(re.compile("sort=device"))
    assert shown(page) == ["a-1", "b-1"]
    page.get_by_role("table").get_by_role("link", name="Device").click()
    expect(page).to_have_url(re.compile("sort=-device"))
    assert shown(page) == ["b-1", "a-1"]
    expect(page.locator("th[aria-sort]")).to_have_text("Device")
    page.go_back()
    assert shown(page) == ["a-1", "b-1"]
    page.go_back()
    page.go_back()
    expect(row(page, "c-1")).to_be_visible()


def test_filter_is_remembered_when_another_is_chosen(page, others):
    others.pending("press-1", "saw-1")
    others.register("press-2")
    page.goto(f"{LIST}?status=pending")
    page.get_by_label("Search by device ID").fill("press")
    expect(row(page, "saw-1")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"status=pending.*q=press"))
    assert shown(page) == ["press-1"]
    with page.expect_response(re.compile("tenants/.*tenant=acme")):
        page.get_by_label("Tenant", exact=True).fill("acme")
    page.get_by_label("Tenant", exact=True).press("Tab")
    expect(page.get_by_text("Nothing here for “press”")).to_be_visible()
    page.get_by_role("link", name="Show all open registrations").click()
    expect(page.locator("[data-rows] > tr")).to_have_count(3)


def test_group_is_found_by_typing_its_path(page, others):
    others.register("press-1", "press-2")
    page.goto(LIST)
    row(page, "press-1").get_by_role("link", name="press-1", exact=True).click()
    typed = re.compile("groups/.*group=Plant")
    with page.expect_response(typed):  # else the page is left while suggestions are asked for
        page.get_by_label("Add to group").fill("Plant A/Hall 2")
    page.get_by_role("option", name="Create “Plant A/Hall 2”").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("will be put into")).to_be_visible()
    page.goto(f"{LIST}?sort=device")
    group = page.get_by_label("Group", exact=True)
    group.press_sequentially("hall")
    suggestion = page.get_by_role("option")
    expect(suggestion).to_have_text("Plant A/Hall 2")
    expect(row(page, "press-2")).to_be_visible()  # nobody chose anything yet
    expect(page).to_have_url(re.compile(r"\?sort=device$"))
    suggestion.click()
    expect(group).to_be_focused()
    expect(row(page, "press-2")).to_have_count(0)
    expect(row(page, "press-1")).to_be_visible()
    expect(page).to_have_url(re.compile(r"group=Plant(\+|%20)A"))
    page.reload()
    assert shown(page) == ["press-1"]
    with page.expect_response(re.compile("groups/.*group=Hall")):
        group.fill("Hall 9")
    group.press("Tab")
    nothing = page.locator("#registration-table").get_by_text("There is no group “Hall 9”.")
    expect(nothing).to_be_visible()


def test_pages_are_turned_forwards_and_back(page, others):
    others.register(*(f"many-{number:02}" for number in range(55)))
    page.goto(f"{LIST}?sort=device")
    assert shown(page) == [f"many-{number:02}" for number in range(50)]
    expect(page.get_by_role("navigation", name="Pages")).to_contain_text("of 55")
    page.get_by_role("link", name="Next").click()
    expect(row(page, "many-54")).to_be_visible()
    assert shown(page) == [f"many-{number:02}" for number in range(50, 55)]
    others.knock("many-52")
    expect(row(page, "many-52")).to_contain_text("Pending acceptance")
    page.get_by_role("link", name="Previous").click()
    expect(row(page, "many-00")).to_be_visible()
    page.get_by_role("link", name="Last page").click()
    expect(row(page, "many-54")).to_be_visible()
    page.go_back()
    expect(row(page, "many-00")).to_be_visible()
