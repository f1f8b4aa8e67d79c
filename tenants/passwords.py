"""What people's passwords must not be, and changing one's own."""

import re
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction

from tenants import audit
from tenants.actors import Actor
from tenants.links import void_links
from tenants.models import User
from tenants.sessions import end_sessions

MAX_PASSWORD_LENGTH: Final = 1024  # characters; hashing longer ones is work for nothing
OWN_CHARACTERS: Final = 8  # that have to be left when the names of the house are taken away
MIN_NAME_LENGTH: Final = 3  # characters; shorter names occur in words by chance
PRODUCT: Final = "gatehouse"


class StorableValidator:
    """Refuse what cannot be kept or typed again."""

    def validate(self, password: str, user: User | None = None) -> None:  # noqa: ARG002
        """Check ``password``.

        Raises:
            ValidationError: it is too long or has a NUL.
        """
        if len(password) > MAX_PASSWORD_LENGTH:
            msg = (
                f"This password is too long. It can have at most {MAX_PASSWORD_LENGTH} characters."
            )
            raise ValidationError(msg, code="password_too_long")
        if "\x00" in password:
            msg = "This password has a NUL character in it, which no keyboard types. Leave it out."
            raise ValidationError(msg, code="password_nul")

    def get_help_text(self) -> str:
        """Return the rule as people read it."""
        return f"Your password can have at most {MAX_PASSWORD_LENGTH} characters."


class HouseNameValidator:
    """Refuse what is little more than the name of the product or of the tenant."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Check ``password``.

        Raises:
            ValidationError: without these names there is too little left of it.
        """
        names = [PRODUCT]
        tenant = user.tenant if user is not None and user.tenant_id else None
        if tenant is not None:
            names += [tenant.id, tenant.company, *tenant.company.split(), tenant.domain]
        rest = password.lower()[:MAX_PASSWORD_LENGTH]
        for name in sorted({name.lower() for name in names}, key=len, reverse=True):
            if len(name) >= MIN_NAME_LENGTH:
                rest = rest.replace(name, "")
        if rest != password.lower() and len(re.sub(r"[\W_]", "", rest)) < OWN_CHARACTERS:
            raise ValidationError(
                "This password is little more than the name of your tenant or of Gatehouse. "
                "Choose words that have nothing to do with them.",
                code="password_house_name",
            )

    def get_help_text(self) -> str:
        """Return the rule as people read it."""
        return "Your password must not be built on the name of your tenant or of Gatehouse."


def change_password(user: User, password: str, *, by: Actor, keep: str) -> None:
    """Set a new password; sessions but ``keep`` end, and what was verified or sent is void."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        user.set_password(password)
        user.save(update_fields=["password"])
        void_links(user)
        audit.record(by, user.tenant_id, audit.Type.USER, "Password changed", subject=str(user))
        end_sessions(user, by=by, keep=keep)
