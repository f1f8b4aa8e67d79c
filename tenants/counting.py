"""How often something happened in a window of time, counted so that nobody slips through.

What is counted is a keyed digest of it. The windows end by themselves, and their rows go.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from tenants.models import FailedSignIns

SWEEP: Final = 500  # old rows removed at a time

# One statement, so that nobody reads a number that somebody else is about to raise.
_COUNT: Final = """
INSERT INTO tenants_failedsignins AS f (subject, number, window_ends_at) VALUES (%s, 1, %s)
ON CONFLICT (subject) DO UPDATE SET
  number = CASE WHEN f.window_ends_at <= %s THEN 1 ELSE f.number + 1 END,
  window_ends_at = CASE WHEN f.window_ends_at <= %s
                        THEN excluded.window_ends_at ELSE f.window_ends_at END
RETURNING number, window_ends_at
"""


def count(subject: str, window: timedelta) -> tuple[int, float]:
    """Count one more; return how many there are now and the seconds until the window ends."""
    now = timezone.now()
    plain, ends = (
        connection.ops.adapt_datetimefield_value(moment) for moment in (now, now + window)
    )
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [subject, ends, plain, plain])
        [(number, until)] = cursor.fetchall()
    if number == 1:
        _sweep(now)
    return number, (_aware(until) - now).total_seconds()


def take_back(subject: str) -> None:
    """Count one less."""
    FailedSignIns.objects.filter(subject=subject, number__gt=0).update(number=F("number") - 1)


def so_far(*subjects: str) -> list[int]:
    """Return how many there are of each in its window, without counting anything."""
    running = FailedSignIns.objects.filter(subject__in=subjects, window_ends_at__gt=timezone.now())
    numbers = dict(running.values_list("subject", "number"))
    return [numbers.get(subject, 0) for subject in subjects]


def _aware(moment: datetime | str) -> datetime:
    """Return a time of the database, which SQLite keeps as text."""
    parsed = moment if isinstance(moment, datetime) else parse_datetime(moment)
    if parsed is None:
        raise ValueError(moment)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _sweep(now: datetime) -> None:
    """Remove windows that ended; what somebody else holds stays for the next one."""
    with transaction.atomic():
        old = FailedSignIns.objects.filter(window_ends_at__lt=now)
        FailedSignIns.objects.filter(
            pk__in=old.select_for_update(skip_locked=True).values("pk")[:SWEEP]
        ).delete()
