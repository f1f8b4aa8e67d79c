"""Dialogs without JavaScript: pages that say what they are, and lead back where one came from."""

import json

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


# --- The way back ---------------------------------------------------------------------------


def link(page, label):
    return next(a for a in page.all("a") if label in (a.attrs.get("aria-label"), a.text))


def test_cancelling_a_row_leads_back_to_the_list_as_it_was(make_registration, desk):
    make_registration("press-7")
    make_registration("press-8")
    view = f"{LIST}?status=waiting&sort=device&q=press-"
    page = read(desk.get(view))
    asked = read(desk.get(link(page, "Cancel registration of press-7")["href"]))
    assert link(asked, "Close")["href"] == view
    form = next(each for each in asked.all("form") if each["action"].endswith("/cancel/"))
    assert desk.post(form["action"], form.fields)["Location"] == view
    assert not Registration.objects.filter(device_id="press-7").exists()


def test_unblocking_a_row_leads_back_to_the_list_as_it_was(make_registration, desk):
    registration = make_registration("press-7", stage=Stage.BLOCKED)
    view = f"{LIST}?status=blocked&q=press-7"
    page = read(desk.get(view, target="registration-table"))
    asked = read(desk.get(link(page, "Unblock press-7")["href"]))
    form = asked.one("form", action=row_url(registration, "unblock/"))
    response = desk.post(form["action"], {**form.fields, "reason": "Looked at it."})
    assert response["Location"] == view


def test_what_is_on_screen_is_no_part_of_the_way_back(make_registration, desk):
    registration = make_registration("press-7")
    response = desk.get(
        LIST, {"q": "press", "shown": str(registration.pk)}, target="registration-table"
    )
    href = link(read(response), "Cancel registration of press-7")["href"]
    assert href == row_url(registration, f"cancel/?next={LIST}%3Fq%3Dpress")


def test_row_that_answers_still_leads_back_to_its_list(make_registration, desk):
    registration = make_registration("press-7", stage=Stage.PENDING)
    response = desk.post(
        row_url(registration, "accept/"),
        target="row",
        HX_Current_URL=f"http://testserver{LIST}?q=press",
    )
    href = link(read(response), "Cancel registration of press-7")["href"]
    assert href == row_url(registration, f"cancel/?next={LIST}%3Fq%3Dpress")


@pytest.mark.parametrize("page", ["", f"https://evil.example{LIST}"])
def test_row_that_answers_elsewhere_leads_nowhere_else(make_registration, desk, page):
    registration = make_registration("press-7", stage=Stage.PENDING)
    headers = {"HX_Current_URL": page} if page else {}
    response = desk.post(row_url(registration, "accept/"), target="row", **headers)
    href = link(read(response), "Cancel registration of press-7")["href"]
    assert href == row_url(registration, "cancel/")


def test_way_back_does_not_make_the_list_long(make_registration, desk):
    registration = make_registration("press-7")
    page = read(desk.get(LIST, {"sort": "device", "after": "x" * 5000}))
    href = link(page, "Cancel registration of press-7")["href"]
    assert href == row_url(registration, "cancel/")


def test_cancelling_is_left_to_the_page_it_was_asked_from(make_registration, desk):
    registration = make_registration("press-7")
    href = link(read(desk.get(row_url(registration))), "Cancel registration")["href"]
    assert link(read(desk.get(href)), "Close")["href"] == row_url(registration)


@pytest.mark.parametrize("target", [None, "dialog"])
def test_cancelling_never_leads_to_the_page_that_it_removed(make_registration, desk, target):
    registration = make_registration("press-7")
    url = row_url(registration, "cancel/")
    response = desk.post(url, {"next": row_url(registration)}, target=target)
    where = (
        json.loads(response["HX-Trigger"])["dialogClosed"]["next"]
        if target
        else response["Location"]
    )
    assert where == LIST


def test_cancelling_leads_back_to_our_own_pages_only(make_registration, desk):
    registration = make_registration("press-7")
    response = desk.post(row_url(registration, "cancel/"), {"next": "https://evil.example/"})
    assert response["Location"] == LIST
