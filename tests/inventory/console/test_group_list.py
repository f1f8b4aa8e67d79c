"""The page *Groups*: the tree, what is unfolded in it, and what a search finds."""

import pytest

from inventory import group_numbers, group_search
from inventory.console.groups import tree
from inventory.groups import add_to_group, create_group, group_at
from inventory.models import DeviceGroup, ManagedObject
from tenants.actors import SYSTEM
from tests.consoles import read

GROUPS = "/devices/groups/"


@pytest.fixture
def plants(acme, globex):
    """Return groups by their paths; those of globex under the name of the tenant."""
    for path in ("Plant A/Hall 1/Line 1", "Plant A/Hall 2", "Plant B"):
        group_at(acme, path, by=SYSTEM)
    group_at(globex, "Secret lab/Bench", by=SYSTEM)
    return {str(group): group for group in DeviceGroup.objects.all()}


def names(response):
    """Return the names in the tree, from top to bottom."""
    return [each.text for each in read(response).classed("tree-name")]


def found(response):
    return [each.text for each in read(response).classed("cell-path")]


def follow(desk, page, label, **how):
    link = read(page).one("a", aria_label=label)
    return desk.client.get(link["href"], follow=True, **how)


def test_top_level_is_shown_by_name_and_nothing_of_other_tenants(plants, desk):
    page = desk.get(GROUPS)
    assert names(page) == ["Plant A", "Plant B"]
    assert "Secret" not in page.content.decode()
    toggles = read(page).classed("tree-toggle")
    assert [(each["aria-label"], each["aria-expanded"]) for each in toggles] == [
        ("Groups in Plant A", "false")
    ]


def test_tree_unfolds_and_folds_by_links_alone(plants, desk):
    page = follow(desk, desk.get(GROUPS), "Groups in Plant A")
    assert names(page) == ["Plant A", "Hall 1", "Hall 2", "Plant B"]
    page = follow(desk, page, "Groups in Hall 1")
    assert names(page) == ["Plant A", "Hall 1", "Line 1", "Hall 2", "Plant B"]
    assert read(page).one("a", aria_label="Groups in Plant A")["aria-expanded"] == "true"
    page = follow(desk, page, "Groups in Plant A")
    assert names(page) == ["Plant A", "Plant B"]


def test_htmx_gets_the_one_branch(plants, desk):
    link = read(desk.get(GROUPS)).one("a", aria_label="Groups in Plant A")
    branch = desk.get(link["hx-get"], target=link["hx-target"])
    assert names(branch) == ["Plant A", "Hall 1", "Hall 2"]
    assert not read(branch).all("html")
    # What is open is asked for again when the tree changes.
    assert [each["value"] for each in read(branch).all("input", name="open")] == [
        str(plants["Plant A"].pk)
    ]


def test_branch_on_the_page_of_a_group_comes_back_to_it(plants, desk):
    here = f"{GROUPS}{plants['Plant A'].pk}/"
    page = follow(desk, desk.get(here), "Groups in Hall 1")
    assert page.redirect_chain[0][0].startswith(here)
    assert names(page) == ["Hall 1", "Line 1", "Hall 2"]


def test_management_sees_the_trees_of_all_tenants_or_of_one(plants, console):
    desk = console("management/reader")
    page = desk.get(GROUPS)
    assert names(page) == ["Plant A", "Plant B", "Secret lab"]
    tenants = [each.text for each in read(page).classed("tree-tenant")]
    assert tenants == ["acme", "acme", "globex"]
    assert names(desk.get(GROUPS, {"tenant": "globex"})) == ["Secret lab"]
    assert "There is no tenant “nobody”" in read(desk.get(GROUPS, {"tenant": "nobody"})).text
    assert found(desk.get(GROUPS, {"q": "bench"})) == ["Secret lab/Bench"]
    assert found(desk.get(GROUPS, {"q": "bench", "tenant": "acme"})) == []


def test_filter_by_tenant_is_for_management_alone(plants, desk):
    assert names(desk.get(GROUPS, {"tenant": "globex"})) == ["Plant A", "Plant B"]


@pytest.mark.parametrize(
    ("typed", "paths"),
    [
        ("HALL", ["Plant A/Hall 1", "Plant A/Hall 1/Line 1", "Plant A/Hall 2"]),
        ("a / hall 2", ["Plant A/Hall 2"]),
        ("line", ["Plant A/Hall 1/Line 1"]),
        ("secret", []),
        ("%", []),
        ("a\x00\ud800b", []),
        ("x" * 600, []),
    ],
)
def test_search_looks_inside_the_paths(plants, desk, typed, paths):
    assert found(desk.get(GROUPS, {"q": typed.encode(errors="replace")})) == paths


@pytest.mark.parametrize(
    ("typed", "paths"),
    [
        ("HALL", ["Plant A/Hall 1", "Plant A/Hall 2"]),
        ("plant", ["Plant A", "Plant B"]),
        ("Plant A/hall 2", ["Plant A/Hall 2"]),
        ("Plant A / ", ["Plant A/Hall 1", "Plant A/Hall 2"]),
        ("Plant C/hall", []),
        ("Secret lab/", []),
        ("lant", []),
    ],
)
@pytest.mark.parametrize("login", ["acme/reader", "management/reader"])
def test_among_many_groups_search_looks_at_the_start(
    plants, console, monkeypatch, typed, paths, login
):
    monkeypatch.setattr(group_search, "INSIDE_UP_TO", 2)
    asked = {"q": typed} if login.startswith("acme") else {"q": typed, "tenant": "acme"}
    assert found(console(login).get(GROUPS, asked)) == paths


def test_search_among_many_reaches_all_tenants(plants, console, monkeypatch):
    monkeypatch.setattr(group_search, "INSIDE_UP_TO", 2)
    desk = console("management/reader")
    assert found(desk.get(GROUPS, {"q": "Secret lab/be"})) == ["Secret lab/Bench"]
    assert found(desk.get(GROUPS, {"q": "ben"})) == ["Secret lab/Bench"]


def test_group_without_a_place_is_shown_as_such(acme, desk):
    create_group(acme, "loose", by=SYSTEM, is_loose=True)
    page = read(desk.get(GROUPS))
    assert "No place yet" in page.classed("tree-row")[0].text
    assert not page.all("a", aria_label="Create a group in loose")
    assert found(desk.get(GROUPS, {"q": "loo"})) == ["loose No place yet"]


def test_devices_are_counted_up_to_a_limit_and_without_groups(acme, desk, monkeypatch):
    monkeypatch.setattr(group_numbers, "SHOWN_UP_TO", 3)
    for path, number in {"few": 1, "all/below": 0, "many": 4, "both/below": 3}.items():
        group_at(acme, path, by=SYSTEM)
        group = DeviceGroup.objects.for_tenant(acme).get(path=path.partition("/")[0])
        devices = [ManagedObject(tenant=acme, kind="device", name="d") for _ in range(number)]
        add_to_group(group, ManagedObject.objects.bulk_create(devices), by=SYSTEM)
    shown = {
        row.classed("tree-name")[0].text: row.classed("tree-number")[0].text
        for row in read(desk.get(GROUPS)).classed("tree-row")
    }
    assert shown == {
        "few": "1 device",
        "all": "\N{EN DASH} no devices",
        "many": "3+ devices",
        "both": "3 devices",
    }


def test_long_levels_are_paged(acme, desk, monkeypatch):
    monkeypatch.setattr(tree, "PAGE_SIZE", 5)
    for number in range(7):
        group_at(acme, f"Top {number}", by=SYSTEM)
        group_at(acme, f"Top 0/Below {number}", by=SYSTEM)
    top = DeviceGroup.objects.for_tenant(acme).get(path="Top 0")
    page = desk.get(GROUPS, {"open": top.pk})
    assert "Show all groups in Top 0" in read(page).text
    assert names(page)[:7] == ["Top 0", *(f"Below {n}" for n in range(5)), "Top 1"]


def test_pages_of_the_top_level_follow_one_another(acme, desk):
    for number in range(55):
        group_at(acme, f"Top {number:02}", by=SYSTEM)
    page = desk.get(GROUPS)
    assert names(page) == [f"Top {number:02}" for number in range(50)]
    assert "1\N{EN DASH}50 of 55" in read(page).text
    page = desk.get(read(page).one("a", rel="next")["href"])
    assert names(page) == [f"Top {number:02}" for number in range(50, 55)]
    assert names(desk.get(GROUPS, {"after": "damaged"}))[0] == "Top 00"


def test_page_takes_few_queries_however_many_groups_there_are(
    plants, acme, desk, django_assert_max_num_queries
):
    desk.get(GROUPS)
    for number in range(60):
        group_at(acme, f"Top {number}/Below", by=SYSTEM)
    with django_assert_max_num_queries(9):
        desk.get(GROUPS)
    with django_assert_max_num_queries(10):
        desk.get(GROUPS, {"q": "below"})
    with django_assert_max_num_queries(11):
        desk.get(GROUPS, {"open": plants["Plant A"].pk})
    with django_assert_max_num_queries(14):
        desk.get(f"{GROUPS}{plants['Plant A/Hall 1'].pk}/")


def test_empty_page_says_what_groups_are_for(desk, console):
    page = read(desk.get(GROUPS))
    assert "No groups yet" in page.text
    assert len(page.all("a", href=f"{GROUPS}new/")) == 2
    assert not read(console("acme/reader").get(GROUPS)).all("a", href=f"{GROUPS}new/")


def test_reader_is_offered_nothing_to_change(plants, console):
    reader = console("acme/reader")
    for url in (GROUPS, f"{GROUPS}{plants['Plant A'].pk}/", f"{GROUPS}?q=hall"):
        page = read(reader.get(url))
        assert not page.classed("row-actions")


@pytest.mark.parametrize("login", ["acme/operator", "globex/administrator"])
@pytest.mark.parametrize("what", ["", "node/"])
def test_group_of_another_tenant_is_not_there(plants, console, login, what):
    path = "Secret lab" if login.startswith("acme") else "Plant A"
    assert console(login).get(f"{GROUPS}{plants[path].pk}/{what}").status_code == 404
    assert console(login).get(f"{GROUPS}{2**63}/{what}").status_code == 404


# --- The page of one group ------------------------------------------------------------------


def test_page_of_a_group_tells_where_it_is_and_what_is_in_it(plants, acme, desk, operator):
    hall = plants["Plant A/Hall 1"]
    press = ManagedObject.objects.create(
        tenant=acme, kind="device", name="Press", device_id="press-7", state="connected"
    )
    add_to_group(hall, [press], by=operator)
    page = read(desk.get(f"{GROUPS}{hall.pk}/"))
    crumbs = page.one("nav", aria_label="Breadcrumb")
    assert crumbs.text == "Devices Groups Plant A Hall 1"
    assert {each["href"] for each in crumbs.all("a")} == {
        GROUPS, f"{GROUPS}{plants['Plant A'].pk}/",
    }  # fmt: skip
    assert [each.text for each in page.classed("tree-name")] == ["Line 1"]
    (row,) = page.one("tbody").all("tr")
    assert row.text.startswith("Press Connected press-7")


def test_devices_of_a_group_are_paged(acme, desk):
    hall = group_at(acme, "Hall", by=SYSTEM)
    devices = [ManagedObject(tenant=acme, kind="device", name=f"d-{n:02}") for n in range(60)]
    add_to_group(hall, ManagedObject.objects.bulk_create(devices), by=SYSTEM)
    page = read(desk.get(f"{GROUPS}{hall.pk}/"))
    assert len(page.one("tbody").all("tr")) == 50
    assert "1\N{EN DASH}50 of 60" in page.text
    later = read(desk.get(page.one("a", rel="next")["href"]))
    assert [row.classed("cell-device")[0].text for row in later.one("tbody").all("tr")] == [
        f"d-{n}" for n in range(50, 60)
    ]
