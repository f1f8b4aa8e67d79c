"""The start page in a browser: numbers that can be followed, and that follow what happens."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import (
    PHONE,
    assert_no_sideways_scroll,
    row,
    serious_violations,
    sign_in,
)
from tests.e2e.conftest import ADMIN_PASSWORD

STATES = "Registrations by status"


def state(page, label):
    return page.get_by_role("navigation", name=STATES).get_by_role(
        "link", name=re.compile(f"^{label}")
    )


def number(page, label):
    return state(page, label).locator(".state-number")


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_person_signs_in_and_follows_each_number_to_its_list(open_page, others, script):
    others.all_stages()
    others.register("w-1", "w-2")
    page = open_page(None, login=None, java_script_enabled=script)
    sign_in(page)
    expected = {"Waiting": 3, "Pending": 2, "Accepted": 2, "Never confirmed": 1, "Blocked": 1}
    for label, count in expected.items():
        expect(number(page, label)).to_have_text(str(count))
        state(page, label).click()
        expect(page.locator("[data-rows] > tr")).to_have_count(count)
        page.get_by_role("link", name="Dashboard").click()
    # What other tests let in stays confirmed.
    count = int(number(page, "Confirmed").inner_text())
    state(page, "Confirmed").click()
    expect(page.locator("[data-rows] > tr")).to_have_count(count)
    page.get_by_role("link", name="Dashboard").click()
    for card in ("#dashboard-day", "#dashboard-month"):
        for plot in ("knocks", "acceptances"):
            link = page.locator(f"{card} .plot-{plot} .plot-total")
            count = int(link.inner_text())
            assert count > 0
            link.click()
            expect(page.get_by_role("navigation", name="Pages")).to_contain_text(f"of {count}")
            expect(page.locator(".event-table tbody tr")).to_have_count(min(count, 50))
            page.get_by_role("link", name="Dashboard").click()


def test_failed_sign_in_is_counted_and_can_be_looked_at(open_page, others):
    stranger = open_page("/sign-in/", login=None)
    stranger.get_by_label("User").fill("acme/operator")
    stranger.get_by_label("Password").fill("guessed")
    stranger.get_by_role("button", name="Sign in").click()
    expect(stranger.locator(".alert")).to_be_visible()
    page = open_page("/")
    link = page.locator("#dashboard-sign-ins a")
    count = int(link.inner_text())
    assert count >= 1
    link.click()
    expect(page.locator(".audit-table tbody tr")).to_have_count(min(count, 50))
    expect(page.locator(".audit-table tbody tr").first).to_contain_text("Sign-in failed")
    page.get_by_role("link", name="Show older ones as well").click()
    expect(page.get_by_text("Entries since")).to_have_count(0)


def test_numbers_follow_what_happens_without_a_reload(open_page, others):
    others.register("w-1")
    page = open_page("/")
    page.evaluate("window.isTheSamePage = true")
    expect(number(page, "Waiting")).to_have_text("1")
    knocks = page.locator("#dashboard-day .plot-knocks .plot-total")
    before = int(knocks.inner_text() or 0)
    others.knock("w-1", "s3cret")
    expect(number(page, "Waiting")).to_have_text("0")
    expect(number(page, "Pending")).to_have_text("1")
    expect(knocks).to_have_text(str(before + 1))
    expect(page.locator("#dashboard-pending")).to_contain_text("w-1")
    expect(page.locator("#dashboard-conflicts")).to_be_hidden()
    others.knock("w-1", "another")
    expect(page.locator("#dashboard-conflicts")).to_contain_text("w-1")
    assert page.evaluate("window.isTheSamePage")
    page.locator("#dashboard-pending").get_by_role("link", name="w-1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("w-1")


def test_focus_stays_on_the_number_that_changes(open_page, others):
    others.register("w-1")
    page = open_page("/")
    state(page, "Waiting").focus()
    others.register("w-2")
    expect(number(page, "Waiting")).to_have_text("2")
    assert page.evaluate("document.activeElement.classList.contains('state-waiting')")


def test_oldest_link_leads_to_the_list_in_that_order(open_page, others):
    others.pending("p-1", "p-2")
    page = open_page("/")
    page.get_by_role("link", name="All pending, oldest first").click()
    expect(page.locator("[data-rows] > tr").first).to_have_attribute("data-device", "p-1")
    expect(row(page, "p-2")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_person_without_rights_is_welcome(open_page, house, others, scheme):
    house.shell(
        "from tenants.models import Tenant, User\n"
        "acme = Tenant.objects.get(pk='acme')\n"
        "User.objects.filter(tenant=acme, username='nobody').exists() or "
        f"User.objects.create_user(acme, 'nobody', '{ADMIN_PASSWORD}')"
    )
    page = open_page("/", login="acme/nobody", color_scheme=scheme, **PHONE)
    expect(page.get_by_role("heading", name="Welcome, nobody")).to_be_visible()
    assert serious_violations(page) == []
    assert_no_sideways_scroll(page)
