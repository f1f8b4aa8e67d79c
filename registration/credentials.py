"""Secrets of the hand-over: the device's token as it is kept, the password as it is made."""

import hashlib
import hmac
import secrets

from inventory.passwords import password_from
from tenants.hashing import digests_match, keyed_digest

MAX_TOKEN_LENGTH = 1000  # characters of a security token; longer ones are no tokens


def token_digest(device_id: str, token: str) -> str:
    """Return what is kept of a device's security token; empty when it sent none."""
    return keyed_digest("security-token", device_id, token) if token else ""


def tokens_match(one: str, other: str) -> bool:
    """Compare two token digests in constant time; "none" only equals "none"."""
    return digests_match(one, other)


def new_handover_nonce() -> str:
    """Return what makes this hand-over's password different from any other."""
    return secrets.token_urlsafe(32)


def handover_password(device_id: str, nonce: str) -> str:
    """Return the device's password of one hand-over, 186 bits strong.

    It is computed from the installation's key and the hand-over's nonce, so that an answer lost
    on the way can be given again, the same, without the password being stored. The nonce goes
    when the device has logged in; from then on nobody can compute it again.
    """
    seed = keyed_digest("handover-password", device_id, nonce)
    stream = hmac.digest(seed.encode(), b"stream", hashlib.sha512)
    return password_from(int.from_bytes(stream))
