"""Files of devices, what became of each row, and what was made on the way."""

from bulk.models.imports import (
    AT_WORK,
    HOLDS_FILE,
    Door,
    Existing,
    Form,
    Import,
    ImportBlock,
    ImportGroup,
    ImportItem,
    ImportProblem,
    Outcome,
    State,
)

__all__ = [
    "AT_WORK",
    "HOLDS_FILE",
    "Door",
    "Existing",
    "Form",
    "Import",
    "ImportBlock",
    "ImportGroup",
    "ImportItem",
    "ImportProblem",
    "Outcome",
    "State",
]
