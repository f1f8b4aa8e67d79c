"""What a tenant has, told by each app of itself: counted in lists, and wholly gone when it goes.

The tenants' pages stand below the apps whose rows they count. So each app registers its own, and
a test sees to it that nothing that belongs to a tenant is left out.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models

from tenants.models.tenant import Tenant

Count = Callable[[Collection[str]], Mapping[str, int]]


@dataclass(frozen=True)
class Holding:
    """One kind of thing that tenants have.

    ``label`` is its plural; ``path`` leads from its rows to the tenant; ``rank`` says when it goes
    at a deletion, lower first. ``count`` returns the numbers of many tenants at once, by their
    ids, for the list of tenants; what has none is counted only at a deletion. Rows of a tree have
    a ``parent`` among themselves.
    """

    label: str
    model: type[models.Model]
    path: str
    rank: int
    count: Count | None = None
    is_shown: bool = True
    is_tree: bool = False

    def rows(self, tenant: Tenant) -> "models.QuerySet[Any]":
        """Return what ``tenant`` has of this kind."""
        return self.model._base_manager.filter(**{self.path: tenant.pk})  # noqa: SLF001


_known: list[Holding] = []


def register_holding(holding: Holding) -> None:
    """Make a kind of thing known."""
    _known.append(holding)
    _known.sort(key=lambda one: one.rank)


def holdings() -> tuple[Holding, ...]:
    """Return all kinds, in the order in which they go."""
    return tuple(_known)


def what_goes_with(tenant: Tenant) -> dict[str, int]:
    """Return how many things of each kind go when ``tenant`` is deleted, those with any."""
    counted = {one.label: one.rows(tenant).count() for one in _known if one.is_shown}
    return {label: number for label, number in counted.items() if number}


def remove_all(tenant: Tenant) -> None:
    """Delete everything that ``tenant`` has; call it within a transaction."""
    for holding in _known:
        rows = holding.rows(tenant)
        if holding.is_tree:
            rows.update(parent=None)
        rows.delete()
