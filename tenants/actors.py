"""Who did something, and from where: what every recorded change carries."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from django.http import HttpRequest

from tenants.addresses import client_address

if TYPE_CHECKING:
    from tenants.models import User

REQUEST_ID = "gatehouse.request_id"  # where ui.middleware leaves the request's name


@dataclass(frozen=True)
class Actor:
    """A person, a device or Gatehouse itself, and the request it acts by.

    ``name`` outlives the account: history keeps it when the user is deleted. ``limit`` are the
    rights of the token it acts by, if it acts by one: it has no others, whatever its owner has.
    ``token`` is the start of that token, by which it is recognised.
    """

    name: str
    user: "User | None" = None
    source: str = ""
    request_id: str = ""
    limit: frozenset[str] | None = None
    token: str = ""

    @classmethod
    def of(
        cls,
        request: HttpRequest,
        name: str,
        user: "User | None" = None,
        *,
        limit: frozenset[str] | None = None,
        token: str = "",
    ) -> Self:
        """Return the actor behind ``request``."""
        source, request_id = client_address(request.META), request.META.get(REQUEST_ID, "")
        return cls(name, user, source, request_id, limit, token)


SYSTEM = Actor("gatehouse")
