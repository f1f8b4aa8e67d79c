"""Extensions in the menu *Register device*: read from the database, no service is asked."""

from collections.abc import Iterator

from django.urls import reverse

from extensions.finding import protocols_for
from registration.menu import Entry, Kind
from tenants.http import TenantRequest


def entries(request: TenantRequest) -> Iterator[Entry]:
    """Return what people of the tenant may register devices by."""
    for one in protocols_for(request.tenant):
        if one.has_single:
            yield Entry(
                Kind.SINGLE, one.name, reverse("extensions:single", args=[one.key]), "blocks",
                one.priority, is_dialog=True, hint=one.description,
            )  # fmt: skip
        if one.has_bulk:
            yield Entry(
                Kind.BULK, one.name, reverse("extensions:bulk", args=[one.key]), "file-up",
                one.priority, is_dialog=True, hint=one.description,
            )  # fmt: skip
