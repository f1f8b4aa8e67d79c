"""What is asked about the rows of a chunk costs the same however many rows there are already."""

import json
import re

import pytest
from django.db import connection, transaction

from bulk.engine import sql
from bulk.engine.judging import Judge
from bulk.engine.opening import rows_of
from bulk.models import Existing
from tenants.actors import Actor
from tests.bulk.files import FULL, SECRET, SIMPLE, received, registered

pytestmark = pytest.mark.django_db
BY = Actor("olga")
KNOWN = 2_000
# An equality with the tenant or the file alone leads to all that it has.
TOO_WIDE = re.compile(r"^SCAN (?!place|json_each)|\((tenant_id|owner_id)=\?\)$")


def full(numbers):
    return FULL + "".join(f"d-{n};{SECRET};;;\n" for n in numbers)


def simple(numbers):
    return SIMPLE + "".join(f"d-{n};\n" for n in numbers)


def explained(statement, parameters):
    """Return how many rows the database looks at in vain, or the steps that are too wide."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return [step for *_, step in cursor.fetchall() if TOO_WIDE.search(step)]
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
        found = cursor.fetchone()[0]
    plan = json.dumps(found if isinstance(found, list) else json.loads(found))
    removed = re.findall(r'"Rows Removed by [A-Za-z ]+": ([0-9.]+)', plan)
    wide = [number for number in removed if float(number) > KNOWN // 10]
    return [*wide, *re.findall(r'"Node Type": "Seq Scan"', plan)]


@pytest.mark.parametrize("form", [full, simple], ids=lambda form: form.__name__)
def test_no_question_about_a_chunk_goes_through_what_is_there(acme, form):
    one = received(acme, form(range(KNOWN - 10, KNOWN + 10)), BY)
    registered(acme, form(range(KNOWN)), BY)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # when it counted last, hardly anything was there
            cursor.execute(
                "UPDATE pg_class SET reltuples = 0, relpages = 1 WHERE relkind IN ('r', 'i')"
                " AND relnamespace = 'public'::regnamespace AND relpages > 0"
            )
    [batch] = rows_of(one, most=100)
    asked = []

    def asking(execute, statement, parameters, many, context):
        if statement.lstrip().startswith("SELECT") and (" ANY(" in statement or "place" in statement
            or "json_each" in statement):  # fmt: skip
            asked.append((statement, parameters))
        return execute(statement, parameters, many, context)

    with transaction.atomic():
        sql.check_keys_at_once()
        with connection.execute_wrapper(asking):
            judged = Judge(one, Existing.UPDATE).judge(batch.entries, hold=True)
        too_wide = {ask[0]: found for ask in asked if (found := explained(*ask))}
    known = "update" if form is full else "unchanged"
    assert [row.verdict for row in judged] == [known] * 10 + ["create"] * 10
    assert len(asked) >= 5
    assert too_wide == {}
