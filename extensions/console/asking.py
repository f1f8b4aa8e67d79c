"""Protocols as the dialogs ask them: whatever one does ends in an answer or in a sentence.

A package's protocol is code of others. What it returns is looked through as a service's answer
is; what it raises is logged, and told to the person as a refusal.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from django.http import QueryDict

from extensions.answers import MAX_PAGES, address, read_json, shown
from extensions.calling import BusyError, CallError
from extensions.console.steps import Steps
from extensions.examples import link_to
from extensions.protocols import (
    CANNOT_REGISTER,
    FILE_ERROR,
    NO_BULK,
    NO_DEFINITION,
    NO_EXAMPLE,
    NO_REGISTRATION,
    Bulk,
    Caller,
    Example,
    Metadata,
    Protocol,
    ProviderError,
)
from extensions.remote import RemoteProtocol, note
from ui.text import storable
from ui.uploads import SealedFile

logger = logging.getLogger("gatehouse.extensions")

# What a service says about a file, by the names of the contract.
FACTS: Final = {"operationId": "Operation", "sourceDeviceId": "Source device", "message": "Message"}
MAX_TOLD: Final = 20_000  # characters of an answer that are shown
MAX_FILE_NAME: Final = 100  # characters


def metadata_of(protocol: Protocol, caller: Caller, *, wants_bulk: bool = False) -> Metadata:
    """Return how to register.

    Raises:
        ProviderError: it cannot be had, or lacks what is wanted.
    """
    with guarded(NO_DEFINITION):
        found = protocol.metadata(caller, wants_bulk=wants_bulk)
        pages = read_json(json.dumps(list(found.pages)).encode())
        is_right = all(isinstance(page, dict) for page in pages) and len(pages) <= MAX_PAGES
        if not wants_bulk and not (pages and is_right):
            raise ProviderError(NO_REGISTRATION)
        if wants_bulk and found.bulk is None:
            raise ProviderError(NO_BULK)
        bulk = found.bulk and Bulk(
            shown(found.bulk.title),
            [
                Example(
                    shown(one.title),
                    shown(one.description),
                    address(one.url),
                    link_to(address(one.link)),
                )
                for one in found.bulk.examples
            ],
        )
        return Metadata(shown(found.title), shown(found.description), pages, bulk)


def steps_of(protocol: Protocol, metadata: Metadata, sent: QueryDict | None) -> Steps:
    """Return the steps of a protocol's form, with what a person sent of them.

    Raises:
        ProviderError: no form can be made of it, which those who look after it are told.
    """
    try:
        with guarded(NO_DEFINITION):
            return Steps.of(metadata, sent)
    except ProviderError as error:
        if isinstance(protocol, RemoteProtocol):
            note(protocol.extension, error.cause)
        raise


def register(protocol: Protocol, caller: Caller, model: Mapping[str, Any]) -> None:
    """Register one device.

    Raises:
        ProviderError: it was refused.
    """
    with guarded(CANNOT_REGISTER):
        protocol.register(caller, model)


def hand_on(
    protocol: Protocol, caller: Caller, file: SealedFile
) -> tuple[list[tuple[str, str]], str]:
    """Hand a file on; return what was said to it: facts by name, and the rest as text.

    Raises:
        ProviderError: it was refused.
    """
    with guarded(FILE_ERROR):
        name = storable(file.name_sent)
        answer = protocol.register_file(caller, file.chunks(), name, file.size or 0)
        facts = [
            (label, shown(str(answer[name])))
            for name, label in FACTS.items()
            if answer.get(name) not in (None, "")
        ]
        rest = {name: value for name, value in answer.items() if name not in FACTS}
        text = json.dumps(rest, indent=2, ensure_ascii=False, default=str) if rest else ""
        return facts, _lines(text)


def example_of(protocol: Protocol, caller: Caller, example: Example) -> tuple[str, bytes]:
    """Return the name and the content of a file that shows how a protocol's files look.

    Raises:
        ProviderError: it cannot be had.
    """
    with guarded(NO_EXAMPLE):
        content = bytes(protocol.example(caller, example))
    name = example.url.partition("?")[0].rpartition("/")[2]
    return " ".join(name.split())[:MAX_FILE_NAME] or "example.csv", content


def cause_of(error: ProviderError, protocol: Protocol, caller: Caller) -> str:
    """Return what more there is to say; where a service stands is for its own tenant alone."""
    is_others = (
        isinstance(protocol, RemoteProtocol) and protocol.extension.tenant_id != caller.tenant.pk
    )
    because = error.__cause__
    if is_others and isinstance(because, CallError) and not isinstance(because, BusyError):
        return ""
    return shown(error.cause)


@contextmanager
def guarded(message: str) -> Iterator[None]:
    """Let nothing that a protocol does end in an error of ours."""
    try:
        yield
    except ProviderError:
        raise
    except Exception as error:
        logger.exception("A protocol failed.")
        raise ProviderError(message, "It failed; the server's log says how.") from error


def _lines(text: str) -> str:
    """Return JSON as text that can be shown."""
    plain = "".join(one if one.isprintable() or one == "\n" else " " for one in text)
    return plain if len(plain) <= MAX_TOLD else f"{plain[:MAX_TOLD]}…"
