"""From nothing to a device that is in: a tenant, its people, and the one of them who accepts."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import LIST, row

CHOSEN = "seven bridges over one river"
TENANTS = "/administration/tenants/"
PEOPLE = "/administration/people/"


def link_shown(dialog):
    """Return the path of the link that a dialog shows once."""
    dialog.wait_for()
    return re.search(r"http://[^/\s\"]+(/welcome/[\w-]{40,}/)", dialog.inner_html())[1]


def choose_password(page, path, login):
    """Open a link as the person it was handed to, choose a password and sign in with it."""
    page.goto(path)
    assert path not in page.url
    page.get_by_label("New password").fill(CHOSEN)
    page.get_by_label("The same again").fill(CHOSEN)
    page.get_by_role("button", name="Set password").click()
    page.get_by_label("User").fill(login)
    page.get_by_label("Password").fill(CHOSEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")


def test_device_of_a_new_tenant_is_let_in_by_somebody_who_was_invited_there(open_page, others):
    # The management tenant creates a tenant and hands over the link of its administrator.
    desk = open_page(TENANTS)
    desk.get_by_role("link", name="Create tenant").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label("Company").fill("Initech")
    dialog.get_by_label("Tenant ID").fill("initech")
    dialog.get_by_role("button", name="Create tenant").click()
    link = link_shown(desk.get_by_role("dialog", name="Tenant initech is created"))

    # That administrator comes in, and invites an operator.
    office = open_page(None, login=None)
    choose_password(office, link, "initech/admin")
    office.goto(PEOPLE)
    office.get_by_role("link", name="Invite person").click()
    dialog = office.get_by_role("dialog")
    dialog.get_by_label("User name").fill("milton")
    dialog.get_by_label("operator").check()
    dialog.get_by_role("button", name="Invite", exact=True).click()
    invitation = link_shown(office.get_by_role("dialog", name="milton is invited"))

    # The management tenant registers a device for the new tenant, and it knocks.
    desk.goto(LIST)
    desk.locator("summary", has_text="Register device").click()
    desk.get_by_role("link", name="Single registration: General").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Device ID", exact=True).fill("stapler-1")
    dialog.get_by_label("Add to tenant").fill("initech")
    dialog.get_by_role("button", name="Next").click()
    expect(row(desk, "stapler-1")).to_contain_text("initech")
    assert others.knock("stapler-1") is None

    # The operator was invited there, sees it, and lets it in; the device is the tenant's.
    shop = open_page(None, login=None)
    choose_password(shop, invitation, "initech/milton")
    expect(shop.get_by_role("link", name="People")).to_have_count(0)
    shop.get_by_role("link", name="All pending, oldest first").click()
    waiting = row(shop, "stapler-1")
    expect(waiting).to_contain_text("Pending acceptance")
    waiting.get_by_role("button", name="Accept").click()
    expect(waiting).to_contain_text("Accepted")
    credentials = others.knock("stapler-1")
    assert credentials["tenantId"] == "initech"
    others.log_in(credentials)
    expect(waiting).to_contain_text("Confirmed")

    # Suspended, nobody of the tenant is in any more.
    others.admin.call("PUT", "/tenant/tenants/initech", json={"status": "SUSPENDED"})
    shop.goto(LIST)
    expect(shop.get_by_role("heading", name="Sign in")).to_be_visible()
    assert others.admin.call("DELETE", "/tenant/tenants/initech").status_code == 204


def test_link_works_once(open_page, others):
    desk = open_page(PEOPLE)
    desk.get_by_role("link", name="Invite person").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label("User name").fill("once")
    dialog.get_by_label("reader").check()
    dialog.get_by_role("button", name="Invite", exact=True).click()
    link = link_shown(desk.get_by_role("dialog", name="once is invited"))
    first = open_page(None, login=None)
    choose_password(first, link, "management/once")
    second = open_page(None, login=None)
    second.goto(link)
    expect(second.get_by_role("heading", level=1)).to_contain_text("link")
    expect(second.get_by_label("New password")).to_have_count(0)
