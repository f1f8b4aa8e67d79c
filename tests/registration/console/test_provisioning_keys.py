"""Provisioning keys in the console: seen by some, made and revoked by few, shown once."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from inventory.device_types import TypeDetails, change_type, create_type
from registration.models import ProvisioningKey
from registration.provisioning import make_key
from tenants.models import AuditRecord
from tests.consoles import messages_of, read
from tests.registration.test_secrets import everything
from tests.support import Api

SENT = {"name": "Line 3", "lifetime": "90", "max_devices": "500"}
TEMPORARY = TypeDetails("Thermostat", security_option="temporary_credentials")


@pytest.fixture
def thermostat(acme, operator):
    return create_type(acme, TEMPORARY, by=operator)


@pytest.fixture
def key(thermostat, operator):
    return make_key(thermostat, "Line 1", max_devices=2000, by=operator)[0]


@pytest.fixture
def office(console):
    return console("acme/administrator")


def url(device_type, action=""):
    return reverse("provisioning:list", args=[device_type.pk]) + action


def revoke_url(key):
    return reverse("provisioning:revoke", args=[key.device_type_id, key.pk])


@pytest.mark.parametrize("target", [None, "dialog"], ids=["without-javascript", "htmx"])
def test_key_is_made_and_its_secret_shown_once(target, office, thermostat):
    form = office.get(url(thermostat, "new/"), target=target)
    assert "Create provisioning key" in read(form).text
    answer = office.post(url(thermostat, "new/"), SENT, target=target)
    assert answer.status_code == 200
    made = ProvisioningKey.objects.get()
    secret = read(answer).one("input", id="key-secret")["value"]
    assert read(answer).one("input", id="key-login")["value"] == f"acme/{made.key_id}"
    assert "provisioningKeysChanged" in answer["HX-Trigger"]
    assert (made.name, made.max_devices, made.created_by_name) == ("Line 3", 500, "administrator")
    assert made.expires_at - timezone.now() > timedelta(days=89)
    assert Api(made.login, secret).poll("4711").status_code == 404
    card = office.get(url(thermostat), target="keys-card").content.decode()
    assert made.key_id in card
    assert secret not in card
    assert secret not in everything()
    said = AuditRecord.objects.get(activity="Provisioning key created")
    assert (said.type, said.subject, said.actor_name) == (
        "DeviceType", "Thermostat: Line 3", "administrator",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": " "}, "Give the key a name."),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"name": "a\x00b"}, "Null characters are not allowed."),
        ({"name": "a\u200bb"}, "A name is one line of visible characters."),
        ({"lifetime": "date"}, "Choose today or a later day."),
        ({"lifetime": "date", "expires_on": "2020-01-01"}, "Choose today or a later day."),
        ({"lifetime": "x"}, "Select a valid choice."),
        ({"max_devices": "0"}, "Choose 1 or more"),
        ({"max_devices": "99999999999999999999"}, "10,000,000 or fewer"),
        ({"max_devices": "many"}, "Write a whole number"),
    ],
)
def test_bad_input_is_told_at_its_field(wrong, sentence, office, thermostat):
    answer = office.post(url(thermostat, "new/"), {**SENT, **wrong}, target="dialog")
    assert answer.status_code == 422
    assert sentence in read(answer).text
    assert not ProvisioningKey.objects.exists()


def test_type_of_another_option_gets_no_key_and_says_why(office, operator, thermostat, key):
    change_type(thermostat, TypeDetails("Thermostat", security_option="certificate"), by=operator)
    answer = office.post(url(thermostat, "new/"), SENT, target="dialog")
    assert answer.status_code == 409
    assert "temporary credentials" in read(answer).text
    page = read(office.get(url(thermostat))).text
    assert "Only device types with temporary credentials have provisioning keys." in page
    assert "Shut" in page


@pytest.mark.parametrize("target", [None, "dialog"], ids=["without-javascript", "htmx"])
def test_key_is_revoked_at_once_and_a_second_click_does_no_harm(target, office, key):
    asked = read(office.get(revoke_url(key), target=target)).text
    assert "Nobody can knock with this key any more" in asked
    for said in ("is revoked.", "was revoked before."):
        answer = office.post(revoke_url(key), target=target)
        assert answer.status_code == (204 if target else 302)
        page = office.get(url(key.device_type))
        assert messages_of(page) == [f"Provisioning key Line 1 {said}"]
        assert "Revoked" in read(page).text
    assert AuditRecord.objects.filter(activity="Provisioning key revoked").count() == 1


def test_list_says_how_far_each_key_goes(office, key, thermostat, operator):
    ProvisioningKey.objects.filter(pk=key.pk).update(
        used=2000, last_used_at=timezone.now(), last_used_from="203.0.113.9"
    )
    late = make_key(thermostat, "Line 2", by=operator)[0]
    ProvisioningKey.objects.filter(pk=late.pk).update(expires_at=timezone.now())
    make_key(thermostat, "Line 3", by=operator)
    rows = [row.text for row in read(office.get(url(thermostat))).one("tbody").all("tr")]
    shown = [
        ("Line 3", "Active", "0"),
        ("Line 2", "Expired"),
        ("Line 1", "Used up", "2,000 of 2,000", "from 203.0.113.9"),
    ]
    for row, words in zip(rows, shown, strict=True):
        assert all(word in row for word in words), row


def test_list_asks_the_same_for_one_key_and_for_many(
    office, thermostat, operator, django_assert_max_num_queries
):
    for number in range(30):
        make_key(thermostat, f"Line {number}", by=operator)
    with django_assert_max_num_queries(8):
        assert office.get(url(thermostat)).status_code == 200


@pytest.mark.parametrize(
    ("login", "may_see", "may_make"),
    [
        ("acme/administrator", 200, 200),
        ("acme/operator", 200, 403),
        ("acme/reader", 200, 403),
        ("globex/administrator", 404, 404),
        ("management/administrator", 404, 404),
    ],
)
def test_who_may_see_and_who_may_act(login, may_see, may_make, console, key, thermostat):
    browser = console(login)
    page = browser.get(url(thermostat))
    assert page.status_code == may_see
    if may_see == 200:
        assert ("Create key" in read(page).text) is (may_make == 200)
        assert (revoke_url(key) in page.content.decode()) is (may_make == 200)
    for address in (url(thermostat, "new/"), revoke_url(key)):
        assert browser.get(address).status_code == may_make
        if may_make != 200:
            assert browser.post(address, SENT).status_code == may_make
    key.refresh_from_db()
    assert key.revoked_at is None


def test_key_of_another_type_is_not_found(office, key, acme, operator):
    other = create_type(acme, TypeDetails("Other"), by=operator)
    address = reverse("provisioning:revoke", args=[other.pk, key.pk])
    assert office.post(address).status_code == 404


@pytest.mark.parametrize(
    ("action", "methods"), [("", ("post", "put")), ("new/", ("put", "delete"))]
)
def test_other_methods_are_refused(action, methods, office, thermostat):
    for method in methods:
        assert office.call(method, url(thermostat, action)).status_code == 405
