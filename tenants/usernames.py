"""What can be a user name."""

import unicodedata
from typing import Final

from django.core.exceptions import ValidationError

from tenants.models import MAX_USERNAME_LENGTH, Tenant, User
from tenants.models.user import USERNAME_RULE

DEVICE_PREFIX: Final = "device_"  # of devices; no person's name starts like this
PROVISION_PREFIX: Final = "provision_"  # of provisioning keys; nor like this
BOOTSTRAP_USER: Final = "devicebootstrap"  # of whatever has no credentials yet


class UsernameError(Exception):
    """A text that cannot be a user name; the message says why."""


def clean_username(tenant: Tenant, text: str) -> str:
    """Return ``text`` as a user name of ``tenant``.

    Raises:
        UsernameError: it cannot be one.
    """
    name = unicodedata.normalize("NFC", text.strip())
    problem = ""
    if not name:
        problem = "Give the account a user name."
    elif len(name) > MAX_USERNAME_LENGTH:
        problem = f"A user name has at most {MAX_USERNAME_LENGTH} characters."
    elif name in {".", ".."}:
        problem = "A user name needs more than dots."
    elif name.casefold().startswith(DEVICE_PREFIX):
        problem = f"User names that begin with {DEVICE_PREFIX} belong to devices."
    elif name.casefold().startswith(PROVISION_PREFIX):
        problem = f"User names that begin with {PROVISION_PREFIX} belong to provisioning keys."
    elif name.casefold() == BOOTSTRAP_USER and not tenant.is_management:
        problem = f"{BOOTSTRAP_USER} is the account that devices of all tenants knock with."
    elif not name.isprintable():
        problem = "A user name cannot contain invisible characters or whitespace."
    if not problem:
        try:
            USERNAME_RULE(name)
        except ValidationError as error:
            problem = f"{error.messages[0]}."
    if problem:
        raise UsernameError(problem)
    return name


def namesake(tenant: Tenant, name: str) -> User | None:
    """Return whose name ``name`` would be taken for: capitals make no difference to people."""
    return User.objects.for_tenant(tenant).filter(username__iexact=name).first()
