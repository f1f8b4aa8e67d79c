"""What the audit log is asked for, read from its URL, and pages that stay quick at any length.

Tenant and dates have indexes; text, kind and person have none. A search by those looks through a
bounded number of entries at a time, says how far back it came, and goes on from there on request.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Self

from django.db.models import Q

from tenants.models import AuditRecord, Tenant
from tenants.models.audit import LOOKED_THROUGH, AuditRecordQuerySet
from ui.tables import MAX_NUMBER, PAGE_SIZE
from ui.text import minute_text, read_minute, storable

EXPORT_BATCH: Final = 1_000  # entries read at a time
MAX_SEARCH_LENGTH: Final = 200  # characters


@dataclass(frozen=True)
class AuditPage:
    """One page of the log, newest first.

    ``older`` is the entry behind which the next page begins, None at the end. ``looked_back_to``
    is when the last entry that a search looked at was written, if there are older ones.
    """

    rows: list[AuditRecord]
    older: int | None
    looked_back_to: datetime | None = None


@dataclass(frozen=True)
class AuditQuery:
    """One way to look at the log; ``first_day`` and ``last_day`` are days in UTC.

    ``since`` is a minute, for links that lead to what a number counts.
    """

    viewer: Tenant
    search: str = ""
    kind: str = ""
    actor: str = ""
    tenant: str = ""
    first_day: date | None = None
    last_day: date | None = None
    since: datetime | None = None

    @classmethod
    def read(cls, viewer: Tenant, parameters: Mapping[str, str]) -> Self:
        """Read the URL; what it cannot mean is ignored, so that an old link still opens."""

        def text(name: str) -> str:
            return storable(parameters.get(name, "")).strip()[:MAX_SEARCH_LENGTH]

        kind = text("type")
        return cls(
            viewer=viewer,
            search=text("q"),
            kind=kind if kind in AuditRecord.Type.values else "",
            actor=text("person"),
            tenant=text("tenant") if viewer.is_management else "",
            first_day=_day(text("from")),
            last_day=_day(text("to")),
            since=read_minute(text("since")),
        )

    @property
    def is_search(self) -> bool:
        """Say whether entries have to be looked at one by one."""
        return bool(self.search or self.kind or self.actor)

    @property
    def is_narrowed(self) -> bool:
        """Say whether anything was asked for."""
        return bool(self.is_search or self.tenant or self._has_days)

    @property
    def _has_days(self) -> bool:
        return bool(self.first_day or self.last_day or self.since)

    def parameters(self) -> dict[str, str]:
        """Return what the URL of this query says."""
        said = {
            "q": self.search,
            "type": self.kind,
            "person": self.actor,
            "tenant": self.tenant,
            "from": self.first_day.isoformat() if self.first_day else "",
            "to": self.last_day.isoformat() if self.last_day else "",
            "since": minute_text(self.since) if self.since else "",
        }
        return {name: value for name, value in said.items() if value}

    def page(self, before: str = "", *, size: int = PAGE_SIZE) -> AuditPage:
        """Return the entries older than the one named by ``before``; without one, the newest."""
        found = self._scope(self._entry(before))
        end = None
        if self.is_search:
            # The number alone: it stands in the index, and no entry has to be read to skip it.
            last = found.values_list("pk", flat=True)[LOOKED_THROUGH - 1 : LOOKED_THROUGH].first()
            end = AuditRecord.objects.for_tenant(self.viewer).filter(pk=last or 0).first()
            found = self._searched(found)
            if end and self._has_days:
                found = found.filter(Q(at__gt=end.at) | Q(at=end.at, pk__gte=end.pk))
            elif end:
                found = found.filter(pk__gte=end.pk)
        rows = list(found[: size + 1])
        if len(rows) > size:
            return AuditPage(rows[:size], rows[size - 1].pk)
        return AuditPage(rows, end.pk if end else None, end.at if end else None)

    def newest(self) -> int:
        """Return the number of the newest entry that the viewer may see; 0 without any."""
        rows = AuditRecord.objects.for_tenant(self.viewer).order_by("-pk")
        return rows.values_list("pk", flat=True).first() or 0

    def every(self, *, up_to: int) -> Iterator[AuditRecord]:
        """Yield all entries written until ``up_to``, a batch at a time: there may be millions."""
        last: AuditRecord | None = None
        while True:
            rows = self._searched(self._scope(last).filter(pk__lte=up_to))
            batch = list(rows[:EXPORT_BATCH])
            yield from batch
            if len(batch) < EXPORT_BATCH:
                return
            last = batch[-1]

    def _scope(self, behind: AuditRecord | None) -> AuditRecordQuerySet:
        """Return what an index finds, in its order: by number, or by time between two days.

        By number the order is that of writing, also when the clock was set back meanwhile.
        """
        rows = AuditRecord.objects.for_tenant(self.viewer)
        if self.tenant:
            rows = rows.filter(tenant_id=self.tenant)
        if not self._has_days:
            return (rows.filter(pk__lt=behind.pk) if behind else rows).order_by("-pk")
        starts = [each for each in (_midnight(self.first_day), self.since) if each]
        rows = rows.between(max(starts, default=None), _midnight(self.last_day, days=1))
        if behind:
            # The first condition is what the index can start from; the second breaks ties.
            rows = rows.filter(at__lte=behind.at).filter(Q(at__lt=behind.at) | Q(pk__lt=behind.pk))
        return rows.order_by("-at", "-pk")

    def _searched(self, rows: AuditRecordQuerySet) -> AuditRecordQuerySet:
        if self.kind:
            rows = rows.filter(type=self.kind)
        if self.actor:
            rows = rows.by_actor(self.actor)
        return rows.matching(self.search) if self.search else rows

    def _entry(self, text: str) -> AuditRecord | None:
        if not (text.isascii() and text.isdigit() and len(text) < 20) or int(text) > MAX_NUMBER:
            return None
        return AuditRecord.objects.for_tenant(self.viewer).filter(pk=int(text)).first()


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 <= day.year < 3000 else None  # the day after must be a day as well


def _midnight(day: date | None, *, days: int = 0) -> datetime | None:
    return datetime.combine(day + timedelta(days=days), time(), UTC) if day else None
