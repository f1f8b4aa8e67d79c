"""The first start: the management tenant, its administrator and the account devices knock with."""

import secrets
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction

from tenants import audit
from tenants.actors import SYSTEM
from tenants.audit import Type
from tenants.backends import service_digest
from tenants.hashing import digests_match, keyed_digest
from tenants.models import MANAGEMENT, GlobalRole, Installation, Tenant, User
from tenants.roles import BOOTSTRAP
from tenants.usernames import BOOTSTRAP_USER

ADMIN = "admin"
GENERATED_BYTES = 18  # of a generated password: 144 bits, 24 characters


class WrongKeyError(Exception):
    """The database was made with another secret key."""


@dataclass
class FirstStart:
    """Passwords that were made just now and are shown once, by login."""

    generated: dict[str, str] = field(default_factory=dict)


def prepare_installation() -> FirstStart:
    """Make what every installation has; on later starts, apply changed passwords only.

    Raises:
        WrongKeyError: the secret key is not the one this database was made with.
    """
    done = FirstStart()
    with transaction.atomic():
        _check_key()
        management, is_new = Tenant.objects.get_or_create(
            id=MANAGEMENT, defaults={"company": "Management"}
        )
        if is_new:
            audit.record(SYSTEM, MANAGEMENT, Type.TENANT, "Tenant created", subject=MANAGEMENT)
        GlobalRole.objects.prepare(management)
        _prepare_admin(management, done)
        _prepare_bootstrap(management, done)
    return done


def is_new() -> bool:
    """Say whether nobody has signed in yet, so that the first password is still to be found."""
    return not User.objects.exclude(last_login=None).exists()


def _check_key() -> None:
    check = keyed_digest("installation", "key-check")
    row, _ = Installation.objects.select_for_update().get_or_create(
        pk=1, defaults={"key_check": check}
    )
    if not digests_match(row.key_check, check):
        raise WrongKeyError


def _prepare_admin(management: Tenant, done: FirstStart) -> None:
    given = settings.ADMIN_PASSWORD
    digest = keyed_digest("environment-password", given) if given else ""
    admin = User.objects.filter(tenant=management, username=ADMIN).first()
    if admin is None:
        password = given or secrets.token_urlsafe(GENERATED_BYTES)
        admin = User.objects.create_user(
            management, ADMIN, password, global_roles=["administrator"]
        )
        _tell("User created", admin)
        if not given:
            done.generated[str(admin)] = password
    elif given and admin.environment_digest != digest:
        admin.set_password(given)
        _tell("Password set by the environment", admin)
    if given and admin.environment_digest != digest:
        admin.environment_digest = digest
        admin.save()


def _prepare_bootstrap(management: Tenant, done: FirstStart) -> None:
    given = settings.BOOTSTRAP_PASSWORD
    user = User.objects.filter(tenant=management, username=BOOTSTRAP_USER).first()
    if user is None:
        user = User.objects.create_user(
            management, BOOTSTRAP_USER, None, roles=BOOTSTRAP, kind=User.Kind.SERVICE
        )
        _tell("Service created", user)
        if not given:
            given = done.generated[str(user)] = secrets.token_urlsafe(GENERATED_BYTES)
    if given and user.secret_digest != service_digest(given):
        _tell("Secret set", user)
        user.secret_digest = service_digest(given)
        user.save()


def _tell(activity: str, user: User) -> None:
    audit.record(SYSTEM, user.tenant_id, Type.USER, activity, subject=str(user))
