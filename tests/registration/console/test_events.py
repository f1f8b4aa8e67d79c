"""Knocks and acceptances: the list behind the plots of the start page."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from registration.lifecycle import Stage
from registration.models import RegistrationEvent
from registration.models.activity import HOUR, hour_of
from tenants.actors import Actor
from tests.consoles import LIST, read, row_url
from tests.support import give_rights
from ui.text import minute_text, read_minute

EVENTS = f"{LIST}events/"
Kind = RegistrationEvent.Kind


def rows(response):
    shown = [tr for body in read(response).all("tbody") for tr in body.all("tr")]
    return [tr.classed("cell-device")[0].text for tr in shown]


def chips(response):
    nav = read(response).one("nav", aria_label="What happened")
    return {a.text.rpartition(" ")[0]: int(a.text.rpartition(" ")[2]) for a in nav.all("a")}


def test_events_lead_to_the_registration_as_it_is_now(make_registration, desk, operator):
    kept = make_registration("press-1", stage=Stage.CONFIRMED)
    make_registration("press-2", stage=Stage.PENDING).remove(by=operator)
    response = desk.get(EVENTS)
    assert rows(response) == ["press-2", "press-1"]
    assert chips(response) == {"Knocks": 2, "Acceptances": 1}
    gone, there = read(response).one("tbody").all("tr")
    assert gone.classed("cell-now")[0].text == "gone"
    assert not gone.classed("cell-device")[0].all("a")
    assert there.classed("cell-device")[0].one("a")["href"] == row_url(kept)
    assert there.classed("cell-now")[0].text == "Confirmed"
    accepted = desk.get(EVENTS, {"kind": "accepted"})
    assert rows(accepted) == ["press-1"]
    assert read(accepted).one("tbody").classed("cell-person")[0].text == "operator"


def test_events_of_another_tenant_are_not_there(make_registration, console, globex):
    make_registration("press-1", stage=Stage.ACCEPTED)
    make_registration("secret", tenant=globex, stage=Stage.ACCEPTED)
    for kind in ("connected", "accepted"):
        assert rows(console("acme/reader").get(EVENTS, {"kind": kind})) == ["press-1"]
        assert rows(console("globex/reader").get(EVENTS, {"kind": kind})) == ["secret"]
        assert rows(console("management/reader").get(EVENTS, {"kind": kind})) == [
            "secret",
            "press-1",
        ]


def test_registration_that_moved_away_is_gone_from_here(make_registration, console, globex, person):
    row = make_registration("press-1", stage=Stage.PENDING)
    row.move_to(globex, by=Actor("administrator", person("management/administrator")))
    tr = read(console("acme/operator").get(EVENTS)).one("tbody").one("tr")
    assert tr.classed("cell-now")[0].text == "gone"


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ({}, 2),
        ({"since": ""}, 2),
        ({"since": "yesterday"}, 2),
        ({"since": "\x00"}, 2),
        ({"since": "2999-01-01T00:00Z"}, 2),
        ({"since": "0001-01-01T00:00Z"}, 2),
        ({"since": "2000-01-01T00:00Z"}, 3),
        ({"kind": "registered"}, 2),
        ({"kind": "\ud800"}, 2),
        ({"after": "damaged"}, 2),
    ],
    ids=str,
)
def test_url_that_means_nothing_still_opens(desk, acme, asked, number):
    now = timezone.now()
    for at in (now, now - 20 * HOUR, now - timedelta(days=20), now - timedelta(days=40)):
        RegistrationEvent.objects.create(
            tenant=acme, device_id="d", kind=Kind.CONNECTED, at=at, actor_name="d"
        )
    response = desk.get(EVENTS, {k: v.encode("utf-8", "surrogatepass") for k, v in asked.items()})
    assert response.status_code == 200
    assert len(rows(response)) == number


def test_list_begins_at_the_hour_that_is_asked_for(desk, acme):
    hour = hour_of(timezone.now()) - 2 * HOUR
    for at in (hour, hour - timedelta(seconds=1)):
        RegistrationEvent.objects.create(
            tenant=acme, device_id="d", kind=Kind.ACCEPTED, at=at, actor_name="d"
        )
    response = desk.get(EVENTS, {"kind": "accepted", "since": minute_text(hour + HOUR / 2)})
    assert len(rows(response)) == 1
    assert chips(response) == {"Knocks": 0, "Acceptances": 1}


def test_pages_follow_each_other_with_a_constant_number_of_queries(
    desk, acme, django_assert_max_num_queries
):
    now = timezone.now()
    RegistrationEvent.objects.bulk_create(
        RegistrationEvent(tenant=acme, device_id=f"d{n}", kind=Kind.CONNECTED,
                          at=now - timedelta(seconds=n), actor_name="d")
        for n in range(120)
    )  # fmt: skip
    desk.get(EVENTS)  # hours that are over are counted by whoever looks first
    seen, url = [], EVENTS
    for _ in range(3):
        with django_assert_max_num_queries(11):
            response = desk.get(url)
        seen += rows(response)
        following = read(response).all("a", rel="next")
        url = f"{EVENTS}{following[0]['href'].removeprefix(EVENTS)}" if following else None
    assert url is None
    assert seen == [f"d{n}" for n in range(120)]
    assert "101\N{EN DASH}120 of 120" in read(response).text


def test_nothing_is_said_in_words(desk):
    assert "Nothing since then" in read(desk.get(EVENTS)).text


def test_list_needs_the_right_to_see_registrations(console, person):
    give_rights(person("acme/operator"), "ROLE_AUDIT_READ")
    assert console("acme/operator").get(EVENTS).status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_list_is_only_looked_at(desk, method):
    assert desk.call(method, EVENTS).status_code == 405


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2026-03-10T09:30Z", datetime(2026, 3, 10, 9, 30, tzinfo=UTC)),
        ("2026-03-10T09:30", None),
        ("2026-02-30T09:30Z", None),
        ("1969-12-31T23:59Z", None),
        ("3000-01-01T00:00Z", None),
        ("", None),
    ],
)
def test_minute_is_read_as_it_is_written(text, when):
    assert read_minute(text) == when
    if when:
        assert minute_text(when) == text
