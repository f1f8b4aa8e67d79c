"""The tenants that a tenant looks after: created, changed, suspended, activated and deleted.

The management tenant looks after all; any other one that may own tenants looks after its own
subtenants. Which tenants somebody may touch at all is decided by the look-up
(:meth:`TenantQuerySet.for_tenant`); what may be done to them is decided here, for every door.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Prefetch

from tenants import audit
from tenants.actors import Actor
from tenants.models import MANAGEMENT, AuditRecord, GlobalRole, Tenant, User
from tenants.models.tenant import MAX_DEVICE_LIMIT, TenantQuerySet
from tenants.usernames import UsernameError, clean_username, namesake

ADMINISTRATOR: Final = "administrator"  # the global role of whoever runs a tenant
DEFAULT_ADMINISTRATOR: Final = "admin"  # user name
DELETED: Final = "Tenant deleted"
GENERATED_DIGITS: Final = 8  # of an ID that nobody chose
# They mean something else in addresses, in logins or to people.
RESERVED_IDS: Final = frozenset(
    {"admin", "administrator", "all", "any", "anonymous", "api", "app", "audit", "bootstrap"}
    | {"console", "default", "device", "devices", "gatehouse", "healthz", "help", "localhost"}
    | {"login", "management", "none", "null", "public", "root", "service", "services", "settings"}
    | {"static", "support", "system", "tenant", "tenants", "user", "users", "www"}
)
# What can be changed about a tenant, and the sentence for a value that it cannot have.
DETAILS: Final = {
    "company": "A tenant needs the name of its organisation, of at most 255 characters.",
    "domain": "",  # the model's own sentence
    "contact_name": "The name of a contact can have at most 255 characters.",
    "contact_phone": "A phone number can have at most 64 characters.",
    "contact_email": "This is no e-mail address. Write it like jo@acme.example, or leave it empty.",
    "device_limit": (
        f"A device limit is a whole number from 0 to {MAX_DEVICE_LIMIT:,}. "
        "Leave it empty for no limit."
    ),
    "allow_create_tenants": "Whether a tenant may own subtenants is either true or false.",
}


class TenantError(Exception):
    """A rule refuses; the message says which, ``field`` what it is about, if it is one thing."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class InvalidTenantError(TenantError):
    """A value that a tenant, or its administrator, cannot have."""


class TakenError(TenantError):
    """The ID, the domain or the user name belongs to somebody already."""


class TenantRightError(TenantError):
    """Something that is for the management tenant to do."""


@dataclass(frozen=True)
class Administrator:
    """Somebody who is to run a tenant; without a password, one who will choose it by a link."""

    username: str = DEFAULT_ADMINISTRATOR
    full_name: str = ""
    email: str = ""
    password: str | None = None


def create_tenant(
    owner: Tenant,
    details: Mapping[str, Any],
    administrator: Administrator,
    *,
    tenant_id: str = "",
    by: Actor,
) -> tuple[Tenant, User]:
    """Create a subtenant of ``owner`` with its roles and its first administrator.

    ``details`` are attributes of :data:`DETAILS`; without ``tenant_id`` an ID is made up.

    Raises:
        InvalidTenantError: a value does not fit.
        TakenError: the ID or the domain belongs to another tenant.
        TenantRightError: ``owner`` may not own tenants, or not give away what was asked for.
    """
    if not owner.may_own_tenants:
        raise TenantRightError("This tenant may not own subtenants.")
    values = _checked(details)
    if "company" not in values:
        raise InvalidTenantError(DETAILS["company"], "company")
    if (
        values.get("device_limit") is None and not owner.is_management
    ):  # nobody gives more than there is to give
        values["device_limit"] = owner.device_limit
    _check_gift(Tenant(), values, by)
    tenant = Tenant(id=_free_id(tenant_id), parent=owner, **values)
    with transaction.atomic():
        _lock(owner)  # it must not go while it gets a subtenant
        _save(tenant, force_insert=True)
        audit.record(
            by,
            tenant.pk,
            audit.Type.TENANT,
            "Tenant created",
            subject=tenant.pk,
            changes={name: ("", after) for name, after in facts_of(tenant).items()},
        )
        GlobalRole.objects.prepare(tenant)
        return tenant, invite_administrator(tenant, administrator, by=by)


def change_tenant(tenant: Tenant, details: Mapping[str, Any], *, by: Actor) -> bool:
    """Change what ``details`` name; False if all of it was so before.

    Raises:
        InvalidTenantError: a value does not fit.
        TakenError: the domain belongs to another tenant.
        TenantRightError: that is for others to decide.
    """
    values = _checked(details)
    if tenant.is_management:  # it may own tenants whatever is said
        values.pop("allow_create_tenants", None)
    with transaction.atomic():
        row = _lock(tenant)
        _check_gift(row, values, by)
        before = facts_of(row)
        for name, value in values.items():
            setattr(row, name, value)
        changes = {
            name: (before[name], after)
            for name, after in facts_of(row).items()
            if before[name] != after
        }
        if changes:
            _save(row, update_fields=[*values])
            audit.record(
                by, row.pk, audit.Type.TENANT, "Tenant changed", subject=row.pk, changes=changes
            )
    for name, value in values.items():
        setattr(tenant, name, value)
    return bool(changes)


def suspend_tenant(tenant: Tenant, *, by: Actor) -> bool:
    """Lock out the people and devices of ``tenant`` at once; False if they were.

    Its data stays. Whether a tenant is active is asked at every request, so nothing else is done.
    What the management tenant suspends stays so until it says otherwise: the owner may have
    suspended it before, and cannot undo that any more.

    Raises:
        TenantError: this tenant cannot be suspended, or not by itself.
    """
    if tenant.is_management:
        raise TenantError("The management tenant runs this Gatehouse; it cannot be suspended.")
    if by.user is not None and by.user.tenant_id == tenant.pk:
        raise TenantError("A tenant cannot suspend itself.")
    return _set_status(tenant, Tenant.Status.SUSPENDED, "Tenant suspended", by=by)


def activate_tenant(tenant: Tenant, *, by: Actor) -> bool:
    """Let the people and devices of ``tenant`` in again; False if they were.

    Raises:
        TenantRightError: the management tenant suspended it, and somebody else asks.
    """
    return _set_status(tenant, Tenant.Status.ACTIVE, "Tenant activated", by=by)


def _set_status(tenant: Tenant, status: Tenant.Status, activity: str, *, by: Actor) -> bool:
    who = by.user.tenant_id if by.user else MANAGEMENT
    with transaction.atomic():
        row = _lock(tenant)
        if row.suspended_by == MANAGEMENT and who != MANAGEMENT:
            if status == Tenant.Status.ACTIVE:
                raise TenantRightError(
                    "The management tenant suspended this tenant; only it can activate it again."
                )
            return False
        before = row.status
        tenant.status = row.status = status
        row.suspended_by = who if status == Tenant.Status.SUSPENDED else ""
        row.save(update_fields=["status", "suspended_by"])
        if before == status:
            return False
        audit.record(
            by,
            row.pk,
            audit.Type.TENANT,
            activity,
            subject=row.pk,
            changes={"status": (before, status)},
        )
    return True


def invite_administrator(tenant: Tenant, administrator: Administrator, *, by: Actor) -> User:
    """Return a user with the role of administrator, who can then be given a link.

    One who was invited before and never came is the same one; anybody else's account is left
    alone, so that nobody outside the tenant takes over one by its name.

    Raises:
        InvalidTenantError: a value does not fit.
        TakenError: the user name is another account's.
        TenantRightError: it is one's own tenant, where rights over accounts decide, not these.
    """
    if by.user is not None and by.user.tenant_id == tenant.pk:
        raise TenantRightError("Invite people of your own tenant on the page People.")
    try:
        username = clean_username(tenant, administrator.username)
    except UsernameError as error:
        raise InvalidTenantError(str(error), "admin_username") from error
    given = {
        name: _clean(User, name, value.strip(), prefix="admin_")
        for name, value in (
            ("full_name", administrator.full_name),
            ("email", administrator.email),
        )
    }
    with transaction.atomic():
        # Two who invite at once: the tenant's row makes the second one wait.
        _lock(tenant)
        user = namesake(tenant, username)
        if user is not None:
            return _invite_again(user, given, by=by)
        user = User.objects.create_user(
            tenant,
            username,
            administrator.password,
            global_roles=[ADMINISTRATOR],
            full_name=given["full_name"],
            email=given["email"],
        )
        audit.record(
            by,
            tenant.pk,
            audit.Type.USER,
            "User created",
            subject=str(user),
            changes={
                "full_name": ("", user.full_name),
                "email": ("", user.email),
                "global_roles": ("", [ADMINISTRATOR]),
            },
        )
    return user


def _invite_again(user: User, given: Mapping[str, str], *, by: Actor) -> User:
    is_waiting = (
        user.is_invited and user.is_active and user.global_roles.filter(name=ADMINISTRATOR).exists()
    )
    if not is_waiting:
        msg = f"There is a user {user} already. Choose another user name."
        raise TakenError(msg, "admin_username")
    changes = {
        name: (getattr(user, name), value)
        for name, value in given.items()
        if value and value != getattr(user, name)
    }
    for name, (_, value) in changes.items():
        setattr(user, name, value)
    if changes:
        user.save(update_fields=[*changes])
        audit.record(
            by, user.tenant_id, audit.Type.USER, "User changed", subject=str(user), changes=changes
        )
    return user


def _lock(tenant: Tenant) -> Tenant:
    """Hold the tenant still; whoever only refers to it, as every event does, need not wait."""
    return Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)


# --- Checks ---------------------------------------------------------------------------------


def _checked(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``details`` as a tenant keeps them."""
    values = {}
    for name, value in details.items():
        text = value.strip() if isinstance(value, str) else value
        values[name] = _clean(Tenant, name, text.lower() if name == "domain" else text)
    return values


def _clean(model: type[Tenant | User], name: str, value: Any, *, prefix: str = "") -> Any:
    """Return ``value`` as the column keeps it."""
    column: Any = model._meta.get_field(name)  # noqa: SLF001
    try:
        return column.clean(value, None)
    except ValidationError as error:
        message = DETAILS.get(name) if model is Tenant else ""
        raise InvalidTenantError(message or " ".join(error.messages), prefix + name) from error


def _check_gift(tenant: Tenant, values: Mapping[str, Any], by: Actor) -> None:
    """Refuse to let somebody else own tenants, or lift the own limit, unless one runs the house."""
    if values.get("domain") in settings.OWN_NAMES and not tenant.is_management:
        # Who signs in there by a plain name, or knocks, would be taken for one of that tenant.
        raise TakenError("This Gatehouse itself is reached there. Choose another domain.", "domain")
    if by.user is None or by.user.tenant_id == MANAGEMENT:
        return
    may_own = values.get("allow_create_tenants", tenant.allow_create_tenants)
    if may_own != tenant.allow_create_tenants:
        raise TenantRightError(
            "Only the management tenant decides which tenants may own subtenants.",
            "allow_create_tenants",
        )
    limit = values.get("device_limit", tenant.device_limit)
    if limit == tenant.device_limit:
        return
    if by.user.tenant_id == tenant.pk:
        raise TenantRightError("A tenant cannot change its own device limit.", "device_limit")
    own = by.user.tenant.device_limit
    if own is not None and (limit is None or limit > own):
        msg = f"Your own tenant has a device limit of {own:,}: give its subtenants no more."
        raise TenantRightError(msg, "device_limit")


def _free_id(wanted: str) -> str:
    """Return ``wanted`` if a tenant may have it, or one that nobody has."""
    wanted = wanted.strip()
    if not wanted:
        while True:
            made = f"t{secrets.randbelow(10**GENERATED_DIGITS):0{GENERATED_DIGITS}}"
            if not _is_known(made):
                return made
    made = str(_clean(Tenant, "id", wanted))
    if Tenant.objects.filter(pk=made).exists():
        raise _taken_id(made)
    if made in RESERVED_IDS:
        msg = f"The ID {made} is reserved. Choose another one."
        raise InvalidTenantError(msg, "id")
    if _is_known(made):
        # Its audit records are kept under this ID, and are nobody else's business.
        msg = f"There was a tenant with the ID {made} before. Choose another ID."
        raise TakenError(msg, "id")
    return made


def _is_known(tenant_id: str) -> bool:
    """Say whether there is or was a tenant with this ID."""
    deletions = AuditRecord.objects.filter(
        tenant_id=tenant_id, type=audit.Type.TENANT, activity=DELETED
    )
    return Tenant.objects.filter(pk=tenant_id).exists() or deletions.exists()


def _taken_id(tenant_id: str) -> TakenError:
    return TakenError(f"There is a tenant with the ID {tenant_id} already.", "id")


def _save(tenant: Tenant, **how: Any) -> None:
    """Save, and say which of the two that must be unique is not."""
    try:
        with transaction.atomic():
            tenant.save(**how)
    except IntegrityError as error:
        if how.get("force_insert") and Tenant.objects.filter(pk=tenant.pk).exists():
            raise _taken_id(tenant.pk) from error
        msg = f"Another tenant has the domain {tenant.domain} already."
        raise TakenError(msg, "domain") from error


def facts_of(tenant: Tenant) -> dict[str, Any]:
    """Return what the audit log keeps of a tenant."""
    return {
        "company": tenant.company,
        "domain": tenant.domain,
        "parent": tenant.parent_id,
        "contact_name": tenant.contact_name,
        "contact_phone": tenant.contact_phone,
        "contact_email": tenant.contact_email,
        "device_limit": tenant.device_limit,
        "allow_create_tenants": tenant.allow_create_tenants,
        "status": tenant.status,
    }


def with_administrators(tenants: TenantQuerySet) -> TenantQuerySet:
    """Fetch the administrators of ``tenants`` along with them, oldest first."""
    administrators = User.objects.get_queryset().filter(global_roles__name=ADMINISTRATOR)
    return tenants.prefetch_related(
        Prefetch("users", administrators.order_by("pk"), to_attr="administrators")
    )
