"""Lists about imports: their columns here, their rows in lean templates."""

from collections.abc import Iterable

import django_tables2 as tables

from bulk.console.shown import Shown
from bulk.models import Import
from ui.tables import ConsoleTable


class ImportTable(ConsoleTable):
    """Files that were brought, the newest first."""

    row_template = "bulk/_import_rows.html"

    file = tables.Column(accessor="file_name", verbose_name="File", orderable=False)
    state = tables.Column(verbose_name="State", orderable=False)
    form = tables.Column(verbose_name="Form", orderable=False)
    rows = tables.Column(verbose_name="Rows", orderable=False)
    registered = tables.Column(empty_values=(), verbose_name="Registered", orderable=False)
    failed = tables.Column(verbose_name="Failed", orderable=False)
    person = tables.Column(accessor="created_by_name", verbose_name="By", orderable=False)
    when = tables.Column(accessor="created_at", verbose_name="When", orderable=False)

    class Meta(ConsoleTable.Meta):
        model = Import
        fields = ()

    @classmethod
    def of(cls, rows: Iterable[Import]) -> "ImportTable":
        """Return the table of ``rows``."""
        rows = list(rows)
        table = cls(rows)
        table.imports = [(one, Shown(one)) for one in rows]
        return table
