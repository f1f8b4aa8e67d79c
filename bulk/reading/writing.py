"""Files of our own that are read again: the rows that failed, each with the reason."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bulk.reading.columns import REASON, SECRETS
from ui.csv_export import BOM, LINES_AT_ONCE, guarded


class _Echo:
    """Takes the place of a file: what is written to it is handed back."""

    def write(self, text: str) -> str:
        return text


def write_rows(
    names: Sequence[str], delimiter: str, rows: Iterable[tuple[Mapping[str, str], str]]
) -> Iterator[str]:
    """Yield a file with the columns ``names`` and one for the reason; a few rows at a time.

    Each row is its cells by the names of their columns, and a sentence. Columns of secrets stay
    empty whatever the cells hold: this file leaves the house. Every cell is quoted and guarded,
    the reader takes the guard off again. The mark at its front tells spreadsheets that it is UTF-8.
    """
    kept = [name for name in names if name != REASON]
    writer = csv.writer(_Echo(), delimiter=delimiter, quoting=csv.QUOTE_ALL)
    lines = [BOM + writer.writerow([guarded(name) for name in (*kept, REASON)])]
    for cells, reason in rows:
        shown = ["" if name.upper() in SECRETS else cells.get(name, "") for name in kept]
        lines.append(writer.writerow([guarded(cell) for cell in (*shown, reason)]))
        if len(lines) >= LINES_AT_ONCE:
            yield "".join(lines)
            lines = []
    if lines:
        yield "".join(lines)
