"""Our own way of registering one device, in the menu *Register device*."""

from collections.abc import Iterator

from django.urls import reverse

from registration.menu import GENERAL_PRIORITY, Entry, Kind
from tenants.http import TenantRequest


def entries(_request: TenantRequest) -> Iterator[Entry]:
    """Return the form for devices that will knock."""
    yield Entry(
        Kind.SINGLE, "General", reverse("registration:register"), "plug", GENERAL_PRIORITY,
        is_dialog=True,
    )  # fmt: skip
