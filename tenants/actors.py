"""Who did something, and from where: what every recorded change carries."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from django.http import HttpRequest

from tenants.addresses import client_address

if TYPE_CHECKING:
    from tenants.models import User


@dataclass(frozen=True)
class Actor:
    """A person, a device or Gatehouse itself, and the request it acts by.

    ``name`` outlives the account: history keeps it when the user is deleted.
    """

    name: str
    user: "User | None" = None
    source: str = ""
    request_id: str = ""

    @classmethod
    def of(cls, request: HttpRequest, name: str, user: "User | None" = None) -> Self:
        """Return the actor behind ``request``."""
        return cls(
            name, user, client_address(request.META), request.META.get("gatehouse.request_id", "")
        )


SYSTEM = Actor("gatehouse")
