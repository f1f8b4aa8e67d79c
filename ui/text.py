"""Text that people and programs send, as it can be kept."""

from datetime import UTC, datetime
from typing import Final

MINUTE: Final = "%Y-%m-%dT%H:%MZ"  # UTC, always


def storable(text: str) -> str:
    """Return ``text`` as every database takes it: without NUL, and without lone surrogates."""
    return text.replace("\x00", "").encode(errors="replace").decode()


def minute_text(when: datetime) -> str:
    """Return a minute in UTC as it stands in a URL."""
    return f"{when.astimezone(UTC):{MINUTE}}"


def read_minute(text: str) -> datetime | None:
    """Return the minute that a URL names; None for what is none."""
    try:
        when = datetime.strptime(text, MINUTE).replace(tzinfo=UTC)
    except ValueError:
        return None
    return when if 1970 <= when.year < 3000 else None
