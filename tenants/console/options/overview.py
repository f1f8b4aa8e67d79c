"""All options of a tenant at one glance: what counts, and where it comes from."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Self

from django.db.models import Q

from tenants.models import Tenant, TenantOption
from tenants.models.option import is_encrypted
from tenants.options import Option, is_handed_down, known_option, known_options

MAX_SHOWN: Final = 200  # other options on a page; a search finds the rest
MAX_SEARCH_LENGTH: Final = 200  # characters


@dataclass(frozen=True)
class OptionRow:
    """One option as it counts for a tenant.

    ``value`` is as anybody may see it; ``origin`` the id of the tenant that set it, "" for the
    platform's default. ``own`` is what the tenant itself has stored, ``above`` the nearest value
    of a tenant above it.
    """

    category: str
    key: str
    value: str
    origin: str
    own: TenantOption | None
    above: TenantOption | None
    known: Option | None

    @classmethod
    def of(
        cls, tenant: Tenant, category: str, key: str, held: dict[str, TenantOption], line: list[str]
    ) -> Self:
        """Return how an option counts that the tenants in ``held`` have set."""
        known = known_option(category, key)
        own = held.get(tenant.pk)
        above = next((held[owner] for owner in line[1:] if owner in held), None)
        nearest = own or above
        value = nearest.shown if nearest else known.default if known else ""
        origin = nearest.tenant_id if nearest else ""
        return cls(category, key, value, origin, own, above, known)

    @property
    def name(self) -> str:
        """Return what the option is called: for people if Gatehouse knows it, else its name."""
        return self.known.label if self.known and self.known.label else self.key

    @property
    def is_secret(self) -> bool:
        """Say whether the value is never shown."""
        return is_encrypted(self.key)

    @property
    def is_reserved(self) -> bool:
        """Say whether the tenant itself may not change it."""
        return self.own is not None and not self.own.is_editable

    @property
    def value_above(self) -> str:
        """Return what would count without a value of the tenant's own."""
        if self.above:
            return self.above.shown
        return self.known.default if self.known else ""


@dataclass(frozen=True)
class Overview:
    """What a page shows; ``others`` are grouped by category."""

    known: list[OptionRow]
    others: list[tuple[str, list[OptionRow]]]
    has_more: bool


def overview(tenant: Tenant, search: str = "") -> Overview:
    """Return the options of ``tenant`` whose names contain ``search``, in two queries."""
    line = tenant.ancestry()
    names = {(each.category, each.key) for each in known_options()}
    is_known = Q(pk=None)
    for category, key in names:
        is_known |= Q(category=category, key=key)
    stored = TenantOption.objects.in_line_of(tenant)
    known = _by_name(stored.filter(is_known))
    known_rows = [
        OptionRow.of(tenant, *name, known.get(name, {}), line)
        for name in sorted(names)
        if _fits(name, search)
    ]
    others = stored.exclude(is_known)
    if not tenant.may_own_tenants:  # see is_handed_down
        others = others.filter(tenant=tenant)
    if search:
        others = others.filter(Q(category__icontains=search) | Q(key__icontains=search))
    # One option may be set by every tenant of the line; one row more says that there is more.
    found = _by_name(others.order_by("category", "key")[: (MAX_SHOWN + 1) * len(line)])
    rows = [OptionRow.of(tenant, *name, held, line) for name, held in found.items()]
    grouped = groupby(rows[:MAX_SHOWN], key=lambda row: row.category)
    return Overview(
        known_rows,
        [(category, list(each)) for category, each in grouped],
        has_more=len(rows) > MAX_SHOWN,
    )


def one_option(tenant: Tenant, category: str, key: str) -> OptionRow | None:
    """Return one option of ``tenant``; None if it is neither known, nor set, nor inherited."""
    line = tenant.ancestry()
    readable = (
        TenantOption.objects.in_line_of(tenant)
        if is_handed_down(tenant, category, key)
        else TenantOption.objects.for_tenant(tenant)
    )
    held = _by_name(readable.filter(category=category, key=key))
    if not held and known_option(category, key) is None:
        return None
    return OptionRow.of(tenant, category, key, held.get((category, key), {}), line)


def _by_name(options: Iterable[TenantOption]) -> dict[tuple[str, str], dict[str, TenantOption]]:
    """Return ``options`` by category and key, then by whose they are."""
    found: dict[tuple[str, str], dict[str, TenantOption]] = {}
    for each in options:
        found.setdefault((each.category, each.key), {})[each.tenant_id] = each
    return found


def _fits(name: tuple[str, str], search: str) -> bool:
    known = known_option(*name)
    text = "\n".join((*name, known.label, known.help) if known else name)
    return search.lower() in text.lower()
