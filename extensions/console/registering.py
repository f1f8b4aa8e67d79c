"""Registering by a protocol: its form step by step, or its way of taking files."""

import re
import secrets
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final, cast

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from bulk.console.uploads import may_send
from extensions.answers import shown
from extensions.console import asking
from extensions.console.steps import Steps
from extensions.finding import find
from extensions.protocols import Caller, Metadata, Protocol, ProviderError
from registration.console.tables import CHANGED
from registration.console.views import ADMIN, LIST
from tenants import audit
from tenants.counting import count
from tenants.decorators import tenant_view
from tenants.hashing import keyed_digest
from tenants.http import TenantRequest
from ui.htmx import dialog_done, is_htmx, render_dialog, require_safe_or_post
from ui.uploads import SealedFile, takes_files

FIELD: Final = "file"
DONE: Final = "Your device was successfully registered."
LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,3}")
# Not our fault and not the person's: the provider, on whom it depends, has failed.
PROVIDER_FAILED: Final = HTTPStatus.FAILED_DEPENDENCY
CHANGED_FORM: Final = (
    "The provider has changed its form meanwhile. Go through the steps again; what still fits is "
    "kept."
)
AGAIN: Final = (
    "This form has been sent already. Look whether the device is there; if it is not, go through "
    "the steps again."
)
TICKET: Final = "ticket"  # of one look at the summary: it registers once
TICKET_COUNTS: Final = timedelta(days=1)
OURS: Final = frozenset({"csrfmiddlewaretoken", "go", TICKET})  # fields that are no answers


@require_safe_or_post
@tenant_view(*ADMIN)
def single(request: TenantRequest, protocol_key: str) -> HttpResponse:
    """Show the steps of a protocol's form, one after the other, and register at the end."""
    protocol = _protocol(request, protocol_key)
    if not protocol.has_single:
        raise Http404
    if _is_only_opening(request):
        return _opening(request, protocol)
    sent = request.POST if request.method == "POST" else None
    try:
        metadata = asking.metadata_of(protocol, _caller(request))
        steps = asking.steps_of(protocol, metadata, sent)
    except ProviderError as error:
        return _failure(request, protocol, error)
    if sent is None:
        return _show_step(request, protocol, steps)
    if sent.get("revision") != steps.revision:
        steps.begin()
        return _show_step(request, protocol, steps, problem=CHANGED_FORM)
    return _take_step(request, protocol, steps, sent.get("go", ""))


def _take_step(request: TenantRequest, protocol: Protocol, steps: Steps, go: str) -> HttpResponse:
    if go == "back":
        steps.go_back()
    elif go == "fix":
        steps.begin()
    elif go == "register":
        model = steps.finish()
        if model is not None:
            return _register(request, protocol, steps, model)
        return _show_step(request, protocol, steps, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    elif not steps.go_on():
        return _show_step(request, protocol, steps, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _show_step(request, protocol, steps)


def _register(request: TenantRequest, protocol: Protocol, steps: Steps, model: Any) -> HttpResponse:
    caller = _caller(request)
    if _is_again(request):
        context = {"steps": steps, "problem": AGAIN}
        return _dialog(
            request, protocol, "extensions/_refused.html", context, status=HTTPStatus.CONFLICT
        )
    try:
        asking.register(protocol, caller, model)
    except ProviderError as error:
        context = {"steps": steps, **_told(error, protocol, caller)}
        return _dialog(
            request, protocol, "extensions/_refused.html", context, status=_status(error)
        )
    _record(request, protocol, "Device registered by an extension")
    messages.success(request, DONE)
    return dialog_done(request, reverse(LIST), event=CHANGED)


def _is_again(request: TenantRequest) -> bool:
    """Say whether the same summary was sent before, as by a second click without JavaScript.

    The provider may not notice, and register a second device.
    """
    ticket = request.POST.get(TICKET, "")
    subject = keyed_digest("summary", f"{request.actor.name} {ticket}")
    return bool(ticket) and count(subject, TICKET_COUNTS)[0] > 1


@takes_files(may_send)
@require_safe_or_post
@tenant_view(*ADMIN)
def bulk(request: TenantRequest, protocol_key: str) -> HttpResponse:
    """Show how a protocol takes files, or hand one on to it."""
    protocol = _protocol(request, protocol_key)
    if not protocol.has_bulk:
        raise Http404
    if _is_only_opening(request):
        return _opening(request, protocol)
    sent = cast("list[SealedFile]", request.FILES.getlist(FIELD))
    problem = _problem(sent) if request.method == "POST" else ""
    if request.method == "POST" and not problem:
        return _hand_on(request, protocol, sent[0])
    try:
        metadata = asking.metadata_of(protocol, _caller(request), wants_bulk=True)
    except ProviderError as error:
        return _failure(request, protocol, error)
    return _show_bulk(request, protocol, metadata, problem=problem)


def _hand_on(request: TenantRequest, protocol: Protocol, file: SealedFile) -> HttpResponse:
    template, caller = "extensions/_bulk_outcome.html", _caller(request)
    try:
        facts, rest = asking.hand_on(protocol, caller, file)
    except ProviderError as error:
        context = _told(error, protocol, caller)
        return _dialog(request, protocol, template, context, status=_status(error))
    _record(request, protocol, "File registered by an extension")
    response = _dialog(request, protocol, template, {"facts": facts, "rest": rest})
    if is_htmx(request):
        response["HX-Trigger"] = CHANGED
    return response


@require_safe
@tenant_view(*ADMIN)
def example(request: TenantRequest, protocol_key: str, number: int) -> HttpResponse:
    """Send a file that shows how a protocol's files look; the provider has it."""
    protocol, caller = _protocol(request, protocol_key), _caller(request)
    if not protocol.has_bulk:
        raise Http404
    try:
        metadata = asking.metadata_of(protocol, caller, wants_bulk=True)
        examples = metadata.bulk.examples if metadata.bulk else ()
        if not 1 <= number <= len(examples) or examples[number - 1].link:
            raise Http404
        name, content = asking.example_of(protocol, caller, examples[number - 1])
    except ProviderError as error:
        return _failure(request, protocol, error)
    # Whatever it is, the browser keeps it as a file and looks no further.
    response = HttpResponse(content, content_type="application/octet-stream")
    response["Content-Disposition"] = str(
        content_disposition_header(as_attachment=True, filename=name)
    )
    return response


def _problem(sent: list[SealedFile]) -> str:
    if not sent:
        return "Choose a file first."
    if len(sent) > 1:
        return "Too many files selected."
    return "" if sent[0].size else "File must not be empty, select another one."


def _record(request: TenantRequest, protocol: Protocol, activity: str) -> None:
    """Write down who had something registered; what was filled in stays with the provider."""
    audit.record(
        request.actor, request.tenant.pk, audit.Type.EXTENSION, activity, subject=protocol.name
    )


def _told(error: ProviderError, protocol: Protocol, caller: Caller) -> dict[str, Any]:
    cause = asking.cause_of(error, protocol, caller)
    return {"problem": shown(str(error)), "cause": cause}


def _status(error: ProviderError) -> int:
    return PROVIDER_FAILED if error.cause else HTTPStatus.UNPROCESSABLE_ENTITY


def _protocol(request: TenantRequest, key: str) -> Protocol:
    found = find(request.tenant, key)
    if found is None:
        raise Http404
    return found


def _caller(request: TenantRequest) -> Caller:
    first = request.headers.get("Accept-Language", "").partition(",")[0].partition(";")[0].strip()
    return Caller(request.tenant, request.actor, first if LANGUAGE.fullmatch(first) else "en")


def _is_only_opening(request: TenantRequest) -> bool:
    """Say whether the dialog is to appear at once, before the provider has answered."""
    return is_htmx(request) and request.method != "POST" and "load" not in request.GET


def _opening(request: TenantRequest, protocol: Protocol) -> HttpResponse:
    context = {"address": f"{request.path}?load=1"}
    return _dialog(request, protocol, "extensions/_opening.html", context)


def _failure(request: TenantRequest, protocol: Protocol, error: ProviderError) -> HttpResponse:
    """Say that the provider cannot be asked now; what was filled in before waits in the dialog."""
    context = {**_told(error, protocol, _caller(request)), "sent": list(_answers(request))}
    return _dialog(request, protocol, "extensions/_failure.html", context, status=PROVIDER_FAILED)


def _answers(request: TenantRequest) -> Iterator[tuple[str, str]]:
    for name, values in request.POST.lists():
        if name not in OURS:
            yield from ((name, str(value)) for value in values)


def _show_step(
    request: TenantRequest,
    protocol: Protocol,
    steps: Steps,
    *,
    problem: str = "",
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    if not steps.is_summary:
        steps.form.take_focus()
    ticket = secrets.token_urlsafe(12) if steps.is_summary else ""
    context = {"steps": steps, "problem": problem, TICKET: ticket}
    return _dialog(request, protocol, "extensions/_step.html", context, status=status)


def _show_bulk(
    request: TenantRequest, protocol: Protocol, metadata: Metadata, *, problem: str
) -> HttpResponse:
    context = {"metadata": metadata, "problem": problem}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return _dialog(request, protocol, "extensions/_bulk.html", context, status=status)


def _dialog(
    request: TenantRequest,
    protocol: Protocol,
    template: str,
    context: dict[str, Any],
    *,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    return render_dialog(
        request, template, {"protocol": protocol, **context}, title=protocol.name,
        back=reverse(LIST), status=status,
    )  # fmt: skip
