"""Wrong passwords and codes, counted so that guessing ends and nobody is shut out for ever.

A try is counted before it is made and taken back when it was right. So a hundred at once get no
further than a hundred one after the other, and what is not allowed is not even evaluated.

Three counters stop three ways of guessing: one account from one source, one account from many
sources, many accounts from one source. Strangers must not shut a person out by them. So sources
that an account signed in from lately are left out of the second, and a browser that an account
signed in with has a counter of its own: nobody else can use that one up. All windows end by
themselves.
"""

import math
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from tenants import audit
from tenants.actors import Actor
from tenants.addresses import client_address, network_of
from tenants.counting import SWEEP, count, take_back
from tenants.hashing import keyed_digest
from tenants.models import MANAGEMENT, FailedSignIns, KnownSource, User

WINDOW: Final = timedelta(minutes=15)
PER_ACCOUNT_AND_SOURCE: Final = 10  # failures in a window
PER_ACCOUNT: Final = 50  # over all sources that the account is not known at
PER_SOURCE: Final = 100  # over all accounts
PER_RESET: Final = 3  # mails to one account that lost its password
PER_RESET_SOURCE: Final = 20  # requests for such mails from one source

KNOWN_FOR: Final = timedelta(days=30)
COOKIE_AGE: Final = timedelta(days=180)
COOKIE_ACCOUNTS: Final = 5  # that share a browser; the one that was here first goes
COOKIE_SALT: Final = "gatehouse.known"


class ThrottledError(Exception):
    """Too many failed lately; this try was not even looked at."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, math.ceil(seconds))
        minutes = math.ceil(self.seconds / 60)
        wait = f"{minutes} minutes" if minutes > 1 else f"{self.seconds} seconds"
        super().__init__(f"Too many failed attempts. Try again in {wait}.")


@dataclass(frozen=True)
class Counter:
    """What is counted, how far, and what is said in the audit log when it is used up."""

    subject: str
    limit: int
    text: str
    is_about_account: bool = True


@dataclass(frozen=True)
class Attempt:
    """One try that was counted as a failure before it is made."""

    subjects: tuple[str, ...] = ()

    def take_back(self) -> None:
        """Count the try no longer: it was right, or it was not made after all."""
        for subject in self.subjects:  # one by one: nobody waits for two rows at a time
            take_back(subject)


def begin(request: HttpRequest, login: str, user: User | None) -> Attempt:
    """Count a try by whoever gives ``login``, which is the account ``user`` if there is one.

    Raises:
        ThrottledError: too many failed; nothing may be evaluated.
    """
    counted: list[str] = []
    for counter in _counters(request, login, user):
        number, seconds = count(counter.subject, WINDOW)
        if number > counter.limit:
            Attempt(tuple(counted)).take_back()
            if number == counter.limit + 1:
                _record(request, counter, user)
            raise ThrottledError(seconds)
        counted.append(counter.subject)
    return Attempt(tuple(counted))


def begin_reset(request: HttpRequest, login: str, user: User | None) -> bool:
    """Count a request for a mail with a link; say whether the account may have one more.

    Raises:
        ThrottledError: too many came from this source.
    """
    number, seconds = count(keyed_digest("password-reset", source_of(request)), WINDOW)
    if number > PER_RESET_SOURCE:
        raise ThrottledError(seconds)
    number, _ = count(keyed_digest("password-reset", "", _account(login, user)), WINDOW)
    return number <= PER_RESET


def note_success(request: HttpRequest, user: User) -> None:
    """Forget the failures of ``user`` here, and remember the source."""
    browser = _browsers(request).get(str(user.pk), "")
    for place in (source_of(request), browser):
        FailedSignIns.objects.filter(subject=_pair(_account("", user), place)).delete()
    KnownSource.objects.bulk_create(
        [KnownSource(user=user, source=source_of(request))],
        update_conflicts=True,
        unique_fields=["user", "source"],
        update_fields=["last_used_at"],
    )
    with transaction.atomic():
        old = KnownSource.objects.filter(last_used_at__lt=timezone.now() - KNOWN_FOR)
        KnownSource.objects.filter(
            pk__in=old.select_for_update(skip_locked=True).values("pk")[:SWEEP]
        ).delete()


def remember_browser(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Let the browser be known as one that ``user`` signed in with; it grants nothing else."""
    known = _browsers(request)
    mine = known.pop(str(user.pk), "") or secrets.token_urlsafe(16)
    kept = dict([*known.items(), (str(user.pk), mine)][-COOKIE_ACCOUNTS:])
    response.set_cookie(
        settings.KNOWN_COOKIE_NAME,
        signing.dumps(kept, salt=COOKIE_SALT),
        max_age=COOKIE_AGE,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def source_of(request: HttpRequest) -> str:
    """Return where a request comes from; of IPv6 the network, which one person has whole."""
    return network_of(client_address(request.META))


def _counters(request: HttpRequest, login: str, user: User | None) -> Iterator[Counter]:
    """Return what counts for this try, the narrowest first."""
    account, source = _account(login, user), source_of(request)
    browser = _browsers(request).get(str(user.pk)) if user else None
    if browser:
        yield Counter(_pair(account, browser), PER_ACCOUNT_AND_SOURCE, "From one known browser.")
        return
    yield Counter(_pair(account, source), PER_ACCOUNT_AND_SOURCE, "From one address.")
    # Looked up for an unknown name too: the answer takes as long.
    since = timezone.now() - KNOWN_FOR
    is_known = KnownSource.objects.filter(
        user_id=user.pk if user else 0, source=source, last_used_at__gt=since
    ).exists()
    if not is_known:
        yield Counter(
            keyed_digest("failures", "account", account), PER_ACCOUNT, "From many addresses."
        )
    yield Counter(
        keyed_digest("failures", "source", source),
        PER_SOURCE,
        "One address tries many accounts.",
        is_about_account=False,
    )


def _account(login: str, user: User | None) -> str:
    return f"user/{user.pk}" if user else f"login/{login}"


def _pair(account: str, place: str) -> str:
    return keyed_digest("failures", "pair", account, place)


def _browsers(request: HttpRequest) -> dict[str, str]:
    """Return the accounts that signed in with this browser, each with its own mark."""
    text = request.COOKIES.get(settings.KNOWN_COOKIE_NAME, "")
    try:
        known = signing.loads(text, salt=COOKIE_SALT, max_age=COOKIE_AGE) if text else {}
    except signing.BadSignature:
        return {}
    return {str(name): str(mark) for name, mark in known.items()}


def _record(request: HttpRequest, counter: Counter, user: User | None) -> None:
    """Write that throttling began; the name of an account that does not exist is nobody's."""
    if counter.is_about_account and user is None:
        return
    about = user if counter.is_about_account else None
    with transaction.atomic():
        audit.record(
            Actor.of(request, about.username if about else "unknown"),
            about.tenant_id if about else MANAGEMENT,
            audit.Type.SIGN_IN,
            "Sign-in throttled",
            subject=str(about) if about else source_of(request),
            text=counter.text,
            severity=audit.Severity.WARNING,
        )
