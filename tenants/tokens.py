"""API tokens: made, shown once, checked at machine speed, revoked at once."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from tenants import audit
from tenants.actors import Actor
from tenants.addresses import client_address
from tenants.hashing import keyed_digest
from tenants.models import ApiToken, Tenant, User
from tenants.roles import Role, effective_roles

PREFIX: Final = "ght_"  # so that a leaked token is recognised by those who search for them
SECRET_BYTES: Final = 32  # 256 bits
START_LENGTH: Final = 10  # characters that are kept for recognising a token


class TokenError(Exception):
    """A token that cannot be made; the message says why."""


class TokenCaller:
    """Whoever calls the API with a token: its owner, with no more rights than the token has.

    Rights are the token's scopes as far as the owner still has them.
    """

    def __init__(self, token: ApiToken) -> None:
        self.token = token
        self.user = token.user
        self.username = token.user.username
        self.tenant: Tenant = token.user.tenant
        self.effective_roles = effective_roles(token.scopes) & token.user.effective_roles

    def has_role(self, role: Role) -> bool:
        """Say whether the caller has ``role``."""
        return role in self.effective_roles


def make_token(
    user: User, name: str, scopes: Iterable[str], *, expires_at: datetime | None, by: Actor
) -> tuple[ApiToken, str]:
    """Make a token of ``user``; the text that comes with it is shown once and kept nowhere.

    Raises:
        TokenError: it would have rights that its owner does not have, or be dead already.
    """
    wanted = {str(scope) for scope in scopes}
    if not wanted:
        raise TokenError("Choose at least one right for the token.")
    if not effective_roles(wanted) <= user.effective_roles:
        raise TokenError("A token cannot have rights that its owner does not have.")
    if expires_at is not None and expires_at <= timezone.now():
        raise TokenError("The token would have expired already. Choose a later date.")
    text = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    with transaction.atomic():
        token = ApiToken.objects.create(
            user=user,
            name=name,
            start=text[:START_LENGTH],
            digest=token_digest(text),
            scopes=sorted(wanted),
            created_by=by.name,
            expires_at=expires_at,
        )
        audit.record(
            by,
            user.tenant_id,
            audit.Type.TOKEN,
            "API token created",
            subject=f"{user}: {name}",
            changes={"scopes": ("", wanted), "expires": ("", expires_at)},
        )
    return token, text


def revoke_token(token: ApiToken, *, by: Actor) -> bool:
    """Make ``token`` void from now on; False if it was before."""
    with transaction.atomic():
        revoked = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(
            revoked_at=timezone.now()
        )
        if revoked:
            audit.record(
                by,
                token.user.tenant_id,
                audit.Type.TOKEN,
                "API token revoked",
                subject=f"{token.user}: {token.name}",
            )
    return bool(revoked)


def authenticate_token(
    request: HttpRequest, header: str, logins: list[tuple[str, str]]
) -> TokenCaller | None:
    """Return the caller behind a token, given as Bearer or as the password of a Basic login.

    With Basic, the login must be the owner's: a token does not speak for anybody else. The start
    of the token, by which its list names it, will do too; some clients call it the ID of a key.
    """
    scheme, _, rest = header.partition(" ")
    text, login = (rest.strip(), "") if scheme.lower() == "bearer" else _in_basic(logins)
    if not text.startswith(PREFIX):
        return None
    token = (
        ApiToken.objects.alive()
        .select_related("user__tenant")
        .filter(digest=token_digest(text))
        .first()
    )
    if token is None:
        return None
    if login and login not in {str(token.user), token.user.username, token.start}:
        return None
    token.note_use(client_address(request.META))
    return TokenCaller(token)


def _in_basic(logins: list[tuple[str, str]]) -> tuple[str, str]:
    """Return the token and the login in a Basic header; a token contains no colon."""
    if not logins:
        return "", ""
    login, password = logins[-1]
    return password, login


def token_digest(text: str) -> str:
    """Return the digest under which a token is kept."""
    return keyed_digest("api-token", text)
