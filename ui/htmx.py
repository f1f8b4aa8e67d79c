"""The manners of HTMX: one view serves a page and its fragments, a dialog or the page for it."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods
from django_htmx.http import trigger_client_event

# For a view that shows a form and takes it.
require_safe_or_post = require_http_methods(["GET", "HEAD", "POST"])


def is_htmx(request: HttpRequest) -> bool:
    """Say whether HTMX asks, which wants a fragment."""
    return request.headers.get("HX-Request") == "true"


def render_page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    fragments: Sequence[str] = (),
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    """Render ``template``, or the one of its ``fragments`` that HTMX targets.

    A fragment ``registration/_registration_table.html`` is targeted as ``registration-table``.
    """
    target = request.headers.get("HX-Target", "")
    chosen = template
    if is_htmx(request):
        chosen = next((name for name in fragments if fragment_id(name) == target), template)
    response = render(request, chosen, dict(context), status=status)
    patch_vary_headers(response, ("HX-Request", "HX-Target"))
    return response


def render_dialog(
    request: HttpRequest,
    fragment: str,
    context: Mapping[str, Any],
    *,
    title: str,
    back: str,
    section: str = "Device registration",
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    """Render a dialog's content for HTMX, or a page around it for everyone else.

    ``title`` names that page; ``back`` is where closing it leads when there is none underneath,
    and ``section`` is the part of the console that this belongs to.
    """
    template = fragment if is_htmx(request) else "dialog_page.html"
    response = render(
        request,
        template,
        {
            **context,
            "dialog_template": fragment,
            "title": title,
            "back": back,
            "section": section,
        },
        status=status,
    )
    patch_vary_headers(response, ("HX-Request",))
    return response


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what was sent, for a form; an empty one too is to be judged."""
    return request.POST if request.method == "POST" else None


def back(request: HttpRequest, default: str, *, or_to: str = "") -> str:
    """Return where the person came from, if that is one of our pages; else ``default``."""
    url = request.POST.get("next", "") or request.GET.get("next", "") or or_to
    if url and url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}):
        return url
    return default


def fragment_id(template: str) -> str:
    """Return the element id of a fragment, which is its file's name."""
    return template.rsplit("/", 1)[-1].removeprefix("_").removesuffix(".html").replace("_", "-")


def leave(request: HttpRequest, url: str) -> HttpResponse:
    """Go on to ``url``, away from the page underneath the dialog."""
    if not is_htmx(request):
        return redirect(url)
    return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": url})


def dialog_done(request: HttpRequest, url: str, *, event: str = "") -> HttpResponse:
    """Close the dialog and announce ``event``; without JavaScript, go on to ``url``."""
    if not is_htmx(request):
        return redirect(url)
    response = HttpResponse(status=HTTPStatus.NO_CONTENT)
    trigger_client_event(response, "dialogClosed", {"next": url})
    if event:
        trigger_client_event(response, event)
    return response
