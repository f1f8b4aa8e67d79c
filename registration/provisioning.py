"""Provisioning keys: made, shown once, presented by devices, revoked at once.

All devices of a type share one until each has credentials of its own ("temporary credentials").
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from inventory.device_types import share_type
from inventory.models import DeviceType
from registration.errors import InvalidKeyError, NoKeysError
from registration.models import ProvisioningKey
from registration.models.provisioning_key import MAX_DEVICES, MAX_KEY_NAME_LENGTH
from tenants import audit
from tenants.actors import Actor
from tenants.addresses import client_address
from tenants.hashing import keyed_digest
from tenants.models import Tenant
from tenants.roles import BOOTSTRAP, Role, effective_roles
from tenants.usernames import PROVISION_PREFIX

KEY_START: Final = "gpk_"  # so that a leaked key is recognised by those who search for them
SECRET_BYTES: Final = 32  # 256 bits
NAME_BYTES: Final = 6


def make_key(
    device_type: DeviceType,
    name: str,
    *,
    expires_at: datetime | None = None,
    max_devices: int | None = None,
    by: Actor,
) -> tuple[ProvisioningKey, str]:
    """Make a key; the secret that comes with it is shown once and kept nowhere.

    Raises:
        NoKeysError: devices of this type do not introduce themselves with a key.
        InvalidKeyError: the key cannot be so; it names the field.
        DeviceType.DoesNotExist: the type is gone.
    """
    name = _checked_name(name)
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidKeyError("expires_on", "The key would have expired already.")
    if max_devices is not None and not 1 <= max_devices <= MAX_DEVICES:
        msg = f"Choose a number from 1 to {MAX_DEVICES:,}, or leave it empty."
        raise InvalidKeyError("max_devices", msg)
    key_id = PROVISION_PREFIX + secrets.token_hex(NAME_BYTES)
    secret = KEY_START + secrets.token_urlsafe(SECRET_BYTES)
    with transaction.atomic():
        held = share_type(device_type)
        if not held.has_provisioning_keys:
            raise NoKeysError(held.name)
        key = ProvisioningKey.objects.create(
            tenant=held.tenant,
            device_type=held,
            name=name,
            key_id=key_id,
            digest=key_digest(key_id, secret),
            created_by_name=by.name[:255],
            expires_at=expires_at,
            max_devices=max_devices,
        )
        changes = {
            "userName": ("", key_id),
            "expires": ("", expires_at),
            "maxDevices": ("", max_devices),
        }
        _record(by, key, "Provisioning key created", changes=changes)
    return key, secret


def revoke_key(key: ProvisioningKey, *, by: Actor) -> bool:
    """Make a key void from now on; False if it was before."""
    with transaction.atomic():
        mine = ProvisioningKey.objects.filter(tenant=key.tenant_id, pk=key.pk)
        revoked = mine.filter(revoked_at=None).update(revoked_at=timezone.now())
        if revoked:
            _record(by, key, "Provisioning key revoked")
    return bool(revoked)


def note_used_up(key: ProvisioningKey, *, by: Actor) -> None:
    """Write down that the last place of a key was taken, in the transaction that took it."""
    _record(
        by, key, "Provisioning key used up", severity=audit.Severity.WARNING,
        text=f"{key.max_devices:,} devices came by it. Further ones are not let in.",
    )  # fmt: skip


def key_digest(key_id: str, secret: str) -> str:
    """Return the digest under which a key's secret is kept."""
    return keyed_digest("provisioning-key", key_id, secret)


# --- Presented ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Presented:
    """What a device shows; ``tenant_id`` is empty where it names none."""

    tenant_id: str
    key_id: str
    digest: str

    @classmethod
    def among(cls, logins: Sequence[tuple[str, str]]) -> "Presented | None":
        """Return the key in a Basic header, if one is meant; neither part contains a colon."""
        if not logins:
            return None
        login, secret = logins[0]
        tenant_id, slash, key_id = login.rpartition("/")
        if not key_id.startswith(PROVISION_PREFIX) or bool(tenant_id) != bool(slash):
            return None
        return cls(tenant_id, key_id, key_digest(key_id, secret))


class ProvisioningCaller:
    """Whoever calls the API with a provisioning key: it may knock, and nothing else."""

    effective_roles: Final = effective_roles(BOOTSTRAP)

    def __init__(self, key: ProvisioningKey) -> None:
        self.key = key
        self.username = key.key_id
        self.tenant: Tenant = key.tenant

    def has_role(self, role: Role) -> bool:
        """Say whether the caller has ``role``."""
        return role in self.effective_roles


def authenticate_key(
    request: HttpRequest, _header: str, logins: list[tuple[str, str]]
) -> ProvisioningCaller | None:
    """Return the caller behind a provisioning key.

    A wrong secret is not counted: nobody guesses 256 bits.
    """
    shown = Presented.among(logins)
    if shown is None:
        return None
    found = (
        ProvisioningKey.objects.alive()
        .select_related("tenant__parent", "device_type")
        .filter(key_id=shown.key_id, digest=shown.digest)
        .first()
    )
    if found is None or shown.tenant_id not in {"", found.tenant_id}:
        return None
    found.note_use(client_address(request.META))
    return ProvisioningCaller(found)


def _checked_name(name: str) -> str:
    name = name.strip()
    problem = ""
    if not name:
        problem = "Give the key a name."
    elif len(name) > MAX_KEY_NAME_LENGTH:
        problem = f"A name has at most {MAX_KEY_NAME_LENGTH} characters."
    elif not name.isprintable():
        problem = "A name is one line of visible characters."
    if problem:
        raise InvalidKeyError("name", problem)
    return name


def _record(
    by: Actor,
    key: ProvisioningKey,
    activity: str,
    *,
    text: str = "",
    changes: audit.Changes | None = None,
    severity: audit.Severity = audit.Severity.INFORMATION,
) -> None:
    audit.record(
        by, key.tenant_id, audit.Type.DEVICE_TYPE, activity, text=text, changes=changes,
        subject=f"{key.device_type}: {key}", severity=severity,
    )  # fmt: skip
