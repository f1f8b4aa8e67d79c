"""What a device tells of itself is text to us, however it is made."""

import re

import pytest

from inventory.console.devices import json_view
from inventory.console.devices.json_view import drawn


def one(value, name="c8y_X"):
    (fragment,) = drawn({name: value})
    return fragment


def text(value):
    """Return what a person reads of a value."""
    return re.sub(r"<[^>]*>", "", str(one(value).value))


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ({}, ["{}"]),
        ([], ["[]"]),
        ("a", ["&quot;a&quot;"]),
        (None, ["null"]),
        (True, ["true"]),
        (-1.5, ["-1.5"]),
        ([1, "a", None], ["[1, &quot;a&quot;, null]"]),
        ({"a": {"b": 1}}, ["{", "  &quot;a&quot;: {", "    &quot;b&quot;: 1", "  }", "}"]),
        ([{}, [1]], ["[", "  {},", "  [1]", "]"]),
        ({"ü": "ö"}, ["{", "  &quot;ü&quot;: &quot;ö&quot;", "}"]),
    ],
)
def test_value_is_laid_out(value, lines):
    assert text(value).split("\n") == lines


def test_long_list_goes_line_by_line():
    assert text(list(range(100))).count("\n") == 101


def test_fragments_come_by_name_and_only_the_last_has_no_comma():
    fragments = drawn({"b": 1, "A": 2, "c": 3})
    assert [(one.name, one.is_last) for one in fragments] == [
        ('"A"', False), ('"b"', False), ('"c"', True),
    ]  # fmt: skip
    assert drawn({}) == []


@pytest.mark.parametrize(
    ("value", "about"),
    [
        ({"a": 1}, "1 member"),
        ({"a": 1, "b": 2}, "2 members"),
        ([1], "1 element"),
        ({}, ""),
        ("short", ""),
        ("x" * 1000, "long text"),
    ],
)
def test_fragment_says_how_much_is_in_it(value, about):
    assert one(value).about == about


def test_large_fragment_is_closed_at_first():
    assert one({"a": 1}).is_open
    assert not one({str(n): n for n in range(20)}).is_open


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "</code><img src=x>", "\"'&<>"])
def test_text_never_becomes_markup(hostile):
    for value in (
        hostile,
        hostile * 100,
        {hostile: hostile},
        [[hostile]],
        {"a": {hostile: [hostile]}},
    ):
        html = str(one(value).value)
        assert "<script" not in html
        assert "<img" not in html
        assert set(re.findall(r"</?([a-z]+)", html)) <= {"span", "details", "summary"}


def test_long_text_is_folded_and_whole():
    html = str(one("z" * 1000).value)
    assert 'aria-label="Show all 1,002 characters"' in html
    assert html.count("z") == 1000


def test_what_is_too_much_to_colour_is_shown_plain(monkeypatch):
    monkeypatch.setattr(json_view, "MAX_TOKENS", 10)
    html = str(one({str(n): "<b>" for n in range(50)}).value)
    assert "span" not in html
    assert "<b>" not in html
    assert "&lt;b&gt;" in html


@pytest.mark.parametrize("depth", [5, 50, 200_000])
def test_depth_does_no_harm(depth):
    value = inner = {}
    for _ in range(depth):
        inner["a"] = {}
        inner = inner["a"]
    assert str(one(value).value)
