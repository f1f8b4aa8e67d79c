"""Extensions added, changed and removed; none of it calls a service."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from extensions.calling import CallError, check_url
from extensions.models import Extension, Health
from extensions.models.extension import (
    DEFAULT_PRIORITY,
    MAX_CONTEXT_PATH_LENGTH,
    MAX_DESCRIPTION_LENGTH,
    MAX_NAME_LENGTH,
    MAX_SECRET_LENGTH,
    MAX_URL_LENGTH,
)
from tenants import audit
from tenants.actors import Actor
from tenants.models import Tenant

MAX_PRIORITY: Final = 99  # our own entries, with 100, stay on top
MAX_EXTENSIONS: Final = 50  # of a tenant; they stand in a menu
CONTEXT_PATH: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?")
SECRET: Final = re.compile(r"[!-~]*")
_SHORT: Final = {
    "name": MAX_NAME_LENGTH,
    "description": MAX_DESCRIPTION_LENGTH,
    "context_path": MAX_CONTEXT_PATH_LENGTH,
    "base_url": MAX_URL_LENGTH,
    "secret": MAX_SECRET_LENGTH,
}
# What an audit record tells of; the secret is not among it.
_TOLD: Final = (
    "name", "description", "context_path", "base_url", "has_single", "has_bulk", "priority",
    "is_shared", "allows_private",
)  # fmt: skip


class TooManyError(Exception):
    """A tenant has as many extensions as it may have."""


class InvalidExtensionError(Exception):
    """An extension that cannot be so; ``field`` is what is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Details:
    """What a person says of an extension; no secret means that it stays as it is."""

    name: str
    context_path: str
    base_url: str
    description: str = ""
    secret: str | None = None
    has_single: bool = True
    has_bulk: bool = False
    priority: int = DEFAULT_PRIORITY
    is_shared: bool = False
    allows_private: bool = False

    @classmethod
    def of(cls, extension: Extension) -> "Details":
        """Return the details of an extension as they are, without its secret."""
        return cls(**{name: getattr(extension, name) for name in _TOLD})


def add(tenant: Tenant, details: Details, *, by: Actor) -> Extension:
    """Make a service known.

    Raises:
        InvalidExtensionError: a detail cannot be so.
        TooManyError: there are enough.
    """
    details = _checked(tenant, details)
    if Extension.objects.for_tenant(tenant).count() >= MAX_EXTENSIONS:
        msg = f"There can be {MAX_EXTENSIONS} extensions at most. Remove one first."
        raise TooManyError(msg)
    extension = Extension(tenant=tenant, created_by_name=by.name[:255])
    with transaction.atomic():
        _save(extension, details)
        _record(by, extension, "Extension added", {name: ("", getattr(details, name)) for name in
                _TOLD if getattr(details, name)})  # fmt: skip
    return extension


def change(extension: Extension, details: Details, *, by: Actor) -> Extension:
    """Set the details of an extension.

    A secret goes to whoever answers at the base URL. So a new URL needs it entered again: else
    somebody who may change the URL but does not know the secret could have it sent to himself.

    Raises:
        InvalidExtensionError: a detail cannot be so.
        Extension.DoesNotExist: it is gone.
    """
    details = _checked(extension.tenant, details)
    with transaction.atomic():
        held = keep(extension)
        before = Details.of(held)
        moved = (before.base_url, before.context_path) != (details.base_url, details.context_path)
        if moved and held.sealed_secret and details.secret is None:
            msg = "Enter the shared secret again, because it will be sent to another address."
            raise InvalidExtensionError("secret", msg)
        changes: dict[str, tuple[Any, Any]] = {
            name: (getattr(before, name), getattr(details, name))
            for name in _TOLD
            if getattr(before, name) != getattr(details, name)
        }
        if details.secret is not None:
            changes["secret"] = ("", "changed" if details.secret else "removed")
        if not changes:
            return held
        held.updated_at = timezone.now()
        held.health = Health.UNKNOWN
        _save(held, details)
        _record(by, held, "Extension changed", changes)
    return held


def enable(extension: Extension, *, by: Actor, enabled: bool) -> bool:
    """Offer an extension to people, or no longer; return False if that was so before."""
    with transaction.atomic():
        mine = Extension.objects.filter(pk=extension.pk, tenant=extension.tenant_id)
        done = mine.filter(is_enabled=not enabled).update(
            is_enabled=enabled, updated_at=timezone.now()
        )
        if done:
            _record(by, extension, "Extension enabled" if enabled else "Extension disabled", {})
    return bool(done)


def remove(extension: Extension, *, by: Actor) -> None:
    """Forget an extension; what was registered by it stays.

    Raises:
        Extension.DoesNotExist: it is gone already.
    """
    with transaction.atomic():
        held = keep(extension)
        _record(by, held, "Extension removed", {})
        held.delete()


def keep(extension: Extension) -> Extension:
    """Return an extension as it is now, held until the transaction ends."""
    mine = Extension.objects.filter(tenant=extension.tenant_id).select_related("tenant")
    return mine.select_for_update(of=("self",)).get(pk=extension.pk)


def _save(extension: Extension, details: Details) -> None:
    for name in _TOLD:
        setattr(extension, name, getattr(details, name))
    if details.secret is not None:
        extension.seal(details.secret)
    try:
        with transaction.atomic():
            extension.save()
    except IntegrityError as error:
        msg = f"There is an extension with the context path {details.context_path} already."
        raise InvalidExtensionError("context_path", msg) from error


def _record(
    by: Actor, extension: Extension, activity: str, changes: Mapping[str, tuple[Any, Any]]
) -> None:
    audit.record(
        by, extension.tenant_id, audit.Type.EXTENSION, activity, subject=str(extension),
        changes=dict(changes),
    )  # fmt: skip


def _checked(tenant: Tenant, details: Details) -> Details:
    """Return the details with blanks trimmed; refuse what cannot be."""
    trimmed = {
        name: getattr(details, name).strip()
        for name in ("name", "description", "context_path", "base_url")
    }
    details = replace(details, **trimmed)
    for name, most in _SHORT.items():
        text = getattr(details, name) or ""
        if len(text) > most:
            raise InvalidExtensionError(name, f"It can have at most {most:,} characters.")
        if not text.isprintable():
            raise InvalidExtensionError(name, "Write one line of visible characters.")
    if not details.name:
        raise InvalidExtensionError("name", "An extension needs a name: it stands in the menu.")
    if not CONTEXT_PATH.fullmatch(details.context_path):
        msg = "Use small letters, digits, dashes and underscores, such as lora-devices."
        raise InvalidExtensionError("context_path", msg)
    if details.secret is not None and not SECRET.fullmatch(details.secret):
        msg = "A shared secret is made of letters, digits and signs of ASCII, without blanks."
        raise InvalidExtensionError("secret", msg)
    if not 0 <= details.priority <= MAX_PRIORITY:
        raise InvalidExtensionError("priority", f"Choose a number from 0 to {MAX_PRIORITY}.")
    if not (details.has_single or details.has_bulk):
        msg = "Choose single registration, bulk registration or both."
        raise InvalidExtensionError("has_single", msg)
    if not tenant.is_management and (details.is_shared or details.allows_private):
        msg = "Only the management tenant decides that."
        raise InvalidExtensionError("is_shared" if details.is_shared else "allows_private", msg)
    try:
        url = check_url(details.base_url, allows_private=details.allows_private)
    except CallError as error:
        raise InvalidExtensionError("base_url", str(error)) from error
    return replace(details, base_url=url)
