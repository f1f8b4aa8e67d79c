"""What the pages about people, roles and services have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django_htmx.http import trigger_client_event

from tenants.administration import AdministrationError, InputError
from tenants.http import TenantRequest
from tenants.roles import Role
from ui.htmx import dialog_done, leave, render_dialog

READ: Final = (Role.USER_MANAGEMENT_READ,)
ADMIN: Final = (Role.USER_MANAGEMENT_ADMIN,)
CHANGED: Final = "peopleChanged"  # the event on which these pages look again


def may_act(request: TenantRequest) -> bool:
    """Say whether the person may change people, services and roles."""
    return request.user.has_role(Role.USER_MANAGEMENT_ADMIN)


def dialog(
    request: TenantRequest,
    fragment: str,
    context: dict[str, Any],
    *,
    title: str,
    back: str,
    section: str = "People",
    status: HTTPStatus = HTTPStatus.OK,
    changed: bool = False,
) -> HttpResponse:
    """Render a dialog; with ``changed``, the page under it looks again."""
    response = render_dialog(
        request, fragment, context, title=title, back=back, section=section, status=status
    )
    return trigger_client_event(response, CHANGED) if changed else response


def refuse(form: Form, error: AdministrationError) -> HTTPStatus:
    """Say in ``form`` what was refused, and return the status for it."""
    form.add_error(error.field if error.field in form.fields else None, str(error))
    return status_of(error)


def status_of(error: AdministrationError) -> HTTPStatus:
    """Return 422 for input that cannot be kept, 409 for what a rule refuses."""
    is_input = isinstance(error, InputError)
    return HTTPStatus.UNPROCESSABLE_ENTITY if is_input else HTTPStatus.CONFLICT


@dataclass(frozen=True)
class Question:
    """What is asked before something is done to an account or a role."""

    title: str
    sentences: tuple[str, ...]
    button: str
    icon: str
    is_danger: bool = False


def ask(
    request: TenantRequest,
    question: Question,
    act: Callable[[], str | HttpResponse],
    *,
    back: str,
    done: str = "",
    section: str = "People",
) -> HttpResponse:
    """Ask; when the answer comes, act, and go on to ``done``, or back.

    ``act`` returns what to tell the person, or an answer of its own.
    """
    problem = ""
    status = HTTPStatus.OK
    if request.method == "POST":
        try:
            outcome = act()
        except AdministrationError as error:
            problem, status = str(error), status_of(error)
        else:
            if isinstance(outcome, HttpResponse):
                return outcome
            messages.success(request, outcome)
            return leave(request, done) if done else dialog_done(request, back, event=CHANGED)
    return dialog(
        request,
        "people/_ask.html",
        {"question": question, "problem": problem},
        title=question.title,
        back=back,
        section=section,
        status=status,
    )
