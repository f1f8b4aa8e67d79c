"""Secrets that Gatehouse itself must read again: encrypted with a key outside the database.

Everything that only has to be compared is hashed instead, see :mod:`tenants.hashing`.
"""

import base64
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

from tenants.hashing import purpose_key

NONCE_BYTES: Final = 12  # what AES-GCM takes


class DecryptionError(Exception):
    """The text was altered, or encrypted for another place or with another key."""


def encrypt(text: str, binding: str) -> str:
    """Return ``text`` encrypted (AES-256-GCM), to be opened with the same ``binding`` only."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(purpose_key("encryption")).encrypt(nonce, text.encode(), binding.encode())
    return base64.urlsafe_b64encode(nonce + sealed).decode()


def decrypt(text: str, binding: str) -> str:
    """Return what was encrypted.

    Raises:
        DecryptionError: it cannot be had back.
    """
    try:
        raw = base64.urlsafe_b64decode(text)
        cipher = AESGCM(purpose_key("encryption"))
        return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], binding.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise DecryptionError from error


def wrap_key(key: bytes, binding: str) -> bytes:
    """Return a random key encrypted (AES-SIV), 16 bytes longer than it was."""
    return AESSIV(purpose_key("key-wrapping")).encrypt(key, [binding.encode()])


def unwrap_key(wrapped: bytes, binding: str) -> bytes:
    """Return the key that was wrapped.

    Raises:
        DecryptionError: it cannot be had back.
    """
    try:
        return AESSIV(purpose_key("key-wrapping")).decrypt(wrapped, [binding.encode()])
    except InvalidTag as error:
        raise DecryptionError from error
