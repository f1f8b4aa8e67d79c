"""The groups that the rows of a file name: found, or made on the way.

Groups are made in transactions of their own before the rows are written: making one holds the
tenant's tree still, which is nothing to do for as long as thousands of rows take.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from django.db import transaction

from bulk.engine.judging import Judged, Verdict
from bulk.models import Import, ImportGroup
from inventory.group_paths import make_groups
from inventory.locks import touch_all
from inventory.many import AnyOf
from inventory.models import DeviceGroup
from tenants.models import Tenant

REMEMBERED: Final = 20_000  # paths; then it starts anew, so that memory stays what it is
AT_ONCE: Final = 200  # groups made or noted in one transaction
TOUCHED: Final = 10.0  # seconds between two notes that one group has new members

Place = tuple[str, str]  # a tenant's ID and a path


@dataclass
class Groups:
    """The IDs of groups by their places."""

    owner: Import
    known: dict[Place, int] = field(default_factory=dict)
    _touched: dict[int, float] = field(default_factory=dict)  # when that was noted of a group
    _changed: set[int] = field(default_factory=set)  # since then

    def look_up(self, places: Iterable[Place]) -> set[Place]:
        """Look groups up; return those that are not there."""
        wanted = set(places) - self.known.keys()
        if not wanted:
            return set()
        if len(self.known) > REMEMBERED:
            self.known.clear()
        for tenant_id in {tenant_id for tenant_id, _ in wanted}:
            paths = [path for tenant, path in wanted if tenant == tenant_id]
            found = DeviceGroup.objects.filter(AnyOf("path", paths), tenant=tenant_id)
            for path, pk in found.values_list("path", "pk"):
                self.known[tenant_id, path] = pk
        return wanted - self.known.keys()

    def find(self, rows: Iterable[Judged]) -> set[Place]:
        """Look up the groups that rows put their devices into; return those not there."""
        return self.look_up(place for row in rows if (place := place_of(row)))

    def make(self, missing: Iterable[Place], keep: Callable[[], None]) -> dict[Place, str]:
        """Make groups; return why some could not be. ``keep`` is called now and then."""
        refused: dict[Place, str] = {}
        places = sorted(missing)
        for start in range(0, len(places), AT_ONCE):
            some = places[start : start + AT_ONCE]
            for tenant_id in sorted({tenant_id for tenant_id, _ in some}):
                paths = [path for tenant, path in some if tenant == tenant_id]
                reasons = self._make(Tenant.objects.get(pk=tenant_id), paths)
                refused |= {(tenant_id, path): reason for path, reason in reasons.items()}
            keep()
        return refused

    def _make(self, tenant: Tenant, paths: list[str]) -> Mapping[str, str]:
        with transaction.atomic():
            known, made, refused = make_groups(tenant, paths, by=self.owner.actor)
            ImportGroup.objects.bulk_create(ImportGroup(owner=self.owner, number=pk) for pk in made)
        self.known |= {(tenant.pk, path): pk for path, pk in known.items()}
        return refused

    def forget(self) -> None:
        """Look everything up anew: somebody has changed the tree."""
        self.known.clear()
        self._changed |= self._touched.keys()  # what was noted may have been rolled back
        self._touched.clear()

    def touch(self, groups: Collection[int]) -> None:
        """Note, in a transaction, that groups have new members; now and then is enough.

        Each time leaves a dead row behind, which all that point at the group have to pass.
        :meth:`settle` notes the last ones.
        """
        now = time.monotonic()
        if len(self._touched) > REMEMBERED:
            self._touched.clear()
        due = {pk for pk in groups if now - self._touched.get(pk, -TOUCHED) >= TOUCHED}
        self._changed |= set(groups) - due
        self._changed -= due
        self._touched |= dict.fromkeys(due, now)
        touch_all(due)

    def settle(self) -> None:
        """Note the changes of groups that were not noted at once."""
        changed = sorted(self._changed)
        for start in range(0, len(changed), AT_ONCE):
            with transaction.atomic():
                touch_all(changed[start : start + AT_ONCE])
        self._changed.clear()


def place_of(row: Judged) -> Place | None:
    """Return the group that a row puts its device into."""
    if not row.entry.path or row.verdict not in {Verdict.CREATE, Verdict.UPDATE}:
        return None
    return row.tenant_id, row.entry.path
