"""Looking after global roles: made, changed, reset and deleted, with everybody who has them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import Count, F, QuerySet

from tenants import audit
from tenants.actors import Actor
from tenants.administration import (
    AdministrationError,
    Administrator,
    InputError,
    administering,
    check_administrator_remains,
    rights_in,
)
from tenants.models import GlobalRole, OneTimeLink, Tenant, User
from tenants.roles import ABOUT_SUBTENANTS, BUNDLES, DESCRIPTIONS, Role

# What rights are about, in the order in which a form shows them.
GROUPS: Final[Mapping[str, tuple[Role, ...]]] = {
    "Devices": (
        Role.DEVICE_CONTROL_READ,
        Role.DEVICE_CONTROL_ADMIN,
        Role.DEVICE_TYPE_READ,
        Role.DEVICE_TYPE_ADMIN,
        Role.INVENTORY_READ,
        Role.INVENTORY_CREATE,
        Role.INVENTORY_ADMIN,
        Role.IDENTITY_READ,
        Role.IDENTITY_ADMIN,
    ),
    "Options": (Role.OPTION_MANAGEMENT_READ, Role.OPTION_MANAGEMENT_ADMIN),
    "People": (
        Role.USER_MANAGEMENT_READ,
        Role.USER_MANAGEMENT_ADMIN,
        Role.USER_MANAGEMENT_OWN_READ,
    ),
    "Audit log": (Role.AUDIT_READ, Role.AUDIT_ADMIN),
    "Subtenants": (
        Role.TENANT_MANAGEMENT_READ,
        Role.TENANT_MANAGEMENT_CREATE,
        Role.TENANT_MANAGEMENT_UPDATE,
        Role.TENANT_MANAGEMENT_ADMIN,
    ),
}
NAMES_SHOWN: Final = 5  # of those who have a role, in a refusal


def offered(tenant: Tenant) -> dict[str, tuple[Role, ...]]:
    """Return the rights that ``tenant`` can put into a global role, by what they are about."""
    shown: dict[str, tuple[Role, ...]] = dict(GROUPS)
    # A right that is added to the contract's list and forgotten above is offered all the same.
    grouped = {role for roles in GROUPS.values() for role in roles}
    rest = tuple(r for r in DESCRIPTIONS if r not in {*grouped, Role.DEVICE_BOOTSTRAP})
    if rest:
        shown["Other"] = rest
    if not tenant.may_own_tenants:
        del shown["Subtenants"]
    return shown


def roles_of(tenant: Tenant) -> QuerySet[GlobalRole]:
    """Return the global roles of ``tenant``, each with the number of those who have it."""
    counted = GlobalRole.objects.for_tenant(tenant).annotate(number=Count("users"))
    return counted.order_by("name")


def create_role(
    tenant: Tenant, name: str, description: str, roles: Iterable[str], *, by: Actor
) -> GlobalRole:
    """Make a global role.

    Raises:
        InputError: the name cannot be one, or a right cannot be in it.
        AdministrationError: the name is taken, or the rights may not be given.
    """
    wanted = _checked(roles)
    with administering(tenant, by) as hand:
        hand.check_gives(rights_in(tenant, wanted))
        role = GlobalRole(
            tenant=tenant, name=_clean_name(tenant, name), description=description, roles=wanted
        )
        role.save()
        _record(role, "Global role created", {"name": ("", role.name), "roles": ("", wanted)}, by)
    return role


def change_role(
    role: GlobalRole, *, name: str, description: str, roles: Iterable[str], by: Actor
) -> None:
    """Change a global role; everybody who has it has the new rights at once.

    Raises:
        InputError: the name cannot be one, or a right cannot be in it.
        AdministrationError: the name is taken, one may not give or take these rights, or nobody
            would be left to look after people.
    """
    wanted = _checked(roles)
    with administering(role.tenant, by) as hand:
        now = _locked(role)
        if not role.tenant.may_own_tenants:
            # They are not offered there, and must not go because nobody could tick them.
            wanted = sorted({*wanted, *(ABOUT_SUBTENANTS & set(now.roles))})
        if now.is_built_in and name != now.name:
            raise AdministrationError("A built-in role keeps its name.", field="name")
        if name != now.name:
            name = _clean_name(role.tenant, name, but=now)
        _apply(hand, now, name=name, description=description, roles=wanted)


def reset_role(role: GlobalRole, *, by: Actor) -> None:
    """Give a built-in role the rights that every tenant starts with.

    Raises:
        AdministrationError: it is not built in, one may not give or take these rights, or nobody
            would be left to look after people.
    """
    bundle = next((one for one in BUNDLES if one.name == role.name), None)
    if bundle is None:
        raise AdministrationError("Only a built-in role has a default to go back to.")
    with administering(role.tenant, by) as hand:
        _apply(
            hand,
            _locked(role),
            name=bundle.name,
            description=bundle.description,
            roles=sorted(str(one) for one in bundle.roles),
        )


def delete_role(role: GlobalRole, *, by: Actor) -> None:
    """Delete a global role that nobody has.

    Raises:
        AdministrationError: it is built in, or somebody has it.
    """
    with administering(role.tenant, by) as hand:
        now = _locked(role)
        if now.is_built_in:
            raise AdministrationError("A built-in role cannot be deleted. Change its rights.")
        holders = list(now.users.order_by("username").values_list("username", flat=True))
        if holders:
            shown = ", ".join(holders[:NAMES_SHOWN])
            more = f" and {len(holders) - NAMES_SHOWN} more" if len(holders) > NAMES_SHOWN else ""
            raise AdministrationError(f"{shown}{more} still have this role. Take it away first.")
        hand.check_gives(rights_in(role.tenant, now.roles))
        _record(now, "Global role deleted", {"roles": (now.roles, "")}, by)
        now.delete()


def _apply(
    hand: Administrator, role: GlobalRole, *, name: str, description: str, roles: list[str]
) -> None:
    tenant = role.tenant
    before, after = rights_in(tenant, role.roles), rights_in(tenant, roles)
    changes = {
        "name": (role.name, name),
        "description": (role.description, description),
        "roles": (sorted(role.roles), sorted(roles)),
    }
    if all(old == new for old, new in changes.values()):
        return
    if before != after:
        for user in role.users.select_related("tenant").prefetch_related("global_roles"):
            hand.check_manages(user)
    # Also what it holds now: to reword a role is to say what those rights are called.
    hand.check_gives(before | after)
    role.name, role.description, role.roles = name, description, sorted(roles)
    role.save()
    # What was verified about them a moment ago was verified with the old rights.
    User.objects.for_tenant(tenant).filter(global_roles=role).update(stamp=F("stamp") + 1)
    if after - before:  # whoever has a link of theirs was trusted with less
        links = OneTimeLink.objects.for_tenant(tenant)
        links.filter(user__global_roles=role, used_at=None).delete()
    if before != after:
        check_administrator_remains(tenant)
    _record(role, "Global role changed", changes, hand.actor)


def _locked(role: GlobalRole) -> GlobalRole:
    return (
        GlobalRole.objects.for_tenant(role.tenant)
        .select_related("tenant")
        .select_for_update(of=("self",))
        .get(pk=role.pk)
    )


def _checked(roles: Iterable[str]) -> list[str]:
    wanted = {str(role) for role in roles}
    if Role.DEVICE_BOOTSTRAP in wanted:
        msg = f"{Role.DEVICE_BOOTSTRAP} is for services only; make a bootstrap account instead."
        raise InputError(msg, field="roles")
    unknown = sorted(wanted - {str(role) for role in DESCRIPTIONS})
    if unknown:
        raise InputError(f"There is no right {unknown[0]}.", field="roles")
    if not wanted:
        raise InputError("Choose at least one right.", field="roles")
    return sorted(wanted)


def _clean_name(tenant: Tenant, text: str, *, but: GlobalRole | None = None) -> str:
    name = " ".join(text.split())
    try:
        GlobalRole._meta.get_field("name").clean(name, None)  # noqa: SLF001
    except ValidationError as error:
        raise InputError(" ".join(error.messages), field="name") from error
    namesakes = GlobalRole.objects.for_tenant(tenant).filter(name__iexact=name)
    if but is not None:
        namesakes = namesakes.exclude(pk=but.pk)
    if namesakes.exists():
        msg = f"There is already a global role {name} in {tenant.pk}. Choose another name."
        raise AdministrationError(msg, field="name")
    return name


def _record(
    role: GlobalRole, activity: str, changes: Mapping[str, tuple[Any, Any]], by: Actor
) -> None:
    audit.record(by, role.tenant_id, audit.Type.ROLE, activity, subject=role.name, changes=changes)
