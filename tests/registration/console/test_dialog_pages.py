"""Dialogs without JavaScript: pages that say what they are, and lead back where one came from."""

import pytest

from registration.lifecycle import Stage
from registration.models import BulkDecision, Registration
from tests.consoles import HELP, LIST, NEW, read, row_url


@pytest.fixture
def opened(make_registration, acme, operator, desk):
    """Return the page of a dialog by its title."""
    registration = make_registration("press-7", stage=Stage.BLOCKED)

    def decision(action):
        frozen = BulkDecision.about(
            Registration.objects.all(), action, tenant=acme, by=operator, hand_picked=False
        )
        return f"{LIST}decisions/{frozen.pk}/"

    urls = {
        "Register devices": lambda: NEW,
        "Unblock press-7": lambda: row_url(registration, "unblock/"),
        "Cancel device registration": lambda: row_url(registration, "cancel/"),
        "Accept devices": lambda: decision(BulkDecision.Action.ACCEPT),
        "Cancel device registrations": lambda: decision(BulkDecision.Action.REMOVE),
        "Connecting devices": lambda: HELP,
    }
    return lambda title: read(desk.get(urls[title]()))


def headings(page):
    return [each for each in page.one("main").walk() if each.tag in {"h1", "h2", "h3", "h4"}]


@pytest.mark.parametrize(
    "title",
    [
        "Register devices",
        "Unblock press-7",
        "Cancel device registration",
        "Accept devices",
        "Cancel device registrations",
        "Connecting devices",
    ],
)
def test_page_of_a_dialog_has_a_title_and_headings_in_order(opened, title):
    page = opened(title)
    assert page.one("title").text == f"{title} · Gatehouse"
    assert page.one("nav", aria_label="Breadcrumb").one("li", aria_current="page").text == title
    found = headings(page)
    assert [each.tag for each in found][:2] == ["h1", "h2"]
    assert {each.tag for each in found[2:]} <= {"h3"}
    assert all(each.text for each in found)
    assert found[1]["id"] == "dialog-title"


def test_page_says_what_became_of_the_devices(desk):
    sent = {"rows-TOTAL_FORMS": "1", "rows-INITIAL_FORMS": "0", "rows-0-device_id": "press-7"}
    response = desk.post(NEW, sent)
    assert read(response).one("title").text == "Device registered · Gatehouse"
    assert [each.text for each in headings(read(response))] == [
        "Device registration",
        "Device registered",
    ]
