"""The rules of looking after accounts: who may do it, and what must remain afterwards.

Whoever changes accounts or roles of a tenant does it inside :func:`administering`. There the
tenant's accounts stand still, and the rights of the one who changes them are read anew: of two
administrators who shut each other out at the same moment, the second one finds itself shut out.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction

from tenants.actors import Actor
from tenants.models import GlobalRole, Tenant, User
from tenants.roles import ABOUT_SUBTENANTS, Role, effective_roles


class AdministrationError(Exception):
    """A change that a rule refuses; the message says why, and what to do instead.

    ``field`` names what in the form it is about, if it is about one thing.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class InputError(AdministrationError):
    """Something that cannot be kept, whatever the rules."""


@dataclass(frozen=True)
class Administrator:
    """Somebody who changes accounts; ``rights`` are all that this somebody has right now."""

    actor: Actor
    rights: frozenset[str] | None  # None: Gatehouse itself, which may do anything

    def check_gives(self, rights: Iterable[str]) -> None:
        """Refuse to let somebody give rights that he does not have himself.

        Raises:
            AdministrationError: with the rights that are missing.
        """
        missing = self._missing(rights)
        if missing:
            msg = f"You cannot give rights that you do not have yourself: {missing}."
            raise AdministrationError(msg, field="roles")

    def check_manages(self, user: User) -> None:
        """Refuse to let somebody manage an account that may do more than he may himself.

        Raises:
            AdministrationError: with the rights that are missing.
        """
        missing = self._missing(user.effective_roles)
        if missing:
            msg = (
                f"{user.username} has rights that you do not have: {missing}. "
                "Ask somebody who has them."
            )
            raise AdministrationError(msg)

    def check_is_not(self, user: User, message: str) -> None:
        """Refuse what nobody does to his own account.

        Raises:
            AdministrationError: ``user`` is the one who acts.
        """
        if self.actor.user is not None and self.actor.user.pk == user.pk:
            raise AdministrationError(message)

    def _missing(self, rights: Iterable[str]) -> str:
        missing = set() if self.rights is None else set(rights) - self.rights
        return ", ".join(sorted(missing))


@contextmanager
def administering(tenant: Tenant, by: Actor) -> Iterator[Administrator]:
    """Open a transaction in which nobody else changes accounts or roles of ``tenant``.

    Raises:
        AdministrationError: the one who acts lost the right to, a moment ago.
    """
    with transaction.atomic():
        # Devices that are being registered for the tenant point to its row; they need not wait.
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        yield Administrator(by, _rights_of(by))


def _rights_of(by: Actor) -> frozenset[str] | None:
    if by.user is None:
        return None
    user = User.objects.for_tenant(by.user.tenant).filter(pk=by.user.pk).first()
    rights = user.effective_roles if user is not None and user.may_sign_in else frozenset()
    if by.limit is not None:
        rights &= by.limit
    if Role.USER_MANAGEMENT_ADMIN not in rights:
        raise AdministrationError("Your account may no longer do this: its rights were changed.")
    if Role.DEVICE_CONTROL_ADMIN in rights:
        # Whoever lets devices in may also give out the account that they knock with.
        rights |= {Role.DEVICE_BOOTSTRAP}
    return rights


def rights_in(tenant: Tenant, roles: Iterable[str]) -> frozenset[str]:
    """Return what ``roles`` amount to in ``tenant``, with everything they include."""
    effective = effective_roles(roles)
    return effective if tenant.may_own_tenants else effective - ABOUT_SUBTENANTS


def rights_of_bundles(tenant: Tenant, bundles: Iterable[GlobalRole]) -> frozenset[str]:
    """Return what global roles of ``tenant`` amount to together."""
    return rights_in(tenant, {role for bundle in bundles for role in bundle.roles})


def check_administrator_remains(tenant: Tenant) -> None:
    """Refuse a change, after it was made, that leaves nobody who could look after people.

    Somebody who was invited and has not chosen a password yet does not count: the link may never
    be opened.

    Raises:
        AdministrationError: nobody is left.
    """
    needed = Role.USER_MANAGEMENT_ADMIN
    people = (
        User.objects.for_tenant(tenant)
        .people()
        .filter(is_active=True)
        .exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    )
    bundles = [
        bundle.pk
        for bundle in GlobalRole.objects.for_tenant(tenant)
        if needed in effective_roles(bundle.roles)
    ]
    if people.filter(global_roles__in=bundles).exists():
        return
    if any(needed in roles for roles in people.exclude(roles=[]).values_list("roles", flat=True)):
        return
    raise AdministrationError(
        f"Somebody who can sign in must keep the right {needed}, or nobody could look after "
        f"people in {tenant.pk} any more. Give it to another person first."
    )
