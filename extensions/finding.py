"""Which ways of registering a tenant has: those of packages, its extensions and shared ones."""

import logging
from typing import Final

from extensions.models import Extension
from extensions.packages import protocol_of, protocols
from extensions.protocols import Protocol
from extensions.remote import RemoteProtocol
from tenants.models import Tenant

PREFIX: Final = "ext-"
MAX_DIGITS: Final = 18

logger = logging.getLogger("gatehouse.extensions")


def protocols_for(tenant: Tenant) -> list[Protocol]:
    """Return what people of ``tenant`` may register devices by; no service is asked."""
    found = [one for one in protocols() if _is_for(one, tenant)]
    mine = Extension.objects.usable_by(tenant).order_by("pk")
    return [*found, *(RemoteProtocol(one) for one in mine)]


def find(tenant: Tenant, key: str) -> Protocol | None:
    """Return the one with this key, if people of ``tenant`` may use it."""
    found = protocol_of(key)
    if found is not None:
        return found if _is_for(found, tenant) else None
    number = key.removeprefix(PREFIX)
    if number == key or not (number.isascii() and number.isdigit()) or len(number) > MAX_DIGITS:
        return None
    extension = Extension.objects.usable_by(tenant).filter(pk=int(number)).first()
    return RemoteProtocol(extension) if extension else None


def _is_for(protocol: Protocol, tenant: Tenant) -> bool:
    """Ask a package whether people of a tenant may use it; one that is broken is for nobody."""
    try:
        return protocol.is_for(tenant)
    except Exception:
        logger.exception("The protocol %s cannot say whom it is for.", protocol.key)
        return False
