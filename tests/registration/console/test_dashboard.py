"""The start page: numbers that are true, each with the list behind it, for whoever may see it."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory.logins import delete_login, disable
from inventory.models import DeviceCredentials
from registration.console.dashboard import NAMED
from registration.console.plots import LEAST, TALL, Plot, last_day, last_month
from registration.lifecycle import Stage
from registration.models import Registration, RegistrationEvent
from registration.models.activity import HOUR, day_of, hour_of
from tenants import failed_sign_ins
from tenants.actors import Actor
from tenants.models import AuditRecord
from tests.accounts import sign_in
from tests.consoles import LIST, read, row_url, shown_ids
from tests.support import give_rights, knock, set_limit

HOME = "/"
READ, AUDIT = "ROLE_DEVICE_CONTROL_READ", "ROLE_AUDIT_READ"
DEVICES = "ROLE_INVENTORY_READ"
Kind = RegistrationEvent.Kind


def dashboard(console, login="acme/operator"):
    response = console(login).get(HOME)
    assert response.status_code == 200
    return read(response)


def part(page, name):
    return page.one(id=f"dashboard-{name}")


def states(page):
    """Return the numbers by their labels, and the links."""
    links = part(page, "states").all("a")
    numbers = {a.classed("state-label")[0].text: a.classed("state-number")[0].text for a in links}
    return {label: int(number) for label, number in numbers.items()}, links


def named(page, name):
    return [item.all("a")[0].text for item in part(page, name).all("li")]


def totals(page, name):
    """Return the totals of the plots in a card by their titles, and the links."""
    figures = part(page, name).all("figure")
    links = {each.one("h3").text: each.classed("plot-total")[0] for each in figures}
    return {title: int(link.text) for title, link in links.items()}, links


# --- Where everything stands ----------------------------------------------------------------


@pytest.mark.parametrize("login", ["acme/operator", "globex/reader", "management/administrator"])
def test_number_of_a_state_leads_to_a_list_of_exactly_that_many(
    make_registration, console, globex, login
):
    for stage in [*Stage, Stage.PENDING, Stage.DELIVERED, Stage.BLOCKED]:
        make_registration(stage=stage)
    for stage in (Stage.WAITING, Stage.DELIVERED):
        make_registration(tenant=globex, stage=stage)
    numbers, links = states(dashboard(console, login))
    assert numbers == {
        "acme/operator": {"Waiting": 1, "Pending": 2, "Accepted": 3, "Never confirmed": 2,
                          "Blocked": 2, "Confirmed": 1},
        "globex/reader": {"Waiting": 1, "Pending": 0, "Accepted": 1, "Never confirmed": 1,
                          "Blocked": 0, "Confirmed": 0},
        "management/administrator": {"Waiting": 2, "Pending": 2, "Accepted": 4,
                                     "Never confirmed": 3, "Blocked": 2, "Confirmed": 1},
    }[login]  # fmt: skip
    for number, link in zip(numbers.values(), links, strict=True):
        found = console(login).get(link["href"])
        assert len(shown_ids(found)) == number
        assert f"{number} " in read(found).one("h1").text


def test_list_of_the_never_confirmed_holds_the_delivered_alone(make_registration, desk):
    rows = {stage: make_registration(stage=stage) for stage in Stage}
    assert shown_ids(desk.get(f"{LIST}?status=delivered")) == [str(rows[Stage.DELIVERED])]
    assert set(shown_ids(desk.get(f"{LIST}?status=accepted"))) == {
        str(rows[Stage.ACCEPTED]),
        str(rows[Stage.DELIVERED]),
    }


def test_oldest_are_named_first_and_lead_to_their_pages(make_registration, console, globex):
    now = timezone.now()
    rows = [make_registration(f"press-{number}", stage=Stage.PENDING) for number in range(7)]
    make_registration("of-globex", tenant=globex, stage=Stage.PENDING)
    for row in rows:
        back = timedelta(days=row.pk % 7 + 1, minutes=1)
        Registration.objects.filter(pk=row.pk).update(created_at=now - back)
    page = dashboard(console)
    oldest = sorted(rows, key=lambda row: -(row.pk % 7))[:NAMED]
    assert named(page, "pending") == [str(row) for row in oldest]
    items = part(page, "pending").all("li")
    assert [item.one("strong").text for item in items] == ["7 days", "6 days", "5 days", "4 days",
                                                           "3 days"]  # fmt: skip
    assert items[0].all("a")[0]["href"] == row_url(oldest[0])
    behind = part(page, "pending").one("div", class_="card-head").one("a")["href"]
    found = shown_ids(console("acme/operator").get(behind))
    assert found[:NAMED] == [str(row) for row in oldest]
    assert len(found) == 7


def test_pending_device_is_shown_with_its_latest_knock(make_registration, console, operator):
    row = make_registration("press-7", stage=Stage.PENDING, token="s3cret")
    row.reset(by=operator)
    knock(row)
    knocks = RegistrationEvent.objects.filter(kind=Kind.CONNECTED).order_by("pk")
    assert knocks.count() == 2
    knocks.filter(pk=knocks[0].pk).update(at=timezone.now() - timedelta(days=3))
    text = part(dashboard(console), "pending").one("li").text
    assert f"knocked {timezone.now():%-d %b %Y}" in text
    assert "sent a token" not in text


def test_waiting_device_is_shown_with_who_registered_it(make_registration, console):
    make_registration("press-7")
    item = part(dashboard(console), "waiting").one("li")
    assert item.text == "press-7 just now registered by operator"


def test_nothing_to_do_is_said_in_words(console, house):
    page = dashboard(console)
    assert "Nobody waits to be accepted." in part(page, "pending").text
    assert "Every device that is expected has knocked." in part(page, "waiting").text
    assert "No device knocked in the last 24 hours." in part(page, "day").text
    assert "None was accepted in the last 30 days." in part(page, "month").text
    assert "hidden" in part(page, "conflicts").attrs
    assert not page.all("svg", role="img")


def test_polls_that_do_not_fit_are_named_while_the_registration_is_open(
    make_registration, console, globex
):
    fine = make_registration("fine", stage=Stage.PENDING, token="one")
    rows = [make_registration(f"press-{n}", stage=Stage.PENDING, token="one") for n in range(2)]
    theirs = make_registration("of-globex", tenant=globex, stage=Stage.PENDING, token="one")
    for row in [*rows, theirs, rows[1]]:
        knock(row, "two")
    page = dashboard(console)
    assert named(page, "conflicts") == ["press-1", "press-0"]
    assert "2 polls" in part(page, "conflicts").text
    assert str(fine) not in named(page, "conflicts")
    assert named(dashboard(console, "management/reader"), "conflicts") == [
        "press-1",
        "of-globex",
        "press-0",
    ]
    rows[1].remove(by=Actor("operator"))
    assert named(dashboard(console), "conflicts") == ["press-0"]


def test_device_limit_that_is_near_is_said(console, acme):
    assert "hidden" in dashboard(console).one(id="device-limit").attrs
    set_limit(acme, 0)
    notice = dashboard(console).one(id="device-limit")
    assert "hidden" not in notice.attrs
    assert "The device limit is reached." in notice.text
    assert "Acme (acme): 0 of 0" in dashboard(console, "management/reader").text


# --- What happened --------------------------------------------------------------------------


def happen(tenant, at, kind, device_id="press-7"):
    RegistrationEvent.objects.create(
        tenant=tenant, device_id=device_id, kind=kind, at=at, actor_name="device"
    )


@pytest.mark.parametrize("login", ["acme/reader", "globex/operator", "management/operator"])
def test_total_of_a_plot_leads_to_a_list_of_exactly_that_many(
    make_registration, console, acme, globex, login
):
    now = timezone.now()
    day, month = hour_of(now) - 23 * HOUR, day_of(now) - timedelta(days=29)
    for tenant, number in ((acme, 2), (globex, 1)):
        for each in range(number):
            for at in (now, now - 5 * HOUR, day, day - HOUR / 60, month, month - HOUR / 60):
                happen(tenant, at, Kind.CONNECTED, f"d{each}")
            happen(tenant, day, Kind.ACCEPTED)
    times = {"acme": 2, "globex": 1, "management": 3}[login.split("/")[0]]
    page = dashboard(console, login)
    for name, knocks in (("day", 3 * times), ("month", 5 * times)):
        numbers, links = totals(page, name)
        assert numbers == {"Knocks": knocks, "Acceptances": times}
        for title, link in links.items():
            found = read(console(login).get(link["href"]))
            assert len(found.one("tbody").all("tr")) == numbers[title]
            assert f"of {numbers[title]}" in found.one("nav", aria_label="Pages").text


def test_plot_tells_its_numbers_to_eyes_mouse_and_screen_reader(console, acme):
    now = timezone.now()
    for _ in range(4):
        happen(acme, now, Kind.CONNECTED)
    happen(acme, hour_of(now) - 2 * HOUR, Kind.CONNECTED)
    figure = part(dashboard(console), "day").all("figure")[0]
    drawing = figure.one("svg", role="img")
    assert drawing["aria-label"] == (
        "Knocks in the last 24 hours, by hour: 5 in all, at most 4 in one hour."
    )
    slots = drawing.classed("plot-slot")
    assert len(slots) == 24
    assert slots[-1].one("title").text.endswith("UTC: 4 so far")
    earlier = hour_of(now) - 2 * HOUR
    assert slots[-3].one("title").text == (
        f"{earlier:%-d %b, %H:%M} to {earlier + HOUR:%H:%M} UTC: 1"
    )
    assert [bar["height"] for bar in drawing.classed("plot-bar")] == ["25", "100"]
    cells = figure.one("tbody").all("tr")
    assert [row.one("td").text for row in cells] == ["1", "4"]


def test_bars_stand_where_and_as_high_as_their_numbers_say():
    now = timezone.now()
    since = hour_of(now)
    plot = Plot.of(since, [0, 1, 1000], ["a", "b", "c"], ["a", "b", "c"])
    assert [slot.height for slot in plot.slots] == [0, LEAST, TALL]
    assert [slot.bar_top for slot in plot.slots] == [TALL, TALL - LEAST, 0]
    assert [slot.left for slot in plot.slots] == [0, 10, 20]
    assert (plot.width, plot.total, plot.most) == (30, 1001, 1000)


def test_day_and_month_end_now_and_begin_with_a_whole_hour_and_day():
    now = datetime(2024, 3, 1, 0, 30, tzinfo=UTC)
    counts = Counter({("x", hour_of(now)): 1, ("x", datetime(2024, 2, 29, 23, tzinfo=UTC)): 2})
    day, month = last_day(counts, "x", now), last_month(counts, "x", now)
    assert [slot.number for slot in day.slots[-2:]] == [2, 1]
    assert day.slots[0].label == "29 Feb, 01:00 to 02:00 UTC"
    assert day.marks == ("01:00", "13:00", "now")
    assert [(slot.label, slot.number) for slot in month.slots[-2:]] == [
        ("29 February", 2),
        ("1 March", 1),
    ]
    assert month.since == datetime(2024, 2, 1, tzinfo=UTC)
    assert month.marks == ("1 Feb", "16 Feb", "today")
    assert last_month(counts, "y", now).total == 0


# --- Failed sign-ins ------------------------------------------------------------------------


def test_number_of_failed_sign_ins_leads_to_their_entries(console, house):
    for login in ("acme/operator", "acme/reader", "globex/operator"):
        sign_in(login, "wrong")
    AuditRecord.objects.filter(activity="Sign-in failed", subject="acme/reader").update(
        at=timezone.now() - timedelta(hours=25)
    )
    for login, number in (("acme/administrator", 1), ("management/administrator", 2)):
        link = part(dashboard(console, login), "sign-ins").one("a")
        assert link.text == str(number)
        found = read(console(login).get(link["href"]))
        assert len(found.one("tbody").all("tr")) == number
        assert "Entries since" in found.text


def test_number_of_failed_sign_ins_looks_as_far_back_as_their_list(console, acme):
    sign_in("acme/operator", "wrong")
    other = {"tenant_id": acme.pk, "type": AuditRecord.Type.INVENTORY, "activity": "Changed"}
    AuditRecord.objects.bulk_create(
        [AuditRecord(**other, number=number) for number in range(1_000, 11_000)]
    )
    sign_in("acme/operator", "wrong")
    link = part(dashboard(console, "acme/administrator"), "sign-ins").one("a")
    found = read(console("acme/administrator").get(link["href"]))
    assert int(link.text) == len(found.one("tbody").all("tr")) == 2


def test_failed_sign_ins_are_counted_among_the_newest_entries(console, house, monkeypatch):
    sign_in("acme/operator", "wrong")
    assert "at least" not in part(dashboard(console, "acme/administrator"), "sign-ins").text
    monkeypatch.setattr(failed_sign_ins, "LOOKED_THROUGH", 1)
    assert "1 in the last 24 hours, at least" in (
        part(dashboard(console, "acme/administrator"), "sign-ins").text
    )


# --- Devices that are in --------------------------------------------------------------------


@pytest.mark.parametrize("login", ["acme/reader", "globex/reader", "management/reader"])
def test_number_of_devices_leads_to_a_list_of_exactly_that_many(
    make_registration, console, operator, device, acme, globex, login
):
    for tenant, number in ((acme, 5), (globex, 2)):
        for _ in range(number):
            make_registration(tenant=tenant, stage=Stage.DELIVERED)
    off, gone = DeviceCredentials.objects.filter(tenant=acme, first_login_at__isnull=True)[:2]
    disable(off, by=operator)
    delete_login(gone, by=operator)
    device.poll(gone.device_id)
    page = part(dashboard(console, login), "devices")
    numbers = {a.one("span").text: int(a.one("strong").text) for a in page.all("a")}
    assert (
        list(numbers.values())
        == {
            "acme/reader": [4, 3, 0, 1, 0, 1],
            "globex/reader": [2, 2, 0, 0, 0, 0],
            "management/reader": [6, 5, 0, 1, 0, 1],
        }[login]
    )
    assert list(numbers) == ["All devices", "Never connected", "Connected", "Disabled",
                             "No login", "Deleted, came back"]  # fmt: skip
    for link, number in zip(page.all("a"), numbers.values(), strict=True):
        found = read(console(login).get(link["href"]))
        assert len(found.one("tbody").all("tr")) == number if number else not found.all("tbody")


# --- For whom -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rights", "parts"),
    [
        ([READ], {"states", "pending", "waiting", "conflicts", "day", "month"}),
        (["ROLE_DEVICE_CONTROL_ADMIN"], {"states", "pending", "waiting", "conflicts", "day",
                                         "month"}),
        ([AUDIT], {"sign-ins"}),
        ([READ, AUDIT], {"states", "pending", "waiting", "conflicts", "day", "month", "sign-ins"}),
        ([], set()),
        ([DEVICES], {"devices"}),
        (["ROLE_OPTION_MANAGEMENT_READ"], set()),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_part_is_for_whoever_may_see_the_list_behind_it(
    make_registration, console, person, rights, parts
):
    make_registration("press-7", stage=Stage.PENDING)
    give_rights(person("acme/operator"), *rights)
    page = dashboard(console)
    shown = {e["id"].removeprefix("dashboard-") for e in page.all(data_live_part=True)}
    assert shown - {"device-limit"} == parts
    assert ("press-7" in page.text) is ("states" in parts)
    for link in page.one(id="dashboard").all("a"):
        assert console("acme/operator").get(link["href"]).status_code == 200
    # Without the list there is nothing whose changes could be asked for.
    assert bool(page.all(data_live_key=True)) is ("states" in parts)


def test_person_without_any_right_is_welcome_and_told_what_to_do(console, person):
    give_rights(person("acme/operator"))
    page = dashboard(console)
    assert "Welcome, operator" in page.text
    assert "Ask an administrator of Acme to give you a role." in page.text
    assert page.one("a", aria_current="page").text == "Dashboard"


def test_nothing_of_another_tenant_is_on_the_page(make_registration, console, globex):
    for stage in Stage:
        make_registration(f"secret-{stage}", tenant=globex, stage=stage)
    knock(Registration.objects.get(device_id="secret-pending"), "other")
    sign_in("globex/operator", "wrong")
    page = dashboard(console, "acme/administrator")
    assert "secret" not in page.text
    assert set(states(page)[0].values()) == {0}
    assert part(page, "sign-ins").one("a").text == "0"
    assert not page.all("figure")[0].all("svg")
    assert "secret-pending" in dashboard(console, "management/reader").text


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_dashboard_is_only_looked_at(desk, method):
    assert desk.call(method, HOME).status_code == 405


# --- How it is asked for --------------------------------------------------------------------


def test_htmx_gets_the_dashboard_without_the_page(make_registration, desk):
    make_registration("press-7")
    fragment = read(desk.get(HOME, target="dashboard"))
    assert fragment.children[1]["id"] == "dashboard"
    assert not fragment.all("nav", aria_label="Main")
    assert fragment.one(id="dashboard")["hx-get"] == HOME


def test_page_costs_the_same_however_much_there_is(make_registration, console, acme):
    def queries():
        desk = console("management/administrator")
        desk.get(HOME)
        with CaptureQueriesContext(connection) as found:
            desk.get(HOME)
        return len(found)

    before = queries()
    for number in range(8):
        for stage in (Stage.PENDING, Stage.WAITING, Stage.DELIVERED):
            make_registration(stage=stage, token="one" if stage is Stage.PENDING else "")
        knock(Registration.objects.filter(status="PENDING_ACCEPTANCE").latest("pk"), "two")
        happen(acme, timezone.now() - number * 30 * HOUR, Kind.CONNECTED)
    assert before <= queries() <= before + 1  # of those that are pending, when they knocked
    assert queries() <= 28
