"""Queries against real objects: the same answer from every database, and never an error."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory import query as language
from inventory.fields import text_key
from inventory.models import ChildLink, Kind, ManagedObject
from inventory.query import QueryError, parse_query
from inventory.query_filters import filter_objects
from tests.inventory.reference import in_order, passes

by_hypothesis = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
LONG = "Long " + "x" * 240
UMLAUTS = "Ünï ſẞ"

# name, type, owner, kind, fragments; a minute after one another.
OBJECTS = [
    ("Press 1", "c8y_Linux", "device_1", Kind.DEVICE, {"n": 1, "a": {"b": "x"}, "on": True}),
    ("press 2", "c8y_linux", "jo", Kind.DEVICE, {"n": 2.5, "a": {"b": ["x", "y", 3, [7]]}}),
    ("Press 10", "c8y_Linux", "jo", Kind.DEVICE, {"n": "1", "a": {"b": {"c": "x"}}, "on": False}),
    ("50% [a_b] 'q' \\*?", "t%", "j_o", Kind.OTHER, {"n": None, "a": "x", "0": "zero"}),
    ("50% [aXb] 'q' \\z", "t*", "j%o", Kind.OTHER, {"n": -3, "a": [{"b": "x"}], "on": "true"}),
    (UMLAUTS, "Größe", "jö", Kind.OTHER, {"n": 2**53 + 1, "größe": {"ä": "ß"}, "a": {}}),
    ("Hall", "c8y_DeviceGroup", "jo", Kind.GROUP, {"n": [1, 2.5, "1"]}),
    (
        "Line",
        "c8y_DeviceSubGroup",
        "jo",
        Kind.GROUP,
        {"n": 1e300, "a": {"b": True}, "big": 10**400},
    ),
    (LONG, "", "", Kind.OTHER, {"n": "line\nbreak", "a": {"b": None}}),
    ("", "z", "", Kind.OTHER, {"n": {}, "a!1": 1, "12": {"3": "deep"}, "a": {"b": 1}}),
]
NAMES = [each[0] for each in OBJECTS]


@pytest.fixture
def objects(acme, globex):
    """Return the objects of a tenant; another has the same, one group holds three of its own."""
    for tenant in (globex, acme):
        made = ManagedObject.objects.bulk_create(
            ManagedObject(
                tenant=tenant,
                name=name,
                name_key=text_key(name),
                type=kind,
                owner=owner,
                kind=is_a,
                fragments={mark: {} for mark in _marks(is_a)} | fragments,
                reported_at=NOON + timedelta(minutes=number, microseconds=456_789),
                updated_at=NOON - timedelta(minutes=number),
            )
            for number, (name, kind, owner, is_a, fragments) in enumerate(OBJECTS)
        )
        by_name = {one.name: one for one in made}
        ChildLink.objects.bulk_create(
            ChildLink(parent=by_name[parent], child=by_name[child], kind=kind)
            for parent, child, kind in (
                ("Hall", "Line", ChildLink.Kind.ASSET),
                ("Hall", "Press 1", ChildLink.Kind.ASSET),
                ("Line", "press 2", ChildLink.Kind.ASSET),
                ("press 2", "Press 10", ChildLink.Kind.DEVICE),
                ("press 2", UMLAUTS, ChildLink.Kind.ADDITION),
                ("Hall", "press 2", ChildLink.Kind.DEVICE),
            )
        )
    return ManagedObject.objects.for_tenant(acme)


def _marks(kind):
    return {Kind.DEVICE: ["c8y_IsDevice"], Kind.GROUP: ["c8y_IsDeviceGroup"]}.get(kind, [])


@pytest.fixture
def ids(objects):
    """Return the IDs of the objects by their names."""
    return {one.name: one.pk for one in objects.order_by("pk")}


def found(objects, **asked):
    return [one.name for one in filter_objects(objects, **asked)]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name eq 'Press 1'", ["Press 1"]),
        ("name eq 'press 1'", []),
        ("name eq 'Press*'", ["Press 1", "Press 10"]),
        ("name eq '*ress 1*'", ["Press 1", "Press 10"]),
        ("name eq 'P*1'", ["Press 1"]),
        ("name eq '50% [a_b]*'", ["50% [a_b] 'q' \\*?"]),
        ("name eq '*''q'' \\\\\\*?'", ["50% [a_b] 'q' \\*?"]),
        ("name eq '*?'", ["50% [a_b] 'q' \\*?"]),
        ("name eq 'Ünï*'", [UMLAUTS]),
        ("name eq 'ünï*'", []),
        (f"name eq '{LONG}'", [LONG]),
        (f"name eq '{LONG}x*'", []),
        (f"name eq '{LONG[:-2]}*'", [LONG]),
        ("name eq '*'", [name for name in NAMES if name]),
        ("name eq null", [""]),
        ("name gt 'a'", ["press 2", UMLAUTS]),
        ("type eq c8y_Linux", ["Press 1", "Press 10"]),
        ("type eq 't%'", ["50% [a_b] 'q' \\*?"]),
        ("type eq 't\\*'", ["50% [aXb] 'q' \\z"]),
        ("owner eq 'j_o'", ["50% [a_b] 'q' \\*?"]),
        ("owner eq 'j*o'", [n for n, _t, owner, *_ in OBJECTS if re.match("j.*o$", owner)]),
        ("owner ne 'jo' and has(c8y_IsDevice)", ["Press 1"]),
        ("has(c8y_IsDevice)", ["Press 1", "press 2", "Press 10"]),
        ("has(c8y_IsDeviceGroup)", ["Hall", "Line"]),
        ("not has(a) and not has(c8y_IsDevice)", ["Hall"]),
        ("has(a.b)", ["Press 1", "press 2", "Press 10", "Line", LONG, ""]),
        ("has(a.b.c)", ["Press 10"]),
        ("has(0)", ["50% [a_b] 'q' \\*?"]),
        ("has(12.3)", [""]),
        ("has(a!1)", [""]),
        ("has(a.0)", []),
        ("größe.ä eq 'ß'", [UMLAUTS]),
        ("hasany(größe,0)", ["50% [a_b] 'q' \\*?", UMLAUTS]),
        ("n eq 1", ["Press 1", "Hall"]),
        ("n eq '1'", ["Press 10", "Hall"]),
        ("n eq 2.5", ["press 2", "Hall"]),
        ("n gt 1f", ["press 2", UMLAUTS, "Hall", "Line"]),
        ("n lt 0", ["50% [aXb] 'q' \\z"]),
        ("n eq 9007199254740993", [UMLAUTS]),
        ("n eq 9007199254740992", []),
        ("n eq null", ["50% [a_b] 'q' \\*?"]),
        ("n gt 99999999999999999999", ["Line"]),
        ("n eq 'line*break'", [LONG]),
        ("big gt 1e300", ["Line"]),
        ("big eq 0 or big lt 99999999999999999999", []),
        ("a.b eq 'x'", ["Press 1", "press 2"]),
        ("a.b ne 'x' and has(c8y_IsDevice)", ["Press 10"]),
        ("a.b eq 7", []),
        ("a.b eq '*'", ["Press 1", "press 2"]),
        ("a.b gt 'x'", ["press 2"]),
        ("a.b eq null and has(a.b)", [LONG]),
        ("on eq true", ["Press 1"]),
        ("on eq 'true'", ["50% [aXb] 'q' \\z"]),
        ("on ne true and has(on)", ["Press 10", "50% [aXb] 'q' \\z"]),
        ("creationTime.date lt '2026-01-31T12:01:00Z'", ["Press 1"]),
        ("creationTime le '2026-01-31T12:00:00.456Z'", ["Press 1"]),
        ("creationTime.date eq '2026-01-31T13:00:00.456+01:00'", ["Press 1"]),
        ("creationTime eq 2026-01-31T12:00:00.456", ["Press 1"]),
        ("creationTime gt '2026-01-31T12:08:00.456Z'", [""]),
        ("creationTime ge '2026-01-31T12:08:00.456Z'", [LONG, ""]),
        ("lastUpdated.date ge 2026-01-31", ["Press 1"]),
        ("creationTime lt '0001-01-01T00:00:00Z'", []),
        ("creationTime gt '9999-12-31T23:59:59.999Z'", []),
        ("creationTime eq null", []),
        ("text eq 'PRESS'", ["Press 1", "press 2", "Press 10"]),
        ("text eq '*ss 1*'", ["Press 1", "Press 10"]),
        ("id eq 'x' or id eq 99999999999999999999 or id gt 99999999999999999999", []),
        ("bygroupid(99999999999999999999) or isinhierarchyof(99999999999999999999)", []),
        ("c8y_IsDevice eq 'x' or name.first eq 'x' or childAssets eq 'x'", []),
    ],
)  # fmt: skip
def test_query_finds(objects, query, names):
    if query == "lastUpdated.date ge 2026-01-31":
        names = NAMES  # a day alone is its first moment
    assert found(objects, query=query) == names


@pytest.mark.parametrize(
    "query",
    [
        "creationTime gt 'yesterday'",
        "creationTime.date eq '2026-02-30'",
        "creationTime eq '2026-*'",
        "creationTime gt '0001-01-01T00:00:00+14:00'",
        "creationTime gt true",
        "id gt 'x'",
        "id lt -1",
        "id gt ²",
        "name gt null",
        "n lt true",
        "a.b ge null",
    ],
)
def test_comparison_that_makes_no_sense_is_refused(objects, query):
    with pytest.raises(QueryError, match=r"\.$"):
        filter_objects(objects, query=query)


def test_ids_are_compared_as_numbers_and_matched_as_text(objects, ids):
    first, last = min(ids.values()), max(ids.values())
    assert found(objects, query=f"id eq '{first}'") == found(objects, query=f"_id eq {first}")
    assert found(objects, query=f"id eq '{first}'") == ["Press 1"]
    assert found(objects, query=f"_id gt '{first}' and id lt {last}") == NAMES[1:-1]
    assert found(objects, query="_id lt 99999999999999999999") == NAMES
    starting = [name for name, pk in ids.items() if str(pk).startswith(str(first)[0])]
    assert found(objects, query=f"id eq '{str(first)[0]}*'") == starting


def test_group_finds_its_members_and_its_hierarchy_all_that_is_beneath(objects, ids, globex):
    hall, line, press = ids["Hall"], ids["Line"], ids["press 2"]
    assert found(objects, query=f"bygroupid({hall})") == ["Press 1", "Line"]
    assert found(objects, query=f"bygroupid({hall},{line})") == ["Press 1", "press 2", "Line"]
    assert found(objects, query=f"not bygroupid({hall}) and has(c8y_IsDevice)") == [
        "press 2",
        "Press 10",
    ]
    beneath = ["Press 1", "press 2", "Press 10", UMLAUTS, "Hall", "Line"]
    assert found(objects, query=f"isinhierarchyof({hall})") == beneath
    assert found(objects, query=f"isinhierarchyof({line})") == [*beneath[1:4], "Line"]
    assert found(objects, query=f"isinhierarchyof({ids['Press 1']},{press})") == beneath[:4]
    theirs = ManagedObject.objects.for_tenant(globex).get(name="Hall").pk
    for asked in (f"bygroupid({theirs})", f"isinhierarchyof({theirs})", f"id eq {theirs}"):
        assert found(objects, query=asked) == []


def test_circle_of_links_ends(objects, ids):
    ChildLink.objects.create(parent_id=ids["Press 1"], child_id=ids["Hall"])
    assert "Hall" in found(objects, query=f"isinhierarchyof({ids['Hall']})")


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, NAMES),
        ({"type": "c8y_Linux"}, ["Press 1", "Press 10"]),
        ({"type": "c8y_*"}, []),
        ({"fragment_type": "c8y_IsDevice"}, ["Press 1", "press 2", "Press 10"]),
        ({"fragment_type": "größe"}, [UMLAUTS]),
        ({"fragment_type": "a.b.c"}, ["Press 10"]),
        ({"fragment_type": 'a"b'}, []),
        ({"fragment_type": "name"}, []),
        ({"owner": "device_1"}, ["Press 1"]),
        ({"owner": "jo", "type": "c8y_Linux"}, ["Press 10"]),
        ({"text": "PRESS 1"}, ["Press 1", "Press 10"]),
        ({"text": "'press 1'"}, ["Press 1", "Press 10"]),
        ({"text": "''Q''"}, ["50% [a_b] 'q' \\*?", "50% [aXb] 'q' \\z"]),
        ({"text": "A_B"}, ["50% [a_b] 'q' \\*?"]),
        ({"text": "ÜNÏ SSS"}, [UMLAUTS]),
        ({"q": ""}, ["Press 1", "press 2", "Press 10"]),
        ({"q": "$filter=(name eq '*1*')"}, ["Press 1", "Press 10"]),
        ({"query": "$orderby=name desc", "type": "c8y_Linux"}, ["Press 10", "Press 1"]),
        ({"q": "owner eq jo", "query": "$orderby=n"}, ["press 2", "Press 10"]),
        ({"ids": ""}, []),
        ({"ids": "x,-1,99999999999999999999,²,\x00"}, []),
        ({"only_roots": True, "owner": "jo"}, ["Hall"]),
        ({"type": "", "owner": "", "text": "", "fragment_type": "", "child_asset_id": ""}, NAMES),
    ],
    ids=str,
)
def test_plain_filters_are_combined(objects, asked, names):
    assert found(objects, **asked) == names


def test_ids_and_children_are_found_by_number(objects, ids, globex):
    wanted = f"{ids['Line']}, {ids['Hall']},{ids['Line']},0"
    assert found(objects, ids=wanted) == ["Hall", "Line"]
    press = str(ids["press 2"])
    assert found(objects, child_asset_id=press) == ["Line"]
    assert found(objects, child_device_id=press) == ["Hall"]
    assert found(objects, child_addition_id=press) == []
    assert found(objects, child_addition_id=str(ids[UMLAUTS])) == ["press 2"]
    theirs = ManagedObject.objects.for_tenant(globex).get(name="press 2").pk
    assert found(objects, child_asset_id=str(theirs)) == found(objects, ids=str(theirs)) == []
    assert found(objects, child_asset_id="x") == found(objects, child_device_id="9" * 20) == []


@pytest.mark.parametrize("query", ["has(a.b.c)", "a.b eq 'x'", "isinhierarchyof(1)", "n gt 1"])
def test_what_was_found_can_be_counted_and_cut(objects, query):
    found_ones = filter_objects(objects, query=f"$filter={query} $orderby=n,a.b desc")
    assert found_ones.count() == len(found_ones) == len(found_ones.exclude(pk=0)[:100])
    assert found_ones.filter(pk__in=found_ones.values("pk")).count() == len(found_ones)


@pytest.mark.postgres
@pytest.mark.parametrize("query", ["type gt 'x'", "a.b gt 'x'", "$orderby=type", "$orderby=a.b"])
def test_text_goes_by_bytes_whatever_the_language_of_the_database(objects, query):
    # The database of the suite sorts by bytes anyway.
    assert 'COLLATE "C"' in str(filter_objects(objects, query=query).query)


# --- Whatever is asked ----------------------------------------------------------------------

PROPERTIES = """
    name type owner id _id creationTime.date lastUpdated n a a.b a.b.c on 0 12.3 größe.ä a!1 text
    c8y_IsDevice missing.x
"""
LITERALS = """
    1 2.5 -3 1f 0 1e300 9007199254740993 99999999999999999999 true false null jo c8y_*
    2026-01-31T12:03:00.456 '2026-01-31T12:03:00.456Z'
"""
PATHS = st.sampled_from(PROPERTIES.split())
TEXTS = st.text(alphabet="Press12 *%_[]?\\^-'xabjo5Üẞß\n", max_size=6)
VALUES = st.one_of(
    TEXTS.map(lambda text: "'" + text.replace("'", "''") + "'"),
    st.sampled_from(LITERALS.split()),
    st.sampled_from([f"'{name[:20]}*'" for name in NAMES if "'" not in name]),
)
OPERATORS = st.sampled_from([*language.OPERATORS])
COMPARISONS = st.tuples(PATHS, OPERATORS, VALUES).map(" ".join)
CONDITIONS = st.recursive(
    COMPARISONS | PATHS.map("has({})".format),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map("".join),
        inner.map("not ({})".format),
        inner.map("({})".format),
    ),
    max_leaves=5,
)
ORDERS = st.lists(st.tuples(PATHS, st.sampled_from(["", " asc", " desc"])).map("".join), max_size=3)


@by_hypothesis
@given(CONDITIONS, ORDERS)
def test_database_finds_what_python_finds(objects, condition, order):
    text = f"$filter={condition} $orderby={','.join(order)}"
    try:
        rows = filter_objects(objects, query=text)
    except QueryError:
        return
    query = parse_query(text)
    expected = [one for one in objects.all() if passes(one, query.condition)]
    assert list(rows) == in_order(expected, query.order)


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize(
    "path", ["n", "a", "a.b", "on", "big", "name", "type", "creationTime.date", "id"]
)
def test_order_is_the_same_everywhere(objects, path, direction):
    text = f"$orderby={path} {direction}"
    rows = filter_objects(objects, query=text)
    assert list(rows) == in_order(list(objects.all()), parse_query(text).order)


ANYTHING = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="\x00\ud800\udc00'\"\\%_[]{}()$.*?;-+019aeénull ", max_size=30),
)


@by_hypothesis
@given(ANYTHING, st.sampled_from(["{}", "name eq '{}'", "a eq '{}*'", "has({})", "{} eq 1",
                                  "$orderby={}", "id eq {}", "creationTime ge '{}'",
                                  "n lt {}", "bygroupid({})"]))  # fmt: skip
def test_no_query_breaks_a_database(objects, text, around):
    for asked in ({"query": around.format(text)}, {"q": text}):
        try:
            rows = filter_objects(objects, **asked)
        except QueryError:
            continue
        list(rows)


@by_hypothesis
@given(
    ANYTHING,
    st.sampled_from(
        ["type", "fragment_type", "owner", "ids", "text", "child_asset_id", "child_device_id"]
    ),
)
def test_no_plain_filter_breaks_a_database(objects, text, name):
    list(filter_objects(objects, **{name: text}))
