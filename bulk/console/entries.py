"""Our own way of registering many devices, in the menu *Register device*."""

from collections.abc import Iterator

from django.urls import reverse

from registration.menu import GENERAL_PRIORITY, Entry, Kind
from tenants.http import TenantRequest


def entries(_request: TenantRequest) -> Iterator[Entry]:
    """Return the page that takes files."""
    yield Entry(Kind.BULK, "General", reverse("bulk:list"), "file-up", GENERAL_PRIORITY)
