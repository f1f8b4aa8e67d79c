"""The columns that mean something to us, for people and for the reader.

Source: Cumulocity REST, ``POST /devicecontrol/bulkNewDeviceRequests``.
"""

import csv
import io
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inventory.passwords import new_password

MAX_COLUMNS: Final = 1_000
MAX_NAME: Final = 259  # characters of a column's name: external- and the longest type
EXTERNAL: Final = "EXTERNAL-"
REASON: Final = "REASON"  # of our own files of rejected rows; not read again
AGENT: Final = "com_cumulocity_model_Agent.active"


class Form(StrEnum):
    """What the columns of a file say."""

    SIMPLE = "simple"  # devices that wait for their connection
    FULL = "full"  # devices that are let in at once


SIMPLE: Final = frozenset({Form.SIMPLE, Form.FULL})
FULL: Final = frozenset({Form.FULL})


@dataclass(frozen=True)
class Column:
    """A column as people are told about it; ``examples`` are the cells of the templates' rows."""

    name: str
    meaning: str
    examples: tuple[str, ...]
    forms: frozenset[Form]
    is_secret: bool = False
    in_template: bool = True
    is_standard: bool = True  # has this very name, in whatever case


COLUMNS: Final = (
    Column("ID", "The device ID, such as its serial number. Needed.",
           ("press-0001", "press-0002", "press-0003"), SIMPLE),
    Column("TENANT", "The tenant that gets the device. Needed for files of the management "
           "tenant, ignored for all others.", ("acme", "acme", "acme"), SIMPLE),
    Column("TYPE", "The type of the device; c8y_DefaultDevice if it is left out.",
           ("c8y_Linux", "c8y_Linux", ""), FULL),
    Column("NAME", "The name that people see; the ID if it is left out.",
           ("Press 1", "Press 2", ""), FULL),
    Column("ICCID", "The number of its SIM card.", ("8949002000001234567", "", ""), FULL),
    Column("IDTYPE", "What kind of number the ID is; c8y_Serial if it is left out.",
           ("c8y_Serial", "", ""), FULL),
    Column("PATH", "The group of the device, from the outermost in: Plant A/Hall 2. Groups that "
           "do not exist are made.", ("Plant A/Hall 1", "Plant A/Hall 2", ""), SIMPLE),
    Column("SHELL", "1 if the device takes commands in its shell.", ("1", "0", ""), FULL),
    Column("AUTH_TYPE", "BASIC for a password, CERTIFICATES for a certificate; BASIC if it is "
           "left out.", ("BASIC", "BASIC", "CERTIFICATES"), FULL),
    Column("CREDENTIALS", "The password of the device: 8 to 255 letters, digits and signs, no "
           "spaces. Needed unless AUTH_TYPE is CERTIFICATES.",
           ("change-me-k3Tq9w", "change-me-V7pXm2", ""), FULL, is_secret=True),
    Column("ENROLLMENT_OTP", "A one-time password for a certificate. No certificates are issued "
           "here, so a row with one fails.", ("", "", ""), FULL, is_secret=True, in_template=False),
    Column("external-<type>", "A further external ID of that type.",
           ("358240051111110", "", ""), FULL, is_standard=False),
    Column(AGENT, "true says that the device is an agent, which clients of the platform ask for.",
           ("true", "true", ""), FULL, is_standard=False),
    Column("custom", "Any other name is a property of the device; dots put one into another.",
           ("2026-04", "2026-04", ""), FULL, is_standard=False),
)  # fmt: skip

STANDARD: Final = frozenset(column.name for column in COLUMNS if column.is_standard)
SECRETS: Final = frozenset(column.name for column in COLUMNS if column.is_secret)
MAKES_FULL: Final = frozenset({"CREDENTIALS", "AUTH_TYPE", "ENROLLMENT_OTP"})
# What stands for a kind of column in the table has a real name in a file.
_IN_A_FILE: Final = {"external-<type>": "external-c8y_Imei", "custom": "warehouse.delivered"}


def template(form: Form, *, with_tenant: bool) -> str:
    """Return a file to start from: the columns of ``form``, and rows that show what they hold.

    The secrets in it are new each time: a row that is left in lets nobody in who knows the file.
    """
    columns = [
        column
        for column in COLUMNS
        if form in column.forms and column.in_template and (with_tenant or column.name != "TENANT")
    ]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL).writerow(
        _IN_A_FILE.get(column.name, column.name) for column in columns
    )
    csv.writer(text, delimiter=";").writerows(zip(*map(_samples, columns), strict=True))
    return text.getvalue()


def _samples(column: Column) -> list[str]:
    return [new_password() if column.is_secret and text else text for text in column.examples]
