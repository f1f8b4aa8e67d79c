"""What is kept of a row that failed: everything but its secrets."""

from typing import Final

from bulk.reading.columns import SECRETS
from bulk.reading.header import Header
from bulk.reading.pairs import LINE
from bulk.reading.rows import Entry

MOST: Final = 1_000  # characters of a cell


def cells_of(entry: Entry, header: Header) -> dict[str, str]:
    """Return the row by the names of its columns, as they are written in the file."""
    values = {
        "ID": entry.device_id,
        "AUTH_TYPE": "CERTIFICATES" if entry.certificate else "",
        "TENANT": entry.tenant_id,
        "TYPE": entry.type,
        "NAME": entry.name,
        "ICCID": entry.iccid,
        "IDTYPE": entry.id_type,
        "PATH": entry.path,
        "SHELL": "1" if entry.shell else "",
    }
    cells = {
        header.names[position]: values.get(name, "")
        for name, position in header.standard.items()
        if name not in SECRETS
    }
    external = dict(entry.external)
    cells |= {header.names[position]: external.get(kind, "") for position, kind in header.externals}
    for position, members in header.customs:
        value: object = entry.properties
        for member in members:
            value = value.get(member, "") if isinstance(value, dict) else ""
        cells[header.names[position]] = str(value)
    if entry.place:
        cells[LINE] = str(entry.place)
    return {name: value[:MOST] for name, value in cells.items()}
