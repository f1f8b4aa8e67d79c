"""What is done to one account, each after a question: shut, open, help in again, delete."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from tenants import people
from tenants.console.people.manners import ADMIN, Question, ask
from tenants.console.people.views import LIST, get_person, handed_over
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.models import ApiToken, User
from tenants.services import is_bootstrap
from ui.htmx import back, require_safe_or_post


@require_safe_or_post
@tenant_view(*ADMIN)
def deactivate(request: TenantRequest, user_pk: int) -> HttpResponse:
    """Shut an account, of a person or a service."""
    user = _account(request, user_pk)

    def act() -> str:
        done = people.deactivate(user, by=request.actor)
        return f"{user.username} is {'' if done else 'already '}deactivated."

    sentences: tuple[str, ...]
    if is_bootstrap(user):
        sentences = (
            "Devices that knock with this account get nothing until it is activated again.",
            "Devices that have credentials of their own go on.",
        )
    else:
        sentences = (
            "The account is shut out at once: of the console and the API, its API tokens too.",
            "Open sessions and links end for good; tokens work again once it is activated.",
        )
    return ask(
        request,
        Question(f"Deactivate {user.username}", sentences, "Deactivate", "user-x", is_danger=True),
        act,
        back=back(request, page_of(user)),
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def activate(request: TenantRequest, user_pk: int) -> HttpResponse:
    """Open an account that was shut."""
    user = _account(request, user_pk)

    def act() -> str:
        done = people.activate(user, by=request.actor)
        return f"{user.username} is {'' if done else 'already '}active."

    sentence = "The account may come in again, with the roles and the API tokens that it had."
    return ask(
        request,
        Question(f"Activate {user.username}", (sentence,), "Activate", "user-check"),
        act,
        back=back(request, page_of(user)),
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def new_link(request: TenantRequest, user_pk: int) -> HttpResponse:
    """Invite a person once more, or help somebody who lost the password."""
    person = get_person(request, user_pk)
    if person.is_invited:
        question = Question(
            f"Invite {person.username} again",
            ("There will be a new link; the one before it is void.",),
            "Create a new link",
            "mail",
        )
    else:
        question = Question(
            f"New password for {person.username}",
            (
                "By a link, this person chooses another password.",
                "The present password works until then.",
            ),
            "Create a link",
            "key-round",
        )
    return ask(
        request,
        question,
        lambda: handed_over(request, people.new_link(request, person, by=request.actor)),
        back=back(request, page_of(person)),
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def reset_second_factor(request: TenantRequest, user_pk: int) -> HttpResponse:
    """Take away a second factor that was lost."""
    person = get_person(request, user_pk)

    def act() -> str:
        if people.reset_second_factor(person, by=request.actor):
            return f"The second factor of {person.username} is reset."
        return f"{person.username} has no second factor."

    return ask(
        request,
        Question(
            f"Reset the second factor of {person.username}",
            (
                "The authenticator and all recovery codes are void.",
                "The password alone is enough until a new one is set up.",
                "Make sure that it is really this person who asks for it.",
            ),
            "Reset second factor",
            "shield-off",
            is_danger=True,
        ),
        act,
        back=back(request, page_of(person)),
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def end_sessions(request: TenantRequest, user_pk: int) -> HttpResponse:
    """Sign a person out everywhere."""
    person = get_person(request, user_pk)

    def act() -> str:
        people.end_sessions(person, by=request.actor)
        return f"{person.username} is signed out everywhere."

    sentence = "Every browser is signed out. The password and API tokens stay as they are."
    return ask(
        request,
        Question(f"Sign {person.username} out", (sentence,), "Sign out everywhere", "log-out"),
        act,
        back=back(request, page_of(person)),
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def delete(request: TenantRequest, user_pk: int) -> HttpResponse:
    """Delete an account, of a person or a service."""
    user = _account(request, user_pk)

    def act() -> str:
        people.delete(user, by=request.actor)
        return f"{user.username} is deleted."

    return ask(
        request,
        Question(
            f"Delete {user.username}",
            (
                "The account goes with its sessions, API tokens and second factor.",
                "What it did stays in the history under its name.",
                "This cannot be undone. To keep somebody out for a while, deactivate the account.",
            ),
            "Delete",
            "trash-2",
            is_danger=True,
        ),
        act,
        back=back(request, page_of(user)),
        done=reverse("people:services" if user.is_service else LIST),
    )


@require_safe_or_post
@tenant_view(*ADMIN)
def revoke_token(request: TenantRequest, token_pk: int) -> HttpResponse:
    """Revoke an API token, of a person or a service."""
    token = get_object_or_404(
        ApiToken.objects.for_tenant(request.tenant).select_related("user__tenant"), pk=token_pk
    )

    def act() -> str:
        done = people.revoke(token, by=request.actor)
        return f"The token {token.name} is {'' if done else 'already '}revoked."

    return ask(
        request,
        Question(
            f"Revoke the token {token.name}",
            (
                f"Whatever uses this token of {token.user.username} is refused from now on.",
                "This cannot be undone; a new token can be made.",
            ),
            "Revoke",
            "ban",
            is_danger=True,
        ),
        act,
        back=back(request, page_of(token.user)),
    )


def page_of(user: User) -> str:
    """Return the address of an account's page."""
    return reverse("people:service" if user.is_service else "people:detail", args=[user.pk])


def _account(request: TenantRequest, user_pk: int) -> User:
    accounts = User.objects.for_tenant(request.tenant).select_related("tenant")
    return get_object_or_404(accounts, pk=user_pk)
