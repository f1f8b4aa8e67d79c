"""Who is asking: people by session or Basic, with their password checked as rarely as possible."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpRequest
from django.http.request import split_domain_port

from tenants import audit, failed_sign_ins, second_factors, throttle
from tenants.actors import Actor
from tenants.hashing import digests_match, keyed_digest
from tenants.models import MANAGEMENT, User, VerifiedLogin
from tenants.tokens import PREFIX as TOKEN_PREFIX
from tenants.usernames import DEVICE_PREFIX, PROVISION_PREFIX

SLOW_CHECKS = 1  # of people's passwords at a time, in each worker process
SLOW_CHECK_PATIENCE = 0.5  # seconds to wait for one's turn


def find_user(login: str, host: str = "") -> User | None:
    """Return the user behind ``tenant/name``, or behind ``name`` where it is clear who is meant.

    That is whoever has this name in the tenant with the domain ``host``; else the only one; else
    the one in the management tenant, so that who runs the house keeps the login of the first day
    whatever names other tenants choose.
    """
    tenant, slash, name = login.partition("/")
    users = User.objects.select_related("tenant")
    if slash:
        return users.filter(tenant_id=tenant, username=name).first()
    if host:
        at_home = users.filter(tenant__domain=host, username=login).first()
        if at_home is not None:
            return at_home
    namesakes = list(users.filter(username=login)[:2])
    if len(namesakes) > 1:
        namesakes = list(users.filter(username=login, tenant_id=MANAGEMENT))
    return namesakes[0] if namesakes else None


def host_of(request: HttpRequest | None) -> str:
    """Return the name under which the server was asked, without the port."""
    return split_domain_port(request.get_host())[0].lower() if request is not None else ""


class PeopleBackend:
    """Sign people in to the console."""

    def authenticate(
        self, request: HttpRequest | None, username: str = "", password: str = "", **_: Any
    ) -> User | None:
        """Return the person with this login and password; what machines use is for machines."""
        user = check_password(username, password, request=request)
        return None if user is None or user.is_service or user.secret_digest else user

    def get_user(self, user_id: int) -> User | None:
        """Return the user of a session, unless the account or its tenant was shut since."""
        users = second_factors.with_state(User.objects.select_related("tenant"))
        user = users.filter(pk=user_id).first()
        return user if user and user.may_sign_in else None


class BusyError(Exception):
    """Too many passwords are being checked; this one was not."""


class TokenNeededError(Exception):
    """The password is right and not enough: this account has, or needs, a second factor."""

    def __init__(self, *, has_one: bool) -> None:
        verb = "has" if has_one else "needs"
        super().__init__(f"This account {verb} a second factor: use an API token as the password.")


_slow_check = threading.BoundedSemaphore(SLOW_CHECKS)


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for the turn to do something slow.

    Raises:
        BusyError: others are being checked; try again in a moment.
    """
    if not _slow_check.acquire(timeout=SLOW_CHECK_PATIENCE):
        raise BusyError
    try:
        yield
    finally:
        _slow_check.release()


def check_password(login: str, password: str, *, request: HttpRequest | None = None) -> User | None:
    """Return the user with this login and password.

    Slow by design for people, and so only a few at a time: a flood of wrong passwords must not
    take the processor from the devices. A service account's secret is compared by its digest.
    Without a request nobody guesses, and nothing is counted.

    Raises:
        BusyError: others are being checked; try again in a moment.
        ThrottledError: too many were wrong; this one was not looked at.
    """
    user = find_user(login, host_of(request))
    if user is not None and user.secret_digest:
        matches = digests_match(service_digest(password), user.secret_digest)
        return user if matches and user.may_sign_in else None
    return user if is_right(user, password, login=login, request=request) else None


def is_right(
    user: User | None, password: str, *, login: str = "", request: HttpRequest | None
) -> bool:
    """Say whether this is the person's password; a wrong one is counted and written down.

    Raises:
        BusyError: others are being checked; try again in a moment.
        ThrottledError: too many were wrong; this one was not looked at.
    """
    attempt = throttle.begin(request, login, user) if request is not None else throttle.Attempt()
    try:
        with _turn():
            # An unknown name costs the same, so that the answer's time tells nobody which exist.
            matches = user.check_password(password) if user else bool(make_password(password))
    except BusyError:
        attempt.take_back()
        raise
    if user is not None and matches and user.may_sign_in:
        attempt.take_back()
        return True
    if user is not None and request is not None:
        record_failure(request, user, "Wrong password.")
    return False


def record_failure(request: HttpRequest, user: User, text: str) -> None:
    """Write down that somebody failed to sign in as ``user``."""
    with transaction.atomic():
        audit.record(
            Actor.of(request, user.username),
            user.tenant_id,
            audit.Type.SIGN_IN,
            failed_sign_ins.ACTIVITY,
            subject=str(user),
            text=text,
            severity=audit.Severity.WARNING,
        )


def service_digest(secret: str) -> str:
    """Return the digest under which a service account's secret is kept."""
    return keyed_digest("service-secret", secret)


def login_digest(header: str) -> str:
    """Return the name under which a presented ``Authorization`` header is remembered."""
    return keyed_digest("verified-login", header)


def authenticate_person(
    request: HttpRequest, header: str, logins: list[tuple[str, str]]
) -> User | None:
    """Return the user behind a Basic header; a slow check is made once in a while only.

    Raises:
        BusyError: others are being checked; try again in a moment.
        ThrottledError: too many were wrong; this one was not looked at.
        TokenNeededError: the password is right, and the account has a second factor.
    """
    digest = login_digest(header)
    user = VerifiedLogin.user_for(digest)
    if user is not None and _is_meant(user, logins, request):
        return user
    if not logins:  # a Bearer token, and not one of ours
        return None
    login, password = logins[0]
    if login.rpartition("/")[2].startswith((DEVICE_PREFIX, PROVISION_PREFIX)):
        return None
    if password.startswith(TOKEN_PREFIX):  # void by now: nobody guesses one, nothing to count
        return None
    user = check_password(login, password, request=request)
    if user is None:
        return None
    if not user.is_service:
        has_one = second_factors.has_one(user)
        if has_one or second_factors.is_required(user.tenant):
            raise TokenNeededError(has_one=has_one)
        throttle.note_success(request, user)
    VerifiedLogin.remember(digest, user)
    return user


def _is_meant(user: User, logins: list[tuple[str, str]], request: HttpRequest) -> bool:
    """Say whether ``user`` is who this login means at this host: a plain name may be another."""
    login = logins[0][0] if logins else "/"
    return "/" in login or find_user(login, host_of(request)) == user
