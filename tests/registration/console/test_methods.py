"""Whoever may look at a page may also ask for its headers alone."""

import pytest

from registration.lifecycle import Stage
from registration.models import BulkDecision, Registration
from tests.consoles import HELP, LIST, NEW, SETTINGS, row_url


@pytest.fixture
def page(make_registration, acme, operator):
    """Return the address of a page by its name."""
    registration = make_registration("press-7", stage=Stage.BLOCKED)
    decision = BulkDecision.about(
        Registration.objects.all(),
        BulkDecision.Action.ACCEPT,
        tenant=acme,
        by=operator,
        hand_picked=False,
    )
    return {
        "list": LIST,
        "detail": row_url(registration),
        "register": NEW,
        "groups": "/devices/groups/options/",
        "unblock": row_url(registration, "unblock/"),
        "cancel": row_url(registration, "cancel/"),
        "decision": f"{LIST}decisions/{decision.pk}/",
        "settings": SETTINGS,
        "help": HELP,
    }


@pytest.mark.parametrize(
    "name",
    ["list", "detail", "register", "groups", "unblock", "cancel", "decision", "settings", "help"],
)
def test_page_answers_head_as_it_answers_get(page, desk, name):
    before = list(Registration.objects.values())
    response = desk.call("head", page[name])
    assert response.status_code == 200
    assert response.content == b""
    assert list(Registration.objects.values()) == before
