"""The gate of the Operations API: who may call, and how often a login may write."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Final, ParamSpec, cast

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpResponse

from factory.api.refusals import ProblemError, not_found
from inventory.models import DeviceType
from inventory.query import parse_id
from tenants.api.gate import ApiRequest, ApiView, api_view
from tenants.counting import count
from tenants.hashing import keyed_digest
from tenants.roles import Role
from tenants.tokens import TokenCaller

P = ParamSpec("P")

WINDOW: Final = timedelta(minutes=1)
READING: Final = frozenset({"GET", "HEAD"})


def ops_view(**roles: Role) -> Callable[[ApiView[P]], Callable[..., Any]]:
    """Guard an endpoint: ``@ops_view(GET=Role.X, POST=Role.Y)``; writes are counted.

    What was there when it was looked up and is gone when it is to be changed answers 404.
    """

    def decorate(view: ApiView[P]) -> Callable[..., Any]:
        @wraps(view)
        def paced(request: ApiRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method not in READING:
                _count_write(request)
            try:
                return view(request, *args, **kwargs)
            except ObjectDoesNotExist as error:
                raise not_found() from error

        return api_view(**roles)(cast("ApiView[P]", paced))

    return decorate


def _count_write(request: ApiRequest) -> None:
    """Count a write of this login, in all processes together.

    Raises:
        ProblemError: 429 there were too many in this minute.
    """
    caller = request.caller
    who = ("token", str(caller.token.pk)) if isinstance(caller, TokenCaller) else (
        "login", f"{caller.tenant.pk}/{caller.username}"
    )  # fmt: skip
    number, seconds = count(keyed_digest("ops-writes", *who), WINDOW)
    if number > settings.OPS_WRITES_PER_MINUTE:
        raise ProblemError(
            "too-many-requests",
            f"This login may write {settings.OPS_WRITES_PER_MINUTE} times a minute.",
            retry_after=max(1, int(seconds) + 1),
        )


def device_type_of(request: ApiRequest, device_type_id: str) -> DeviceType:
    """Return a device type of the caller's own tenant.

    Raises:
        ProblemError: 404 there is none of this ID.
    """
    number = parse_id(device_type_id)
    found = (
        None
        if number is None
        else DeviceType.objects.for_tenant(request.tenant).filter(pk=number).first()
    )
    if found is None:
        raise not_found()
    return found
