"""Empty the tables that hold rows: after a test that committed there are few.

Django empties all of them and then makes the content types and permissions anew, which takes
longer than most of these tests. Those two say what the code has, and stay as they are.
"""

from functools import cache

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections, transaction
from django.test import TransactionTestCase

LARGE = 1 << 20  # bytes; a table on PostgreSQL that grew beyond is given back as a whole
_everything = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]


@cache
def tables_of(alias):
    """Return the quoted names of all tables that a test can write to."""
    connection = connections[alias]
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    kept = {ContentType._meta.db_table, Permission._meta.db_table}
    return [connection.ops.quote_name(name) for name in sorted(set(names) - kept)]


def empty(alias):
    """Empty the tables that hold rows; return False if it has to be done in Django's way."""
    connection, tables = connections[alias], tables_of(alias)
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # deleted rows stay in the way of later tests
            sizes = ", ".join(f"pg_relation_size('{table}')" for table in tables)
            cursor.execute(f"SELECT greatest({sizes})")
            if cursor.fetchone()[0] > LARGE:
                return False
        cursor.execute("SELECT " + ", ".join(f"EXISTS(SELECT 1 FROM {name})" for name in tables))
        filled = [
            name for name, is_filled in zip(tables, cursor.fetchone(), strict=True) if is_filled
        ]
        for name in filled:  # in any order: references are checked at the end
            cursor.execute(f"DELETE FROM {name}")
    return True


def _fixture_teardown(self):
    done = [empty(alias) for alias in self._databases_names(include_mirrors=False)]
    if not all(done):
        _everything(self)


def use():
    """Let every test that commits end in this way."""
    TransactionTestCase._fixture_teardown = _fixture_teardown
