"""How an open page learns that something changed, at the price of one look into an index.

The version of a list is the newest event's number and how many events came after a mark. The
count is there because numbers are given out before they are committed: an event may appear
below the newest one.
"""

import time
from dataclasses import dataclass
from typing import Final, Self

from django.conf import settings
from django.db.models import Count, Max

from registration.models import RegistrationEvent
from tenants.hashing import digests_match, keyed_digest
from tenants.models import Tenant

LOOK_BACK: Final = 200  # events below the newest one that may still appear
PURPOSE: Final = "live-key"


@dataclass(frozen=True)
class LiveKey:
    """The right to ask for the version of one tenant's list, for as long as a session lasts."""

    scope: str
    since: int
    until: int

    def text(self) -> str:
        """Return the key as it travels in a URL: it says nothing secret and cannot be altered."""
        body = f"{self.scope}.{self.since}.{self.until}"
        return f"{body}.{keyed_digest(PURPOSE, body)[:32]}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the key in ``text``, unless it was altered or is too old."""
        body, _, seal = text.rpartition(".")
        if not body or not digests_match(seal, keyed_digest(PURPOSE, body)[:32]):
            return None
        scope, since, until = body.rsplit(".", 2)
        key = cls(scope, int(since), int(until))
        return key if key.until > time.time() else None


def version_text(newest: int, number: int) -> str:
    """Return the version as text."""
    return f"{newest}.{number}"


@dataclass(frozen=True)
class LiveState:
    """What a page must know to ask whether it is still up to date."""

    key: str
    version: str

    @classmethod
    def of(cls, tenant: Tenant) -> Self:
        """Return the state of the list now; read it before the list itself."""
        events = RegistrationEvent.objects.for_tenant(tenant)
        newest = events.aggregate(newest=Max("pk"))["newest"] or 0
        since = max(0, newest - LOOK_BACK)
        found = events.filter(pk__gt=since).aggregate(newest=Max("pk"), number=Count("pk"))
        until = int(time.time()) + settings.SESSION_COOKIE_AGE
        return cls(
            LiveKey(tenant.pk, since, until).text(),
            version_text(found["newest"] or 0, found["number"]),
        )
