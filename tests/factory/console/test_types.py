"""Device types in the console: the list, the page of one, and what is done to them."""

import pytest

from bulk import preshared
from inventory.models import DeviceType, ManagedObject, SecurityOption
from registration.models import Registration
from tenants.models import AuditRecord
from tests.consoles import messages_of, read, shown_ids
from tests.support import give_rights

LIST = "/devices/device-types/"
NEW = f"{LIST}new/"


def url_of(device_type, action=""):
    return f"{LIST}{device_type.pk}/{action}"


def typed(name="Pump P1", **changes):
    return {
        "name": name,
        "description": "",
        "security_option": "shared_secret",
        "acceptance": "manual",
        "min_secret_length": "8",
        "device_id_pattern": "",
    } | changes


def register(device_type, *offers, by, **how):
    outcome = preshared.register(
        device_type, [preshared.Offer(*offer) for offer in offers], by=by, **how
    )
    assert outcome.is_stored, outcome.results
    return outcome


# --- The list and the page of one -----------------------------------------------------------


def test_list_tells_how_devices_of_each_type_come_in(
    desk, thermostat, gateway, operator, make_type
):
    make_type("of two years ago", description="No longer sold")
    register(thermostat, ("t-1", "a secret"), ("t-2", "a secret"), by=operator)
    response = desk.get(LIST)
    assert shown_ids(response) == ["Gateway G1", "of two years ago", "Thermostat T2"]
    row = read(response).one("tr", data_device="Thermostat T2")
    cells = [cell.text for cell in row.all("td")]
    assert cells[:3] == ["Thermostat T2", f"{thermostat.pk} Copy", "Shared secret"]
    assert cells[4] == "2"
    assert row.one("button", data_copy=f"#type-id-{thermostat.pk}")
    assert row.all("a")[1]["href"] == f"/devices/?device_type={thermostat.pk}"
    assert "Manual" in read(response).one("tr", data_device="Gateway G1").text
    navigator = read(response).one("nav", aria_label="Main")
    assert navigator.one("a", href=LIST)["aria-current"] == "page"


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"q": "THERMO"}, ["Thermostat T2"]),
        ({"q": "\x00therm\ud800"}, []),
        ({"sort": "-name"}, ["Thermostat T2", "Gateway G1"]),
        ({"sort": "-updated"}, ["Gateway G1", "Thermostat T2"]),
        ({"sort": "secret", "after": "x"}, ["Gateway G1", "Thermostat T2"]),
    ],
    ids=lambda value: str(value)[:30].encode(errors="replace").decode(),
)
def test_list_is_searched_and_sorted(desk, thermostat, gateway, asked, shown):
    asked = {name: value.encode(errors="replace").decode() for name, value in asked.items()}
    assert shown_ids(desk.get(LIST, asked)) == shown
    fragment = read(desk.get(LIST, asked, target="device-type-table"))
    assert not fragment.all("h1")


@pytest.mark.parametrize("number", [2, 50])
def test_list_costs_the_same_however_much_it_shows(
    desk, acme, django_assert_max_num_queries, number
):
    DeviceType.objects.bulk_create(
        DeviceType(tenant=acme, name=f"Type {n:02}", name_key=f"type {n:02}") for n in range(number)
    )
    desk.get(LIST)
    with django_assert_max_num_queries(7):
        assert len(shown_ids(desk.get(LIST))) == number


def test_types_of_others_are_not_there(console, office, thermostat, make_type, globex):
    other = make_type("Of globex", tenant=globex)
    assert shown_ids(office.get(LIST)) == ["Thermostat T2"]
    assert shown_ids(console("management/administrator").get(LIST)) == []
    for action in ("", "edit/", "delete/"):
        assert office.get(url_of(other, action)).status_code == 404
        assert office.post(url_of(other, action), typed()).status_code in {404, 405}
        response = console("management/administrator").get(url_of(other, action))
        assert response.status_code == 404
    assert DeviceType.objects.get(pk=other.pk).name == "Of globex"


def test_page_tells_facts_numbers_registrations_and_batches(desk, gateway, meter, operator):
    register(meter, ("m-1",), ("m-2",), by=operator)
    register(gateway, ("gw-1",), by=operator)
    page = read(desk.get(url_of(meter)))
    numbers = {
        link.one("span").text: (link.one("strong").text, link["href"])
        for link in page.classed("device-numbers")[0].all("a")
    }
    assert numbers["All devices"] == ("2", f"/devices/?device_type={meter.pk}")
    assert numbers["No login"] == ("2", f"/devices/?device_type={meter.pk}&state=none")
    assert "Last batches" in page.text
    assert shown_ids(desk.get(numbers["No login"][1])) == ["m-2", "m-1"]
    page = read(desk.get(url_of(gateway)))
    expected = Registration.objects.get(device_id="gw-1")
    assert page.one("a", href=f"/devices/registration/{expected.pk}/").text == "gw-1"
    assert "Manual: an operator accepts each device" in page.text


@pytest.mark.parametrize(
    ("right", "sees_numbers", "sees_registrations"),
    [
        (None, False, False),
        ("ROLE_INVENTORY_READ", True, False),
        ("ROLE_DEVICE_CONTROL_READ", False, True),
    ],
    ids=["type alone", "devices", "registrations"],
)
def test_page_shows_what_the_person_may_see(
    console, person, gateway, operator, right, sees_numbers, sees_registrations
):
    register(gateway, ("gw-1",), by=operator)
    give_rights(person("acme/reader"), "ROLE_DEVICE_TYPE_READ", *filter(None, [right]))
    page = read(console("acme/reader").get(url_of(gateway)))
    assert bool(page.classed("device-numbers")) is sees_numbers
    assert ("Latest registrations" in page.text) is sees_registrations
    assert ("Last batches" in page.text) is sees_registrations
    assert not page.all("a", href=url_of(gateway, "edit/"))


# --- Making and changing --------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "dialog"], ids=["no JavaScript", "HTMX"])
def test_type_is_made_once(office, acme, target):
    form = read(office.get(NEW, target=target)).classed("type-form")[0]
    assert form.fields["security_option"] == "shared_secret"
    response = office.post(NEW, typed(device_id_pattern="P1-.*"), target=target)
    made = DeviceType.objects.get()
    where = "HX-Redirect" if target else "Location"
    assert (response.status_code, response[where]) == (204 if target else 302, url_of(made))
    assert (made.tenant, made.device_id_pattern) == (acme, "P1-.*")
    again = office.post(NEW, typed(name="PUMP p1"), target=target)
    assert again.status_code == 409
    assert "already. Choose another name." in read(again).text
    assert DeviceType.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": " "}, "Give the device type a name."),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"name": "a\x07b"}, "one line of visible characters"),
        ({"description": "x" * 1_001}, "at most 1000 characters"),
        ({"name": "a\x00b"}, "Null characters are not allowed."),
        ({"description": "a\x00b"}, "Null characters are not allowed."),
        ({"device_id_pattern": "T2\x00.*"}, "Null characters are not allowed."),
        ({"security_option": "trust"}, "Select a valid choice"),
        ({"min_secret_length": "7"}, "greater than or equal to 8"),
        ({"min_secret_length": "many"}, "Enter a whole number."),
        ({"device_id_pattern": "("}, "no regular expression"),
        ({"device_id_pattern": "a\x07"}, "one line of visible characters"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_wrong_input_is_said_where_it_is(office, changes, said):
    response = office.post(NEW, typed(**changes), target="dialog")
    assert response.status_code == 422
    assert said in read(response).text
    assert not DeviceType.objects.exists()


def test_what_means_nothing_for_the_option_is_no_hindrance(office):
    sent = typed(security_option="certificate", min_secret_length="3", acceptance="automatic")
    assert office.post(NEW, sent).status_code == 302
    made = DeviceType.objects.get()
    assert (made.min_secret_length, made.acceptance) == (8, "manual")


@pytest.mark.parametrize("target", [None, "dialog"], ids=["no JavaScript", "HTMX"])
def test_type_is_changed_and_keeps_its_option_once_it_has_devices(
    office, thermostat, operator, target
):
    url = url_of(thermostat, "edit/")
    changed = typed("Thermostat T3", security_option="temporary_credentials", next=LIST)
    response = office.post(url, changed, target=target)
    assert response["HX-Redirect" if target else "Location"] == LIST
    thermostat.refresh_from_db()
    assert (str(thermostat), thermostat.has_provisioning_keys) == ("Thermostat T3", True)
    office.post(url, typed("Thermostat T2"), target=target)
    register(thermostat, ("t-1", "a secret"), by=operator)
    radios = read(office.get(url, target=target)).all("input", name="security_option")
    assert all("disabled" in radio.attrs for radio in radios)
    records = AuditRecord.objects.count()
    sent = typed("Thermostat T2", security_option="certificate")
    assert office.post(url, sent, target=target).status_code == (204 if target else 302)
    thermostat.refresh_from_db()
    assert thermostat.security_option == SecurityOption.SHARED_SECRET
    assert AuditRecord.objects.count() == records


# --- Deleting -------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "dialog"], ids=["no JavaScript", "HTMX"])
def test_type_that_nothing_depends_on_is_deleted_once(office, thermostat, target):
    url = url_of(thermostat, "delete/")
    asked = read(office.get(url, {"next": LIST}, target=target))
    assert "No device is of this type." in asked.text
    response = office.post(url, {"next": LIST}, target=target)
    assert response.status_code == (204 if target else 302)
    if target:
        assert "deviceTypesChanged" in response["HX-Trigger"]
    assert messages_of(office.get(LIST)) == ["Device type Thermostat T2 is deleted."]
    assert office.post(url, {"next": LIST}, target=target).status_code == 404


def test_type_deleted_on_its_page_leads_to_the_list(office, thermostat):
    sent = {"next": url_of(thermostat)}
    response = office.post(url_of(thermostat, "delete/"), sent, target="dialog")
    assert response["HX-Redirect"] == LIST


@pytest.mark.parametrize("target", [None, "dialog"], ids=["no JavaScript", "HTMX"])
def test_type_that_is_in_use_says_what_stands_against_its_deletion(
    office, thermostat, gateway, operator, target
):
    register(thermostat, ("t-1", "a secret"), by=operator)
    register(gateway, ("gw-1",), by=operator)
    for device_type, said in ((thermostat, "Devices of this type 1"),
                              (gateway, "Registrations of this type 1")):  # fmt: skip
        url = url_of(device_type, "delete/")
        asked = read(office.get(url, target=target))
        assert said in asked.text
        assert "Delete device type" not in asked.text
        response = office.post(url, target=target)
        assert response.status_code == 409
        assert "still has devices or registrations" in read(response).text
    assert DeviceType.objects.count() == 2
    assert ManagedObject.objects.filter(device_type=thermostat).exists()


# --- Who may --------------------------------------------------------------------------------


def test_only_administrators_change_types(desk, console, thermostat):
    for who in (desk, console("acme/reader")):
        assert who.get(url_of(thermostat)).status_code == 200
        assert "Add device type" not in read(who.get(LIST)).text
        for url in (NEW, url_of(thermostat, "edit/"), url_of(thermostat, "delete/")):
            assert who.get(url).status_code == 403
            assert who.post(url, typed()).status_code == 403
    assert DeviceType.objects.get().name == "Thermostat T2"


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(office, thermostat, method):
    for url in (LIST, NEW, url_of(thermostat), url_of(thermostat, "edit/")):
        assert office.call(method, url).status_code == 405
    assert office.post(LIST).status_code == 405
    assert office.post(url_of(thermostat)).status_code == 405
