"""What a way of registering is: the same for services that we call and for packages within.

A package that brings one along makes a subclass of :class:`Protocol` and names it as an entry
point of the group ``gatehouse.protocols``; a service is called by the same steps over HTTP. The
console draws the same dialogs for both. Source: Cumulocity, extensible device registration.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from tenants.actors import Actor
from tenants.models import Tenant

# The contract's sentences; the web client of the original shows them.
CANNOT_REGISTER: Final = "Cannot register your device."
CANNOT_REACH: Final = "Unable to reach the microservice."
CANNOT_REACH_FOR_FILE: Final = "No internet connection. Unable to reach the microservice."
NO_DEFINITION: Final = "Cannot fetch a form definition from the microservice."
NO_REGISTRATION: Final = (
    "The response of the microservice is incomplete. "
    "The device registration information is missing."
)
NO_BULK: Final = (
    "The response of the microservice is incomplete. The bulk registration information is missing."
)
NO_EXAMPLE: Final = "The example file cannot be fetched from the microservice."
FILE_FAILED: Final = "Device registration failed."
FILE_ERROR: Final = "Error occurred while processing the uploaded file."


class ProviderError(Exception):
    """What was asked of a provider did not work; the message is for the person who asked.

    ``cause`` says more, for those who look after the extension; it is text from anywhere.
    """

    def __init__(self, message: str, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True)
class Example:
    """A file that shows how a bulk file looks; ``url`` is where the provider has it.

    With a ``link`` the provider is not asked for it: a browser goes there, by ``https://``.
    """

    title: str
    description: str
    url: str
    link: str = ""

    @property
    def host(self) -> str:
        """Return the host that the link leads to."""
        return urlsplit(self.link).netloc.lower()


@dataclass(frozen=True)
class Bulk:
    """How files are taken."""

    title: str
    examples: Sequence[Example] = ()


@dataclass(frozen=True)
class Metadata:
    """What is needed to register by a protocol: a JSON Schema for each page of the form."""

    title: str
    description: str = ""
    pages: Sequence[Mapping[str, Any]] = ()
    bulk: Bulk | None = None


@dataclass(frozen=True)
class Caller:
    """In whose name something is registered."""

    tenant: Tenant
    by: Actor
    language: str = "en"  # what a person reads best, as a BCP 47 tag


class Protocol(ABC):
    """A way of registering devices.

    ``key`` stands in addresses: small letters, digits and dashes. ``priority`` sorts the menu,
    high ones first; our own entries have 100.
    """

    key: str
    name: str
    description: str = ""
    priority: int = 50
    has_single: bool = True
    has_bulk: bool = False

    def is_for(self, tenant: Tenant) -> bool:
        """Say whether people of ``tenant`` may use it."""
        return True

    @abstractmethod
    def metadata(self, caller: Caller, *, wants_bulk: bool = False) -> Metadata:
        """Return how to register, in the caller's language; by files, if that is asked for.

        Raises:
            ProviderError: it cannot be had now.
        """

    def register(self, caller: Caller, model: Mapping[str, Any]) -> Any:
        """Register one device, by the values of all pages in one flat object; return JSON.

        Raises:
            ProviderError: it was refused; the message says why.
        """
        raise ProviderError(CANNOT_REGISTER)

    def example(self, caller: Caller, example: Example) -> bytes:
        """Return a file that shows how a bulk file looks.

        Raises:
            ProviderError: it cannot be had.
        """
        raise ProviderError(FILE_ERROR)

    def register_file(
        self, caller: Caller, file: Iterable[bytes], name: str, size: int
    ) -> Mapping[str, Any]:
        """Register what a file holds, read as a stream; return the JSON that comes of it.

        Raises:
            ProviderError: it was refused; the message says why.
        """
        raise ProviderError(FILE_FAILED)
