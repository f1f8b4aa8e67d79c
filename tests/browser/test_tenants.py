"""Running the house in a browser: a tenant is created, looked at, shut out and deleted."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, assert_no_sideways_scroll, serious_violations
from tests.browser.test_accessibility import DESK, press_until

TENANTS = "/administration/tenants/"
every_screen = pytest.mark.parametrize(
    "screen",
    [DESK | {"color_scheme": "light"}, PHONE | {"color_scheme": "dark"}],
    ids=["light", "dark, on a phone"],
)


@pytest.fixture
def others(others):
    """Everybody else; the tenants of earlier tests are gone."""
    found = others.admin.call("GET", "/tenant/tenants?pageSize=100").json()["tenants"]
    for each in found:
        if each["id"] != "acme":
            others.admin.call("DELETE", f"/tenant/tenants/{each['id']}")
    return others


def row(page, tenant_id):
    return page.locator(f'[data-rows] > tr[data-tenant="{tenant_id}"]')


def fill(page, tenant_id, **more):
    dialog = page.get_by_role("dialog", name="Create tenant")
    dialog.get_by_label("Company").fill(f"The {tenant_id} company")
    dialog.get_by_label("Tenant ID").fill(tenant_id)
    for label, text in more.items():
        dialog.get_by_label(label).fill(text)
    return dialog


def delete_for_good(page, tenant_id):
    page.get_by_role("link", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("People and services 1")
    dialog.get_by_label("Type the tenant's ID").fill("something else")
    dialog.get_by_role("button", name="Delete tenant").click()
    expect(dialog).to_contain_text(f"Type {tenant_id} here, letter by letter.")
    dialog.get_by_label("Type the tenant's ID").fill(tenant_id)
    dialog.get_by_role("button", name="Delete tenant").click()


def test_tenant_is_created_suspended_activated_and_deleted(open_page, others):
    page = open_page()
    page.get_by_role("link", name="Tenants").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Tenants")
    page.get_by_role("link", name="Create tenant").click()
    dialog = fill(page, "Wrong ID")
    dialog.get_by_role("button", name="Create tenant").click()
    expect(dialog).to_contain_text("A tenant ID has at least two characters")
    fill(page, "hooli").get_by_role("button", name="Create tenant").click()
    dialog = page.get_by_role("dialog", name="Tenant hooli is created")
    expect(dialog.get_by_label("Link for hooli/admin")).to_have_value(
        # The address a person is handed leads to this very server.
        re.compile(r"^http://127\.0\.0\.1:\d+/welcome/[\w-]{40,}/$")
    )
    expect(row(page, "hooli")).to_contain_text("Active")
    expect(page.locator("[data-count-shown]")).to_have_text("3")
    dialog.get_by_role("link", name="Open the tenant").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The hooli company")
    page.get_by_role("link", name="Edit").click()
    page.get_by_role("dialog").get_by_label("Device limit").fill("1000")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Tenant hooli is saved.")).to_be_visible()
    expect(page.locator("#tenant-facts")).to_contain_text("0 of 1,000")
    page.get_by_role("link", name="Suspend").click()
    page.get_by_role("dialog").get_by_role("button", name="Suspend tenant").click()
    expect(page.locator("#tenant-facts")).to_contain_text("Its people and devices are locked out.")
    page.get_by_role("button", name="Activate").click()
    expect(page.locator("#tenant-facts .badge")).to_have_text("Active")
    delete_for_good(page, "hooli")
    expect(page.get_by_text("Tenant hooli is deleted, with everything it had.")).to_be_visible()
    expect(row(page, "acme")).to_be_visible()
    expect(row(page, "hooli")).to_have_count(0)


def test_list_is_searched_while_typing_and_the_address_remembers(open_page, others):
    page = open_page(TENANTS)
    page.keyboard.press("/")
    page.keyboard.type("acm")
    expect(row(page, "management")).to_have_count(0)
    expect(row(page, "acme")).to_be_visible()
    expect(page).to_have_url(re.compile(r"q=acm"))
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value("acm")
    expect(row(page, "management")).to_have_count(0)


def test_tenant_is_created_by_keyboard_alone(open_page, others):
    page = open_page(TENANTS)
    press_until(page, "Tab", page.get_by_role("link", name="Create tenant"))
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Create tenant")
    expect(dialog.get_by_label("Company")).to_be_focused()
    page.keyboard.type("Keymaker")
    page.keyboard.press("Tab")
    page.keyboard.type("keymaker")
    page.keyboard.press("Enter")
    link = page.get_by_label("Link for keymaker/admin")
    expect(link).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("link", name="Create tenant")).to_be_focused()
    press_until(page, "Tab", page.get_by_role("link", name="Keymaker"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Keymaker")
    press_until(page, "Tab", page.get_by_role("link", name="Suspend"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Suspend tenant")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#tenant-facts")).to_contain_text("Suspended")
    assert page.evaluate("document.activeElement !== document.body")


def test_owner_of_an_open_page_finds_the_door_shut(open_page, others):
    page = open_page("/devices/registration/", login="acme/operator")
    try:
        others.admin.call("PUT", "/tenant/tenants/acme", json={"status": "SUSPENDED"})
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    finally:
        others.admin.call("PUT", "/tenant/tenants/acme", json={"status": "ACTIVE"})


@every_screen
def test_every_page_can_be_used_by_everybody(open_page, others, screen):
    page = open_page(TENANTS, **screen)
    found = {}
    made = f"{screen['color_scheme']}-umbrella"  # an ID is given once

    def look(what, path=None):
        if path:
            page.goto(path)
        page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
        found[what] = serious_violations(page)
        assert_no_sideways_scroll(page)

    page.get_by_role("link", name="Create tenant").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look("create")
    dialog = fill(page, "Wrong ID")
    dialog.get_by_role("button", name="Create tenant").click()
    expect(dialog.locator(".invalid-feedback")).to_be_visible()
    look("create, refused")
    fill(page, made, Domain="umbrella.example").get_by_role("button", name="Create tenant").click()
    expect(page.get_by_role("dialog", name=f"Tenant {made} is created")).to_be_visible()
    look("created")
    page.keyboard.press("Escape")
    look("list", TENANTS)
    look("nothing found", f"{TENANTS}?q=nothing")
    here = f"{TENANTS}{made}/"
    look("tenant", here)
    for name in ("Edit", "Invite an administrator", "Suspend", "Delete"):
        page.get_by_role("link", name=name).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        look(name)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    others.admin.call("PUT", f"/tenant/tenants/{made}", json={"status": "SUSPENDED"})
    look("suspended", here)
    look("suspended, in the list", f"{TENANTS}?status=suspended")
    look("delete as a page", f"{here}delete/")
    assert {what: each for what, each in found.items() if each} == {}
