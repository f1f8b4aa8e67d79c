"""Hands for the Operations API: where things are, and what a refusal looks like."""

from tests.factory.api.conftest import TYPES

PROBLEM_TYPE = "application/problem+json"


def ids_of(device_type):
    """Return the address of a type's device IDs."""
    return f"{TYPES}/{device_type.pk}/device_ids"


def pairs(*items):
    """Return the body that registers devices: IDs with their secrets, or whole items."""
    return {
        "device_ids": [
            item
            if isinstance(item, dict)
            else dict(zip(("device_id", "secret"), item, strict=True))
            for item in items
        ]
    }


def assert_problem(answer, status, name):
    """Check that ``answer`` is a whole problem of this name; return its body."""
    assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM_TYPE), answer.content
    assert answer["Cache-Control"] == "no-store"
    body = answer.json()
    assert body["type"] == f"/problems/{name}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"].endswith(".")
    assert body["instance"].startswith("/")
    return body
