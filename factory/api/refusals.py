"""Refusals of the Operations API, as ``application/problem+json``.

Nothing of what was sent is repeated, but device IDs that keep the rules.
Source: RFC 9457.
"""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path

from factory.problems import BY_STATUS, PROBLEMS, Problem
from tenants.api.errors import ApiError

PREFIX: Final = "/api/ops/v1"
MEDIA_TYPE: Final = "application/problem+json"
MAX_ERRORS: Final = 100  # entries of one answer
# What the gate says of these may be about the login; everybody hears the same.
SAYS_ONE_THING: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class ProblemError(ApiError):
    """A refusal that says which problem it is; ``extensions`` are members of its own."""

    def __init__(
        self, name: str, detail: str = "", *, retry_after: int | None = None, **extensions: Any
    ) -> None:
        self.problem = PROBLEMS[name]
        super().__init__(
            self.problem.status, name, detail or self.problem.detail, retry_after=retry_after
        )
        self.extensions = extensions


def bad_request(detail: str) -> ProblemError:
    """Return the refusal of what cannot be read."""
    return ProblemError("bad-request", detail)


def not_found() -> ProblemError:
    """Return the answer to what is not there, or another tenant's."""
    return ProblemError("not-found")


def invalid(
    errors: Sequence[dict[str, Any]], detail: str = "", *, total: int | None = None
) -> ProblemError:
    """Return the refusal of values; ``errors`` are cut where there are too many."""
    return ProblemError(
        "validation-error",
        detail,
        errors=list(errors[:MAX_ERRORS]),
        errors_total=len(errors) if total is None else total,
    )


def problem_response(request: HttpRequest, error: ApiError) -> HttpResponse:
    """Return the answer to a refused request, whoever refused it."""
    problem = error.problem if isinstance(error, ProblemError) else _problem_of(error.status)
    says_one_thing = problem.status in SAYS_ONE_THING
    body: dict[str, Any] = {
        "type": problem.uri,
        "title": problem.title,
        "status": int(problem.status),
        "detail": problem.detail if says_one_thing else error.message or problem.detail,
        "instance": escape_uri_path(request.path),
    }
    if isinstance(error, ProblemError):
        body |= error.extensions
    return HttpResponse(json.dumps(body), status=problem.status, content_type=MEDIA_TYPE)


def _problem_of(status: int) -> Problem:
    """Return what a status means that comes from outside this API."""
    fallback = "bad-request" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "server-error"
    return BY_STATUS.get(status, PROBLEMS[fallback])
