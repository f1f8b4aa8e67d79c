"""Registering one device by a device type, in the menu *Register device*."""

from collections.abc import Iterator
from typing import Final

from django.urls import reverse

from registration.menu import GENERAL_PRIORITY, Entry, Kind
from tenants.http import TenantRequest

PRIORITY: Final = GENERAL_PRIORITY - 10  # our own, behind the general way


def entries(_request: TenantRequest) -> Iterator[Entry]:
    """Return the form for a device that has its secret, or gets it here."""
    yield Entry(
        Kind.SINGLE, "With a device type", reverse("device_types:register"), "shapes", PRIORITY,
        is_dialog=True,
    )  # fmt: skip
