"""Keyed hashes: how secrets are kept, compared and looked up.

A digest made here is worthless without the installation's key, which is not in the database.
That is enough for secrets that we generate (128 bits and more) and for tokens that are guarded
by a counter; people's passwords go through Django's slow hashers instead.
"""

import hashlib
import hmac
from functools import cache

from django.conf import settings


@cache
def purpose_key(purpose: str) -> bytes:
    """Return 32 bytes for one purpose, so that what is made for one is no use for another."""
    return hmac.digest(settings.SECRET_KEY.encode(), f"gatehouse:{purpose}".encode(), "sha256")


def keyed_digest(purpose: str, *parts: str) -> str:
    """Return the digest of ``parts`` in hexadecimal, 64 characters.

    The parts are length-prefixed: ("ab", "c") and ("a", "bc") differ.
    """
    mac = hmac.new(purpose_key(purpose), digestmod=hashlib.sha256)
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        mac.update(b"%d:" % len(encoded))
        mac.update(encoded)
    return mac.hexdigest()


def digests_match(one: str, other: str) -> bool:
    """Compare two digests in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())
