"""Paging by key: every row once, in order, whichever way one goes."""

import base64
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registration.models import Registration
from ui.tables import LAST_PAGE, KeysetPaginator

by_hypothesis = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# Few different values make many ties.
lists = st.lists(st.integers(0, 3), max_size=14)
orders = st.sampled_from(
    [("created_at", True), ("created_at", False), ("device_id", True), ("device_id", False)]
)


def expected(rows, column, *, descending):
    return sorted(rows, key=lambda row: (getattr(row, column), row.pk), reverse=descending)


def forwards(paginator, total, size):
    """Return all pages from the first one on."""
    pages = [paginator.page("", total=total, size=size)]
    while pages[-1].later:
        pages.append(paginator.page(pages[-1].later, total=total, size=size))
        assert len(pages) < 50
    return pages


@by_hypothesis
@given(lists, st.integers(1, 5), orders)
def test_every_row_comes_once_and_in_order(rows_at, seconds, size, order):
    column, descending = order
    rows = list(rows_at(seconds))
    paginator = KeysetPaginator(Registration.objects.all(), column, descending=descending)
    pages = forwards(paginator, len(rows), size)
    seen = [row for page in pages for row in page.rows]
    assert seen == expected(rows, column, descending=descending)
    assert all(len(page.rows) == size for page in pages[:-1])
    position = 1
    for page in pages:
        assert page.first == position
        assert page.last == position + len(page.rows) - 1
        position += len(page.rows)
    assert not pages[0].earlier


@by_hypothesis
@given(lists, st.integers(1, 5), orders)
def test_the_way_back_shows_the_same_pages(rows_at, seconds, size, order):
    column, descending = order
    rows = list(rows_at(seconds))
    paginator = KeysetPaginator(Registration.objects.all(), column, descending=descending)
    pages = forwards(paginator, len(rows), size)
    at = pages[-1]
    for page in reversed(pages[:-1]):
        at = paginator.page(at.earlier, total=len(rows), size=size)
        assert (at.rows, at.first) == (page.rows, page.first)
        assert at.later
    assert not at.earlier


@by_hypothesis
@given(lists, st.integers(1, 5), orders)
def test_last_page_is_full_and_leads_back_to_the_first(rows_at, seconds, size, order):
    column, descending = order
    rows = list(rows_at(seconds))
    in_order = expected(rows, column, descending=descending)
    paginator = KeysetPaginator(Registration.objects.all(), column, descending=descending)
    page = paginator.page(LAST_PAGE, total=len(rows), size=size)
    assert page.rows == in_order[-size:]
    assert page.first == max(1, len(rows) - size + 1)
    assert not page.later
    seen = set(page.rows)
    for _ in rows:
        if not page.earlier:
            break
        page = paginator.page(page.earlier, total=len(rows), size=size)
        seen |= set(page.rows)
    assert seen == set(rows)
    assert page.first == 1
    assert page.rows == in_order[:size]


@by_hypothesis
@given(st.text(max_size=60))
def test_any_text_is_a_cursor_or_means_the_first_page(rows_at, text):
    rows = list(rows_at([0, 1, 2]))
    paginator = KeysetPaginator(Registration.objects.all(), "created_at", descending=False)
    assert paginator.page(text, total=3, size=2).rows == rows[:2]


@by_hypothesis
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=4)), orders)  # fmt: skip
def test_any_json_is_a_cursor_or_means_the_first_page(rows_at, packed, order):
    rows_at([0, 1, 2])
    column, descending = order
    text = base64.urlsafe_b64encode(json.dumps(packed).encode()).decode()
    paginator = KeysetPaginator(Registration.objects.all(), column, descending=descending)
    page = paginator.page(text, total=3, size=2)
    assert 1 <= page.first <= page.last <= 3


@pytest.mark.parametrize("direction", ["later", "earlier"])
@pytest.mark.parametrize("position", range(1, 12))
def test_cut_cursor_means_the_first_page(rows_at, direction, position):
    rows = list(rows_at(range(6)))
    paginator = KeysetPaginator(Registration.objects.all(), "created_at", descending=False)
    page = paginator.page(paginator.page("", total=6, size=2).later, total=6, size=2)
    cursor = getattr(page, direction)[:-position]
    assert paginator.page(cursor, total=6, size=2).rows == rows[:2]


def test_page_whose_rows_all_went_gives_way_to_the_nearest_one(rows_at):
    rows = list(rows_at(range(6)))
    paginator = KeysetPaginator(Registration.objects.all(), "created_at", descending=False)
    later = paginator.page("", total=6, size=4).later
    Registration.objects.filter(pk__in=[row.pk for row in rows[4:]]).delete()
    page = paginator.page(later, total=4, size=4)
    assert page.rows == rows[:4]
    assert (page.first, page.earlier, page.later) == (1, "", "")


def test_page_before_one_whose_rows_all_went_is_the_first_one(rows_at):
    rows = list(rows_at(range(6)))
    paginator = KeysetPaginator(Registration.objects.all(), "created_at", descending=False)
    second = paginator.page(paginator.page("", total=6, size=2).later, total=6, size=2)
    Registration.objects.filter(pk__in=[row.pk for row in rows[:2]]).delete()
    page = paginator.page(second.earlier, total=4, size=2)
    assert (page.rows, page.first, page.earlier) == (rows[2:4], 1, "")


def test_position_never_goes_beyond_the_total(rows_at):
    rows = list(rows_at(range(6)))
    paginator = KeysetPaginator(Registration.objects.all(), "created_at", descending=False)
    later = paginator.page("", total=6, size=4).later
    Registration.objects.filter(pk__in=[row.pk for row in rows[:3]]).delete()
    page = paginator.page(later, total=3, size=4)
    assert (page.rows, page.first, page.last) == (rows[4:], 2, 3)


def test_empty_list_has_one_empty_page(rows_at):
    paginator = KeysetPaginator(rows_at([]), "created_at", descending=True)
    for cursor in ("", LAST_PAGE):
        page = paginator.page(cursor, total=0)
        assert (page.rows, page.earlier, page.later) == ([], "", "")


def test_page_costs_at_most_two_queries(rows_at, django_assert_max_num_queries):
    rows_at(range(20))
    paginator = KeysetPaginator(Registration.objects.all(), "created_at", descending=True)
    for cursor in ("", LAST_PAGE, paginator.page("", size=3).later):
        with django_assert_max_num_queries(2):
            paginator.page(cursor, total=20, size=3)
