"""Device types: made, changed and deleted, with what a type asks of its devices.

A type that has devices, or devices on their way in, keeps its security option and stays: what they
prove their identity with cannot change under them.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any, Final

import re2
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from inventory.errors import DeviceTypeInUseError, DeviceTypeNameTakenError, InvalidDeviceTypeError
from inventory.fields import text_key
from inventory.models import Acceptance, DeviceType, ManagedObject, SecurityOption
from inventory.models.device_type import (
    MAX_DESCRIPTION_LENGTH,
    MAX_PATTERN_LENGTH,
    MAX_SECRET_LENGTH,
    MAX_TYPE_NAME_LENGTH,
    MIN_SECRET_LENGTH,
)
from tenants import audit
from tenants.actors import Actor
from tenants.models import Tenant

MAX_PATTERN_MEMORY: Final = 1 << 20  # bytes of the compiled pattern

# Says whether apps above this one know devices of a type that are on their way in.
InUse = Callable[[DeviceType], bool]
_in_use: list[InUse] = []
# Lets apps above this one let go of a type before it is deleted.
LetGo = Callable[[DeviceType, Actor], None]
_letting_go: list[LetGo] = []


def register_use(in_use: InUse, let_go: LetGo | None = None) -> None:
    """Let an app above this one say what it has of a type, and let go of it at a deletion."""
    _in_use.append(in_use)
    if let_go is not None:
        _letting_go.append(let_go)


@dataclass(frozen=True)
class TypeDetails:
    """What a person or a client says of a device type."""

    name: str
    description: str = ""
    security_option: str = SecurityOption.SHARED_SECRET
    acceptance: str = Acceptance.MANUAL
    device_id_pattern: str = ""
    min_secret_length: int = MIN_SECRET_LENGTH

    @classmethod
    def of(cls, device_type: DeviceType) -> "TypeDetails":
        """Return the details of a type as they are."""
        return cls(**{field.name: getattr(device_type, field.name) for field in fields(cls)})


def create_type(tenant: Tenant, details: TypeDetails, *, by: Actor) -> DeviceType:
    """Make a device type.

    Raises:
        InvalidDeviceTypeError: a detail cannot be so; it names the field.
        DeviceTypeNameTakenError: there is one of this name.
    """
    details = _checked(details)
    device_type = DeviceType(tenant=tenant)
    with transaction.atomic():
        _save(device_type, details)
        _record(by, device_type, "Device type created", {name: ("", value) for name, value in
                asdict(details).items() if value})  # fmt: skip
    return device_type


def change_type(device_type: DeviceType, details: TypeDetails, *, by: Actor) -> DeviceType:
    """Set the details of a type; what is so already writes nothing.

    Raises:
        InvalidDeviceTypeError: a detail cannot be so; it names the field.
        DeviceTypeNameTakenError: there is another one of this name.
        DeviceTypeInUseError: it has devices, and another security option is wanted.
        DeviceType.DoesNotExist: it is gone.
    """
    details = _checked(details)
    with transaction.atomic():
        held = keep_type(device_type)
        before, after = asdict(TypeDetails.of(held)), asdict(details)
        changes = {
            name: (before[name], after[name]) for name in after if after[name] != before[name]
        }
        if not changes:
            return held
        if "security_option" in changes and is_in_use(held):
            msg = (
                f"{held} has devices already, so that its security option cannot change. Make "
                "another device type for devices that come in in another way."
            )
            raise DeviceTypeInUseError(msg)
        held.updated_at = timezone.now()
        _save(held, details)
        _record(by, held, "Device type changed", changes)
    return held


def delete_type(device_type: DeviceType, *, by: Actor) -> None:
    """Delete a type that nothing depends on any more.

    Raises:
        DeviceTypeInUseError: it has devices, or some are on their way in.
        DeviceType.DoesNotExist: it is gone already.
    """
    with transaction.atomic():
        held = keep_type(device_type)
        if is_in_use(held):
            msg = (
                f"{held} still has devices or registrations, or a list of them is being "
                "registered. Delete those first, or keep the device type."
            )
            raise DeviceTypeInUseError(msg)
        for let_go in _letting_go:
            let_go(held, by)
        name = str(held)
        held.delete()
        audit.record(
            by, held.tenant_id, audit.Type.DEVICE_TYPE, "Device type deleted", subject=name
        )


def is_in_use(device_type: DeviceType) -> bool:
    """Say whether the type has devices, or some that are on their way in."""
    devices = ManagedObject.objects.filter(device_type=device_type)
    return devices.exists() or any(asked(device_type) for asked in _in_use)


def keep_type(device_type: DeviceType) -> DeviceType:
    """Keep a type as it is until the transaction ends, and return it; call it before any device.

    Raises:
        DeviceType.DoesNotExist: it is gone.
    """
    mine = DeviceType.objects.filter(tenant=device_type.tenant_id)
    return mine.select_for_update(of=("self",)).get(pk=device_type.pk)


def share_type(device_type: DeviceType) -> DeviceType:
    """Keep a type as :func:`keep_type` does, though others may do the same meanwhile.

    Raises:
        DeviceType.DoesNotExist: it is gone.
    """
    if connection.vendor == "postgresql":  # the lock that a foreign key takes
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM inventory_devicetype WHERE id = %s FOR KEY SHARE", [device_type.pk]
            )
    return DeviceType.objects.get(tenant=device_type.tenant_id, pk=device_type.pk)


def matches_pattern(device_type: DeviceType, device_id: str) -> bool:
    """Say whether a whole device ID is what the type's pattern asks for."""
    if not device_type.device_id_pattern:
        return True
    return _compiled(device_type.device_id_pattern).fullmatch(device_id) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    # An engine that never goes back: with Python's own, a pattern could keep the server busy
    # for ever.
    options = re2.Options()
    options.max_mem, options.log_errors = MAX_PATTERN_MEMORY, False
    return re2.compile(pattern, options)


def _save(device_type: DeviceType, details: TypeDetails) -> None:
    for name, value in asdict(details).items():
        setattr(device_type, name, value)
    device_type.rename(details.name)
    try:
        with transaction.atomic():
            device_type.save()
    except IntegrityError as error:
        other = DeviceType.objects.filter(
            tenant=device_type.tenant_id, name_key=text_key(details.name)
        )
        number = other.values_list("pk", flat=True).first()
        raise DeviceTypeNameTakenError(details.name, number) from error


def _record(
    by: Actor, device_type: DeviceType, activity: str, changes: dict[str, tuple[object, object]]
) -> None:
    audit.record(
        by, device_type.tenant_id, audit.Type.DEVICE_TYPE, activity, subject=str(device_type),
        changes=changes,
    )  # fmt: skip


def _checked(details: TypeDetails) -> TypeDetails:
    """Return the details with blanks trimmed; refuse what cannot be."""
    name, description = details.name.strip(), details.description.strip()
    if not name:
        raise InvalidDeviceTypeError("name", "A device type needs a name.")
    _check_length("name", name, MAX_TYPE_NAME_LENGTH)
    _check_length("description", description, MAX_DESCRIPTION_LENGTH)
    if any(not character.isprintable() for character in name):
        raise InvalidDeviceTypeError("name", "A name is one line of visible characters.")
    if any(not (one.isprintable() or one in "\n\r\t") for one in description):
        msg = "A description is text; take out the invisible characters."
        raise InvalidDeviceTypeError("description", msg)
    for field, choices in (("security_option", SecurityOption), ("acceptance", Acceptance)):
        if getattr(details, field) not in choices.values:
            known = ", ".join(choices.values)
            raise InvalidDeviceTypeError(field, f"Choose one of these: {known}.")
    if not MIN_SECRET_LENGTH <= details.min_secret_length <= MAX_SECRET_LENGTH:
        msg = f"Choose a number from {MIN_SECRET_LENGTH} to {MAX_SECRET_LENGTH}."
        raise InvalidDeviceTypeError("min_secret_length", msg)
    _check_pattern(details.device_id_pattern)
    automatic = details.security_option == SecurityOption.TEMPORARY_CREDENTIALS
    return TypeDetails(
        name,
        description,
        str(details.security_option),
        # It means nothing elsewhere, and must not come to mean something by itself.
        str(details.acceptance) if automatic else Acceptance.MANUAL.value,
        details.device_id_pattern,
        details.min_secret_length,
    )


def _check_length(field: str, text: str, most: int) -> None:
    if len(text) > most:
        raise InvalidDeviceTypeError(field, f"It can have at most {most:,} characters.")


def _check_pattern(pattern: str) -> None:
    _check_length("device_id_pattern", pattern, MAX_PATTERN_LENGTH)
    if not pattern.isprintable():
        msg = "A pattern is one line of visible characters."
        raise InvalidDeviceTypeError("device_id_pattern", msg)
    try:
        _compiled(pattern)
    except re2.error as error:
        msg = (
            "This is no regular expression that can be used here (RE2 syntax, without "
            "look-around and back-references)."
        )
        raise InvalidDeviceTypeError("device_id_pattern", msg) from error
