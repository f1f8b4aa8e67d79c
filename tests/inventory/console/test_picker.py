"""What a group picker offers while somebody types."""

import pytest

from inventory import group_search
from inventory.groups import create_group, group_at
from tenants.actors import SYSTEM
from tenants.roles import Role
from tests.consoles import Console, read
from tests.support import give_rights

OPTIONS = "/devices/groups/options/"


@pytest.fixture(autouse=True)
def plants(acme, globex):
    for path in ("Plant A/Hall 2", "Plant A/Hall 3", "Plant B/Hall 2"):
        group_at(acme, path, by=SYSTEM)
    create_group(acme, "Hall without a place", by=SYSTEM, is_loose=True)
    group_at(globex, "Secret hall", by=SYSTEM)


def ask(login, typed="", **asked):
    return read(Console(login).get(OPTIONS, {"for": "place", "place": typed, **asked}, target="x"))


def offered(page):
    """Return the paths that exist, and the one that would be made."""
    options = page.all("li", role="option")
    made = [each for each in options if "picker-create" in (each.attrs.get("class") or "")]
    assert made == options[len(options) - len(made) :]
    return [e["data-value"] for e in options if e not in made], [e["data-value"] for e in made]


def test_matching_part_is_marked(acme):
    page = ask("acme/reader", "hALL 2")
    assert offered(page)[0] == ["Plant A/Hall 2", "Plant B/Hall 2"]
    assert [each.text for each in page.all("mark")] == ["Hall 2", "Hall 2"]
    assert "Plant A/ Hall 2" in page.text


@pytest.mark.parametrize(
    ("typed", "made"),
    [
        ("Plant A/Hall 9", "Plant A/Hall 9"),
        (" Plant A / Hall 9 ", "Plant A/Hall 9"),
        ("Hall", "Hall"),
        ("plant a/hall 2", "plant a/hall 2"),
        ("Plant A/Hall 2", None),
        ("Plant A / Hall 2", None),
        ("Hall without a place", "Hall without a place"),
        ("", None),
        ("Plant A/", None),
        ("a//b", None),
    ],
)
def test_group_is_offered_to_be_made_when_nothing_has_exactly_that_path(typed, made):
    assert offered(ask("acme/operator", typed))[1] == ([made] if made else [])


def test_slash_at_the_end_is_no_mistake_yet():
    assert not ask("acme/operator", "Nowhere/").classed("picker-note")
    (note,) = ask("acme/operator", "a//b").classed("picker-note")
    assert "single slashes" in note.text


@pytest.mark.parametrize(
    ("login", "asked", "may"),
    [
        ("acme/operator", {}, True),
        ("acme/operator", {"find": "1"}, False),
        ("acme/reader", {}, False),
        ("management/operator", {}, True),
        ("management/operator", {"everywhere": "1"}, False),
        ("management/operator", {"everywhere": "1", "tenant": "acme"}, True),
        ("acme/operator", {"everywhere": "1", "tenant": "globex"}, False),
    ],
)
def test_groups_are_made_by_those_who_may_and_where_it_is_clear_for_whom(login, asked, may):
    assert bool(offered(ask(login, "Hall 9", **asked))[1]) is may


def test_who_may_not_make_groups_is_told(person):
    give_rights(person("acme/operator"), Role.INVENTORY_READ)
    (note,) = ask("acme/operator", "Hall 9").classed("picker-note")
    assert (
        note.text
        == "There is no group “Hall 9”. Making groups needs the right ROLE_INVENTORY_ADMIN."
    )
    assert not ask("acme/operator", "Hall 2").classed("picker-note")


def test_filter_says_that_there_is_none():
    (note,) = ask("acme/operator", "Hall 9", find="1").classed("picker-note")
    assert note.text == "There is no group “Hall 9”."


def test_tenant_without_groups_is_told(management):
    (note,) = ask("management/operator").classed("picker-note")
    assert note.text == "There are no groups yet."


def test_nobody_is_offered_groups_of_others():
    for asked in ({}, {"everywhere": "1"}, {"everywhere": "1", "tenant": "globex"}):
        for login in ("acme/operator", "acme/administrator"):
            assert "Secret hall" not in offered(ask(login, "secret", **asked))[0]
    everywhere = offered(ask("management/reader", "hall", everywhere="1"))[0]
    assert "Secret hall" in everywhere
    assert offered(ask("management/reader", "hall", everywhere="1", tenant="globex"))[0] == [
        "Secret hall"
    ]


@pytest.mark.parametrize(
    ("typed", "paths"),
    [
        ("hall 2", ["Plant A/Hall 2", "Plant B/Hall 2"]),
        ("Plant A/hal", ["Plant A/Hall 2", "Plant A/Hall 3"]),
        ("lant", []),
    ],
)
def test_among_many_groups_names_and_paths_are_looked_at_from_their_start(
    monkeypatch, typed, paths
):
    monkeypatch.setattr(group_search, "INSIDE_UP_TO", 2)
    assert offered(ask("acme/reader", typed))[0] == paths
    assert offered(ask("management/reader", typed, everywhere="1"))[0] == paths


def test_suggestions_take_few_queries(django_assert_max_num_queries):
    console = Console("acme/operator")
    console.get(OPTIONS)
    with django_assert_max_num_queries(8):
        console.get(OPTIONS, {"for": "place", "place": "hall"}, target="x")


def test_right_to_see_groups_is_needed(person):
    give_rights(person("acme/operator"), Role.DEVICE_CONTROL_ADMIN)
    assert Console("acme/operator").get(OPTIONS).status_code == 403


def test_suggestions_are_only_looked_at():
    assert Console("acme/operator").post(OPTIONS).status_code == 405
