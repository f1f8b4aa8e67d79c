"""Registering by a protocol: its form step by step, or its way of taking files."""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final, cast

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.http import content_disposition_header

from bulk.console.uploads import may_send
from extensions.answers import shown
from extensions.console.steps import Steps
from extensions.finding import find
from extensions.protocols import (
    CANNOT_REGISTER,
    FILE_ERROR,
    NO_BULK,
    NO_DEFINITION,
    Caller,
    Metadata,
    Protocol,
    ProviderError,
)
from registration.console.tables import CHANGED
from registration.console.views import ADMIN, LIST
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from ui.htmx import is_htmx, render_dialog, require_safe_or_post
from ui.text import storable
from ui.uploads import SealedFile, takes_files

FIELD: Final = "file"
LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,3}")
MAX_TOLD: Final = 20_000  # characters of an answer that are shown
CHANGED_FORM: Final = (
    "The provider has changed its form meanwhile. Go through the steps again; what still fits is "
    "kept."
)

logger = logging.getLogger("gatehouse.extensions")


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
        with _guarded(NO_DEFINITION):
            metadata = protocol.metadata(_caller(request))
            steps = Steps.of(metadata, sent)
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
    context: dict[str, Any] = {"protocol": protocol, "steps": steps, "problem": ""}
    status = HTTPStatus.OK
    try:
        with _guarded(CANNOT_REGISTER):
            protocol.register(_caller(request), model)
    except ProviderError as error:
        context["problem"], context["cause"] = str(error), error.cause
        status = HTTPStatus.BAD_GATEWAY if error.cause else HTTPStatus.UNPROCESSABLE_ENTITY
    response = _dialog(request, protocol, "extensions/_outcome.html", context, status=status)
    if is_htmx(request) and not context["problem"]:
        response["HX-Trigger"] = CHANGED
    return response


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
    if request.method == "POST":
        return _hand_on(request, protocol)
    try:
        metadata = _bulk_metadata(request, protocol)
    except ProviderError as error:
        return _failure(request, protocol, error)
    return _show_bulk(request, protocol, metadata)


def _hand_on(request: TenantRequest, protocol: Protocol) -> HttpResponse:
    sent = cast("list[SealedFile]", request.FILES.getlist(FIELD))
    problem = _problem(sent)
    if problem:
        return _show_bulk(request, protocol, None, problem=problem)
    context: dict[str, Any] = {"protocol": protocol, "problem": ""}
    status = HTTPStatus.OK
    try:
        with _guarded(FILE_ERROR):
            answer = protocol.register_file(
                _caller(request),
                sent[0].chunks(),
                storable(sent[0].name_sent),
                sent[0].size or 0,
            )
    except ProviderError as error:
        context |= {"problem": str(error), "cause": error.cause}
        status = HTTPStatus.BAD_GATEWAY if error.cause else HTTPStatus.UNPROCESSABLE_ENTITY
    else:
        context["facts"], context["rest"] = _readable(answer)
    response = _dialog(request, protocol, "extensions/_bulk_outcome.html", context, status=status)
    if is_htmx(request) and not context["problem"]:
        response["HX-Trigger"] = CHANGED
    return response


@tenant_view(*ADMIN)
def example(request: TenantRequest, protocol_key: str, number: int) -> HttpResponse:
    """Send a file that shows how a protocol's files look; the provider has it."""
    protocol = _protocol(request, protocol_key)
    try:
        metadata = _bulk_metadata(request, protocol)
        examples = metadata.bulk.examples if metadata.bulk else ()
        if not 1 <= number <= len(examples):
            raise Http404
        with _guarded(FILE_ERROR):
            content = protocol.example(_caller(request), examples[number - 1])
    except ProviderError as error:
        return _failure(request, protocol, error)
    # Whatever it is, the browser keeps it as a file and looks no further.
    response = HttpResponse(content, content_type="application/octet-stream")
    name = examples[number - 1].url.rpartition("/")[2].partition("?")[0] or "example.csv"
    name = shown(name)[:100]
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


def _readable(answer: Any) -> tuple[list[tuple[str, str]], str]:
    """Return what a service said: facts by name, or the whole of it as text."""
    names = {"operationId": "Operation", "sourceDeviceId": "Source device", "message": "Message"}
    facts = [(label, shown(str(answer[name]))) for name, label in names.items() if answer.get(name)]
    rest = {name: value for name, value in answer.items() if name not in names}
    text = json.dumps(rest, indent=2, ensure_ascii=False)[:MAX_TOLD] if rest else ""
    return facts, "\n".join(shown(line) if not line.startswith(" ") else line for line in
                            storable(text).split("\n"))  # fmt: skip


def _bulk_metadata(request: TenantRequest, protocol: Protocol) -> Metadata:
    with _guarded(NO_DEFINITION):
        metadata = protocol.metadata(_caller(request), wants_bulk=True)
    if metadata.bulk is None:
        raise ProviderError(NO_BULK)
    return metadata


@contextmanager
def _guarded(message: str) -> Iterator[None]:
    """Let nothing that a protocol does end in an error of ours."""
    try:
        yield
    except (ProviderError, Http404):
        raise
    except Exception as error:
        logger.exception("A protocol failed.")
        raise ProviderError(message, f"{type(error).__name__}; see the server's log.") from error


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
    context = {"protocol": protocol, "address": f"{request.path}?load=1"}
    return _dialog(request, protocol, "extensions/_opening.html", context)


def _failure(request: TenantRequest, protocol: Protocol, error: ProviderError) -> HttpResponse:
    context = {"protocol": protocol, "problem": str(error), "cause": error.cause}
    return _dialog(
        request, protocol, "extensions/_failure.html", context, status=HTTPStatus.BAD_GATEWAY
    )


def _show_step(
    request: TenantRequest,
    protocol: Protocol,
    steps: Steps,
    *,
    problem: str = "",
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    context = {"protocol": protocol, "steps": steps, "problem": problem}
    return _dialog(request, protocol, "extensions/_step.html", context, status=status)


def _show_bulk(
    request: TenantRequest, protocol: Protocol, metadata: Metadata | None, *, problem: str = ""
) -> HttpResponse:
    if metadata is None:
        try:
            metadata = _bulk_metadata(request, protocol)
        except ProviderError as error:
            return _failure(request, protocol, error)
    context = {"protocol": protocol, "metadata": metadata, "problem": problem}
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
        request, template, context, title=protocol.name, back=reverse(LIST), status=status
    )
