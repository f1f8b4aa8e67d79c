"""Trying an extension out: what it says about itself, without registering anything."""

from collections.abc import Sequence
from dataclasses import dataclass

from extensions.models import Extension
from extensions.protocols import NO_BULK, Caller, Metadata, ProviderError
from extensions.remote import RemoteProtocol, note
from extensions.schema.reading import read_pages


@dataclass(frozen=True)
class Trial:
    """What came of it: what the service said, or a problem with its cause."""

    metadata: Metadata | None = None
    pages: Sequence[str] = ()  # their titles
    problem: str = ""
    cause: str = ""


def try_out(extension: Extension, caller: Caller) -> Trial:
    """Ask a service what it needs to know, as the dialogs would; its health is noted."""
    try:
        metadata = RemoteProtocol(extension).metadata(caller, wants_bulk=not extension.has_single)
    except ProviderError as error:
        return Trial(problem=str(error), cause=error.cause)
    if extension.has_bulk and metadata.bulk is None:
        note(extension, NO_BULK)
        return Trial(problem=NO_BULK)
    try:
        pages = read_pages(metadata.pages) if extension.has_single else ()
    except ProviderError as error:
        note(extension, error.cause)
        return Trial(problem=str(error), cause=error.cause)
    return Trial(metadata, [page.title for page in pages])
