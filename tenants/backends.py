"""Who is asking: people by session or Basic, with their password checked as rarely as possible."""

import threading
from typing import Any

from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from tenants.hashing import digests_match, keyed_digest
from tenants.models import User, VerifiedLogin

SLOW_CHECKS = 1  # of people's passwords at a time, in each worker process
SLOW_CHECK_PATIENCE = 0.5  # seconds to wait for one's turn
DEVICE_PREFIX = "device_"  # of the user names of devices; no person's name starts like this


def find_user(login: str) -> User | None:
    """Return the user behind ``tenant/name``, or behind ``name`` if only one tenant has it."""
    tenant, slash, name = login.partition("/")
    users = User.objects.select_related("tenant")
    if slash:
        return users.filter(tenant_id=tenant, username=name).first()
    namesakes = list(users.filter(username=login)[:2])
    return namesakes[0] if len(namesakes) == 1 else None


class PeopleBackend:
    """Sign people in to the console."""

    def authenticate(
        self, _request: HttpRequest | None, username: str = "", password: str = "", **_: Any
    ) -> User | None:
        """Return the person with this login and password; what machines use is for machines."""
        user = check_password(username, password)
        return None if user is None or user.secret_digest else user

    def get_user(self, user_id: int) -> User | None:
        """Return the user of a session, unless the account or its tenant was shut since."""
        user = User.objects.select_related("tenant").filter(pk=user_id).first()
        return user if user and user.may_sign_in else None


class BusyError(Exception):
    """Too many passwords are being checked; this one was not."""


_slow_check = threading.BoundedSemaphore(SLOW_CHECKS)


def check_password(login: str, password: str) -> User | None:
    """Return the user with this login and password.

    Slow by design for people, and so only a few at a time: a flood of wrong passwords must not
    take the processor from the devices. A service account's secret is compared by its digest.

    Raises:
        BusyError: others are being checked; try again in a moment.
    """
    user = find_user(login)
    if user is not None and user.secret_digest:
        matches = digests_match(service_digest(password), user.secret_digest)
    else:
        if not _slow_check.acquire(timeout=SLOW_CHECK_PATIENCE):
            raise BusyError
        try:
            # An unknown name costs the same, so that the answer's time tells nobody which exist.
            matches = user.check_password(password) if user else bool(make_password(password))
        finally:
            _slow_check.release()
    return user if user is not None and matches and user.may_sign_in else None


def service_digest(secret: str) -> str:
    """Return the digest under which a service account's secret is kept."""
    return keyed_digest("service-secret", secret)


def login_digest(header: str) -> str:
    """Return the name under which a presented ``Authorization`` header is remembered."""
    return keyed_digest("verified-login", header)


def authenticate_person(
    _request: HttpRequest, header: str, logins: list[tuple[str, str]]
) -> User | None:
    """Return the user behind a Basic header; a slow check is made once in a while only."""
    digest = login_digest(header)
    user = VerifiedLogin.user_for(digest)
    if user is not None:
        return user
    if not logins:  # a Bearer token, and not one of ours
        return None
    login, password = logins[0]
    if login.rpartition("/")[2].startswith(DEVICE_PREFIX):
        return None
    user = check_password(login, password)
    if user is not None:
        VerifiedLogin.remember(digest, user)
    return user
