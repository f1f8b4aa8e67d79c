"""External IDs: bound to an object, and taken off again."""

import unicodedata
from typing import Final

from django.db import IntegrityError, transaction

from inventory.errors import ExternalIdTakenError, InvalidObjectError
from inventory.locks import keep
from inventory.models import DeviceEvent, ExternalId, ManagedObject
from inventory.models.external_id import MAX_EXTERNAL_ID_BYTES, MAX_EXTERNAL_TYPE_BYTES
from tenants.actors import Actor

MAX_EXTERNAL_IDS: Final = 1_000  # of one object; they are answered without paging
CONTROLS: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})  # Unicode categories; no address has them


def check_external_id(kind: str, value: str) -> None:
    """Say whether ``value`` of type ``kind`` can name an object.

    Raises:
        InvalidObjectError: one of them is missing, too long, or has a character that cannot be.
    """
    for what, text, most in (
        ("type", kind, MAX_EXTERNAL_TYPE_BYTES),
        ("externalId", value, MAX_EXTERNAL_ID_BYTES),
    ):
        if not text.strip():
            msg = f"Following mandatory fields should be included: {what}"
            raise InvalidObjectError(msg)
        if len(text.encode()) > most:
            msg = f"Field {what} can have at most {most} bytes."
            raise InvalidObjectError(msg)
        if any(unicodedata.category(character) in CONTROLS for character in text):
            msg = f"Field {what} cannot contain control characters."
            raise InvalidObjectError(msg)
    if "/" in kind:
        raise InvalidObjectError(
            "Field type cannot contain a slash: in addresses it ends there and the ID begins."
        )


def bind(managed_object: ManagedObject, kind: str, value: str, *, by: Actor) -> ExternalId:
    """Let ``value`` of type ``kind`` name the object.

    Raises:
        InvalidObjectError: one of them cannot be, or the object has too many.
        ExternalIdTakenError: it names an object already, this one or another.
        ManagedObject.DoesNotExist: the object is gone.
    """
    check_external_id(kind, value)
    with transaction.atomic():
        if not keep([managed_object.pk]):
            raise ManagedObject.DoesNotExist
        if managed_object.external_ids.count() >= MAX_EXTERNAL_IDS:
            msg = f"An object can have at most {MAX_EXTERNAL_IDS} external IDs."
            raise InvalidObjectError(msg)
        try:
            with transaction.atomic():
                bound = ExternalId.objects.create(
                    tenant_id=managed_object.tenant_id,
                    type=kind,
                    value=value,
                    managed_object=managed_object,
                )
        except IntegrityError as error:
            raise ExternalIdTakenError(kind, value) from error
        DeviceEvent.record(
            DeviceEvent.Kind.BOUND, by=by, tenant_id=managed_object.tenant_id,
            managed_object=managed_object, text=str(bound),
        )  # fmt: skip
    return bound


def unbind(external_id: ExternalId, *, by: Actor) -> None:
    """Take an external ID off its object.

    Raises:
        ExternalId.DoesNotExist: somebody else has.
    """
    with transaction.atomic():
        gone, _ = ExternalId.objects.filter(pk=external_id.pk).delete()
        if not gone:
            raise ExternalId.DoesNotExist
        DeviceEvent.record(
            DeviceEvent.Kind.UNBOUND, by=by, tenant_id=external_id.tenant_id,
            managed_object=external_id.managed_object, text=str(external_id),
        )  # fmt: skip
