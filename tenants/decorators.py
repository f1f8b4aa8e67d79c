"""The one gate into the console."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import resolve_url

from tenants.actors import Actor
from tenants.http import TenantRequest
from tenants.roles import Role

P = ParamSpec("P")
ConsoleView = Callable[Concatenate[TenantRequest, P], HttpResponse]


def tenant_view(
    *roles: Role, change: Role | None = None
) -> Callable[[ConsoleView[P]], Callable[..., HttpResponse]]:
    """Let a signed-in person with one of ``roles`` through; without roles, anyone signed in.

    ``change`` is what is needed to post, where looking takes less. A stranger goes to the sign-in
    page and comes back; a person without the right gets 403. ``required_roles`` and
    ``role_to_change`` on the view let the suite prove that no view stands outside the gate, and
    ``manage.py permissions`` list what everybody may do.
    """

    def decorate(view: ConsoleView[P]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            user = request.user
            if roles and not any(user.has_role(role) for role in roles):
                raise PermissionDenied
            if change and request.method == "POST" and not user.has_role(change):
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
        return guarded

    return decorate


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    url = resolve_url(settings.LOGIN_URL)
    if request.headers.get("HX-Request") == "true":
        # The fragment's place is no place for a sign-in page: let the whole page go there.
        response = HttpResponse(status=204)
        response["HX-Redirect"] = url
        return response
    back = request.get_full_path() if request.method == "GET" else ""
    return redirect_to_login(back, url) if back else redirect_to_login("/", url)
