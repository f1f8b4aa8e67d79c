"""All devices: who sees which, in which order, page by page."""

from datetime import UTC, datetime, timedelta

import pytest

from inventory.console.devices import query
from inventory.device_types import TypeDetails, create_type
from inventory.models import ChildLink, Kind, ManagedObject, State
from tests.consoles import read, shown_ids
from tests.support import give_rights
from ui.tables import PAGE_SIZE

LIST = "/devices/"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def many(acme, globex, management):
    """Devices of three tenants, of which four each were registered in the same second."""
    numbers = range(2 * PAGE_SIZE + 20)
    devices = [
        ManagedObject(
            tenant=(acme, acme, globex, management)[number % 4],
            kind=Kind.DEVICE,
            device_id=f"many-{number:03}",
            name=f"Same {number % 3}",
            name_key=f"same {number % 3}",
            state=State.CONNECTED,
            created_at=NOON - timedelta(seconds=number // 4),
            last_contact_at=NOON,
        )
        for number in numbers
    ]
    ManagedObject.objects.bulk_create(devices)
    return [f"many-{number:03}" for number in numbers]


def link_to(response, text):
    return next(a["href"] for a in read(response).all("a") if a.text == text)


def links(response):
    return {a.text for a in read(response).one("nav", aria_label="Pages").all("a")}


# --- Who sees what --------------------------------------------------------------------------


def test_tenants_see_their_own_devices_and_management_sees_all(make_device, console, globex):
    make_device("of-acme")
    make_device("of-globex", tenant=globex)
    seen = {
        login: set(shown_ids(console(login).get(LIST)))
        for login in ("acme/reader", "globex/operator", "management/reader")
    }
    assert seen == {
        "acme/reader": {"of-acme"},
        "globex/operator": {"of-globex"},
        "management/reader": {"of-acme", "of-globex"},
    }
    assert "Tenant" not in read(console("acme/reader").get(LIST)).one("thead").text
    assert "Tenant" in read(console("management/reader").get(LIST)).one("thead").text
    tenant = read(console("management/reader").get(LIST)).one("input", name="tenant")
    assert tenant["list"] == "tenant-filter-options"
    assert tenant["hx-get"].startswith("/devices/registration/tenants/")
    assert not read(console("acme/reader").get(LIST)).all("input", name="tenant")


def test_list_needs_the_right_to_see_devices(console, person):
    give_rights(person("acme/reader"), "ROLE_DEVICE_CONTROL_READ")
    assert console("acme/reader").get(LIST).status_code == 403
    assert console("acme/reader").get(f"{LIST}export/").status_code == 403
    assert console("acme/reader").get(f"{LIST}types/").status_code == 403


@pytest.mark.parametrize("url", [LIST, f"{LIST}export/", f"{LIST}types/"])
def test_list_is_only_looked_at(desk, url):
    assert desk.post(url).status_code == 405


def test_groups_and_other_objects_are_no_devices(make_device, desk, acme):
    device = make_device("press-1", groups=["Hall 2"])
    ManagedObject.objects.create(tenant=acme, name="a note")
    assert shown_ids(desk.get(LIST)) == ["press-1"]
    assert ManagedObject.objects.count() == 3
    assert device.is_device


def test_row_tells_what_there_is_to_know(make_device, desk):
    make_device(
        "press-1", name="Press 1", kind="press-controller", state=State.DISABLED,
        groups=["Plant B", "Plant A/Hall 2", "Spares"], created_at=NOON,
        last_contact_at=NOON, last_contact_from="192.0.2.7",
    )  # fmt: skip
    (row,) = read(desk.get(LIST)).one("tbody").all("tr")
    cells = {cell["class"]: cell.text for cell in row.all("td")}
    assert cells == {
        "cell-device": "press-1",
        "cell-name": "Press 1",
        "cell-type": "press-controller",
        "cell-groups": "Plant A/Hall 2 Plant B +1 more",
        "cell-state": "Disabled",
        "cell-contact": "1 Mar 2026, 12:00 UTC 192.0.2.7",
        "cell-registered": "1 Mar 2026, 12:00 UTC by operator",
        "cell-by": "operator",
    }


def test_device_without_an_id_is_known_by_its_number(make_device, desk):
    sensor = make_device(name="Sensor")
    (row,) = read(desk.get(LIST)).one("tbody").all("tr")
    assert row.one("a").text == f"#{sensor.pk}"
    assert "No login" in row.text


def test_htmx_gets_the_table_alone(make_device, desk):
    make_device("press-1")
    fragment = read(desk.get(LIST, target="device-table"))
    assert not fragment.all("h1")
    assert fragment.one("section", id="device-table")["data-count"] == "1 device"
    assert read(desk.get(LIST)).one("h1").text == "All devices 1 device"


# --- Nothing to see -------------------------------------------------------------------------


def test_empty_list_says_where_devices_come_from(console, person):
    page = read(console("acme/operator").get(LIST))
    assert "No devices yet" in page.text
    assert page.one("a", class_="button button-primary")["href"] == "/devices/registration/"
    give_rights(person("acme/reader"), "ROLE_INVENTORY_READ")
    assert not read(console("acme/reader").get(LIST)).all("a", class_="button button-primary")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"q": "nothing"}, "Nothing here for “nothing”"),
        ({"group": "Hall 9"}, "There is no group “Hall 9”."),
        ({"group": "Empty"}, "tick “and below”"),
        ({"type": "nothing"}, "choose one from the suggestions"),
        ({"state": "disabled"}, "Nothing here"),
    ],
)
def test_list_that_found_nothing_says_what_to_do(make_device, desk, operator, acme, asked, said):
    from inventory.groups import group_at

    make_device("press-1")
    group_at(acme, "Empty", by=operator)
    page = read(desk.get(LIST, asked))
    assert said in page.text
    assert link_to(desk.get(LIST, asked), "Show all devices") == LIST


# --- Order and pages ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("", ["c", "a", "b"]),
        ("registered", ["b", "a", "c"]),
        ("-registered", ["c", "a", "b"]),
        ("device", ["a", "b", "c"]),
        ("-device", ["c", "b", "a"]),
        ("name", ["b", "c", "a"]),
        ("-name", ["a", "c", "b"]),
        ("contact", ["c", "b", "a"]),
        ("-contact", ["a", "b", "c"]),
        ("nonsense", ["c", "a", "b"]),
        ("-type", ["c", "a", "b"]),
    ],
)
def test_sorting_goes_by_what_the_heading_says(make_device, desk, sort, order):
    minute = timedelta(minutes=1)
    make_device("b", name="alpha", created_at=NOON, last_contact_at=NOON)
    make_device("a", name="Gamma", created_at=NOON + minute, last_contact_at=NOON + minute)
    make_device("c", name="Beta", created_at=NOON + 2 * minute)
    assert shown_ids(desk.get(LIST, {"sort": sort})) == order


def test_heading_says_the_order_and_turns_it_round(make_device, desk):
    make_device("press-1")
    page = read(desk.get(LIST))
    assert page.one("th", aria_sort="descending").one("a")["href"] == f"{LIST}?sort=registered"
    page = read(desk.get(LIST, {"sort": "device", "q": "press"}))
    heading = page.one("th", aria_sort="ascending")
    assert heading.text == "Device"
    assert heading.one("a")["href"] == f"{LIST}?sort=-device&q=press"


@pytest.mark.parametrize("filters", ["", "&q=many", "&state=connected", "&q=same&state=connected"])
@pytest.mark.parametrize(
    "sort", ["", "registered", "name", "-name", "contact", "-contact", "device", "-device"]
)
def test_pages_lead_through_everything_and_back_whatever_is_equal(many, console, sort, filters):
    desk = console("management/reader")
    seen, response = [], desk.get(f"{LIST}?sort={sort}{filters}")
    while True:
        seen += shown_ids(response)
        if "Next" not in links(response):
            break
        response = desk.get(link_to(response, "Next"))
    assert sorted(seen) == many
    back = shown_ids(response)
    while "Previous" in links(response):
        response = desk.get(link_to(response, "Previous"))
        back = shown_ids(response) + back
    assert sorted(set(back)) == many
    assert back[:PAGE_SIZE] == seen[:PAGE_SIZE]


def test_page_says_where_it_is(many, console):
    desk = console("management/reader")
    response = desk.get(LIST)
    assert "1\N{EN DASH}50 of 120" in read(response).text
    response = desk.get(link_to(response, "Next"))
    assert "51\N{EN DASH}100 of 120" in read(response).text
    last = read(response).one("a", aria_label="Last page")["href"]
    assert "71\N{EN DASH}120 of 120" in read(desk.get(last)).text


def test_tenant_pages_through_its_own_only(many, console):
    desk = console("acme/reader")
    first = desk.get(LIST)
    second = desk.get(link_to(first, "Next"))
    seen = shown_ids(first) + shown_ids(second)
    assert sorted(seen) == [one for n, one in enumerate(many) if n % 4 in {0, 1}]


# --- Cost -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [3, PAGE_SIZE])
@pytest.mark.parametrize(
    ("asked", "ceiling"),
    [
        ("", 9),
        ("sort=name", 9),
        ("q=press", 10),
        ("state=connected&type=a", 11),
        ("group=Hall+2", 12),
        ("group=Hall+2&below=1", 13),
        ("device_type=none", 10),
    ],
)
def test_list_costs_the_same_however_much_it_shows(
    make_device, desk, django_assert_max_num_queries, number, asked, ceiling
):
    for n in range(number):
        make_device(f"press-{n}", kind="a", groups=["Hall 2", "Hall 2/Line 1", "Spares"])
    desk.get(LIST)
    with django_assert_max_num_queries(ceiling):
        response = desk.get(f"{LIST}?{asked}")
    assert len(shown_ids(response)) == number
    assert ChildLink.objects.count() == 3 * number + 1


# --- By device type -------------------------------------------------------------------------


@pytest.fixture
def typed(make_device, acme, globex, operator):
    """Devices of two types, of another tenant's, and of none."""
    kinds = {
        name: create_type(tenant, TypeDetails(name), by=operator)
        for name, tenant in (("T2", acme), ("P1", acme), ("Of globex", globex))
    }
    for name, device_ids in (("T2", ["t-1", "t-2"]), ("P1", ["p-1"]), ("Of globex", ["g-1"])):
        for device_id in device_ids:
            device = make_device(device_id, tenant=kinds[name].tenant, kind="a")
            ManagedObject.objects.filter(pk=device.pk).update(device_type=kinds[name])
    make_device("plain", kind="a", groups=["Hall 2"])
    return kinds


@pytest.mark.parametrize("short", [query.SHORT, 0], ids=["short list", "long list"])
@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("device_type={T2}", ["t-2", "t-1"]),
        ("device_type={T2}&state=connected", ["t-2", "t-1"]),
        ("device_type={T2}&state=disabled", []),
        ("device_type={T2}&type=a", ["t-2", "t-1"]),
        ("device_type={T2}&q=t-2", ["t-2"]),
        ("device_type={T2}&group=Hall+2", []),
        ("device_type=none", ["plain"]),
        ("device_type=none&group=Hall+2", ["plain"]),
        ("device_type={Of globex}", []),
        ("device_type=0", []),
        ("device_type=%00%F0", []),
        ("device_type=99999999999999999999999", []),
    ],
)
def test_list_is_narrowed_to_a_device_type(typed, desk, monkeypatch, asked, shown, short):
    monkeypatch.setattr(query, "SHORT", short)
    asked = asked.format(**{name: kind.pk for name, kind in typed.items()})
    page = desk.get(f"{LIST}?{asked}")
    assert shown_ids(page) == shown
    lines = b"".join(desk.get(f"{LIST}export/?{asked}").streaming_content).decode()
    assert lines.count("\r\n") == len(shown) + 1


def test_filter_that_hides_everything_says_so_and_offers_to_clear_it(typed, desk, operator, acme):
    empty = create_type(acme, TypeDetails("New"), by=operator)
    page = desk.get(LIST, {"device_type": empty.pk, "sort": "name"})
    assert "0 of 4 devices match." in read(page).text
    assert link_to(page, "Clear filter") == f"{LIST}?sort=name"
    page = desk.get(LIST, {"device_type": "0"})
    assert "There is no such device type." in read(page).text
    assert link_to(page, "Clear filter") == LIST


def test_device_types_stand_in_the_list_the_filter_and_the_file(typed, desk, console):
    page = read(desk.get(LIST, {"device_type": typed["T2"].pk, "new": "x"}))
    choices = page.one("select", name="device_type")
    assert [option.text for option in choices.all("option")] == [
        "All device types", "No device type", "P1", "T2",
    ]  # fmt: skip
    assert page.one("form", aria_label="Find devices").fields["device_type"] == str(typed["T2"].pk)
    assert {cell.text for cell in page.classed("cell-device-type")} == {"T2"}
    assert "Device type" in page.one("thead").text
    file = desk.get(f"{LIST}export/", {"device_type": typed["T2"].pk})
    assert '"T2"' in b"".join(file.streaming_content).decode()
    above = console("management/administrator")
    seen = above.get(LIST, {"device_type": typed["Of globex"].pk})
    assert shown_ids(seen) == ["g-1"]
    assert "Of globex (globex)" in read(seen).one("select", name="device_type").text


def test_tenant_without_device_types_is_not_bothered_with_them(make_device, desk):
    make_device("press-1")
    page = read(desk.get(LIST))
    assert not page.all("select", name="device_type")
    assert "Device type" not in page.one("thead").text
