"""The own account at a real browser: a link, a password, a second factor."""

import re
from base64 import b32decode

import pytest
from django_otp.oath import totp
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, assert_no_sideways_scroll, serious_violations
from tests.e2e.conftest import ADMIN_PASSWORD

NEW = "seven bridges over a river"
PERSON = """
from tenants.models import Tenant, User
acme = Tenant.objects.get(id="acme")
User.objects.filter(tenant=acme, username="%(name)s").delete()
user = User.objects.create_user(acme, "%(name)s", %(password)r, global_roles=["reader"])
"""
INVITE = """
from django.test import RequestFactory
from tenants.actors import SYSTEM
from tenants.links import make_link
from tenants.models import OneTimeLink
request = RequestFactory(SERVER_NAME="localhost").get("/")
print(make_link(request, user, OneTimeLink.Purpose.INVITATION, by=SYSTEM).url)
"""


@pytest.fixture
def anna(house):
    """Somebody with a password of her own."""
    house.shell(PERSON % {"name": "anna", "password": ADMIN_PASSWORD})
    return "acme/anna"


def give_password(page, login, password=ADMIN_PASSWORD):
    page.goto("/sign-in/")
    page.get_by_label("User").fill(login)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def give_code(page, code):
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in").click()


def sign_out(page):
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def expect_to_be_in(page):
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_second_factor_is_set_up_and_used(open_page, anna, script):
    page = open_page(None, login=None, java_script_enabled=script)
    give_password(page, anna)
    expect_to_be_in(page)
    page.get_by_title("Your profile").click()
    page.get_by_role("link", name="Set up").click()
    page.get_by_label("Current password").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("svg.qr-code")).to_be_visible()
    page.locator("summary", has_text="Type the key instead").click()
    key = b32decode(page.locator(".key-text").inner_text().replace(" ", ""))
    if script:
        assert serious_violations(page) == []
    page.get_by_label("Code").fill(f"{totp(key):06}")
    page.get_by_role("button", name="Switch on").click()
    codes = page.locator(".codes code")
    expect(codes).to_have_count(10)
    code = codes.first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("10 recovery codes left")).to_be_visible()

    sign_out(page)
    give_password(page, anna)
    expect(page.get_by_role("heading", name="Type your code")).to_be_visible()
    give_code(page, f"{totp(key, drift=1):06}")  # the one of now was used to set it up
    expect_to_be_in(page)

    sign_out(page)
    give_password(page, anna)
    give_code(page, code)
    expect_to_be_in(page)
    sign_out(page)
    give_password(page, anna)
    give_code(page, code)
    expect(page.get_by_text("This code is wrong or was used already.")).to_be_visible()


def test_link_is_opened_and_a_password_chosen(open_page, house):
    printed = house.shell(PERSON % {"name": "bert", "password": None} + INVITE)
    link = re.search(r"/welcome/\S+", printed)[0]
    page = open_page(link, login=None)
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    assert page.url.endswith("/welcome/")
    assert serious_violations(page) == []
    page.get_by_label("New password").fill("gatehouse")
    page.get_by_label("The same again").fill("gatehouse")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("This password is too short.")).to_be_visible()
    page.get_by_label("New password").fill(NEW)
    page.get_by_label("The same again").fill(NEW)
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("Your password is set. Sign in as")).to_be_visible()
    give_password(page, "acme/bert", NEW)
    expect_to_be_in(page)
    page.goto(link)
    expect(page.get_by_role("heading", name="This link no longer works")).to_be_visible()


def test_profile_is_changed_in_dialogs(open_page, anna):
    page = open_page(None, login=None)
    give_password(page, anna)
    page.goto("/profile/")
    assert serious_violations(page) == []
    page.get_by_role("link", name="Edit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("Anna Schmidt")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("Anna Schmidt")).to_be_visible()

    page.get_by_role("link", name="Create token").click()
    dialog.get_by_label("Name").fill("report")
    dialog.get_by_label("See device registrations.").check()
    assert serious_violations(page) == []
    dialog.get_by_role("button", name="Create token").click()
    expect(dialog.get_by_label("Token", exact=True)).to_have_value(re.compile("ght_.+"))
    dialog.get_by_role("link", name="Close").click()
    page.get_by_role("button", name="Revoke report").click()
    expect(page.get_by_text("The token report is revoked.")).to_be_visible()
    expect(page.get_by_role("button", name="Revoke report")).to_have_count(0)

    page.get_by_role("link", name="Change password").click()
    dialog.get_by_label("Current password").fill("wrong")
    dialog.get_by_label("New password").fill(NEW)
    dialog.get_by_label("The same again").fill(NEW)
    dialog.get_by_role("button", name="Change password").click()
    expect(dialog.get_by_text("This is not your current password.")).to_be_visible()
    dialog.get_by_label("Current password").fill(ADMIN_PASSWORD)
    dialog.get_by_label("New password").fill(NEW)
    dialog.get_by_label("The same again").fill(NEW)
    dialog.get_by_role("button", name="Change password").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()


def test_session_is_ended_from_another_browser(open_page, anna):
    here, there = open_page(None, login=None), open_page(None, login=None, **PHONE)
    for page in (here, there):
        give_password(page, anna)
        expect_to_be_in(page)
    there.goto("/profile/")
    assert_no_sideways_scroll(there)
    here.goto("/profile/")
    here.get_by_role("button", name="End the session").click()
    expect(here.get_by_text("The session has ended.")).to_be_visible()
    there.reload()
    expect(there.get_by_role("heading", name="Sign in")).to_be_visible()
