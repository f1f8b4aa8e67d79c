"""The list: who sees what, how many, in which order, page by page, and kept alive."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inventory.groups import group_at
from registration.console.views import MAX_SHOWN
from registration.lifecycle import Stage, TokenPolicy
from registration.models import Registration, Tally
from tenants.actors import SYSTEM
from tests.consoles import LIST, read, shown_ids
from tests.support import give_rights, knock
from ui.tables import PAGE_SIZE


@pytest.fixture
def many(acme, globex, management):
    """Return the IDs of many registrations, newest first, from three tenants in turn."""
    now = timezone.now()
    numbers = range(2 * PAGE_SIZE + 20)
    Registration.objects.bulk_create(
        Registration(
            tenant=(acme, acme, globex, management)[number % 4],
            device_id=f"many-{number:03}",
            status="WAITING_FOR_CONNECTION",
            created_at=now - timedelta(seconds=number),
            created_by_name="operator",
        )
        for number in numbers
    )
    for tenant, number in ((acme, 60), (globex, 30), (management, 30)):
        Tally.moved(tenant.id, None, Stage.WAITING, number)
    return [f"many-{number:03}" for number in numbers]


def chips(response):
    nav = read(response).one("nav", id="status-chips")
    return {
        link.text.rpartition(" ")[0]: int(link.text.rpartition(" ")[2].replace(",", ""))
        for link in nav.all("a")
    }


def link_to(response, text):
    return next(a["href"] for a in read(response).all("a") if a.text == text)


# --- Who sees what --------------------------------------------------------------------------


def test_tenants_see_their_own_and_management_sees_all(make_registration, console, globex):
    make_registration("of-acme")
    make_registration("of-globex", tenant=globex)
    seen = {
        login: set(shown_ids(console(login).get(LIST)))
        for login in ("acme/operator", "globex/reader", "management/reader")
    }
    assert seen == {
        "acme/operator": {"of-acme"},
        "globex/reader": {"of-globex"},
        "management/reader": {"of-acme", "of-globex"},
    }


def test_tenant_is_a_column_for_management_only(make_registration, console):
    make_registration("press-7")
    for login, is_shown in {"acme/operator": False, "management/operator": True}.items():
        page = read(console(login).get(LIST))
        assert ("Tenant" in [th.text for th in page.all("th")]) is is_shown
        assert bool(page.classed("cell-tenant")) is is_shown
        assert bool(page.all("input", name="tenant")) is is_shown


def test_head_and_rows_have_the_same_columns(make_registration, console):
    make_registration("press-7")
    for login in ("acme/operator", "acme/reader", "management/operator", "management/reader"):
        page = read(console(login).get(LIST))
        head = [th["class"].split()[0] for th in page.one("thead").all("th")]
        row = page.one("tr", data_device="press-7")
        cells = [td["class"].split()[0] for td in row.all("td")]
        assert cells == head, login


def test_bootstrap_account_sees_no_list(console):
    assert console("acme/devicebootstrap").get(LIST).status_code == 403


def test_reader_is_offered_nothing_to_do(make_registration, console):
    make_registration("press-7", stage=Stage.PENDING)
    page = read(console("acme/reader").get(LIST))
    assert [form.attrs.get("action") for form in page.all("form", method="post")] == ["/sign-out/"]
    assert "Register device" not in page.text
    assert "Accept all" not in page.text


def test_row_shows_what_is_known(make_registration, desk, acme):
    group = group_at(acme, "Plant A/Hall 2", by=SYSTEM)
    registration = make_registration("press-7", group=group)
    knock(registration)
    row = read(desk.get(LIST)).one("tr", data_device="press-7")
    assert {
        cell["class"].removeprefix("cell-"): cell.text for cell in row.all("td", data_label=True)
    } | {"created": "", "contact": ""} == {
        "status": "Pending acceptance",
        "token": "None sent",
        "group": "Plant A/Hall 2",
        "created": "",
        "by": "operator",
        "contact": "",
    }
    times = row.all("time")
    assert len(times) == 2
    assert all(each["datetime"].endswith("Z") for each in times)


def test_device_that_never_knocked_has_no_last_contact(make_registration, desk):
    make_registration("press-7")
    row = read(desk.get(LIST)).one("tr", data_device="press-7")
    assert row.classed("cell-contact")[0].text == "never"


def test_person_without_the_right_to_read_options_sees_the_default_policy(
    make_registration, console, acme, person, set_policy
):
    make_registration("press-7", stage=Stage.PENDING, token="s3cret")
    set_policy(acme, TokenPolicy.IGNORED)
    reader = person("acme/operator")
    give_rights(reader, "ROLE_DEVICE_CONTROL_ADMIN")
    row = read(console("acme/operator").get(LIST)).one("tr", data_device="press-7")
    assert row.all("input", name="token")


# --- How many -------------------------------------------------------------------------------


def test_chips_count_and_lead_to_what_they_count(make_registration, console, globex):
    stages = [*Stage, Stage.PENDING, Stage.WAITING, Stage.WAITING]
    for number, stage in enumerate(stages):
        make_registration(f"acme-{number}", stage=stage)
    make_registration("of-globex", tenant=globex, stage=Stage.PENDING)
    for login in ("acme/operator", "management/operator"):
        more = 1 if login.startswith("management") else 0
        response = console(login).get(LIST)
        counted = chips(response)
        assert counted == {
            "Open": 8 + more,
            "Waiting": 3,
            "Pending": 2 + more,
            "Accepted": 2,
            "Never confirmed": 1,
            "Blocked": 1,
            "Confirmed": 1,
        }
        for link in read(response).one("nav", id="status-chips").all("a"):
            found = console(login).get(link["href"])
            number = counted[link.text.rpartition(" ")[0]]
            assert len(shown_ids(found)) == number
            assert f"of {number}" in read(found).one("nav", aria_label="Pages").text
            current = read(found).one("nav", id="status-chips").one("a", aria_current="true")
            assert current.text == link.text


def test_title_says_how_many(make_registration, desk):
    for _ in range(3):
        make_registration()
    make_registration(stage=Stage.BLOCKED)
    assert read(desk.get(LIST)).one("h1").text == "Device registration 4 open"
    assert read(desk.get(f"{LIST}?status=blocked")).one("h1").text == (
        "Device registration 1 blocked"
    )


def test_list_without_rows_says_what_to_do(desk, console):
    assert "No open registrations" in read(desk.get(LIST)).text
    assert link_to(desk.get(LIST), "Register device") == f"{LIST}new/"
    page = read(console("acme/reader").get(LIST))
    assert "Devices appear here as soon as an operator registers them." in page.text


def test_search_without_a_hit_says_so_and_leads_back(make_registration, desk):
    make_registration("press-7")
    page = read(desk.get(LIST, {"q": "no such thing"}))
    assert "Nothing here for “no such thing”" in page.text
    assert not shown_ids(desk.get(LIST, {"q": "no such thing"}))
    assert next(a for a in page.all("a") if a.text == "Show all open registrations")["href"] == LIST


# --- Page by page ---------------------------------------------------------------------------


def test_pages_lead_through_the_whole_list_and_back(desk, many, console):
    desk = console("management/operator")
    response, seen, heads = desk.get(LIST), [], []
    while True:
        seen.append(shown_ids(response))
        heads.append(read(response).one("nav", aria_label="Pages").all("span")[0].text)
        later = read(response).all("a", rel="next")
        if not later:
            break
        response = desk.get(later[0]["href"])
    assert [device for page in seen for device in page] == many
    assert heads == ["1\N{EN DASH}50 of 120", "51\N{EN DASH}100 of 120", "101\N{EN DASH}120 of 120"]
    for earlier in reversed(seen[:-1]):
        response = desk.get(read(response).one("a", rel="prev")["href"])
        assert shown_ids(response) == earlier
    assert not read(response).all("a", rel="prev")


def test_last_page_and_first_page_are_one_click_away(console, many):
    desk = console("management/operator")
    first = desk.get(LIST)
    last = desk.get(read(first).one("a", aria_label="Last page")["href"])
    assert shown_ids(last) == many[-PAGE_SIZE:]
    assert "71\N{EN DASH}120 of 120" in read(last).one("nav", aria_label="Pages").text
    again = desk.get(read(last).one("a", aria_label="First page")["href"])
    assert shown_ids(again) == many[:PAGE_SIZE]


def test_page_links_keep_the_filters(console, many):
    desk = console("management/operator")
    response = desk.get(LIST, {"q": "MANY", "sort": "device", "status": "waiting"})
    assert shown_ids(response) == many[:PAGE_SIZE]
    response = desk.get(read(response).one("a", rel="next")["href"])
    assert shown_ids(response) == many[PAGE_SIZE : 2 * PAGE_SIZE]
    assert read(response).one("input", name="q")["value"] == "MANY"
    assert read(response).one("input", name="sort")["value"] == "device"
    assert read(response).one("input", name="status")["value"] == "waiting"


def test_page_stays_put_when_devices_are_registered_meanwhile(console, many, make_registration):
    desk = console("management/operator")
    later = read(desk.get(LIST)).one("a", rel="next")["href"]
    before = shown_ids(desk.get(later))
    make_registration("newcomer")
    assert shown_ids(desk.get(later)) == before


# --- Kept alive -----------------------------------------------------------------------------


def test_live_refresh_gets_the_table_and_nothing_around_it(make_registration, desk):
    make_registration("press-7")
    response = desk.get(LIST, target="registration-table")
    fragment = read(response)
    top = [each for each in fragment.children if not isinstance(each, str)]
    assert [each.attrs.get("id") for each in top] == ["registration-table"]
    assert not fragment.all("nav", aria_label="Main")
    assert shown_ids(response) == ["press-7"]
    assert {"HX-Request", "HX-Target"} <= {each.strip() for each in response["Vary"].split(",")}


def test_htmx_without_a_known_target_gets_the_page(make_registration, desk):
    make_registration("press-7")
    for target in ("", "content", "registration-facts", "../../etc/passwd"):
        assert read(desk.get(LIST, target=target)).one("title")


def test_row_that_left_the_filter_stays_in_view(make_registration, desk):
    pending = make_registration("press-7", stage=Stage.PENDING)
    other = make_registration("press-8", stage=Stage.PENDING)
    gone = make_registration("press-9", stage=Stage.PENDING)
    shown = ",".join(str(row.pk) for row in (pending, other, gone))
    desk.post(f"{LIST}{pending.pk}/accept/")
    desk.post(f"{LIST}{gone.pk}/cancel/")
    page = desk.get(LIST, {"status": "pending", "shown": shown}, target="registration-table")
    assert shown_ids(page) == ["press-8"]
    elsewhere = read(page).one("tbody", data_elsewhere=True)
    assert "hidden" in elsewhere.attrs
    assert [(row["data-device"], row["data-stage"]) for row in elsewhere.all("tr")] == [
        ("press-7", "Accepted")
    ]


def test_rows_of_another_tenant_cannot_be_asked_for_by_number(make_registration, desk, globex):
    foreign = make_registration("of-globex", tenant=globex)
    page = desk.get(LIST, {"shown": str(foreign.pk)}, target="registration-table")
    assert b"of-globex" not in page.content


def test_what_is_on_screen_does_not_leak_into_links(make_registration, desk):
    registration = make_registration("press-7")
    page = desk.get(LIST, {"shown": str(registration.pk), "q": "press"})
    assert b"shown=" not in b"".join(
        a["href"].encode() for a in read(page).all("a") if "Reload" not in a.text
    )
    assert "shown" not in read(page).one(id="registration-table")["hx-get"]


def test_version_of_the_list_changes_with_every_step(make_registration, desk):
    def version():
        return read(desk.get(LIST)).one(id="registration-table")["data-live-version"]

    registration = make_registration("press-7")
    versions = [version(), version()]
    assert versions[0] == versions[1]
    knock(registration)
    versions.append(version())
    desk.post(f"{LIST}{registration.pk}/accept/")
    versions.append(version())
    assert len(set(versions)) == 3


# --- What it costs --------------------------------------------------------------------------

CEILING = {"acme/operator": 14, "management/operator": 19}


@pytest.mark.parametrize("login", CEILING)
@pytest.mark.parametrize("query", ["", "?q=many", "?status=waiting&sort=device", "?after=WzEsMl0"])
def test_number_of_queries_does_not_grow_with_the_rows(
    console, many, django_assert_max_num_queries, login, query
):
    desk = console(login)
    for target in (None, "registration-table"):
        with django_assert_max_num_queries(CEILING[login]):
            desk.get(f"{LIST}{query}", target=target)
    assert len(shown_ids(desk.get(f"{LIST}{query}"))) == PAGE_SIZE


def test_rows_kept_in_view_cost_no_query_each(console, many, django_assert_max_num_queries):
    shown = ",".join(str(pk) for pk in Registration.objects.values_list("pk", flat=True))
    desk = console("management/operator")
    with django_assert_max_num_queries(CEILING["management/operator"] + 7):
        desk.get(LIST, {"shown": shown}, target="registration-table")


def test_list_says_how_many_rows_in_view_it_looks_after(desk):
    table = read(desk.get(LIST)).one(id="registration-table")
    assert table["data-max-shown"] == str(MAX_SHOWN)
