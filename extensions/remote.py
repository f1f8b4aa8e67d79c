"""Services that register devices, called over HTTP. Source: Cumulocity, extensible registration."""

import base64
import json
import logging
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.utils import timezone

from extensions.answers import NotJsonError, message_of, read_json, read_metadata, shown
from extensions.calling import Answer, BusyError, CallError, Target, call
from extensions.examples import link_to, path_at
from extensions.models import Extension, Health
from extensions.models.extension import MAX_ERROR_LENGTH
from extensions.protocols import (
    CANNOT_REACH,
    CANNOT_REACH_FOR_FILE,
    CANNOT_REGISTER,
    FILE_ERROR,
    FILE_FAILED,
    NO_DEFINITION,
    NO_EXAMPLE,
    Bulk,
    Caller,
    Example,
    Metadata,
    Protocol,
    ProviderError,
)
from tenants.encryption import DecryptionError

HERE: Final = "/deviceRegistration"
MAX_METADATA: Final = 1024 * 1024  # bytes
MAX_EXAMPLE: Final = 5 * 1024 * 1024  # bytes
MAX_ANSWER: Final = 256 * 1024  # bytes
FILE_SPEED: Final = 256 * 1024  # bytes a second; who takes a file more slowly is not waited for
JSON: Final = "application/json"
LOCKED_OUT: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

logger = logging.getLogger("gatehouse.extensions")


class RemoteProtocol(Protocol):
    """A service, as a way of registering."""

    def __init__(self, extension: Extension) -> None:
        self.extension = extension
        self.key = f"ext-{extension.pk}"
        self.name, self.description = extension.name, extension.description
        self.priority = extension.priority
        self.has_single, self.has_bulk = extension.has_single, extension.has_bulk
        self.target = Target(extension.base_url, extension.allows_private)

    def metadata(self, caller: Caller, *, wants_bulk: bool = False) -> Metadata:
        """Ask the service what it needs to know."""
        path = f"{HERE}/metadata?{urlencode({'lang': caller.language})}"
        try:
            answer = self._call(
                "GET", path, caller,
                most=MAX_METADATA, seconds=settings.EXTENSION_METADATA_SECONDS,
            )  # fmt: skip
            found = read_metadata(_definition(answer), wants_bulk=wants_bulk)
        except CallError as error:
            raise self._unanswered(NO_DEFINITION, error) from error
        except ProviderError as error:
            raise self._failed(error) from None
        note(self.extension, "")
        return replace(found, bulk=found.bulk and self._linked(found.bulk))

    def register(self, caller: Caller, model: Mapping[str, Any]) -> Any:
        """Hand the values of all pages to the service."""
        content = json.dumps(model).encode()
        try:
            answer = self._call(
                "POST", HERE, caller, {"Content-Type": JSON}, content,
                seconds=settings.EXTENSION_REGISTER_SECONDS,
            )  # fmt: skip
        except CallError as error:
            raise self._unanswered(CANNOT_REACH, error) from error
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            cause = f"It answers with status {answer.status}."
            raise self._failed(ProviderError(CANNOT_REGISTER, cause))
        if answer.status in LOCKED_OUT:
            cause = f"It does not let us in (status {answer.status})."
            raise self._failed(ProviderError(_said(answer) or CANNOT_REGISTER, cause))
        if answer.status >= HTTPStatus.BAD_REQUEST:  # about this device, not about the service
            raise ProviderError(_said(answer) or CANNOT_REGISTER)
        try:
            return _json(answer, CANNOT_REACH)
        except ProviderError as error:
            raise self._failed(error) from None

    def example(self, caller: Caller, example: Example) -> bytes:
        """Fetch an example from the service; from nowhere else."""
        path = path_at(self.target.base_url, self.extension.context_path, example.url)
        if not path:
            raise ProviderError(NO_EXAMPLE, "The example is not at the service itself.")
        try:
            answer = self._call(
                "GET", path, caller, {"Accept": "*/*"},
                most=MAX_EXAMPLE, seconds=settings.EXTENSION_REGISTER_SECONDS,
            )  # fmt: skip
        except CallError as error:
            raise self._unanswered(CANNOT_REACH, error) from error
        if answer.status >= HTTPStatus.BAD_REQUEST:
            cause = f"It answers with status {answer.status}."
            raise ProviderError(NO_EXAMPLE, cause)
        return answer.body

    def _linked(self, bulk: Bulk) -> Bulk:
        """Return how files are taken, with links to the examples that are not at the service."""
        base, context_path = self.target.base_url, self.extension.context_path
        return replace(
            bulk,
            examples=tuple(
                one if path_at(base, context_path, one.url) else replace(one, link=link_to(one.url))
                for one in bulk.examples
            ),
        )

    def register_file(
        self, caller: Caller, file: Iterable[bytes], name: str, size: int
    ) -> Mapping[str, Any]:
        """Hand a file on, piece by piece."""
        form = _Form(name)
        headers = {
            "Content-Type": form.content_type,
            "Content-Length": str(size + form.overhead),
        }
        try:
            answer = self._call(
                "POST", f"{HERE}/bulk", caller, headers, form.around(file),
                seconds=settings.EXTENSION_FILE_SECONDS + size / FILE_SPEED,
            )  # fmt: skip
        except CallError as error:
            raise self._unanswered(CANNOT_REACH_FOR_FILE, error) from error
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            cause = f"It answers with status {answer.status}."
            raise self._failed(ProviderError(FILE_ERROR, cause))
        if answer.status in LOCKED_OUT:
            cause = _said(answer) or f"It does not let us in (status {answer.status})."
            raise self._failed(ProviderError(FILE_FAILED, cause))
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise ProviderError(FILE_FAILED, _said(answer))
        try:
            found = _json(answer, CANNOT_REACH)
        except ProviderError as error:
            raise self._failed(error) from None
        if not isinstance(found, Mapping):
            raise self._failed(ProviderError(FILE_ERROR, "It answers with JSON that is no object."))
        if "error" in found:
            raise ProviderError(FILE_FAILED, message_of(found))
        return found

    def _call(
        self,
        method: str,
        path: str,
        caller: Caller,
        headers: Mapping[str, str] | None = None,
        content: bytes | Iterator[bytes] | None = None,
        *,
        most: int = MAX_ANSWER,
        seconds: float,
    ) -> Answer:
        every = {
            "Accept": JSON,
            "Accept-Language": caller.language,
            "User-Agent": "Gatehouse",
            **self._authorization(caller),
            **(headers or {}),
        }
        return call(
            self.target, method, path, party=caller.tenant.pk, headers=every, content=content,
            most=most, seconds=seconds,
        )  # fmt: skip

    def _authorization(self, caller: Caller) -> dict[str, str]:
        """Return what the service knows us by; from the login it reads whose devices these are."""
        try:
            secret = self.extension.secret
        except DecryptionError as error:
            msg = "Its shared secret cannot be read any more. Enter it again."
            raise CallError(msg) from error
        if not secret:
            return {}
        login = f"{caller.tenant.pk}/{self.extension.context_path}:{secret}"
        return {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()}

    def _unanswered(self, message: str, error: CallError) -> ProviderError:
        """Return what a person is told; that we are busy is no fault of the service."""
        told = ProviderError(message, str(error))
        return told if isinstance(error, BusyError) else self._failed(told)

    def _failed(self, error: ProviderError) -> ProviderError:
        note(self.extension, error.cause or str(error))
        return error


def note(extension: Extension, error: str) -> None:
    """Keep how the service was; that it still works is written once a minute.

    What was asked by details that somebody has changed meanwhile says nothing about the new ones.
    """
    now = timezone.now()
    error = shown(" ".join(error.split()))  # some of it is the service's own words
    mine = Extension.objects.filter(
        pk=extension.pk, tenant=extension.tenant_id, updated_at=extension.updated_at
    )
    if error:
        logger.warning("Extension %s failed: %s", extension.pk, error)
        mine.update(
            health=Health.BAD,
            checked_at=now,
            last_error=error[:MAX_ERROR_LENGTH],
            last_error_at=now,
        )
    elif (
        extension.health != Health.GOOD
        or extension.checked_at is None
        or (now - extension.checked_at).total_seconds() > 60
    ):
        mine.update(health=Health.GOOD, checked_at=now)


def _definition(answer: Answer) -> Any:
    if answer.status >= HTTPStatus.BAD_REQUEST:
        raise ProviderError(NO_DEFINITION, f"It answers with status {answer.status}.")
    return _json(answer, NO_DEFINITION)


def _json(answer: Answer, message: str) -> Any:
    try:
        return read_json(answer.body)
    except NotJsonError as error:
        if not answer.body:
            raise ProviderError(
                message, "It answers with nothing, where JSON is expected."
            ) from error
        what = answer.media_type or "something without a type"
        raise ProviderError(message, f"It answers with {what} that is no JSON.") from error


def _said(answer: Answer) -> str:
    try:
        return message_of(read_json(answer.body))
    except NotJsonError:
        return ""


class _Form:
    """A form with one file in it, whose length is known before."""

    def __init__(self, name: str) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        plain = "".join(one if one.isalnum() or one in "._- " else "_" for one in name)
        plain = plain.encode("ascii", "replace").decode().replace("?", "_")[:200] or "devices.csv"
        self._head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{plain}"\r\n'
            "Content-Type: text/csv\r\n\r\n"
        ).encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self.overhead = len(self._head) + len(self._tail)

    def around(self, file: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the form, with ``file`` in it."""
        yield self._head
        yield from file
        yield self._tail
