"""The indexes of the list: one for each way it can be asked for.

Of one tenant or of all; everything unfinished, one status of it, or the finished ones; newest
first or by another column. Each is read from its start, so a page costs the same however long
the list is.
"""

from typing import Final

from django.db import models
from django.db.models import Q

UNFINISHED: Final = Q(confirmed_at__isnull=True)
FINISHED: Final = Q(confirmed_at__isnull=False)


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
]
