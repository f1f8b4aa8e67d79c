"""Sessions that know whose they are, so that they can be listed and ended."""

from typing import ClassVar

from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.utils import timezone

from tenants.models.user import User

MAX_AGENT_LENGTH = 255  # characters


class SessionManager(BaseSessionManager["Session"]):
    """Sessions are always asked for in the name of the person they belong to."""

    def of(self, user: User) -> "models.QuerySet[Session]":
        """Narrow to what ``user`` is signed in with, newest first."""
        return self.filter(user=user, expire_date__gt=timezone.now()).order_by("-created_at")


class Session(AbstractBaseSession):
    """A browser that is signed in; without a user, one that is about to be."""

    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="sessions")
    created_at = models.DateTimeField(default=timezone.now)
    source = models.CharField(max_length=45, blank=True, default="")  # address at sign-in
    agent = models.CharField(max_length=MAX_AGENT_LENGTH, blank=True, default="")

    objects: ClassVar[SessionManager] = SessionManager()

    class Meta(AbstractBaseSession.Meta):
        pass

    @classmethod
    def get_session_store_class(cls) -> type:
        """Return the store that writes these rows."""
        from tenants.sessions import SessionStore  # noqa: PLC0415 -- it imports this module

        return SessionStore
