"""Looking after accounts: people are invited, changed, shut out, helped in again, and deleted.

What is said of an account here holds for people and services alike, unless it says people.
"""

from collections.abc import Collection, Iterable
from typing import Final

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Value, When
from django.http import HttpRequest

from tenants import audit, second_factors, sessions
from tenants.actors import Actor
from tenants.administration import (
    AdministrationError,
    InputError,
    administering,
    check_administrator_remains,
    rights_of_bundles,
)
from tenants.installation import ADMIN
from tenants.links import Handover, make_link, void_links
from tenants.models import (
    ApiToken,
    Authenticator,
    GlobalRole,
    OneTimeLink,
    Tenant,
    User,
)
from tenants.tokens import revoke_token
from tenants.usernames import BOOTSTRAP_USER, UsernameError, clean_username, namesake

# The management tenant's own accounts, which every start of Gatehouse makes if they are missing.
MADE_AT_START: Final = frozenset({ADMIN, BOOTSTRAP_USER})
_NO_PASSWORD: Final = Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)
ACTIVE: Final = "active"
INVITED: Final = "invited"
DEACTIVATED: Final = "deactivated"
STATES: Final[dict[str, Q]] = {
    ACTIVE: Q(is_active=True) & ~_NO_PASSWORD,
    INVITED: Q(is_active=True) & _NO_PASSWORD,
    DEACTIVATED: Q(is_active=False),
}


def people_of(tenant: Tenant) -> QuerySet[User]:
    """Return the people of ``tenant`` with what is shown of each: state and second factor."""
    return (
        User.objects.for_tenant(tenant)
        .people()
        .annotate(
            has_second_factor=Exists(
                Authenticator.objects.filter(user=OuterRef("pk"), confirmed=True)
            ),
            state=Case(
                *(When(rule, then=Value(name)) for name, rule in STATES.items()),
                default=Value(ACTIVE),
            ),
        )
        .select_related("tenant")
        .prefetch_related("global_roles")
    )


def free_username(tenant: Tenant, text: str) -> str:
    """Return ``text`` as a user name that nobody in ``tenant`` has.

    Raises:
        InputError: it cannot be one; the message says why.
        AdministrationError: somebody has it already.
    """
    try:
        name = clean_username(tenant, text)
    except UsernameError as error:
        raise InputError(str(error), field="username") from error
    other = namesake(tenant, name)
    if other is not None:
        msg = f"There is already an account {other.username} in {tenant.pk}. Choose another."
        raise AdministrationError(msg, field="username")
    return name


def invite(
    request: HttpRequest,
    tenant: Tenant,
    username: str,
    *,
    full_name: str = "",
    email: str = "",
    roles: Iterable[GlobalRole] = (),
    by: Actor,
) -> Handover:
    """Make an account for a person, and a link by which that person chooses a password.

    Raises:
        InputError: the name cannot be one.
        AdministrationError: the name is taken, or the roles may not be given.
    """
    with administering(tenant, by) as hand:
        given = current_roles(tenant, roles)
        hand.check_gives(rights_of_bundles(tenant, given))
        user = User.objects.create_user(
            tenant, free_username(tenant, username), None, full_name=full_name, email=email
        )
        user.global_roles.set(given)
        record_creation(user, given, by=by)
    return make_link(request, user, OneTimeLink.Purpose.INVITATION, by=by)


def change(
    user: User, *, full_name: str, email: str, roles: Iterable[GlobalRole], by: Actor
) -> bool:
    """Change what is known about an account, and its global roles; say if a link became void.

    With more rights, or another address, a link that was made before opens nothing any more:
    whoever has it was trusted with less.

    Raises:
        AdministrationError: somebody may not change this account or give these roles, or nobody
            would be left to look after people.
    """
    with administering(user.tenant, by) as hand:
        account = locked(user)
        hand.check_manages(account)
        before, after = list(account.global_roles.all()), current_roles(user.tenant, roles)
        hand.check_gives(rights_of_bundles(user.tenant, set(after) - set(before)))
        gained = rights_of_bundles(user.tenant, after) - rights_of_bundles(user.tenant, before)
        changes = {
            "fullName": (account.full_name, full_name),
            "email": (account.email, email),
            "globalRoles": (names(before), names(after)),
        }
        if all(old == new for old, new in changes.values()):
            return False
        has_moved = email != account.email
        account.full_name, account.email = full_name, email
        account.global_roles.set(after)
        account.save(update_fields=["full_name", "email"])  # and the stamp with it
        if set(before) != set(after):
            check_administrator_remains(user.tenant)
        audit.record(
            by, user.tenant_id, audit.Type.USER, "User changed", subject=str(user), changes=changes
        )
        return void_links(account) if gained or has_moved else False


def deactivate(user: User, *, by: Actor) -> bool:
    """Shut an account at once: sessions, logins, tokens and links; False if it was shut before.

    Its tokens open again with the account; sessions and links do not.

    Raises:
        AdministrationError: it is one's own, may do more than oneself, or is the last one that
            can look after people.
    """
    with administering(user.tenant, by) as hand:
        account = locked(user)
        hand.check_is_not(account, "Nobody deactivates the own account. Ask another administrator.")
        hand.check_manages(account)
        if not account.is_active:
            return False
        _set_active(account, is_active=False, by=by)
        sessions.end_sessions(account, by=by)
        OneTimeLink.objects.for_tenant(user.tenant).filter(user=account, used_at=None).delete()
        check_administrator_remains(user.tenant)
    return True


def activate(user: User, *, by: Actor) -> bool:
    """Open an account that was shut; False if it was open.

    Raises:
        AdministrationError: it may do more than oneself.
    """
    with administering(user.tenant, by) as hand:
        account = locked(user)
        hand.check_manages(account)
        if account.is_active:
            return False
        _set_active(account, is_active=True, by=by)
    return True


def new_link(request: HttpRequest, user: User, *, by: Actor) -> Handover:
    """Make a new invitation, or for a person who has a password a link to choose another.

    Raises:
        AdministrationError: this person cannot use one, is oneself, or may do more than oneself.
    """
    with administering(user.tenant, by) as hand:
        account = locked(user)
        hand.check_is_not(account, "Change your own password on the page of your account.")
        hand.check_manages(account)
        if account.is_service:
            raise AdministrationError("A service has no password to choose.")
        if not account.is_active:
            msg = f"{account.username} is deactivated. Activate the account first."
            raise AdministrationError(msg)
    purposes = OneTimeLink.Purpose
    purpose = purposes.INVITATION if account.is_invited else purposes.PASSWORD_RESET
    return make_link(request, account, purpose, by=by)


def reset_second_factor(user: User, *, by: Actor) -> bool:
    """Take away a lost second factor with its recovery codes; False if there was none.

    Raises:
        AdministrationError: it is one's own, or of somebody who may do more than oneself.
    """
    with administering(user.tenant, by) as hand:
        account = locked(user)
        hand.check_is_not(account, "Look after your own second factor on the page of your account.")
        hand.check_manages(account)
        return second_factors.reset(account, by=by)


def end_sessions(user: User, *, by: Actor) -> int:
    """Sign a person out everywhere; return of how many browsers.

    Raises:
        AdministrationError: that person may do more than oneself.
    """
    with administering(user.tenant, by) as hand:
        account = locked(user)
        hand.check_manages(account)
        return sessions.end_sessions(account, by=by)


def delete(user: User, *, by: Actor) -> None:
    """Delete an account with its tokens, sessions and second factor; history keeps its name.

    Raises:
        AdministrationError: it is one's own, may do more than oneself, is made again at every
            start, or is the last one that can look after people.
    """
    with administering(user.tenant, by) as hand:
        account = locked(user)
        hand.check_is_not(account, "Nobody deletes the own account. Ask another administrator.")
        hand.check_manages(account)
        if user.tenant.is_management and account.username in MADE_AT_START:
            raise AdministrationError(
                f"{account.username} would be made again at the next start. "
                "Deactivate it instead: that lasts."
            )
        audit.record(
            by,
            user.tenant_id,
            audit.Type.USER,
            "User deleted",
            subject=str(user),
            changes={
                "fullName": (account.full_name, ""),
                "email": (account.email, ""),
                "globalRoles": (names(account.global_roles.all()), ""),
                "roles": (account.roles, ""),
            },
        )
        account.delete()
        check_administrator_remains(user.tenant)


def revoke(token: ApiToken, *, by: Actor) -> bool:
    """Revoke a token of somebody else's account; False if it was revoked before.

    Raises:
        AdministrationError: its owner may do more than oneself.
    """
    with administering(token.user.tenant, by) as hand:
        hand.check_manages(locked(token.user))
        return revoke_token(token, by=by)


def locked(user: User) -> User:
    """Return the account as it is now; it stays so until the transaction ends.

    Raises:
        User.DoesNotExist: somebody deleted it meanwhile.
    """
    return User.objects.select_related("tenant").select_for_update(of=("self",)).get(pk=user.pk)


def current_roles(tenant: Tenant, roles: Iterable[GlobalRole]) -> list[GlobalRole]:
    """Return ``roles`` as they are now, those that were deleted meanwhile left out."""
    wanted = {role.pk for role in roles}
    return list(GlobalRole.objects.for_tenant(tenant).filter(pk__in=wanted))


def record_creation(user: User, given: Collection[GlobalRole], *, by: Actor) -> None:
    """Write down that an account was made, and with what."""
    audit.record(
        by,
        user.tenant_id,
        audit.Type.USER,
        "User created" if user.kind == User.Kind.PERSON else "Service created",
        subject=str(user),
        changes={
            "fullName": ("", user.full_name),
            "email": ("", user.email),
            "globalRoles": ("", names(given)),
            "roles": ("", user.roles),
        },
    )


def names(roles: Iterable[GlobalRole]) -> list[str]:
    """Return the names of ``roles``, in order."""
    return sorted(role.name for role in roles)


def _set_active(account: User, *, is_active: bool, by: Actor) -> None:
    account.is_active = is_active
    account.save(update_fields=["is_active"])
    audit.record(
        by,
        account.tenant_id,
        audit.Type.USER,
        "User activated" if is_active else "User deactivated",
        subject=str(account),
        changes={"enabled": (not is_active, is_active)},
    )
