"""How many devices knocked and were accepted, hour by hour, without counting them each time.

Counting a month of events takes longer than drawing the page they are for. So the hours that are
over are counted once, for all tenants in one statement, by whoever looks first; the rest is
counted as it is asked for, from an index. An hour counts as over ten minutes after its end: a
step may be committed a while after the time it was taken at.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.db import Error, connection, models, transaction
from django.db.models import Sum
from django.utils import timezone

from registration.models.events import KINDS_AS_SQL
from registration.models.facts import NEVER
from tenants.models import Tenant

logger = logging.getLogger("gatehouse.registration")

HOUR: Final = timedelta(hours=1)
LATE: Final = timedelta(minutes=10)  # a step is committed within so long after its time
KEPT: Final = timedelta(days=31)  # counts older than this are shown nowhere
MARK: Final = 1  # primary key of the only mark

Hours = Counter[tuple[str, datetime]]  # by kind and beginning of the hour

# What an hour is, of an event's time: as both databases keep a time.
_HOUR_OF: Final = {
    "postgresql": "date_trunc('hour', at, 'UTC')",
    "sqlite": "substr(at, 1, 13) || ':00:00'",
}
# One order for everybody, so that two who count at once cannot wait for each other.
_KEEP: Final = """
INSERT INTO registration_activity (tenant_id, kind, hour, number)
SELECT tenant_id, kind, {hour}, count(*) FROM registration_registrationevent
 WHERE kind IN ({kinds}) AND at >= %s AND at < %s
 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
ON CONFLICT (tenant_id, kind, hour) DO UPDATE SET number = excluded.number
"""
_COUNT: Final = """
SELECT kind, {hour}, count(*) FROM registration_registrationevent
 WHERE kind IN ({kinds}) AND at >= %s{scope}
 GROUP BY 1, 2
"""


class Activity(models.Model):
    """How many events of one kind a tenant had in one hour that is over; none, no row."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=24)  # as of an event
    hour = models.DateTimeField()  # its beginning
    number = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "kind", "hour"], name="activity_unique_hour")
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.kind} {self.hour:%Y-%m-%d %H} {self.number}"

    @classmethod
    def counts(cls, tenant: Tenant, since: datetime, *, now: datetime | None = None) -> Hours:
        """Return how many events ``tenant`` sees in each hour from ``since`` on.

        The management tenant sees all. ``since`` is the beginning of an hour, and no longer ago
        than counts are kept.
        """
        scope = {} if tenant.is_management else {"tenant": tenant}
        counted_until = max(since, cls.keep(now or timezone.now()))
        kept = cls.objects.filter(hour__gte=since, hour__lt=counted_until, **scope)
        counts: Hours = Counter()
        for kind, hour, number in kept.values_list("kind", "hour").annotate(total=Sum("number")):
            counts[kind, hour] += int(number)  # PostgreSQL adds up to a decimal
        for kind, hour, number in _rows(_COUNT, [counted_until], tenant):
            counts[kind, _as_hour(hour)] += number
        return counts

    @classmethod
    def keep(cls, now: datetime) -> datetime:
        """Count what is over and not counted yet; return until when everything is."""
        until = hour_of(now - LATE)
        found = ActivityMark.objects.filter(pk=MARK).values_list("until", flat=True).first()
        mark = found or NEVER
        if mark >= until:
            return mark
        try:
            with transaction.atomic():
                _run(_KEEP, [max(mark, until - KEPT), until])
                ActivityMark.objects.bulk_create(
                    [ActivityMark(pk=MARK, until=until)], ignore_conflicts=True
                )
                # Whoever counted further meanwhile is right.
                ActivityMark.objects.filter(pk=MARK, until__lt=until).update(until=until)
                cls.objects.filter(hour__lt=until - KEPT).delete()
        except Error as error:
            # Such as: a tenant is being deleted. Then it is counted as it is asked for.
            logger.info("Hours were not counted: %s", type(error).__name__)
            return mark
        return until


class ActivityMark(models.Model):
    """Until when all hours are counted, for all tenants."""

    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.until:%Y-%m-%d %H}"


def hour_of(when: datetime) -> datetime:
    """Return the beginning of the hour of ``when``, in UTC."""
    return when.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(when: datetime) -> datetime:
    """Return the beginning of the day of ``when``, in UTC."""
    day: date = when.astimezone(UTC).date()
    return datetime.combine(day, time(), UTC)


def _rows(sql: str, times: Sequence[datetime], tenant: Tenant) -> list[tuple[Any, ...]]:
    if tenant.is_management:
        return _run(sql, times)
    return _run(sql, times, scope=" AND tenant_id = %s", values=[tenant.pk])


def _run(
    sql: str, times: Sequence[datetime], *, scope: str = "", values: Sequence[str] = ()
) -> list[tuple[Any, ...]]:
    text = sql.format(hour=_HOUR_OF[connection.vendor], kinds=KINDS_AS_SQL, scope=scope)
    plain = [connection.ops.adapt_datetimefield_value(one) for one in times]
    with connection.cursor() as cursor:
        cursor.execute(text, [*plain, *values])
        return cursor.fetchall() if cursor.description else []


def _as_hour(value: datetime | str) -> datetime:
    when = datetime.fromisoformat(value) if isinstance(value, str) else value
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
