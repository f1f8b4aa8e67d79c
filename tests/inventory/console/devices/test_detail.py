"""The page of one device: what it shows, to whom, and what it leads to."""

import json
from datetime import UTC, datetime

import pytest

from inventory import logins
from inventory.groups import group_at
from inventory.models import ChildLink, DeviceCredentials, ManagedObject, State
from inventory.objects import Deletion, delete_object
from registration.lifecycle import Stage
from tests.consoles import read
from tests.inventory.console.devices.conftest import url_of
from tests.support import give_rights

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def facts(page, label=""):
    """Return the facts of the device, by their names."""
    card = page.one("section", aria_label=label or "Device")
    return {each.one("dt").text: each.one("dd").text for each in card.one("dl").all("div")}


def card(page, title):
    return page.one("section", aria_labelledby=f"{title}-title")


def test_page_tells_the_facts(make_device, desk):
    device = make_device(
        "press-1", name="Press 1", kind="press-controller", created_at=NOON, reported_at=NOON,
        last_contact_at=NOON, last_contact_from="192.0.2.7", owner="device_press-1",
    )  # fmt: skip
    page = read(desk.get(url_of(device)))
    assert page.one("h1").text == "Press 1"
    assert facts(page) == {
        "Device ID": "press-1",
        "Name": "Press 1",
        "Type": "press-controller",
        "Tenant": "Acme acme",
        "Owner": "device_press-1",
        "Registered": "1 Mar 2026, 12:00 UTC by operator",
        "Reported": "1 Mar 2026, 12:00 UTC",
        "Last contact": "1 Mar 2026, 12:00 UTC from 192.0.2.7",
        "Managed object ID": str(device.pk),
    }
    assert "acme/device_press-1" in page.text


def test_device_that_has_yet_to_report_says_so(make_device, desk, acme, operator):
    device = make_device("press-1", state=State.NEVER_CONNECTED, reports=False)
    page = read(desk.get(url_of(device)))
    assert "has yet to create its device object" in page.text
    assert facts(page)["Reported"] == "not yet"
    assert "What it tells of itself" not in [h.text for h in page.all("h2")]
    assert not page.all("form", class_="external-id-form")
    ManagedObject.objects.filter(pk=device.pk).update(
        group_to_join=group_at(acme, "Hall 2", by=operator)
    )
    assert "Joins Hall 2 when it reports" in read(desk.get(url_of(device))).text


def test_device_behind_another_leads_there_and_back(make_device, desk):
    gateway = make_device("gateway-1", name="Gateway")
    sensor = make_device(name="Sensor", kind="c8y_Sensor")
    ChildLink.objects.create(parent=gateway, child=sensor, kind=ChildLink.Kind.DEVICE)
    page = read(desk.get(url_of(sensor)))
    assert facts(page)["Device ID"].startswith("none")
    assert page.one("a", href=url_of(gateway)).text == "Gateway"
    assert "Credentials" not in [h.text for h in page.all("h2")]
    assert "No login" in page.text
    page = read(desk.get(url_of(gateway)))
    assert card(page, "children").one("a", href=url_of(sensor)).text == "Sensor"
    assert "Device object created" in read(desk.get(url_of(sensor))).text


def test_only_the_first_parents_are_named(make_device, desk, monkeypatch):
    """A device may put itself beneath as many of its own as it likes."""
    monkeypatch.setattr("inventory.console.devices.views.MAX_CHILDREN", 2)
    sensor = make_device(name="Sensor")
    for number in range(3):
        gateway = make_device(name=f"Gateway {number}")
        ChildLink.objects.create(parent=gateway, child=sensor, kind="device")
    page = read(desk.get(url_of(sensor)))
    assert facts(page)["Belongs to"] == "Gateway 0 , Gateway 1 and 1 more"


@pytest.mark.parametrize("kind", ["other", "group"])
def test_what_is_no_device_has_no_page_to_lead_to(make_device, desk, acme, kind):
    press = make_device("press-1")
    for way in ("parent", "child"):
        thing = ManagedObject.objects.create(tenant=acme, kind=kind, name=f"Thing {way}")
        ends = {"parent": thing, "child": press} if way == "parent" else {
            "parent": press, "child": thing}  # fmt: skip
        ChildLink.objects.create(kind="device", **ends)
    page = read(desk.get(url_of(press)))
    links = {link["href"] for link in page.all("a", href=True)}
    for thing in ManagedObject.objects.filter(kind=kind):
        assert thing.name in page.text
        assert url_of(thing) not in links


def test_only_devices_among_its_relatives_are_links(make_device, desk, acme):
    gateway = make_device("gateway-1", name="Gateway")
    port = ManagedObject.objects.create(tenant=acme, name="Port", reported_at=NOON)
    rack = ManagedObject.objects.create(tenant=acme, name="Rack", reported_at=NOON)
    ChildLink.objects.create(parent=gateway, child=port, kind=ChildLink.Kind.DEVICE)
    ChildLink.objects.create(parent=rack, child=gateway, kind=ChildLink.Kind.DEVICE)
    page = read(desk.get(url_of(gateway)))
    assert [li.text for li in card(page, "children").all("li")] == ["Port"]
    assert facts(page)["Belongs to"] == "Rack"
    links = {a["href"] for a in page.all("a")}
    assert not {url_of(port), url_of(rack)} & links, "they have no page"


def test_only_the_first_children_are_named(make_device, desk, monkeypatch):
    from inventory.console.devices import views

    gateway = make_device("gateway-1")
    for number in range(3):
        child = make_device(name=f"Sensor {number}")
        ChildLink.objects.create(parent=gateway, child=child, kind=ChildLink.Kind.DEVICE)
    monkeypatch.setattr(views, "MAX_CHILDREN", 2)
    children = card(read(desk.get(url_of(gateway))), "children")
    assert len(children.all("li")) == 2
    assert "The first 2 are shown." in children.text
    assert children.one("h2").text == "Child devices 3"


def test_groups_and_external_ids_are_listed(make_device, desk):
    device = make_device("press-1", groups=["B", "A/C"], external_ids=[("imei", "3"), ("a", "1")])
    page = read(desk.get(url_of(device)))
    assert [li.one("a").text for li in card(page, "groups").all("li")] == ["A/C", "B"]
    names = [li.one("div").text for li in card(page, "external-ids").all("li")]
    assert names == ["1 a", "3 imei"]


def test_what_is_copied_is_the_json_itself(make_device, desk):
    fragments = {
        "c8y_Hardware": {"model": "m", "list": [1, 2], "deep": [{"a": [{}, []]}, None, True, 1.5]},
        "c8y_Long": "long " * 200,
        "count": 3,
        "b<i>": "</code><script>",
    }
    device = make_device("press-1", fragments=fragments)
    page = read(desk.get(url_of(device)))
    source = page.one("div", id="fragments")
    text = "\n".join(raw(each) for each in source.all("code"))
    assert json.loads(text) == fragments | {"c8y_IsDevice": {}}
    assert page.one("button", data_copy="#fragments")


def raw(element):
    """Return the text in an element, every blank kept."""
    return "".join(each if isinstance(each, str) else raw(each) for each in element.children)


def test_timeline_goes_from_the_registration_to_today(make_registration, desk, operator):
    registration = make_registration("press-1", stage=Stage.CONFIRMED)
    login = DeviceCredentials.objects.get(device_id="press-1")
    logins.disable(login, by=operator)
    page = read(desk.get(url_of(login.managed_object)))
    told = [each.text for each in page.classed("timeline-what")]
    assert told[0] == "Login disabled"
    assert told[-1] == "Registered"
    assert "Accepted" in told
    link = f"/devices/registration/{registration.pk}/"
    assert link in {a["href"] for a in page.all("a")}
    back = read(desk.get(link))
    assert back.one("a", href=url_of(login.managed_object)).text == "press-1"


def test_who_may_not_see_registrations_sees_nothing_of_them(make_registration, console, person):
    make_registration("press-1", stage=Stage.CONFIRMED)
    device = ManagedObject.objects.get(device_id="press-1")
    give_rights(person("acme/reader"), "ROLE_INVENTORY_READ")
    page = read(console("acme/reader").get(url_of(device)))
    assert "Accepted" not in page.text
    shown = page.one("div", id="device-page")
    assert not [a for a in shown.all("a") if a["href"].startswith("/devices/registration/")]
    registration = read(console("acme/operator").get("/devices/registration/?status=confirmed"))
    assert "press-1" in registration.text


def test_device_that_came_without_registration_has_no_link_to_one(make_device, desk):
    page = read(desk.get(url_of(make_device("press-1"))))
    assert "Registration" not in [a.text for a in page.one("main").all("a")]


# --- Rights ---------------------------------------------------------------------------------


def test_reader_looks_and_is_offered_nothing_to_do(make_device, console):
    device = make_device("press-1", groups=["A"], external_ids=[("a", "1")])
    page = read(console("acme/reader").get(url_of(device)))
    assert not page.one("div", id="device-page").all("form")
    offered = {a.text for a in page.one("div", id="device-page").all("a")}
    assert not offered & {"Edit", "Delete"}


def test_page_of_another_tenants_device_is_not_there(make_device, console, globex):
    device = make_device("press-1", tenant=globex)
    assert console("acme/administrator").get(url_of(device)).status_code == 404
    assert console("management/reader").get(url_of(device)).status_code == 200
    assert console("globex/reader").get(url_of(device)).status_code == 200


def test_page_needs_the_right_to_see_devices(make_device, console, person):
    device = make_device("press-1")
    give_rights(person("acme/reader"), "ROLE_DEVICE_CONTROL_ADMIN")
    assert console("acme/reader").get(url_of(device)).status_code == 403


@pytest.mark.parametrize("pk", [0, 987654, 9**30])
def test_device_that_is_not_there_is_not_found(desk, pk):
    assert desk.get(f"/devices/{pk}/").status_code == 404


def test_group_is_no_device(desk, acme, operator):
    group = group_at(acme, "A", by=operator)
    assert desk.get(url_of(group)).status_code == 404


def test_page_is_only_looked_at(make_device, desk):
    assert desk.post(url_of(make_device("press-1"))).status_code == 405


def test_htmx_gets_the_page_without_its_frame(make_device, desk):
    fragment = read(desk.get(url_of(make_device("press-1")), target="device-page"))
    assert not fragment.all("h1")
    assert fragment.one("div", id="device-page")


def test_page_costs_the_same_however_much_there_is(
    make_device, desk, django_assert_max_num_queries
):
    device = make_device(
        "press-1", groups=[f"G{n}" for n in range(20)],
        external_ids=[("a", str(n)) for n in range(20)],
    )  # fmt: skip
    for _ in range(5):
        child = make_device(name="Sensor")
        ChildLink.objects.create(parent=device, child=child, kind=ChildLink.Kind.DEVICE)
    desk.get("/devices/")
    with django_assert_max_num_queries(20):
        assert desk.get(url_of(device)).status_code == 200


# --- By its ID ------------------------------------------------------------------------------


@pytest.mark.parametrize("device_id", ["press-1", "a:b%41", "ümlaut", "a+b", "<img|src=x>"])
def test_id_leads_to_the_page(make_device, desk, device_id):
    from django.urls import reverse

    device = make_device(device_id)
    response = desk.get(reverse("devices:by_id", args=[device_id]))
    assert response["Location"] == url_of(device)


def test_id_of_another_tenant_leads_nowhere(make_device, console, globex):
    device = make_device("press-1", tenant=globex)
    assert console("acme/operator").get("/devices/id/press-1/").status_code == 404
    assert console("management/reader").get("/devices/id/press-1/")["Location"] == url_of(device)
    for unknown in ("nothing", "a/b", "%00", "%FF"):
        assert console("acme/operator").get(f"/devices/id/{unknown}/").status_code == 404


def test_id_of_two_tenants_leads_to_the_one_that_is_in(make_device, console, globex, operator):
    old = make_device("press-1")
    logins.delete_login(old.credentials, by=operator)
    new = make_device("press-1", tenant=globex)
    desk = console("management/reader")
    assert desk.get("/devices/id/press-1/")["Location"] == url_of(new)
    delete_object(new, Deletion(logins=True), by=operator)
    assert desk.get("/devices/id/press-1/")["Location"] == url_of(old)
