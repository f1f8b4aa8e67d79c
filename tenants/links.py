"""Links that work once: made, handed over, opened and used up."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from tenants import audit, mail
from tenants.actors import Actor
from tenants.addresses import own_address
from tenants.hashing import keyed_digest
from tenants.models import OneTimeLink, User
from tenants.sessions import end_sessions

SECRET_BYTES: Final = 32  # of a link: 256 bits
LIFETIME: Final = {
    OneTimeLink.Purpose.INVITATION: timedelta(days=7),
    OneTimeLink.Purpose.PASSWORD_RESET: timedelta(hours=4),
}
_SUBJECT: Final = {
    OneTimeLink.Purpose.INVITATION: "You are invited to Gatehouse",
    OneTimeLink.Purpose.PASSWORD_RESET: "Choose a new password for Gatehouse",
}
_MADE: Final = {
    OneTimeLink.Purpose.INVITATION: "User invited",
    OneTimeLink.Purpose.PASSWORD_RESET: "Password reset link made",
}


@dataclass(frozen=True)
class Handover:
    """A link that was made just now: sent by mail, or to be shown once and handed over.

    ``url`` is the secret itself: show it only when it was not sent, and keep it nowhere.
    """

    user: User
    url: str
    was_sent: bool


def make_link(
    request: HttpRequest | None, user: User, purpose: OneTimeLink.Purpose, *, by: Actor
) -> Handover:
    """Make a link for ``user``, void the ones before it, and send it if there is a mail server.

    Without a request, somebody asks at the machine itself.
    """
    secret = secrets.token_urlsafe(SECRET_BYTES)
    now = timezone.now()
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        OneTimeLink.objects.for_tenant(user.tenant).filter(user=user, used_at=None).delete()
        OneTimeLink.objects.create(
            user=user,
            purpose=purpose,
            digest=link_digest(secret),
            created_by=by.name,
            expires_at=now + LIFETIME[purpose],
        )
        audit.record(by, user.tenant_id, audit.Type.USER, _MADE[purpose], subject=str(user))
    url = _absolute(request, reverse("accounts:welcome", args=[secret]))
    text = (
        f"Hello {user.full_name or user.username},\n\n"
        f"choose a password for your account {user} at Gatehouse:\n\n{url}\n\n"
        f"The link works once, until {now + LIFETIME[purpose]:%Y-%m-%d %H:%M} UTC. If you did not "
        "expect it, leave it alone: nothing happens without it.\n"
    )
    return Handover(user, url, mail.send(user.email, _SUBJECT[purpose], text))


def find_link(digest: str) -> OneTimeLink | None:
    """Return the link of this digest if it still opens something."""
    return OneTimeLink.objects.usable().select_related("user__tenant").filter(digest=digest).first()


def use_link(link: OneTimeLink, password: str, *, by: Actor) -> bool:
    """Set the password that the person chose; False if somebody used the link meanwhile.

    Two who open the same link at once wait for each other at the person's row, as does whoever
    makes a new one. The second of them finds the link used: a condition that joins other tables
    would not be looked at again after the wait.
    """
    with transaction.atomic():
        user = User.objects.select_for_update(of=("self",)).filter(pk=link.user_id).first()
        usable = OneTimeLink.objects.usable().filter(pk=link.pk).first()
        if user is None or usable is None:
            return False
        usable.used_at = timezone.now()
        usable.save(update_fields=["used_at"])
        user.set_password(password)
        user.save(update_fields=["password"])
        end_sessions(user, by=by)  # whoever has the old password is out at once
        audit.record(by, user.tenant_id, audit.Type.USER, "Password chosen", subject=str(user))
    return True


def void_links(user: User) -> bool:
    """Make the unused link of ``user`` void; False if there was none.

    Call it, with the person's row held, when the account is no longer what it was when the link
    was made: it went to an address, or to somebody to hand over, that may not open this one.
    """
    unused = OneTimeLink.objects.for_tenant(user.tenant).filter(user=user, used_at=None)
    return bool(unused.delete()[0])


def link_digest(secret: str) -> str:
    """Return the digest under which a link is kept."""
    return keyed_digest("one-time-link", secret)


def _absolute(request: HttpRequest | None, path: str) -> str:
    """Return ``path`` with this server's address, from the settings if they have it."""
    if request is None or settings.PUBLIC_URL:
        return own_address() + path
    return f"{request.scheme}://{request.get_host()}{path}"
