"""Second factors: whether a person has one or needs one, checked once, set up and switched off."""

import re
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from tenants import audit
from tenants.actors import Actor
from tenants.models import Authenticator, RecoveryCodes, Tenant, TenantOption, User
from tenants.models.second_factor import SET_UP_TIME
from tenants.options import Option
from tenants.throttle import ThrottledError

CODE: Final = re.compile(r"[0-9]{6}")  # of an authenticator app
REQUIRED: Final = Option(
    category="two-factor-authentication",
    key="required",
    default="false",
    label="Second factor required",
    help=(
        "Everybody signs in with a code besides the password. Who has none yet sets it up at the "
        "next sign-in; the API takes their API tokens and no longer their passwords."
    ),
    choices=("true", "false"),
)


class RequiredError(Exception):
    """The tenant asks everybody for a second factor."""

    def __init__(self) -> None:
        super().__init__(
            "Your tenant requires a second factor: it cannot be switched off. "
            "You can move it to another app."
        )


def has_one(user: User) -> bool:
    """Say whether ``user`` signs in with a code besides the password."""
    return Authenticator.objects.filter(user=user, confirmed=True).exists()


def is_required(tenant: Tenant) -> bool:
    """Say whether people of ``tenant`` need one; where nobody asks for it, that is one query."""
    return _asked().exists() and REQUIRED.value_for(tenant) == "true"


def with_state(users: "QuerySet[User]") -> "QuerySet[User]":
    """Let the gate know, by the query that finds the user, whether it has to ask any further."""
    own = Authenticator.objects.filter(user=OuterRef("pk"), confirmed=True)
    return users.annotate(needs_no_set_up=Q(Exists(own)) | ~Q(Exists(_asked())))


def has_to_set_up(user: User) -> bool:
    """Say whether ``user`` may do nothing else before setting one up."""
    if getattr(user, "needs_no_set_up", False):
        return False
    return is_required(user.tenant) and not has_one(user)


def _asked() -> "QuerySet[TenantOption]":
    """Return the options by which anybody requires second factors."""
    return TenantOption.objects.filter(category=REQUIRED.category, key=REQUIRED.key, value="true")


def verify(user: User, code: str) -> str:
    """Check a code and use it up; return what it came from, or nothing when it is wrong.

    The row is locked meanwhile, so that of two who send the same code only one gets in.

    Raises:
        ThrottledError: wrong codes came before; it was not looked at.
    """
    text = re.sub(r"[\s-]", "", code)
    is_from_app = CODE.fullmatch(text) is not None
    model = Authenticator if is_from_app else RecoveryCodes
    with transaction.atomic():
        device = model.objects.select_for_update().filter(user=user, confirmed=True).first()
        if device is None:
            return ""
        allowed, why = device.verify_is_allowed()
        if allowed:
            what = "authenticator app" if is_from_app else "recovery code"
            return what if device.verify_token(text) else ""
    raise ThrottledError((why["locked_until"] - timezone.now()).total_seconds())


def being_set_up(user: User) -> Authenticator | None:
    """Return the authenticator that waits for its first code."""
    since = timezone.now() - SET_UP_TIME
    return Authenticator.objects.filter(user=user, confirmed=False, created_at__gt=since).first()


def confirm(user: User, code: str, *, by: Actor) -> list[str] | None:
    """Make the authenticator count that waits for its first code; return new recovery codes.

    Returns None when the code is wrong or nothing waits for one.

    Raises:
        ThrottledError: wrong codes came before; it was not looked at.
    """
    text = re.sub(r"[\s-]", "", code)
    with transaction.atomic():
        waiting = being_set_up(user)
        device = (
            Authenticator.objects.select_for_update()
            .filter(pk=waiting.pk if waiting else 0, confirmed=False)
            .first()
        )
        if device is None:
            return None
        allowed, why = device.verify_is_allowed()
        if allowed:
            if CODE.fullmatch(text) is None or not device.verify_token(text):
                return None
            Authenticator.objects.filter(user=user).exclude(pk=device.pk).delete()
            device.confirmed = True
            device.save()
            codes = RecoveryCodes.renew(user)
            _changed(user, "Second factor set up", by)
            return codes
    raise ThrottledError((why["locked_until"] - timezone.now()).total_seconds())


def new_codes(user: User, *, by: Actor) -> list[str]:
    """Make new recovery codes; the old ones are void."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        codes = RecoveryCodes.renew(user)
        _changed(user, "Recovery codes renewed", by)
    return codes


def codes_left(user: User) -> int:
    """Return how many recovery codes still work."""
    device = RecoveryCodes.objects.filter(user=user).first()
    return device.token_set.count() if device else 0


def switch_off(user: User, *, by: Actor) -> bool:
    """Remove the person's own second factor; False if there was none.

    Raises:
        RequiredError: the tenant wants everybody to have one.
    """
    if is_required(user.tenant):
        raise RequiredError
    return _remove(user, "Second factor switched off", by)


def reset(user: User, *, by: Actor) -> bool:
    """Remove a second factor, also where one is required: for somebody who lost theirs."""
    return _remove(user, "Second factor reset", by, audit.Severity.WARNING)


def _remove(
    user: User, activity: str, by: Actor, severity: audit.Severity = audit.Severity.INFORMATION
) -> bool:
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        had_one = has_one(user)
        Authenticator.objects.filter(user=user).delete()
        RecoveryCodes.objects.filter(user=user).delete()
        if had_one:
            _changed(user, activity, by, severity)
    return had_one


def _changed(
    user: User, activity: str, by: Actor, severity: audit.Severity = audit.Severity.INFORMATION
) -> None:
    """Write it down, and let no password count that was checked before."""
    user.save(update_fields=["stamp"])
    audit.record(
        by, user.tenant_id, audit.Type.USER, activity, subject=str(user), severity=severity
    )
