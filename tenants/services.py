"""Accounts for programs: services with tokens, and those that devices knock with."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.conf import settings

from tenants import audit
from tenants.actors import Actor
from tenants.administration import (
    AdministrationError,
    administering,
    rights_in,
    rights_of_bundles,
)
from tenants.backends import service_digest
from tenants.models import ApiToken, GlobalRole, Tenant, User
from tenants.people import current_roles, free_username, locked, record_creation
from tenants.roles import BOOTSTRAP, Role
from tenants.tokens import TokenError, make_token
from tenants.usernames import BOOTSTRAP_USER

SECRET_BYTES: Final = 24  # of a generated secret: 192 bits, 32 characters


def is_bootstrap(user: User) -> bool:
    """Say whether devices knock with this account: it has a secret, and no tokens."""
    return user.is_service and Role.DEVICE_BOOTSTRAP in user.roles


def create_service(
    tenant: Tenant, username: str, *, full_name: str, roles: Iterable[GlobalRole], by: Actor
) -> User:
    """Make an account for a program, which comes in by API tokens.

    Raises:
        InputError: the name cannot be one.
        AdministrationError: the name is taken, or the roles may not be given.
    """
    with administering(tenant, by) as hand:
        given = current_roles(tenant, roles)
        hand.check_gives(rights_of_bundles(tenant, given))
        user = User.objects.create_user(
            tenant,
            free_username(tenant, username),
            None,
            full_name=full_name,
            kind=User.Kind.SERVICE,
        )
        user.global_roles.set(given)
        record_creation(user, given, by=by)
    return user


def create_bootstrap(
    tenant: Tenant, username: str, *, full_name: str, by: Actor
) -> tuple[User, str]:
    """Make an account that devices of ``tenant`` knock with; its secret is shown once.

    Raises:
        InputError: the name cannot be one.
        AdministrationError: the name is taken, or the right may not be given.
    """
    secret = secrets.token_urlsafe(SECRET_BYTES)
    with administering(tenant, by) as hand:
        hand.check_gives(rights_in(tenant, BOOTSTRAP))
        user = User.objects.create_user(
            tenant,
            free_username(tenant, username),
            None,
            roles=BOOTSTRAP,
            full_name=full_name,
            kind=User.Kind.SERVICE,
            secret_digest=service_digest(secret),
        )
        record_creation(user, (), by=by)
    return user, secret


def new_secret(user: User, *, by: Actor) -> str:
    """Replace the secret of an account that devices knock with; the old one is void at once.

    Raises:
        AdministrationError: this account has none, or its secret is set elsewhere.
    """
    secret = secrets.token_urlsafe(SECRET_BYTES)
    with administering(user.tenant, by) as hand:
        account = locked(user)
        hand.check_manages(account)
        if not is_bootstrap(account):
            raise AdministrationError("Only accounts that devices knock with have a secret.")
        if is_set_by_environment(account):
            raise AdministrationError(
                "Its secret is set by GATEHOUSE_BOOTSTRAP_PASSWORD, and every start would bring "
                "it back. Change it there, and start Gatehouse again."
            )
        account.secret_digest = service_digest(secret)
        account.save(update_fields=["secret_digest"])
        audit.record(
            by,
            user.tenant_id,
            audit.Type.USER,
            "Secret renewed",
            subject=str(user),
            severity=audit.Severity.WARNING,
        )
    return secret


def is_set_by_environment(user: User) -> bool:
    """Say whether the secret of ``user`` comes from the environment at every start."""
    is_own = user.tenant.is_management and user.username == BOOTSTRAP_USER
    return is_own and bool(settings.BOOTSTRAP_PASSWORD)


def make_service_token(
    service: User, name: str, scopes: Iterable[str], *, expires_at: datetime | None, by: Actor
) -> tuple[ApiToken, str]:
    """Make a token of a service, with rights that it and whoever makes it both have.

    Raises:
        AdministrationError: it would have others, or be dead already.
    """
    wanted = set(scopes)
    with administering(service.tenant, by) as hand:
        account = locked(service)
        hand.check_manages(account)
        hand.check_gives(rights_in(service.tenant, wanted))
        if not account.is_service or is_bootstrap(account):
            raise AdministrationError("Tokens are made here for services with global roles only.")
        try:
            return make_token(account, name, wanted, expires_at=expires_at, by=by)
        except TokenError as error:
            raise AdministrationError(str(error), field="scopes") from error
