"""One view serves the page and its fragments."""

from datetime import UTC, datetime

import pytest
from django.http import QueryDict
from django.template import Context, Template
from django.test import RequestFactory

from ui.htmx import fragment_id
from ui.templatetags.humanize_lite import grouped


@pytest.mark.parametrize(
    ("template", "element"),
    [
        ("registration/_registration_table.html", "registration-table"),
        ("_messages.html", "messages"),
        ("a/b/_c_d_e.html", "c-d-e"),
    ],
)
def test_id_of_a_fragment_is_the_name_of_its_file(template, element):
    assert fragment_id(template) == element


@pytest.mark.parametrize(
    ("url", "tag", "expected"),
    [
        ("/?a=1&b=2", "{% query b=3 %}", "?a=1&amp;b=3"),
        ("/?a=1&b=2", "{% query b='' %}", "?a=1"),
        ("/?a=1", "{% query a='' %}", ""),
        ("/?a=1", "{% query missing='' %}", "?a=1"),
        ("/", "{% query a='x y&z=<é>' %}", "?a=x+y%26z%3D%3C%C3%A9%3E"),
        ("/?a=1&a=2", "{% query b=1 %}", "?a=1&amp;a=2&amp;b=1"),
        ("/?a=1&a=2", "{% query a=3 %}", "?a=3"),
        ("/?q=%22%3E%3Cscript%3E", "{% query %}", "?q=%22%3E%3Cscript%3E"),
        ("/", "{% query a=0 %}", "?a=0"),
    ],
)
def test_query_keeps_the_rest_of_the_url(url, tag, expected):
    request = RequestFactory().get(url)
    assert Template("{% load ui %}" + tag).render(Context({"request": request})) == expected


def test_query_leaves_the_request_as_it_is():
    request = RequestFactory().get("/?a=1")
    Template("{% load ui %}{% query a=2 %}").render(Context({"request": request}))
    assert QueryDict("a=1") == request.GET


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (999, "999"), (1234567, "1,234,567")])
def test_thousands_are_set_apart(number, text):
    assert grouped(number) == text


def test_icon_is_drawn_and_hidden_from_screen_readers():
    drawn = Template("{% load ui %}{% icon 'check' 16 %}").render(Context())
    assert drawn.startswith("<svg")
    assert 'aria-hidden="true"' in drawn
    assert "style=" not in drawn


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("{% moment when %}", "<time "),
        ("{% moment when exact=True %}", "<time data-exact "),
    ],
    ids=["told as ago", "told to the minute"],
)
def test_moment_is_written_in_utc_for_whoever_has_no_javascript(tag, expected):
    when = datetime(2026, 11, 21, 1, 5, tzinfo=UTC)
    drawn = Template("{% load ui %}" + tag).render(Context({"when": when}))
    assert drawn == f'{expected}datetime="2026-11-21T01:05:00Z">21 Nov 2026, 01:05 UTC</time>'
