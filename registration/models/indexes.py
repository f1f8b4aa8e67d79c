"""The indexes of registrations and their events: one for each way a list can be asked for.

Of one tenant or of all; everything unfinished, one status of it, or the finished ones; newest
first or by another column. Each is read from its start, so a page costs the same however long
the list is.
"""

from typing import Final

from django.db import models
from django.db.models import Q

UNFINISHED: Final = Q(confirmed_at__isnull=True)
FINISHED: Final = Q(confirmed_at__isnull=False)
DELIVERED: Final = UNFINISHED & Q(delivered_at__isnull=False)
IN_CONFLICT: Final = UNFINISHED & Q(conflicts__gt=0)
COUNTED: Final = Q(kind__in=["connected", "accepted"])  # of events, what is counted by the hour


def _index(name: str, *fields: str, of: Q | None = None) -> models.Index:
    return models.Index(fields=[*fields], condition=of, name=name)


REGISTRATION_INDEXES: Final = [
    _index("reg_tenant_created", "tenant", "created_at", "id", of=UNFINISHED),
    _index("reg_created", "created_at", "id", of=UNFINISHED),
    _index("reg_tenant_status_created", "tenant", "status", "created_at", "id", of=UNFINISHED),
    _index("reg_status_created", "status", "created_at", "id", of=UNFINISHED),
    _index("reg_tenant_device", "tenant", "device_id"),
    _index("reg_tenant_contact", "tenant", "last_contact_at", "id", of=UNFINISHED),
    _index("reg_contact", "last_contact_at", "id", of=UNFINISHED),
    _index("reg_tenant_confirmed", "tenant", "created_at", "id", of=FINISHED),
    _index("reg_confirmed", "created_at", "id", of=FINISHED),
    _index("reg_group", "group", "created_at", "id"),
    _index("reg_type", "device_type", "created_at", "id", of=Q(device_type__isnull=False)),
    _index("reg_tenant_delivered", "tenant", "created_at", "id", of=DELIVERED),
    _index("reg_delivered", "created_at", "id", of=DELIVERED),
    _index("reg_tenant_conflict", "tenant", "last_conflict_at", "id", of=IN_CONFLICT),
    _index("reg_conflict", "last_conflict_at", "id", of=IN_CONFLICT),
]
EVENT_INDEXES: Final = [
    _index("event_tenant_device", "tenant", "device_id", "id"),
    _index("event_tenant", "tenant", "id"),
    _index("event_tenant_activity", "tenant", "kind", "at", "id", of=COUNTED),
    _index("event_activity", "kind", "at", "id", of=COUNTED),
]
