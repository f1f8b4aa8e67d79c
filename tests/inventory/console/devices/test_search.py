"""What is searched for and filtered by: in small sets, in large ones, together, and nonsense."""

from urllib.parse import urlencode

import pytest
from django.http import QueryDict

from inventory.console.devices import query
from inventory.console.devices.query import DeviceQuery
from inventory.groups import add_to_group, group_at
from inventory.models import State
from tests.consoles import read, shown_ids
from tests.registration.console.test_filters import NONSENSE, encoded

LIST = "/devices/"


@pytest.fixture
def presses(make_device):
    make_device("press-7", name="Große Presse", external_ids=[("c8y_Serial", "SN-100")])
    make_device("Press-8", name="Kleine Presse")
    make_device("100%", name="under_score")
    make_device("o'brien", name="Ümlaut", external_ids=[("imei", "3569-press"), ("x", "press")])
    make_device(name="Press sensor")


INSIDE = [
    ("press", {"press-7", "Press-8", "o'brien", "Press sensor"}),
    ("PRESS-7", {"press-7"}),
    ("presse", {"press-7", "Press-8"}),
    ("ress-", {"press-7", "Press-8"}),
    (" press-7 ", {"press-7"}),
    ("sn-1", {"press-7"}),
    ("3569", {"o'brien"}),
    ("%", {"100%"}),
    ("_", {"100%"}),
    ("'", {"o'brien"}),
    ("nothing", set()),
]


def found(response):
    """Return the IDs of the rows, or the names of those that have none."""
    rows = read(response).one("section", id="device-table").all("tr", data_device=True)
    return {
        row.one("td", class_="cell-name").text if "#" in row.one("a").text else row["data-device"]
        for row in rows
    }


@pytest.mark.parametrize(("searched", "expected"), INSIDE)
def test_search_looks_inside_ids_names_and_external_ids(presses, desk, searched, expected):
    response = desk.get(LIST, {"q": searched})
    assert found(response) == expected
    assert read(response).one("input", name="q")["value"] == searched.strip()
    if expected:
        assert f"of {len(expected)}" in read(response).one("nav", aria_label="Pages").text


BEGINNINGS = [
    ("press", {"press-7", "o'brien", "Press sensor"}),
    ("Press", {"Press-8", "Press sensor"}),
    ("PRESS", {"Press sensor"}),
    ("große p", {"press-7"}),
    ("ümlaut", {"o'brien"}),
    ("SN-", {"press-7"}),
    ("sn-", set()),
    ("esse", set()),
    ("100%", {"100%"}),
]


@pytest.mark.parametrize(("searched", "expected"), BEGINNINGS)
def test_search_in_a_long_list_finds_beginnings(presses, desk, monkeypatch, searched, expected):
    monkeypatch.setattr(query, "SHORT", 3)
    response = desk.get(LIST, {"q": searched})
    assert found(response) == expected
    assert "begin with the text" in read(response).text


def test_search_in_a_long_list_that_finds_too_much_says_so(make_device, desk, monkeypatch):
    monkeypatch.setattr(query, "SHORT", 3)
    monkeypatch.setattr(query, "FOUND_UP_TO", 4)
    for number in range(6):
        make_device(f"press-{number}")
    response = desk.get(LIST, {"q": "press"})
    assert len(found(response)) == 5
    assert "Type more of the name" in read(response).text
    assert "Type more of the name" not in read(desk.get(LIST, {"q": "press-1"})).text


@pytest.mark.parametrize("short", [query.SHORT, 0])
def test_search_keeps_to_the_tenant(make_device, console, globex, monkeypatch, short):
    monkeypatch.setattr(query, "SHORT", short)
    make_device("press-1", external_ids=[("serial", "A1")])
    make_device("press-2", tenant=globex, name="press", external_ids=[("serial", "A2")])
    for text in ("press", "A"):
        assert shown_ids(console("acme/operator").get(LIST, {"q": text})) == ["press-1"]
        everywhere = shown_ids(console("management/reader").get(LIST, {"q": text}))
        assert sorted(everywhere) == ["press-1", "press-2"]
        one = console("management/reader").get(LIST, {"q": text, "tenant": "globex"})
        assert shown_ids(one) == ["press-2"]


# --- Filters --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "ids"),
    [
        ("", {"came", "never", "shut", "#"}),
        ("never", {"never"}),
        ("connected", {"came"}),
        ("disabled", {"shut"}),
        ("none", {"#"}),
        ("nonsense", {"came", "never", "shut", "#"}),
    ],
)
def test_state_filter(make_device, desk, key, ids):
    make_device("came")
    make_device("never", state=State.NEVER_CONNECTED, reports=False)
    make_device("shut", state=State.DISABLED)
    sensor = make_device(name="Sensor")
    shown = {
        "#" if one == str(sensor.pk) else one for one in shown_ids(desk.get(LIST, {"state": key}))
    }
    assert shown == ids
    current = read(desk.get(LIST, {"state": key})).one("nav", aria_label="State")
    assert len(current.all("a", aria_current="true")) == 1


def test_type_filter_is_letter_by_letter(make_device, desk):
    make_device("a", kind="c8y_Linux")
    make_device("b", kind="c8y_Linux2")
    make_device("c", kind="C8Y_LINUX")
    assert shown_ids(desk.get(LIST, {"type": "c8y_Linux"})) == ["a"]
    assert shown_ids(desk.get(LIST, {"type": " c8y_Linux "})) == ["a"]


def test_types_are_suggested_from_where_one_types(make_device, console, globex, acme):
    for number, kind in enumerate(("alpha", "beta", "beta", "gamma", "")):
        make_device(f"d{number}", kind=kind)
    make_device("theirs", kind="bravo", tenant=globex)

    def offered(login, **asked):
        options = read(console(login).get(f"{LIST}types/", asked)).all("option")
        return [option["value"] for option in options]

    assert offered("acme/reader") == ["alpha", "beta", "gamma"]
    assert offered("acme/reader", type="b") == ["beta", "gamma"]
    assert offered("acme/reader", tenant="globex") == ["alpha", "beta", "gamma"]
    assert offered("management/reader") == ["alpha", "beta", "bravo", "gamma"]
    assert offered("management/reader", tenant="globex") == ["bravo"]
    assert offered("acme/reader", type="\x00") == ["alpha", "beta", "gamma"]


def test_suggested_types_end_somewhere(make_device, desk, monkeypatch, acme):
    for number in range(6):
        make_device(f"d{number}", kind=f"type-{number}")
    monkeypatch.setattr(query, "OFFERED", 4)
    assert len(read(desk.get(f"{LIST}types/")).all("option")) == 4


@pytest.fixture
def halls(make_device, globex):
    make_device("in-plant", groups=["Plant A"])
    make_device("in-hall", groups=["Plant A/Hall 2"])
    make_device("in-line", groups=["Plant A/Hall 2/Line 3"])
    make_device("in-both", groups=["Plant A", "Plant A/Hall 2/Line 3"])
    make_device("in-none")
    make_device("theirs", groups=["Plant A/Hall 2", "Secret"], tenant=globex)


@pytest.mark.parametrize("short", [query.SHORT, 1, 0])
@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({"group": "Plant A"}, {"in-plant", "in-both"}),
        ({"group": " Plant A / Hall 2"}, {"in-hall"}),
        ({"group": "Plant A", "below": "1"}, {"in-plant", "in-hall", "in-line", "in-both"}),
        ({"group": "Plant A/Hall 2", "below": "1"}, {"in-hall", "in-line", "in-both"}),
        ({"group": "Secret"}, set()),
        ({"group": "plant a"}, set()),
        ({"group": "//"}, set()),
        ({"group": "Plant A", "below": "1", "q": "in-l"}, {"in-line"}),
        ({"below": "1"}, {"in-plant", "in-hall", "in-line", "in-both", "in-none"}),
    ],
)
def test_group_filter(halls, desk, monkeypatch, short, asked, ids):
    monkeypatch.setattr(query, "SHORT", short)
    response = desk.get(LIST, asked)
    assert len(shown_ids(response)) == len(ids)
    assert set(shown_ids(response)) == ids


def test_management_finds_a_path_in_all_tenants_or_in_one(halls, console):
    desk = console("management/reader")
    hall = {"group": "Plant A/Hall 2"}
    assert set(shown_ids(desk.get(LIST, hall))) == {"in-hall", "theirs"}
    assert shown_ids(desk.get(LIST, hall | {"tenant": "globex"})) == ["theirs"]
    assert shown_ids(desk.get(LIST, hall | {"tenant": "nobody"})) == []


def test_group_of_another_tenant_is_unknown_by_its_id_too(halls, desk, globex, operator):
    secret = group_at(globex, "Secret", by=operator)
    response = desk.get(LIST, {"group": secret.pk})
    assert shown_ids(response) == []
    assert b"Secret" not in response.content


def test_filters_work_together(make_device, console, globex):
    for number, (kind, state, group) in enumerate(
        [
            ("a", "connected", "X"),
            ("a", "disabled", "X"),
            ("b", "disabled", "X"),
            ("a", "disabled", "Y"),
        ]
    ):
        make_device(f"press-{number}", kind=kind, state=State(state), groups=[group])
    make_device("press-9", kind="a", state=State.DISABLED, groups=["X"], tenant=globex)
    asked = {"type": "a", "state": "disabled", "group": "X", "q": "press", "tenant": "acme"}
    response = console("management/reader").get(LIST, asked)
    assert shown_ids(response) == ["press-1"]
    assert read(response).one("h1").text == "All devices 1 found"
    form = read(response).one("form", role="search")
    assert {name: value for name, value in form.fields.items() if value} == asked


# --- Long lists -----------------------------------------------------------------------------


def orders(response):
    """Return the headings that can be sorted by."""
    return {th.text for th in read(response).one("thead").all("th") if th.all("a")}


def test_long_filtered_list_has_the_order_of_its_index_only(make_device, desk, monkeypatch):
    for number in range(4):
        make_device(f"press-{number}", kind="a", groups=["X"], state=State.DISABLED)
    everything = {"Device", "Name", "Last contact", "Registered"}
    assert orders(desk.get(LIST, {"type": "a"})) == everything
    monkeypatch.setattr(query, "SHORT", 3)
    assert orders(desk.get(LIST)) == everything
    assert orders(desk.get(LIST, {"q": "press", "type": "a"})) == everything
    for asked in ({"type": "a"}, {"state": "disabled"}, {"type": "a", "state": "disabled"}):
        response = desk.get(LIST, asked | {"sort": "device"})
        assert orders(response) == {"Registered"}
        assert shown_ids(response)[0] == "press-3"
        assert "shown in the order of registration" in read(response).text
        assert shown_ids(desk.get(LIST, asked | {"sort": "registered"}))[0] == "press-0"
    response = desk.get(LIST, {"group": "X", "sort": "device"})
    assert orders(response) == set()
    assert shown_ids(response)[0] == "press-3"


def test_long_list_is_not_counted_to_its_end(make_device, desk, monkeypatch):
    for number in range(6):
        make_device(f"press-{number}", kind="a", state=State.DISABLED, groups=["X"])
    assert "1\N{EN DASH}6 of 6" in read(desk.get(LIST)).text
    monkeypatch.setattr(query, "SHORT", 3)
    for asked in ("", "?type=a", "?group=X"):
        response = desk.get(f"{LIST}{asked}")
        assert "1\N{EN DASH}6 of more than 3" in read(response).text
        assert "more than 3" in read(response).one("h1").text
    # What several long filters leave together is not known without looking at each.
    response = desk.get(f"{LIST}?type=a&state=disabled")
    assert read(response).one("nav", aria_label="Pages").text == "1\N{EN DASH}6"
    assert read(response).one("h1").text == "All devices"


@pytest.mark.parametrize("asked", ["group=X", "group=X&below=1", "type=a&state=connected&group=X"])
def test_long_group_is_paged_there_and_back(make_device, desk, monkeypatch, acme, operator, asked):
    group = group_at(acme, "X", by=operator)
    below = group_at(acme, "X/Y", by=operator)
    ids = [f"press-{number:02}" for number in range(7)]
    for number, device_id in enumerate(ids):
        device = make_device(device_id, kind="a")
        add_to_group(group, [device], by=operator)
        if number % 2:
            add_to_group(below, [device], by=operator)
    monkeypatch.setattr(query, "SHORT", 3)
    paginator = DeviceQuery.read(acme, QueryDict(asked)).paginator()
    first = paginator.page("", size=3)
    second = paginator.page(first.later, size=3)
    third = paginator.page(second.later, size=3)
    seen = [row.device_id for page in (first, second, third) for row in page.rows]
    assert seen == ids[::-1]
    assert [row.device_id for row in paginator.page(third.earlier, size=3).rows] == seen[3:6]


def test_one_group_is_looked_up_by_equality(halls, acme):
    asked = DeviceQuery.read(acme, QueryDict("group=Plant+A"))
    assert f'"parent_id" = {asked.groups[0].pk}' in str(asked.rows.query)


# --- Nonsense -------------------------------------------------------------------------------

CASES = [
    (name, value)
    for name, values in {**NONSENSE, "type": NONSENSE["q"], "state": NONSENSE["status"]}.items()
    for value in values
]


@pytest.mark.parametrize(("name", "value"), CASES)
def test_no_address_breaks_the_list_or_its_file(make_device, console, name, value):
    make_device("press-1", kind="a", groups=["X"])
    for login in ("acme/operator", "management/reader"):
        person = console(login)
        for more in ("", "&sort=name", "&group=X&below=1"):
            url = f"?{encoded(**{name: value})}{more}"
            assert person.get(f"{LIST}{url}").status_code == 200
            assert b"".join(person.get(f"{LIST}export/{url}").streaming_content)


def test_hostile_search_is_shown_and_never_run(make_device, desk):
    text = '"><script>alert(1)</script>'
    response = desk.get(f"{LIST}?{urlencode({'q': text, 'type': text, 'group': text})}")
    assert read(response).one("input", name="q")["value"] == text
    assert b"<script>alert" not in response.content
