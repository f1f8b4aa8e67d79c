"""Registering one device by a device type: its secret is made, shown once and taken along."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, assert_no_sideways_scroll, row, serious_violations
from tests.browser.test_accessibility import DESK

MAKE = """
from inventory.device_types import TypeDetails, create_type
from inventory.models import DeviceCredentials, DeviceType, ManagedObject
from bulk.models import Import
from registration.models import Registration
from tenants.actors import Actor
from tenants.models import Tenant
by, acme = Actor("operator"), Tenant.objects.get(pk="acme")
DeviceCredentials.objects.all().delete()
Registration.objects.all().delete()
ManagedObject.objects.exclude(kind="group").delete()
Import.objects.all().delete()
DeviceType.objects.all().delete()
create_type(acme, TypeDetails("Thermostat T2"), by=by)
create_type(acme, TypeDetails("Gateway G1", security_option="temporary_credentials"), by=by)
"""


@pytest.fixture
def types(house):
    house.shell(MAKE)


@pytest.mark.parametrize(
    "screen",
    [DESK | {"color_scheme": "light"}, PHONE | {"color_scheme": "dark"}],
    ids=["light", "dark, on a phone"],
)
def test_secret_is_made_taken_along_and_the_device_is_in_view(open_page, types, others, screen):
    page = open_page("/devices/registration/", login="acme/operator", **screen)
    page.get_by_text("Register device", exact=True).first.click()
    page.get_by_role("link", name="Single registration: With a device type").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Device type").select_option("Gateway G1")
    expect(dialog.get_by_label("Secret", exact=True)).to_be_hidden()
    dialog.get_by_label("Device type").select_option("Thermostat T2")
    expect(dialog.get_by_label("Secret", exact=True)).to_be_visible()
    dialog.get_by_label("Device ID").fill("press 1")
    assert serious_violations(page) == []
    dialog.get_by_role("button", name="Register", exact=True).click()
    expect(dialog.get_by_text("without blanks")).to_be_visible()
    dialog.get_by_label("Device ID").fill("press-1")
    dialog.get_by_role("button", name="Register", exact=True).click()
    secret = dialog.locator("#secret-text").input_value()
    assert len(secret) >= 20
    assert_no_sideways_scroll(page)
    with page.expect_download() as started:
        dialog.get_by_role("button", name="Download as a file").click()
    assert started.value.suggested_filename == "press-1.credentials.key"
    assert f"DeviceSecret: {secret}" in started.value.path().read_text().splitlines()
    others.log_in({"tenantId": "acme", "username": "device_press-1", "password": secret})
    dialog.get_by_role("link", name="Go to the list").click()
    expect(row(page, "press-1")).to_contain_text("Just registered")
    expect(page.get_by_label("Device type")).to_contain_text("Thermostat T2")
    expect(page).to_have_url(re.compile(r"/devices/\?device_type=\d+&new=\d+$"))
    assert secret not in page.content()
    assert_no_sideways_scroll(page)


def test_typed_secret_stays_in_the_browser_while_a_question_is_answered(open_page, types, others):
    page = open_page("/devices/registration/with-device-type/", login="acme/operator")
    secret = page.get_by_label("Secret", exact=True)

    def register(within, text):
        within.get_by_label("Device type").select_option("Thermostat T2")
        within.get_by_label("Device ID").fill("press-1")
        secret.fill(text)
        within.get_by_role("button", name="Register", exact=True).click()

    register(page, "the-first-secret")
    expect(row(page, "press-1")).to_be_visible()
    page.get_by_role("link", name="Register device").click()
    register(page.get_by_role("dialog"), "the-second-secret")
    expect(page.get_by_text("press-1 is a device already.")).to_be_visible()
    expect(secret).to_have_value("the-second-secret")
    page.get_by_label("Replace its secret").check()
    page.get_by_role("button", name="Register", exact=True).click()
    expect(page.get_by_text("press-1 is updated.")).to_be_visible()
    login = {"tenantId": "acme", "username": "device_press-1", "password": "the-second-secret"}
    others.log_in(login)


def test_type_is_added_looked_at_and_deleted(open_page, types):
    page = open_page("/devices/device-types/", login="acme/operator")
    expect(page.get_by_role("link", name="Add device type")).to_have_count(0)
    page = open_page("/devices/device-types/", **DESK)
    page.get_by_role("link", name="Add device type").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Acceptance")).to_be_hidden()
    dialog.get_by_label("Name").fill("Pump P1")
    dialog.get_by_label("Temporary credentials").check()
    dialog.get_by_label("Acceptance").select_option("automatic")
    assert serious_violations(page) == []
    dialog.get_by_role("button", name="Add device type").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pump P1")
    expect(page.get_by_text("the provisioning key is enough")).to_be_visible()
    assert serious_violations(page) == []
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete device type").click()
    expect(page.get_by_text("Device type Pump P1 is deleted.")).to_be_visible()
    expect(page.get_by_text("No device types yet")).to_be_visible()
