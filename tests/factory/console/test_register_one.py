"""Registering one device by a device type: with its secret, or with one that is made here."""

import logging

import pytest

from bulk import preshared
from inventory.devices import let_in
from inventory.models import DeviceCredentials, DeviceGroup, ManagedObject
from inventory.passwords import LETTERS
from registration.lifecycle import Stage
from registration.models import Registration, RegistrationEvent
from tenants.models import AuditRecord
from tests.consoles import messages_of, read, shown_ids
from tests.support import Api, give_rights

FORM = "/devices/registration/with-device-type/"
FILE = f"{FORM}credentials-file/"
SECRET = "canary-7Gx-of-the-factory"


def send(console, kind, device_id="press-1", secret=SECRET, *, target=None, **more):
    sent = {"device_type": kind.pk, "device_id": device_id, "secret": secret,
            "name": "", "group": ""}  # fmt: skip
    return console.post(FORM, sent | more, target=target)


def logs_in(device_id, secret, tenant="acme"):
    login = f"{tenant}/device_{device_id}"
    return Api(login, secret).get("/user/currentUser").status_code == 200


def shown_secret(response):
    return read(response).one("input", id="secret-text")["value"]


@pytest.mark.parametrize("target", [None, "dialog"], ids=["no JavaScript", "HTMX"])
def test_device_with_its_secret_is_in_at_once_and_in_view(desk, thermostat, target):
    response = send(desk, thermostat, name="Press 1", group="Plant A/Hall 2", target=target)
    device = ManagedObject.objects.get(device_id="press-1")
    assert response.status_code == (204 if target else 302)
    url = response["HX-Redirect" if target else "Location"]
    assert url == f"/devices/?device_type={thermostat.pk}&new={device.pk}"
    page = desk.get(url)
    assert shown_ids(page) == ["press-1"]
    assert "Just registered" in read(page).classed("row-marked")[0].text
    assert messages_of(page) == ["press-1 is registered."]
    assert (device.device_type, device.name) == (thermostat, "Press 1")
    assert logs_in("press-1", SECRET)
    facts = read(desk.get(f"/devices/{device.pk}/"))
    assert facts.one("a", href=f"/devices/device-types/{thermostat.pk}/").text == "Thermostat T2"


@pytest.mark.parametrize("target", [None, "dialog"], ids=["no JavaScript", "HTMX"])
def test_secret_that_is_made_is_shown_once(desk, thermostat, caplog, target):
    caplog.set_level(logging.DEBUG)
    response = send(desk, thermostat, secret="", target=target)
    secret = shown_secret(response)
    assert response.status_code == 200
    assert len(secret) >= 20
    assert set(secret) <= set(LETTERS)
    assert response["Cache-Control"] == "no-store"
    assert logs_in("press-1", secret)
    link = next(a for a in read(response).all("a") if a.text == "Go to the list")
    assert shown_ids(desk.get(link["href"])) == ["press-1"]
    kept = [*AuditRecord.objects.values(), *DeviceCredentials.objects.values(),
            *ManagedObject.objects.values(), *RegistrationEvent.objects.values()]  # fmt: skip
    assert secret not in str(kept)
    assert secret not in caplog.text
    assert secret not in desk.get(FORM).content.decode()


def test_secret_is_as_long_as_the_type_asks_for(desk, make_type):
    response = send(desk, make_type(min_secret_length=100), secret="")
    assert len(shown_secret(response)) == 100


def test_file_holds_the_login_and_is_made_of_what_the_page_shows(desk, thermostat, console):
    response = send(desk, thermostat, "a;b", "")
    secret = shown_secret(response)
    form = read(response).one("form", action=FILE)
    file = desk.post(FILE, form.fields)
    assert file["Content-Disposition"] == 'attachment; filename="a-b.credentials.key"'
    assert file["Content-Type"].startswith("text/plain")
    assert file["Cache-Control"] == "no-store"
    assert file.content.decode().splitlines() == [
        "[Device Credential]",
        "DeviceId: a;b",
        f"DeviceSecret: {secret}",
        "TenantId: acme",
        "User: acme/device_a;b",
        "Url: http://testserver/",
    ]
    assert console("globex/operator").post(FILE, form.fields).status_code == 404
    assert console("acme/reader").post(FILE, form.fields).status_code == 403
    assert desk.get(FILE).status_code == 405
    for secret in ("", "two\nlines", "x" * 257):
        assert desk.post(FILE, {"device_id": "a;b", "secret": secret}).status_code == 422


# --- What is there already ------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "dialog"], ids=["no JavaScript", "HTMX"])
def test_secret_of_a_device_is_replaced_only_when_somebody_says_so(desk, thermostat, target):
    send(desk, thermostat)
    response = send(desk, thermostat, secret="another-secret", target=target)
    assert response.status_code == 409
    page = read(response)
    assert "press-1 is a device already." in page.text
    assert "another-secret" not in response.content.decode()
    assert page.one("input", id="id_secret").attrs.get("value") is None
    assert logs_in("press-1", SECRET)
    fields = page.one("form", action=FORM).fields
    assert "replace" not in fields
    # Without JavaScript the field is empty now; an empty one must not make a secret.
    response = desk.post(FORM, fields | {"replace": "1"}, target=target)
    assert response.status_code == 422
    assert "Type the secret again" in read(response).text
    response = desk.post(FORM, fields | {"replace": "1", "secret": "another-secret"}, target=target)
    url = response["HX-Redirect" if target else "Location"]
    assert url == f"/devices/?device_type={thermostat.pk}&q=press-1"
    assert messages_of(desk.get(url)) == ["press-1 is updated."]
    assert logs_in("press-1", "another-secret")
    assert not logs_in("press-1", SECRET)


def test_another_secret_can_be_made_for_a_device(desk, thermostat):
    send(desk, thermostat)
    assert send(desk, thermostat, secret="").status_code == 409
    response = send(desk, thermostat, secret="", replace="1")
    assert "New secret of press-1" in read(response).text
    assert logs_in("press-1", shown_secret(response))
    assert not logs_in("press-1", SECRET)


@pytest.mark.parametrize(
    "stage", [Stage.PENDING, Stage.ACCEPTED, Stage.BLOCKED], ids=lambda stage: stage.value
)
def test_open_registration_stands_in_the_way_and_is_led_to(
    desk, thermostat, make_registration, stage
):
    registration = make_registration("press-1", stage=stage)
    response = send(desk, thermostat, target="dialog")
    assert response.status_code == 409
    link = read(response).one("p", id="device-id-problem").one("a")
    assert link["href"] == f"/devices/registration/{registration.pk}/"
    assert link.text == "Open its registration"
    assert not ManagedObject.objects.filter(device_id="press-1", device_type=thermostat).exists()


def test_registration_that_waits_gives_way_to_the_device(desk, thermostat, make_registration):
    make_registration("press-1")
    assert send(desk, thermostat).status_code == 302
    assert not Registration.objects.filter(device_id="press-1").exists()
    assert logs_in("press-1", SECRET)


def test_device_of_another_type_stays_what_it_is(desk, thermostat, make_type):
    other = make_type("Pump")
    send(desk, other)
    response = send(desk, thermostat, replace="1")
    assert response.status_code == 409
    problem = read(response).one("p", id="device-type-problem")
    assert problem.one("a")["href"] == "/devices/id/press-1/"
    assert ManagedObject.objects.get(device_id="press-1").device_type == other


def test_device_of_another_tenant_is_not_given_away(desk, thermostat, globex, globex_operator):
    let_in(globex, "press-1", "x" * 32, by=globex_operator)
    response = send(desk, thermostat)
    assert response.status_code == 409
    assert "globex" not in read(response).text
    assert not ManagedObject.objects.filter(device_id="press-1", tenant="acme").exists()


# --- Types that take no secret --------------------------------------------------------------


def test_device_that_will_knock_is_expected(desk, gateway, thermostat):
    response = send(desk, gateway, "gw-1", "")
    assert response["Location"] == "/devices/registration/?q=gw-1"
    page = desk.get(response["Location"])
    assert messages_of(page) == ["gw-1 is registered. It waits for the device to knock."]
    registration = Registration.objects.get(device_id="gw-1")
    assert (registration.stage, registration.device_type) == (Stage.WAITING, gateway)
    assert "Gateway G1" in read(page).one("tr", data_device="gw-1").text
    facts = read(desk.get(f"/devices/registration/{registration.pk}/"))
    assert facts.one("a", href=f"/devices/device-types/{gateway.pk}/").text == "Gateway G1"
    again = send(desk, gateway, "gw-1", "")
    assert again.status_code in {302, 409}
    assert Registration.objects.filter(device_id="gw-1").count() == 1


def test_device_with_a_certificate_has_no_login_here(desk, meter):
    response = send(desk, meter, "meter-1", "")
    assert shown_ids(desk.get(response["Location"])) == ["meter-1"]
    assert not DeviceCredentials.objects.filter(device_id="meter-1").exists()


@pytest.mark.parametrize("kind", ["gateway", "meter"])
def test_secret_is_refused_where_none_is_used(desk, request, kind):
    response = send(desk, request.getfixturevalue(kind), "x-1")
    assert response.status_code == 422
    assert "take no secret" in read(response).text
    assert SECRET not in response.content.decode()


# --- Wrong input, and who may ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"device_type": ""}, "Choose a device type."),
        ({"device_type": "0"}, "Choose one of the device types."),
        ({"device_type": "9" * 30}, "Choose one of the device types."),
        ({"device_id": ""}, "Type the device ID"),
        ({"device_id": "a:b"}, "cannot contain a colon"),
        ({"device_id": "a b"}, "without blanks"),
        ({"device_id": "zürich"}, "not plain English"),
        ({"device_id": "x" * 256}, "1 to 255"),
        ({"device_id": "other"}, "does not match the pattern"),
        ({"secret": "short"}, "fewer than 8 characters"),
        ({"secret": "x" * 257}, "more than 256 characters"),
        ({"secret": "x" * 1_001}, "at most 1000 characters"),
        ({"secret": "a\x00b-and-more"}, "Null characters are not allowed."),
        ({"name": "Lamp\x00"}, "Null characters are not allowed."),
        ({"group": "Plant\x00"}, "Null characters are not allowed."),
        ({"device_id": "anoth\x00er"}, "Null characters are not allowed."),
        ({"secret": "naïve-secret"}, "not plain English"),
        ({"secret": "press-1-long", "device_id": "press-1-long"}, "the device ID itself"),
        ({"name": "x" * 10_000}, "at most"),
        ({"group": "a//b"}, "group"),
    ],
    ids=lambda value: str(value)[:28] if isinstance(value, dict) else None,
)
def test_wrong_input_is_said_and_no_secret_comes_back(desk, make_type, changes, said):
    kind = make_type(device_id_pattern="(press|a|z|x).*")
    response = send(desk, kind, target="dialog", **changes)
    assert response.status_code == 422
    assert said in read(response).text
    assert changes.get("secret", SECRET) not in response.content.decode() or "device_id" in changes
    assert not ManagedObject.objects.exists()


def test_link_brings_type_and_id_along_and_registers_nothing(desk, thermostat, gateway):
    asked = {"device_type": thermostat.pk, "device_id": "press-1", "secret": SECRET}
    form = read(desk.get(FORM, asked)).one("form", action=FORM)
    assert form.fields["device_type"] == str(thermostat.pk)
    assert form.fields["device_id"] == "press-1"
    assert form.fields["secret"] == ""
    assert not ManagedObject.objects.exists()
    menu = read(desk.get("/devices/registration/"))
    assert menu.one("a", aria_label="Single registration: With a device type")["href"] == FORM
    listed = read(desk.get("/devices/", {"device_type": thermostat.pk}))
    assert listed.one("a", href=f"{FORM}?device_type={thermostat.pk}").text == "Register device"


def test_without_a_type_the_dialog_says_what_is_missing(desk, console, make_type, globex):
    other = make_type("Of globex", tenant=globex)
    assert "There is no device type yet." in read(desk.get(FORM)).text
    assert "ROLE_DEVICE_TYPE_ADMIN" in read(desk.get(FORM)).text
    office = read(console("acme/administrator").get(FORM))
    assert office.one("a", href="/devices/device-types/new/")
    assert send(desk, other).status_code == 422
    assert not ManagedObject.objects.exists()


def test_new_group_needs_the_right_to_make_it(console, person, thermostat, desk):
    rights = ("ROLE_DEVICE_CONTROL_ADMIN", "ROLE_INVENTORY_READ")
    give_rights(person("acme/reader"), *rights)
    response = send(console("acme/reader"), thermostat, group="Plant B")
    assert response.status_code == 422
    assert "ROLE_INVENTORY_ADMIN" in read(response).text
    assert not DeviceGroup.objects.exists()


def test_person_who_sees_no_devices_is_led_to_the_registrations(console, person, thermostat):
    give_rights(person("acme/reader"), "ROLE_DEVICE_CONTROL_ADMIN")
    response = send(console("acme/reader"), thermostat)
    assert response["Location"] == "/devices/registration/"
    assert "group" not in read(console("acme/reader").get(FORM)).one("form", action=FORM).fields


def test_only_who_may_register_devices_can(console, desk, thermostat):
    reader = console("acme/reader")
    assert (reader.get(FORM).status_code, send(reader, thermostat).status_code) == (403, 403)
    assert desk.call("put", FORM).status_code == 405
    assert desk.call("delete", FORM).status_code == 405


def test_batch_stands_on_the_page_of_a_device_for_its_own_tenant(
    desk, console, thermostat, operator
):
    preshared.register(thermostat, [preshared.Offer("press-1", SECRET)], by=operator)
    device = ManagedObject.objects.get(device_id="press-1")
    page = read(desk.get(f"/devices/{device.pk}/"))
    (link,) = [a for a in page.all("a") if a["href"].startswith("/devices/registration/bulk/")]
    assert desk.get(link["href"]).status_code == 200
    above = read(console("management/administrator").get(f"/devices/{device.pk}/"))
    assert not [a for a in above.all("a") if "/bulk/" in a["href"]]
    assert not above.all("a", href=f"/devices/device-types/{thermostat.pk}/")
