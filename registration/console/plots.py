"""Small plots, drawn by the server: what happened in each hour of a day, each day of a month.

Geometry only, in whole units of a drawing that is stretched to whatever room there is; how it
looks is for the style sheet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from registration.models.activity import HOUR, Hours, day_of, hour_of

SLOT: Final = 10  # units of width; a bar takes eight of them
TALL: Final = 100  # units of height; as much as the largest number gets
LEAST: Final = 3  # units of height; one among thousands is still to be seen
DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Slot:
    """One hour or day: what it is called, its number, and where its bar stands."""

    label: str
    number: int
    left: int
    height: int

    @property
    def bar_left(self) -> int:
        return self.left + 1

    @property
    def bar_top(self) -> int:
        return TALL - self.height


@dataclass(frozen=True)
class Plot:
    """The numbers of one kind of event over a time; ``marks`` stand below it, left to right."""

    since: datetime
    slots: tuple[Slot, ...]
    marks: tuple[str, str, str]

    @classmethod
    def of(
        cls, since: datetime, numbers: Sequence[int], labels: Sequence[str], marks: Sequence[str]
    ) -> Self:
        """Return a plot with a bar for each of ``numbers``."""
        most = max(numbers)
        slots = tuple(
            Slot(label, number, position * SLOT, _height(number, most))
            for position, (label, number) in enumerate(zip(labels, numbers, strict=True))
        )
        first, middle, last = marks
        return cls(since, slots, (first, middle, last))

    @property
    def total(self) -> int:
        return sum(slot.number for slot in self.slots)

    @property
    def most(self) -> int:
        return max(slot.number for slot in self.slots)

    @property
    def filled(self) -> list[Slot]:
        """Return the slots in which anything happened."""
        return [slot for slot in self.slots if slot.number]

    @property
    def width(self) -> int:
        return len(self.slots) * SLOT


def last_day(counts: Hours, kind: str, now: datetime) -> Plot:
    """Return the plot of 24 hours; the last one is not over."""
    since = start_of_day_plot(now)
    hours = [since + number * HOUR for number in range(24)]
    return Plot.of(
        since,
        [counts[kind, hour] for hour in hours],
        [f"{hour:%-d %b, %H:%M} to {hour + HOUR:%H:%M} UTC" for hour in hours],
        (f"{hours[0]:%H:%M}", f"{hours[12]:%H:%M}", "now"),
    )


def last_month(counts: Hours, kind: str, now: datetime) -> Plot:
    """Return the plot of 30 days in UTC; the last one is today."""
    since = start_of_month_plot(now)
    numbers = [0] * 30
    for (counted, hour), number in counts.items():
        place = (hour - since) // DAY
        if counted == kind and 0 <= place < len(numbers):
            numbers[place] += number
    days = [since + number * DAY for number in range(30)]
    return Plot.of(
        since,
        numbers,
        [f"{day:%-d %B}" for day in days],
        (f"{days[0]:%-d %b}", f"{days[15]:%-d %b}", "today"),
    )


def start_of_day_plot(now: datetime) -> datetime:
    """Return where the plot of 24 hours begins."""
    return hour_of(now) - 23 * HOUR


def start_of_month_plot(now: datetime) -> datetime:
    """Return where the plot of 30 days begins; there is nothing older to be shown."""
    return day_of(now) - 29 * DAY


def _height(number: int, most: int) -> int:
    return max(LEAST, round(number * TALL / most)) if number else 0
