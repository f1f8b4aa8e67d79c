"""The one gate into the console."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.urls import reverse

from tenants import second_factors
from tenants.actors import Actor
from tenants.http import TenantRequest
from tenants.roles import Role

P = ParamSpec("P")
SET_UP = "accounts:set_up_second_factor"
ConsoleView = Callable[Concatenate[TenantRequest, P], HttpResponse]


def tenant_view(
    *roles: Role,
    change: Role | None = None,
    management: bool = False,
    open_before_set_up: bool = False,
) -> Callable[[ConsoleView[P]], Callable[..., HttpResponse]]:
    """Let a signed-in person with one of ``roles`` through; without roles, anyone signed in.

    ``change`` is what is needed to post, where looking takes less; ``management`` lets in people
    of the management tenant only. A stranger goes to the sign-in page and comes back; a person
    without the right gets 403. Who needs a second factor and has none is led to set it up, unless
    ``open_before_set_up``.

    ``required_roles``, ``role_to_change`` and ``is_for_management`` on the view let the suite
    prove that no view stands outside the gate, and ``manage.py permissions`` list who may do what.
    """

    def decorate(view: ConsoleView[P]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            user = request.user
            if user.is_service:  # its place is the API
                raise PermissionDenied
            if not open_before_set_up and second_factors.has_to_set_up(user):
                return _to(request, reverse(SET_UP))
            if roles and not any(user.has_role(role) for role in roles):
                raise PermissionDenied
            if change and request.method == "POST" and not user.has_role(change):
                raise PermissionDenied
            if management and not user.tenant.is_management:
                raise PermissionDenied
            admitted = cast("TenantRequest", request)
            admitted.tenant = user.tenant
            admitted.actor = Actor.of(request, user.username, user)
            try:
                return view(admitted, *args, **kwargs)
            except ObjectDoesNotExist as error:
                # It was there when it was looked up and gone when it was to be changed.
                raise Http404 from error

        cast("Any", guarded).required_roles = roles
        cast("Any", guarded).role_to_change = change
        cast("Any", guarded).is_for_management = management
        return guarded

    return decorate


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    url = resolve_url(settings.LOGIN_URL)
    if request.headers.get("HX-Request") == "true":
        return _to(request, url)
    back = request.get_full_path() if request.method == "GET" else ""
    return redirect_to_login(back, url) if back else redirect_to_login("/", url)


def _to(request: HttpRequest, url: str) -> HttpResponse:
    if request.headers.get("HX-Request") != "true":
        return redirect(url)
    # The fragment's place is no place for another page: let the whole page go there.
    response = HttpResponse(status=204)
    response["HX-Redirect"] = url
    return response
