"""Rows written in one go come back as they were, on both databases."""

from datetime import UTC, datetime

import pytest

from bulk.engine import sql
from bulk.engine.copying import copied
from inventory.many import AnyOf
from inventory.models import Tombstone

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
TEXTS = [
    "plain", "back\\slash", "tab\there", "line\nfeed", "return\r", "\\N", "\\.", "NULL", "{}",
    'quo"te', "a,b", "Ünï ſẞ 😀", " blank ", "\\", '"', "\x0b\x0c", "%s",
]  # fmt: skip


@pytest.mark.parametrize("texts", [TEXTS, *([text] for text in TEXTS)], ids=str)
def test_texts_come_back_as_they_were(acme, texts):
    sql.insert(
        Tombstone, ("tenant", "device_id", "deleted_at"), [(acme.pk, one, NOON) for one in texts]
    )
    found = Tombstone.objects.filter(AnyOf("device_id", texts)).order_by("pk")
    assert [*found.values_list("device_id", "deleted_at")] == [(one, NOON) for one in texts]
    assert not Tombstone.objects.filter(AnyOf("device_id", ["other"])).exists()


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([("a", 1)], "a\t1\tf\t\\N\n"),
        ([("a", 1), ("a", 1)], "a\t1\tf\t\\N\n" * 2),
        ([("a", None), ("b\\", 2)], "a\t\\N\tf\t\\N\nb\\\\\t2\tf\t\\N\n"),
        ([(True, NOON), ("", -1.5)], f"t\t{NOON.isoformat()}\tf\t\\N\n\t-1.5\tf\t\\N\n"),
        ([(1, True), (1, 1)], "1\tt\tf\t\\N\n1\t1\tf\t\\N\n"),
    ],
)
def test_each_value_is_written_as_the_database_reads_it(rows, lines):
    assert copied(rows, (False, None)) == lines.encode()


def test_a_value_of_another_type_is_refused():
    with pytest.raises(TypeError):
        copied([(b"bytes",)])
