"""The list of people: its columns here, its row in one lean template."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

import django_tables2 as tables
from django.db.models import Count, Q, QuerySet
from django.http import QueryDict

from tenants import people
from tenants.models import Tenant, User
from ui.tables import ConsoleTable, KeysetPaginator, Page
from ui.text import storable

MAX_SEARCH_LENGTH: Final = 255  # characters
SORTABLE: Final = {"user": "username", "name": "full_name"}
STATE_LABELS: Final = {
    "": "All",
    people.ACTIVE: "Active",
    people.INVITED: "Invited",
    people.DEACTIVATED: "Deactivated",
}


class PeopleTable(ConsoleTable):
    """People of a tenant."""

    row_template = "people/_people_rows.html"

    user = tables.Column(accessor="username", verbose_name="User")
    status = tables.Column(accessor="state", verbose_name="State", orderable=False)
    name = tables.Column(accessor="full_name", verbose_name="Name")
    email = tables.Column(verbose_name="E-mail", orderable=False)
    roles = tables.Column(accessor="global_roles", verbose_name="Roles", orderable=False)
    seen = tables.Column(accessor="last_login", verbose_name="Last sign-in", orderable=False)
    factor = tables.Column(
        accessor="has_second_factor", verbose_name="Second factor", orderable=False
    )

    class Meta(ConsoleTable.Meta):
        model = User
        fields = ()

    @classmethod
    def of(cls, rows: Iterable[User], *, order: str) -> "PeopleTable":
        """Return the table of ``rows``."""
        rows = list(rows)
        table = cls(rows, order_by=order)
        table.people = rows
        return table


@dataclass(frozen=True)
class PeopleQuery:
    """One way to look at the list, read from its URL; ``counts`` are of each state."""

    tenant: Tenant
    state: str
    search: str
    order: str
    counts: Mapping[str, int]

    @classmethod
    def read(cls, tenant: Tenant, parameters: QueryDict) -> Self:
        """Read the URL; what it cannot mean is ignored, so that an old link still opens."""
        state, sort = parameters.get("status", ""), parameters.get("sort", "")
        everybody = User.objects.for_tenant(tenant).people()
        counts = everybody.aggregate(
            **{name: Count("pk", filter=rule) for name, rule in people.STATES.items()}
        )
        return cls(
            tenant=tenant,
            state=state if state in people.STATES else "",
            search=storable(parameters.get("q", "")).strip()[:MAX_SEARCH_LENGTH],
            order=sort if sort.removeprefix("-") in SORTABLE else "user",
            counts={**counts, "": sum(counts.values())},
        )

    def chips(self) -> list[tuple[str, str, int, bool]]:
        """Return the choices of state: key, label, number, and which is in force."""
        return [
            (key, label, self.counts[key], key == self.state) for key, label in STATE_LABELS.items()
        ]

    def rows(self) -> QuerySet[User]:
        """Return the people who are looked for, in no order."""
        rows = people.people_of(self.tenant).filter(people.STATES.get(self.state, Q()))
        if self.search:
            rows = rows.filter(
                pk__in=User.objects.for_tenant(self.tenant).matching(self.search).values("pk")
            )
        return rows

    def page(self, cursor: str) -> Page[User]:
        """Return one page of the list, with its total."""
        rows = self.rows()
        total = rows.count() if self.search else self.counts[self.state]
        paginator = KeysetPaginator(
            rows,
            SORTABLE[self.order.removeprefix("-")],
            descending=self.order.startswith("-"),
        )
        return paginator.page(cursor, total=total)
