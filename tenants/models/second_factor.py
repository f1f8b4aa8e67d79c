"""Second factors: django-otp's devices, with their secrets kept the way this house keeps them.

The library stores the key of an authenticator and the recovery codes in clear. Here the key is
encrypted and the codes are hashed; checking, replay protection and throttling are the library's.
"""

import base64
import secrets
from binascii import hexlify, unhexlify
from datetime import timedelta
from typing import Any, ClassVar, Final, Self

from django.db import models
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from tenants.encryption import unwrap_key, wrap_key
from tenants.hashing import keyed_digest
from tenants.models.user import User

KEY_BYTES: Final = 20  # of an authenticator; what RFC 4226 recommends
NUMBER_OF_CODES: Final = 10
CODE_BYTES: Final = 10  # of a recovery code: 80 bits, 16 letters and digits
SET_UP_TIME: Final = timedelta(hours=1)  # to show that an app has the key
# The library doubles the wait with every wrong code, for ever. Whoever has the password could
# lock the owner out by that; the counters of sign-ins end guessing as well, so 16 s will do.
MAX_WAITS: Final = 5
STORED_CODE_LENGTH: Final = 16  # characters; what the library's column holds


class _PatientMixin:
    """Makes wrong codes wait, and no longer than for a while."""

    throttling_failure_count: int

    def throttle_increment(self, commit: bool = True) -> None:
        """Count a wrong code, up to the longest wait."""
        self.throttling_failure_count = min(self.throttling_failure_count, MAX_WAITS - 1)
        super().throttle_increment(commit=commit)  # type: ignore[misc]


class Authenticator(_PatientMixin, TOTPDevice):  # type: ignore[misc]
    """An app that shows a new code every 30 seconds (TOTP, RFC 6238)."""

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        proxy = True

    @classmethod
    def prepare(cls, user: User) -> "Authenticator":
        """Make a new one for ``user``, which counts once a code of it was given."""
        cls.objects.filter(user=user, confirmed=False).delete()
        wrapped = wrap_key(secrets.token_bytes(KEY_BYTES), _binding(user.pk))
        return cls.objects.create(
            user=user, name="Authenticator app", confirmed=False, key=hexlify(wrapped).decode()
        )

    @property
    def bin_key(self) -> bytes:
        """Return the key in clear, for the library's own sums."""
        return unwrap_key(unhexlify(self.key), _binding(self.user_id))

    @property
    def secret_text(self) -> str:
        """Return the key as it is typed into an app, in groups of four."""
        text = base64.b32encode(self.bin_key).decode()
        return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


class RecoveryCodes(_PatientMixin, StaticDevice):  # type: ignore[misc]
    """Codes for the day the authenticator is lost; each works once."""

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        proxy = True

    @classmethod
    def renew(cls, user: User) -> list[str]:
        """Make new codes for ``user``, void the old ones, and return the new ones: once."""
        cls.objects.filter(user=user).delete()
        device = cls.objects.create(user=user, name="Recovery codes", confirmed=True)
        codes = [_new_code() for _ in range(NUMBER_OF_CODES)]
        StaticToken.objects.bulk_create(
            StaticToken(device=device, token=_stored(user.pk, code)) for code in codes
        )
        return codes

    def verify_token(self, token: Any) -> bool:
        """Check a code, and use it up."""
        return bool(super().verify_token(_stored(self.user_id, str(token))))


def _new_code() -> str:
    text = base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _stored(user_id: int, code: str) -> str:
    plain = code.replace("-", "").replace(" ", "").lower()
    return keyed_digest("recovery-code", str(user_id), plain)[:STORED_CODE_LENGTH]


def _binding(user_id: int) -> str:
    return f"authenticator/{user_id}"
