"""Our own ways of registering many devices, in the menu *Register device*."""

from collections.abc import Iterator
from typing import Final

from django.urls import reverse

from registration.menu import GENERAL_PRIORITY, Entry, Kind
from tenants.http import TenantRequest

PAIRS_PRIORITY: Final = GENERAL_PRIORITY - 1  # right behind it


def entries(_request: TenantRequest) -> Iterator[Entry]:
    """Return the pages that take files."""
    yield Entry(Kind.BULK, "General", reverse("bulk:list"), "file-up", GENERAL_PRIORITY)
    yield Entry(Kind.BULK, "IDs with secrets", reverse("bulk:pairs"), "key-round", PAIRS_PRIORITY)
