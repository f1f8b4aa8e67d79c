"""The session engine: Django's own in the database, with the person and the browser noted.

So sessions can be listed and ended. A session's key signs in whoever has it: what pages and
addresses name is a digest.
"""

from datetime import timedelta
from typing import Any, Final, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import transaction

from tenants import audit
from tenants.actors import Actor
from tenants.hashing import keyed_digest
from tenants.models.session import Session
from tenants.models.user import User

SOURCE: Final = "gatehouse_source"  # address of the browser, set at sign-in
AGENT: Final = "gatehouse_agent"  # what it calls itself


class SessionStore(DatabaseStore):
    """Keeps each session in a :class:`tenants.models.Session`."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Return the table."""
        return Session

    def _validate_session_key(self, key: str) -> bool:
        """Refuse a cookie that is no key: PostgreSQL refuses even to look for one with a NUL."""
        is_key = super()._validate_session_key(key)  # type: ignore[misc]
        return bool(is_key) and key.isascii() and key.isalnum()

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Return the row of this session, with what a person needs to recognise it."""
        row = cast("Session", super().create_model_instance(data))
        user = data.get(SESSION_KEY)
        row.user_id = int(user) if user is not None else None
        row.source = data.get(SOURCE, "")
        row.agent = data.get(AGENT, "")
        if self.session_key:
            # Saving writes the whole row; when it began must not change with every visit.
            begun = Session.objects.filter(pk=self.session_key).values_list("created_at", flat=True)
            row.created_at = begun.first() or row.created_at
        # Every write would put the end off, and an open session would never end by itself.
        end = row.created_at + timedelta(seconds=settings.SESSION_COOKIE_AGE)
        row.expire_date = min(row.expire_date, end)
        return row


def session_id(session: Session) -> str:
    """Return the name of a session, which opens nothing."""
    return keyed_digest("session", session.session_key)[:32]


def end_session(user: User, name: str, *, by: Actor) -> bool:
    """End the session of ``user`` with this name; False if it has ended already."""
    with transaction.atomic():
        for session in Session.objects.of(user):
            if session_id(session) == name:
                _end([session], user, by)
                return True
    return False


def end_sessions(user: User, *, by: Actor, keep: str = "") -> int:
    """End all sessions of ``user`` but the one with the key ``keep``; return how many."""
    with transaction.atomic():
        sessions = list(Session.objects.of(user).exclude(session_key=keep))
        if sessions:
            _end(sessions, user, by)
    return len(sessions)


def _end(sessions: list[Session], user: User, by: Actor) -> None:
    Session.objects.filter(pk__in=[one.pk for one in sessions]).delete()
    where = sorted({one.source for one in sessions if one.source})
    audit.record(
        by,
        user.tenant_id,
        audit.Type.SIGN_IN,
        "Sessions ended",
        subject=str(user),
        changes={"sessions": (len(sessions), 0), "addresses": (where, "")},
    )
