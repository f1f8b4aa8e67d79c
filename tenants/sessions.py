"""The session engine: Django's own in the database, with the person and the browser noted."""

from typing import Any, Final, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from tenants.models.session import Session

SOURCE: Final = "gatehouse_source"  # address of the browser, set at sign-in
AGENT: Final = "gatehouse_agent"  # what it calls itself


class SessionStore(DatabaseStore):
    """Keeps each session in a :class:`tenants.models.Session`."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Return the table."""
        return Session

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
        return row
