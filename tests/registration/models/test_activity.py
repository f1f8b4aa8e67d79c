"""Knocks and acceptances by the hour: always what counting would find."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from registration.lifecycle import Stage
from registration.models import Activity, ActivityMark, Registration, RegistrationEvent
from registration.models.activity import HOUR, KEPT, LATE, hour_of
from registration.models.events import COUNTED_KINDS
from registration.models.indexes import COUNTED
from tenants.actors import SYSTEM
from tenants.deletion import delete_tenant
from tests.support import at_once

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
SINCE = hour_of(NOW) - 30 * 24 * HOUR
Kind = RegistrationEvent.Kind


def happen(tenant, at, kind=Kind.CONNECTED, number=1):
    """Let something have happened ``number`` times at ``at``."""
    RegistrationEvent.objects.bulk_create(
        RegistrationEvent(tenant=tenant, device_id="d", kind=kind, at=at, actor_name="d")
        for _ in range(number)
    )


def recount(tenant, since):
    """Count by looking at each event."""
    found = RegistrationEvent.objects.for_tenant(tenant).filter(
        kind__in=COUNTED_KINDS, at__gte=since
    )
    return Counter((str(event.kind), hour_of(event.at)) for event in found)


def counts(tenant, now=NOW, since=SINCE):
    return +Activity.counts(tenant, since, now=now)


@pytest.mark.parametrize("seed", range(2))
def test_counts_equal_a_recount_while_events_come_and_hours_pass(seed, acme, globex, management):
    dice = random.Random(seed)
    kinds = [*COUNTED_KINDS, Kind.REGISTERED, Kind.CONFLICT]

    def events(number, earliest, now):
        RegistrationEvent.objects.bulk_create(
            [
                RegistrationEvent(
                    tenant=dice.choice([acme, globex]),
                    device_id=f"device-{dice.randrange(50)}",
                    kind=dice.choice(kinds),
                    at=earliest + dice.random() * (now - earliest),
                    actor_name="device",
                )
                for _ in range(number)
            ],
            batch_size=500,
        )

    events(5000, NOW - timedelta(days=40), NOW)
    now = NOW
    for _ in range(12):
        for tenant in dice.sample([acme, globex, management], 2):
            since = hour_of(now) - 30 * 24 * HOUR
            assert counts(tenant, now, since) == recount(tenant, since)
        before, now = now, now + dice.choice([LATE / 2, HOUR / 3, HOUR, 7 * HOUR])
        # What was begun a while ago is committed only now.
        events(40, before - LATE / 2, now)
    since = hour_of(now) - 30 * 24 * HOUR
    assert counts(management, now, since) == recount(management, since)
    assert Activity.objects.count() > 500


def test_hour_that_is_over_is_counted_once(acme, django_assert_num_queries):
    happen(acme, NOW - 5 * HOUR, number=3)
    assert counts(acme)[Kind.CONNECTED, hour_of(NOW - 5 * HOUR)] == 3
    RegistrationEvent.objects.all().delete()  # nobody looks at them again
    with django_assert_num_queries(3):
        assert counts(acme)[Kind.CONNECTED, hour_of(NOW - 5 * HOUR)] == 3
    assert ActivityMark.objects.get().until == hour_of(NOW)


@pytest.mark.parametrize(
    ("minutes", "kept_until"), [(0, 8), (9, 8), (10, 9), (59, 9)], ids="at {}".format
)
def test_hour_is_over_ten_minutes_after_its_end(acme, minutes, kept_until):
    now = hour_of(NOW) + timedelta(minutes=minutes)
    happen(acme, hour_of(NOW) - timedelta(minutes=1))
    assert counts(acme, now).total() == 1
    assert ActivityMark.objects.get().until.hour == kept_until
    happen(acme, hour_of(NOW) - timedelta(minutes=1))  # committed late
    assert counts(acme, now).total() == (2 if kept_until == 8 else 1)


def test_clock_that_goes_back_changes_nothing_that_is_counted(acme):
    happen(acme, NOW - 3 * HOUR)
    assert counts(acme).total() == 1
    assert counts(acme, NOW - 2 * HOUR).total() == 1
    assert ActivityMark.objects.get().until == hour_of(NOW)


def test_counts_begin_where_they_are_asked_for(acme):
    for hours in (1, 2, 3):
        happen(acme, hour_of(NOW) - hours * HOUR)
    assert counts(acme, since=hour_of(NOW) - 2 * HOUR).total() == 2
    assert counts(acme, since=hour_of(NOW)).total() == 0
    happen(acme, NOW)
    assert counts(acme, since=hour_of(NOW)).total() == 1


def test_counts_that_nobody_is_shown_any_more_are_not_kept(acme):
    happen(acme, NOW - 5 * HOUR)
    counts(acme)
    later = NOW + KEPT
    happen(acme, later - 2 * HOUR)
    counts(acme, later, hour_of(later) - 24 * HOUR)
    assert [row.hour for row in Activity.objects.all()] == [hour_of(later - 2 * HOUR)]


def test_house_that_nobody_looked_at_for_months_is_counted_from_where_it_matters(acme):
    happen(acme, NOW)
    counts(acme)
    later = NOW + 4 * KEPT
    happen(acme, NOW + KEPT)  # shown nowhere by now
    happen(acme, later - 48 * HOUR, Kind.ACCEPTED)
    assert counts(acme, later, hour_of(later) - 30 * 24 * HOUR) == {
        (Kind.ACCEPTED, hour_of(later - 48 * HOUR)): 1
    }
    assert Activity.objects.count() == 1


def test_counts_of_one_tenant_say_nothing_about_another(acme, globex, management):
    for hours in (0, 5):
        happen(acme, NOW - hours * HOUR, number=2)
        happen(globex, NOW - hours * HOUR)
    for _ in range(2):
        assert counts(acme).total() == 4
        assert counts(globex).total() == 2
        assert counts(management).total() == 6


def test_counts_of_a_deleted_tenant_go_with_it(acme, globex, management):
    for tenant in (acme, globex):
        happen(tenant, NOW - 5 * HOUR)
        happen(tenant, NOW)
    assert counts(management).total() == 4
    delete_tenant(acme, by=SYSTEM)
    assert counts(management).total() == 2
    assert {row.tenant_id for row in Activity.objects.all()} == {"globex"}


def test_steps_of_devices_and_operators_are_what_is_counted(make_registration, acme):
    for stage in Stage:
        make_registration(stage=stage)
    now = timezone.now()
    found = Counter()
    for (kind, _), number in counts(acme, now, hour_of(now) - HOUR).items():
        found[kind] += number
    assert found == {"connected": 5, "accepted": 3}


# --- Quick at any length --------------------------------------------------------------------


@pytest.fixture
def crowd(acme, globex, operator):
    """So many rows that reading all of them is no choice."""
    at = [NOW + timedelta(seconds=number) for number in range(4000)]
    Registration.objects.bulk_create(
        [
            Registration(tenant=(acme, globex)[number % 2], device_id=f"d{number}",
                         status="ACCEPTED", created_at=when,
                         delivered_at=None if number % 999 else when,
                         conflicts=0 if number % 999 else 1,
                         last_conflict_at=None if number % 999 else when)
            for number, when in enumerate(at)
        ],
        batch_size=500,
    )  # fmt: skip
    RegistrationEvent.objects.bulk_create(
        [
            RegistrationEvent(tenant=(acme, globex)[number % 2], device_id=f"d{number}", at=when,
                              kind=(Kind.REGISTERED, Kind.CONNECTED, Kind.ACCEPTED)[number % 3])
            for number, when in enumerate(at)
        ],
        batch_size=500,
    )  # fmt: skip
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def is_sorted(plan):
    """Say whether the rows come in their order only after all of them were read."""
    return "TEMP B-TREE" in plan or "Sort" in plan


@pytest.mark.parametrize(
    ("who", "index"), [("acme", "event_tenant_activity"), ("management", "event_activity")]
)
def test_list_of_events_is_read_from_its_index(house, crowd, who, index):
    rows = RegistrationEvent.objects.for_tenant(house[who]).of_kind(Kind.ACCEPTED)
    text = rows.filter(at__gte=NOW).order_by("-at", "-pk")[:51].explain()
    assert f"{index} " in text
    assert not is_sorted(text)


@pytest.mark.parametrize(
    ("who", "stage", "index"),
    [
        ("acme", Stage.DELIVERED, "reg_tenant_delivered"),
        ("management", Stage.DELIVERED, "reg_delivered"),
        ("acme", None, "reg_tenant_conflict"),
        ("management", None, "reg_conflict"),
    ],
)
def test_few_registrations_among_many_are_read_from_their_index(house, crowd, who, stage, index):
    rows = Registration.objects.for_tenant(house[who])
    if stage:
        text = rows.at_stages((stage,)).order_by("-created_at", "-pk")[:51].explain()
    else:
        text = rows.in_conflict().order_by("-last_conflict_at", "-pk")[:5].explain()
    assert index in text
    assert len(rows.at_stages((Stage.DELIVERED,))) == len(rows.in_conflict()) > 1


def test_index_holds_the_kinds_that_are_counted():
    assert set(dict(COUNTED.children)["kind__in"]) == {kind.value for kind in COUNTED_KINDS}


# --- At the same time -----------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_several_who_look_first_count_once_and_right(acme, globex, management):
    for hours in range(1, 200):
        happen(acme if hours % 3 else globex, NOW - hours * HOUR, number=2)
    results = at_once(
        *[lambda: counts(acme)] * 3,
        *[lambda: counts(management)] * 3,
        *[lambda: counts(globex, NOW + HOUR)] * 2,
        *[lambda: happen(acme, NOW + HOUR)] * 2,
    )
    until = hour_of(NOW)
    for tenant, found in zip([acme] * 3 + [management] * 3 + [globex] * 2, results, strict=False):
        over = Counter({key: n for key, n in recount(tenant, SINCE).items() if key[1] < until})
        assert {key: n for key, n in found.items() if key[1] < until} == over
    assert counts(management, NOW + HOUR) == recount(management, SINCE)
    assert Activity.objects.count() == 199


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_looking_while_a_tenant_is_deleted_hurts_neither(acme, globex, management):
    for hours in range(1, 100):
        happen(acme, NOW - hours * HOUR)
        happen(globex, NOW - hours * HOUR)
    results = at_once(
        lambda: delete_tenant(acme, by=SYSTEM),
        *[lambda: counts(management).total()] * 4,
    )
    assert results[0] is None
    assert all(99 <= number <= 198 for number in results[1:])
    assert counts(management).total() == 99
    assert counts(management) == recount(management, SINCE)
