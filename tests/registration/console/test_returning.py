"""Devices that were deleted before, on the pages about registrations."""

import pytest

from inventory.logins import delete_login, forget
from inventory.models import Tombstone
from registration.lifecycle import Stage
from tests.consoles import LIST, messages_of, read, row_url
from tests.logins import let_in

BADGE = "Deleted before"


@pytest.fixture
def waiting(make_registration, operator):
    """A device that was deleted knocks again, registered anew; another one is new."""
    credentials, _ = let_in(make_registration, "4711")
    delete_login(credentials, by=operator, reason="Sold to <b>Globex</b>.")
    make_registration("4712", stage=Stage.PENDING)
    return make_registration("4711", stage=Stage.PENDING)


def badges(element):
    return [one.text for one in element.classed("badge")]


def row(response, device_id):
    return read(response).one("tr", data_device=device_id)


@pytest.mark.parametrize("login", ["acme/operator", "acme/reader", "management/operator"])
def test_list_marks_what_was_deleted(console, waiting, login):
    response = console(login).get(LIST)
    assert badges(row(response, "4711")) == ["Pending acceptance", BADGE]
    assert badges(row(response, "4712")) == ["Pending acceptance"]


def test_row_that_answers_keeps_the_mark(desk, waiting):
    response = desk.post(row_url(waiting, "accept/"), target=f"registration-{waiting.pk}")
    assert badges(row(response, "4711")) == ["Accepted", BADGE]
    again = desk.post(row_url(waiting, "accept/"), target=f"registration-{waiting.pk}")
    assert again.status_code == 409
    assert badges(row(again, "4711")) == ["Accepted", BADGE]


def test_row_that_looks_different_has_another_revision(desk, waiting, operator):
    before = row(desk.get(LIST), "4711")["data-rev"]
    forget(Tombstone.objects.get(), by=operator)
    after = row(desk.get(LIST), "4711")
    assert after["data-rev"] != before
    assert badges(after) == ["Pending acceptance"]


def test_list_with_marks_needs_no_more_queries(desk, waiting, make_registration, operator,
                                               django_assert_max_num_queries):  # fmt: skip
    for number in range(10):
        credentials, _ = let_in(make_registration, f"d-{number}")
        delete_login(credentials, by=operator)
        make_registration(f"d-{number}", stage=Stage.PENDING)
    desk.get(LIST)
    with django_assert_max_num_queries(13):
        assert desk.get(LIST).content.decode().count(BADGE) == 11


def test_page_says_when_by_whom_and_why(desk, waiting):
    page = read(desk.get(row_url(waiting)))
    assert BADGE in badges(page)
    [notice] = page.classed("notice-warning")
    assert "A device with this ID was deleted here" in notice.text
    assert "by operator. Reason: “Sold to <b>Globex</b>.”" in notice.text
    assert "198.51.100.7" in notice.text


def test_page_of_a_new_device_says_nothing(desk, waiting, make_registration):
    other = make_registration("4713", stage=Stage.PENDING)
    page = read(desk.get(row_url(other)))
    assert not page.classed("notice-warning")
    assert BADGE not in badges(page)


def test_tenant_that_it_is_moved_to_learns_nothing(console, waiting, globex):
    above = console("management/operator")
    response = above.post(row_url(waiting, "move/"), {"tenant": "globex"}, target="dialog")
    assert response.status_code == 204
    theirs = console("globex/operator")
    assert badges(row(theirs.get(LIST), "4711")) == ["Pending acceptance"]
    assert not read(theirs.get(row_url(waiting))).classed("notice-warning")


def test_preview_and_result_of_accept_all_say_why_it_is_left_out(desk, waiting):
    preview = desk.client.post(f"{LIST}accept-all/", follow=True)
    sentence = "It was deleted here before: accept it by itself, if it may come back."
    page = read(preview)
    assert sentence in page.text
    assert "Accept 1 device" in page.text
    form = next(f for f in page.all("form", method="post") if "/decisions/" in f["action"])
    result = desk.client.post(form["action"], form.fields, follow=True)
    assert "1 of 2 devices accepted" in read(result).text
    assert sentence in read(result).text


def test_chosen_by_hand_it_is_accepted(desk, waiting):
    sent = {"selected": [str(waiting.pk)], "action": "accept"}
    preview = desk.client.post(f"{LIST}selected/", sent, follow=True)
    form = next(f for f in read(preview).all("form", method="post") if "/decisions/" in f["action"])
    desk.client.post(form["action"], form.fields, follow=True)
    waiting.refresh_from_db()
    assert waiting.stage is Stage.ACCEPTED
    assert messages_of(desk.get(LIST)) == []


def test_link_may_name_the_tenant_for_management_only(console, house):
    above, desk = console("management/operator"), console("acme/operator")
    url = f"{LIST}new/?externalId=4711&tenant=globex"
    assert read(above.get(url)).one("form", data_register=True).fields["rows-0-tenant"] == "globex"
    assert "rows-0-tenant" not in read(desk.get(url)).one("form", data_register=True).fields
    for tenant in ("nobody", "%00", "x" * 300):
        assert above.get(f"{LIST}new/?externalId=4711&tenant={tenant}").status_code == 200
