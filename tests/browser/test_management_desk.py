"""The management tenant assigns devices: registers for a tenant, finds them, moves them."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import LIST, assert_no_sideways_scroll, row, serious_violations


def test_device_is_registered_for_a_tenant_moved_and_let_in_there(open_page, others):
    others.register("of-management", "desk-2")
    page = open_page()
    page.locator("[data-menu] summary").click()
    page.get_by_role("link", name="Single registration: General").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Device ID", exact=True).fill("desk-1")
    tenant = dialog.get_by_label("Add to tenant")
    tenant.fill("ac")
    # Offered by what was typed; what was offered before is gone.
    expect(dialog.locator("#tenant-options option")).to_have_count(1)
    tenant.fill("acme")
    expect(dialog.get_by_label("Add to group")).to_be_disabled()
    dialog.get_by_role("button", name="Next").click()
    expect(page.get_by_role("dialog", name="Device registered")).to_contain_text("acme")
    page.keyboard.press("Escape")

    page.get_by_label("Tenant", exact=True).fill("acme")
    page.get_by_label("Tenant", exact=True).press("Tab")
    expect(row(page, "desk-1")).to_be_visible()
    expect(row(page, "desk-2")).to_have_count(0)
    expect(page).to_have_url(re.compile("tenant=acme"))
    page.get_by_label("Tenant", exact=True).fill("")
    page.get_by_label("Tenant", exact=True).press("Tab")

    row(page, "desk-2").get_by_role("link", name="Move desk-2 to another tenant").click()
    dialog = page.get_by_role("dialog", name="Move desk-2")
    assert serious_violations(page) == []
    dialog.get_by_label("Move to tenant").fill("nowhere")
    dialog.get_by_role("button", name="Move").click()
    expect(dialog.get_by_text("There is no active tenant with this ID.")).to_be_visible()
    dialog.get_by_label("Move to tenant").fill("acme")
    dialog.get_by_role("button", name="Move").click()
    expect(page.get_by_text("desk-2 is moved from management to acme.")).to_be_visible()
    expect(row(page, "desk-2").locator(".cell-tenant")).to_have_text("acme")

    theirs = open_page(login="acme/operator")
    for device_id in ("desk-1", "desk-2"):
        expect(row(theirs, device_id)).to_be_visible()
    expect(row(theirs, "of-management")).to_have_count(0)
    expect(row(theirs, "desk-2").get_by_role("link", name="Move")).to_have_count(0)
    others.knock("desk-2")
    row(theirs, "desk-2").get_by_role("button", name="Accept desk-2").click()
    expect(row(theirs, "desk-2")).to_contain_text("Accepted")
    expect(theirs.get_by_text("desk-2 is accepted.")).to_be_visible()
    assert others.knock("desk-2")["tenantId"] == "acme"


def test_moving_on_the_page_of_a_registration_stays_there(open_page, others):
    others.register("desk-1")
    page = open_page()
    row(page, "desk-1").get_by_role("link", name="desk-1", exact=True).click()
    page.get_by_role("link", name="Move to another tenant").click()
    page.get_by_label("Move to tenant").fill("acme")
    page.get_by_role("button", name="Move").click()
    expect(page.locator("#facts")).to_contain_text("Acme")
    expect(page.locator("#timeline")).to_contain_text("Moved here from another tenant")


def test_row_that_can_be_moved_fits_a_phone(open_page, others):
    others.pending("desk-1")
    others.register("desk-2")
    page = open_page(LIST, viewport={"width": 375, "height": 700}, has_touch=True, is_mobile=True)
    expect(row(page, "desk-2").get_by_role("link", name="Move desk-2")).to_be_visible()
    assert_no_sideways_scroll(page)
