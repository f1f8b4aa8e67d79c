"""The groups that the rows of a file name: found, or made on the way.

Groups are made in transactions of their own before the rows are written: making one holds the
tenant's tree still, which is nothing to do for as long as thousands of rows take.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from django.db import transaction

from bulk.engine.judging import Judged, Verdict
from bulk.engine.sql import AnyOf
from bulk.models import Import, ImportGroup
from inventory.groups import group_at
from inventory.locks import hold_tree
from inventory.models import PATH_SEPARATOR, DeviceGroup, GroupPathError
from tenants.models import Tenant

REMEMBERED: Final = 20_000  # paths; then it starts anew, so that memory stays what it is

Place = tuple[str, str]  # a tenant's ID and a path


@dataclass
class Groups:
    """The IDs of groups by their places."""

    owner: Import
    known: dict[Place, int] = field(default_factory=dict)

    def find(self, rows: Iterable[Judged]) -> set[Place]:
        """Look up the groups that rows name; return those that are not there."""
        wanted = {place for row in rows if (place := place_of(row))} - self.known.keys()
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

    def make(self, missing: Iterable[Place], keep: Callable[[], None]) -> dict[Place, str]:
        """Make groups; return why some could not be. ``keep`` is called after each of them."""
        refused: dict[Place, str] = {}
        for place in sorted(missing):
            tenant_id, path = place
            try:
                self.known[place] = self._make(Tenant.objects.get(pk=tenant_id), path)
            except GroupPathError as error:
                refused[place] = str(error)
            keep()
        return refused

    def _make(self, tenant: Tenant, path: str) -> int:
        steps = list(accumulate(path.split(PATH_SEPARATOR), lambda a, b: f"{a}{PATH_SEPARATOR}{b}"))
        with transaction.atomic():
            hold_tree(tenant)
            there = DeviceGroup.objects.filter(AnyOf("path", steps), tenant=tenant)
            paths = set(there.values_list("path", flat=True))
            for step in steps:
                group = group_at(tenant, step, by=self.owner.actor)
                if step not in paths:
                    ImportGroup.objects.create(owner=self.owner, number=group.pk)
        return group.pk

    def forget(self) -> None:
        """Look everything up anew: somebody has changed the tree."""
        self.known.clear()


def place_of(row: Judged) -> Place | None:
    """Return the group that a row puts its device into."""
    if not row.entry.path or row.verdict not in {Verdict.CREATE, Verdict.UPDATE}:
        return None
    return row.tenant_id, row.entry.path
