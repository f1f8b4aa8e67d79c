"""What is asked for stands in the URL, and no URL can break the list."""

import base64
import json
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.groups import group_at
from registration.console import filters
from registration.lifecycle import Stage
from registration.models import Registration
from tenants.actors import SYSTEM
from tests.consoles import LIST, read, shown_ids
from tests.support import knock

OPTIONS = "/devices/groups/options/"


@pytest.mark.parametrize(
    ("searched", "found"),
    [
        ("press", {"press-7", "Press-8"}),
        ("PRESS-7", {"press-7"}),
        ("ss-", {"press-7", "Press-8"}),
        (" press-7 ", {"press-7"}),
        ("%", {"100%"}),
        ("_", {"under_score"}),
        ("ü", {"fühler"}),
        ("'", {"o'brien"}),
        ("", {"press-7", "Press-8", "100%", "under_score", "fühler", "o'brien"}),
        ("nothing", set()),
    ],
)
def test_search_finds_a_part_of_the_id(make_registration, desk, searched, found):
    for device in ("press-7", "Press-8", "100%", "under_score", "fühler", "o'brien"):
        make_registration(device)
    response = desk.get(LIST, {"q": searched})
    assert set(shown_ids(response)) == found
    assert read(response).one("input", name="q")["value"] == searched.strip()
    if found:
        assert f"of {len(found)}" in read(response).one("nav", aria_label="Pages").text


def test_search_in_a_long_list_finds_what_ids_begin_with(make_registration, desk, monkeypatch):
    for device in ("press-7", "press-8", "old-press", "Press-9"):
        make_registration(device)
    monkeypatch.setattr(filters, "SUBSTRING_UP_TO", 3)
    response = desk.get(LIST, {"q": "press"})
    assert shown_ids(response) == ["press-7", "press-8"]
    assert "search finds IDs that begin with the text" in read(response).text


def test_count_that_nobody_keeps_ends_at_its_limit(make_registration, desk, monkeypatch):
    for number in range(5):
        make_registration(f"press-{number}")
    monkeypatch.setattr(filters, "COUNTED_UP_TO", 3)
    assert "1\N{EN DASH}5 of more than 3" in read(desk.get(LIST, {"q": "press"})).text
    assert "1\N{EN DASH}5 of 5" in read(desk.get(LIST)).text


def test_search_keeps_to_the_tenant(make_registration, desk, globex):
    make_registration("press-7")
    make_registration("press-8", tenant=globex)
    assert shown_ids(desk.get(LIST, {"q": "press"})) == ["press-7"]


def test_sorting_goes_by_what_the_heading_says(make_registration, desk):
    rows = [make_registration(name) for name in ("b", "a", "c")]
    knock(rows[2])
    for sort, order in {
        "": ["c", "a", "b"],
        "-created": ["c", "a", "b"],
        "created": ["b", "a", "c"],
        "device": ["a", "b", "c"],
        "-device": ["c", "b", "a"],
        "-contact": ["c", "a", "b"],
        "contact": ["b", "a", "c"],
    }.items():
        assert shown_ids(desk.get(LIST, {"sort": sort})) == order, sort


def test_heading_says_the_order_and_turns_it_round(make_registration, desk):
    make_registration("press-7")
    page = read(desk.get(LIST))
    assert [th.text for th in page.all("th", aria_sort=True)] == ["Created"]
    assert page.one("th", aria_sort="descending").one("a")["href"] == f"{LIST}?sort=created"
    page = read(desk.get(LIST, {"sort": "device", "q": "press"}))
    heading = page.one("th", aria_sort="ascending")
    assert heading.text == "Device"
    assert heading.one("a")["href"] == f"{LIST}?sort=-device&q=press"


@pytest.fixture
def halls(make_registration, acme, globex):
    """Groups of two tenants, some with the same path, and a device in each."""
    groups = {
        "acme": group_at(acme, "Plant A/Hall 2", by=SYSTEM),
        "globex": group_at(globex, "Plant A/Hall 2", by=SYSTEM),
        "secret": group_at(globex, "Secret lab", by=SYSTEM),
    }
    make_registration("of-acme", group=groups["acme"])
    make_registration("of-globex", tenant=globex, group=groups["globex"])
    make_registration("secret", tenant=globex, group=groups["secret"])
    make_registration("in-none")
    return groups


def test_group_filter_shows_the_group_at_a_path(halls, desk):
    for typed in ("Plant A/Hall 2", " Plant A / Hall 2 "):
        response = desk.get(LIST, {"group": typed})
        assert shown_ids(response) == ["of-acme"]
        assert "1\N{EN DASH}1 of 1" in read(response).text
        assert read(response).one("input", name="group")["value"] == "Plant A/Hall 2"


def test_group_filter_reaches_every_group(make_registration, desk, acme):
    for number in range(150):
        group = group_at(acme, f"Hall {number:03}", by=SYSTEM)
    make_registration("press-7", group=group)
    make_registration("press-8")
    assert shown_ids(desk.get(LIST, {"group": "Hall 149"})) == ["press-7"]
    offered = desk.get(f"{OPTIONS}?everywhere=1", {"group": "149"}, target="x")
    assert [one["data-value"] for one in read(offered).all("li")] == ["Hall 149", "149"]


def test_management_finds_a_path_in_all_tenants_or_in_one(halls, console):
    desk = console("management/reader")
    assert set(shown_ids(desk.get(LIST, {"group": "Plant A/Hall 2"}))) == {"of-acme", "of-globex"}
    asked = {"group": "Plant A/Hall 2", "tenant": "globex"}
    assert shown_ids(desk.get(LIST, asked)) == ["of-globex"]
    assert shown_ids(desk.get(LIST, {"group": "Secret lab"})) == ["secret"]
    assert shown_ids(desk.get(LIST, {"group": "Secret lab", "tenant": "acme"})) == []


@pytest.mark.parametrize("group", ["Hall 9", "plant a/hall 2", "Secret lab", "a//b", "987654"])
def test_group_that_is_not_there_has_no_devices(halls, desk, group):
    response = desk.get(LIST, {"group": group})
    assert shown_ids(response) == []
    assert "Nothing here" in read(response).text
    assert f"There is no group “{group}”." in read(response).text
    assert read(response).one("input", name="group")["value"] == group


def test_link_with_the_id_of_a_group_still_works(halls, desk, console):
    response = desk.get(LIST, {"group": halls["acme"].pk})
    assert shown_ids(response) == ["of-acme"]
    assert read(response).one("input", name="group")["value"] == "Plant A/Hall 2"
    assert shown_ids(desk.get(LIST, {"group": halls["secret"].pk})) == []
    assert b"Secret lab" not in desk.get(LIST, {"group": halls["secret"].pk}).content
    desk = console("management/reader")
    assert shown_ids(desk.get(LIST, {"group": halls["secret"].pk})) == ["secret"]


def test_path_comes_before_an_id(halls, make_registration, desk, acme):
    number = str(halls["acme"].pk)
    make_registration("in-number", group=group_at(acme, number, by=SYSTEM))
    assert shown_ids(desk.get(LIST, {"group": number})) == ["in-number"]


def test_one_group_is_looked_up_by_equality(halls, acme):
    query = filters.RegistrationQuery.read(acme, QueryDict("group=Plant+A/Hall+2"))
    assert f'"group_id" = {halls["acme"].pk}' in str(query.rows().query)


def test_suggestions_of_the_filter_are_those_one_may_look_at(halls, console):
    def offered(login, url):
        options = read(console(login).get(f"{OPTIONS}{url}")).all("li", role="option")
        return [option["data-value"] for option in options]

    everywhere = ["Plant A", "Plant A/Hall 2", "Secret lab"]
    assert offered("management/reader", "?everywhere=1&tenant=") == everywhere
    assert offered("management/reader", "?everywhere=1&group=lab") == ["Secret lab"]
    assert offered("management/reader", "?everywhere=1&tenant=acme") == everywhere[:2]
    assert offered("management/reader", "?everywhere=1&tenant=%00") == everywhere
    assert offered("management/operator", "") == []
    assert offered("acme/reader", "?everywhere=1") == everywhere[:2]
    assert offered("acme/reader", "?everywhere=1&tenant=globex") == []


def test_filter_of_groups_is_there_as_soon_as_there_are_groups(desk, acme, globex):
    group_at(globex, "Secret lab", by=SYSTEM)
    assert not read(desk.get(LIST)).all("input", name="group")
    group_at(acme, "Hall 2", by=SYSTEM)
    assert read(desk.get(LIST)).one("input", name="group")["value"] == ""


def test_tenant_filter_is_for_management(make_registration, desk, console, globex):
    make_registration("press-7")
    make_registration("press-8", tenant=globex, stage=Stage.PENDING)
    response = console("management/reader").get(LIST, {"tenant": "globex"})
    assert shown_ids(response) == ["press-8"]
    assert "1\N{EN DASH}1 of 1" in read(response).text
    assert read(response).one("h1").text == "Device registration 1 open"
    assert shown_ids(desk.get(LIST, {"tenant": "globex"})) == ["press-7"]


def test_filters_work_together(make_registration, console, acme):
    hall = group_at(acme, "Hall 2", by=SYSTEM)
    make_registration("press-7", group=hall, stage=Stage.PENDING)
    make_registration("press-8", group=hall)
    make_registration("saw-1", group=hall, stage=Stage.PENDING)
    make_registration("press-9", stage=Stage.PENDING)
    asked = {"q": "press", "group": hall.pk, "status": "pending", "tenant": "acme"}
    response = console("management/reader").get(LIST, asked)
    assert shown_ids(response) == ["press-7"]
    assert "1\N{EN DASH}1 of 1" in read(response).text


# --- Nonsense -------------------------------------------------------------------------------


def cursor(*parts):
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def raw_cursor(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


NONSENSE = {
    "status": ["nonsense", "OPEN", "\x00", "9" * 400],
    "sort": ["nonsense", "-", "--device", "status", "pk", "tenant__company", "\x00"],
    "tenant": ["nonsense", "\x00", "ac\x00me", "ä" * 500, "' OR 1=1"],
    "group": ["nonsense", "0", "-1", "9" * 18, "9" * 19, "9" * 5000, "\x00", "\u0661"],
    "q": ["\x00", "a\x00b", "\\", "%' OR 1=1 --", "ä" * 5000, "\U0010ffff", "\ud800"],
    "shown": ["nonsense", ",,,", "-1", "9" * 18, "9" * 40, "\x00", ",".join("7" * 900)],
    "after": [
        "nonsense",
        "\x00",
        "ä",
        "=",
        "A",
        "A" * 100_000,
        raw_cursor("[" * 50_000),
        raw_cursor("{" * 3 + "}" * 3),
        raw_cursor("[null,Infinity,0,true]"),
        raw_cursor("[null,1,NaN,false]"),
        raw_cursor("[null,0,-Infinity,false]"),
        raw_cursor("[null,0,1e999,false]"),
        raw_cursor(f"[null,0,{'9' * 4000},true]"),
        raw_cursor(f"[null,0,{'9' * 4400},true]"),
        cursor(None, 0, -5, True),
        cursor(None, 0, 10**30, True),
        cursor(None, 0, 0, False),
        cursor("", 10**30, 10**30, False),
        cursor("", -(10**30), -5, True),
        cursor("a\x00b", 1, 1, False),
        cursor("\ud800", 1, 1, False),
        cursor("ä" * 5000, 1, 1, False),
        cursor(10**30, 1, 1, False),
        cursor(True, 1, 1, False),
        cursor("2026-01-01", 1, 1, False),
        cursor("2026-01-01T00:00:00", 1, 1, False),
        cursor("2026-01-01T00:00:00+00:00", 1, 1, True),
        cursor("0001-01-01T00:00:00+23:59", 1, 1, False),
        cursor("9999-12-31T23:59:59-23:59", 1, 1, True),
        cursor("2026-13-45T99:00:00Z", 1, 1, False),
        cursor([1], 1, 1, False),
        cursor(1, 1, 1),
        cursor(1, 1, 1, 1, 1),
        cursor("x", "1", "1", "false"),
        cursor("x", None, None, None),
    ],
    "unheard-of": ["1", "\x00"],
}
CASES = [(name, value) for name, values in NONSENSE.items() for value in values]


def encoded(**parameters):
    return urlencode(parameters, errors="surrogatepass")


@pytest.mark.parametrize(
    ("name", "value"), CASES, ids=[f"{name} {ascii(value)[:30]}" for name, value in CASES]
)
def test_nonsense_in_the_url_is_harmless(make_registration, console, name, value):
    make_registration("press-7")
    desk = console("management/operator")
    for sort in ("", "device", "-contact") if name == "after" else ("device",):
        response = desk.get(f"{LIST}?{encoded(**({'sort': sort} | {name: value}))}")
        assert response.status_code == 200
        if name not in {"q", "group", "tenant"} or not value.strip("\x00"):
            assert shown_ids(response) == ["press-7"]
            foot = read(response).one("nav", aria_label="Pages")
            assert foot.text.startswith("1\N{EN DASH}1 of 1")


@pytest.mark.parametrize("query", ["%", "%ff", "&&&", "=", "?", "q=%ff%fe", "after=%80", "[]=1;"])
def test_broken_encoding_in_the_url_is_harmless(make_registration, desk, query):
    make_registration("press-7")
    assert desk.get(f"{LIST}?{query}").status_code == 200


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(
        st.sampled_from([*NONSENSE, "externalId", "key"]),
        st.one_of(
            st.text(max_size=40),
            st.integers().map(str),
            st.tuples(
                st.one_of(
                    st.none(),
                    st.text(max_size=5),
                    st.integers(),
                    st.floats(),
                    st.datetimes().map(str),
                ),
                st.one_of(st.integers(), st.floats(), st.text(max_size=5), st.none()),
                st.one_of(st.integers(), st.floats()),
                st.booleans(),
            ).map(lambda parts: cursor(*parts)),
        ),
        max_size=4,
    ),
    st.sampled_from([None, "registration-table", "nonsense"]),
)
def test_no_url_breaks_the_list(desk, acme, parameters, target):
    if not Registration.objects.exists():
        Registration.objects.create(
            tenant=acme, device_id="press-7", status="WAITING_FOR_CONNECTION"
        )
    assert desk.get(f"{LIST}?{encoded(**parameters)}", target=target).status_code == 200
