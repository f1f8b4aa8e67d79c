"""Questions about many rows at once, that cost little."""

import json
from collections.abc import Collection
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models


class CountUpTo(models.Subquery):
    """The number of rows of a query that has an end, for each row of the one around it."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = models.IntegerField()


class AnyOf(models.Func):
    """The condition that a column is one of many values, which are passed as one parameter.

    Thousands of parameters take longer than the answer.
    """

    output_field = models.BooleanField()
    conditional = True

    def __init__(self, column: str, values: Collection[Any]) -> None:
        super().__init__(models.F(column))
        self.values = list(values)

    def as_sql(  # type: ignore[override]
        self, compiler: Any, _connection: Any, **_extra: Any
    ) -> tuple[str, list[Any]]:
        """Return the condition as the database takes it."""
        if not self.values:
            raise EmptyResultSet  # nothing is among nothing, and need not be asked for
        column, parameters = compiler.compile(self.source_expressions[0])
        if connection.vendor == "postgresql":
            kind = "bigint" if isinstance(self.values[0], int) else "text"
            return f"{column} = ANY(%s::{kind}[])", [*parameters, array_text(self.values)]
        return f"{column} IN (SELECT value FROM json_each(%s))", [  # noqa: S608 -- a column of ours
            *parameters,
            json.dumps(self.values),
        ]


# For each place by itself, as nobody can say beforehand which index leads to many at once: asked
# for all of them, PostgreSQL goes through a tenant's objects if it takes them for few.
_DEVICES_AT = """
SELECT found.id FROM unnest(%s::text[], %s::text[]) AS place (tenant, device)
CROSS JOIN LATERAL (
  SELECT id FROM inventory_managedobject
  WHERE tenant_id = place.tenant AND device_id = place.device AND NOT (device_id = '') LIMIT 1
) AS found
"""


def devices_at(places: Collection[tuple[str, str]]) -> list[int]:
    """Return the numbers of the objects of devices, given by their tenants and device IDs."""
    if not places:
        return []
    tenants, device_ids = zip(*places, strict=True)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_DEVICES_AT, [array_text(tenants), array_text(device_ids)])
        else:
            cursor.execute(
                "SELECT o.id FROM json_each(%s) AS place CROSS JOIN inventory_managedobject AS o"
                " WHERE o.tenant_id = json_extract(place.value, '$[0]')"
                " AND o.device_id = json_extract(place.value, '$[1]') AND NOT (o.device_id = '')",
                [json.dumps([*places])],
            )
        return [row[0] for row in cursor.fetchall()]


def array_text(values: Collection[Any]) -> str:
    """Return texts or whole numbers as PostgreSQL writes a list of them.

    The driver would look at each of them by itself, which takes longer than the question.
    """
    texts = [*map(str, values)]
    every = "".join(texts)
    if "\\" in every or '"' in every:
        texts = [one.replace("\\", "\\\\").replace('"', '\\"') for one in texts]
    return '{"' + '","'.join(texts) + '"}' if texts else "{}"
