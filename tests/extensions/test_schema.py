"""Pages of JSON Schema as forms: what is drawn, what comes of it, and what cannot be."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extensions.protocols import ProviderError
from extensions.schema.forms import PageForm
from extensions.schema.patterns import for_html
from extensions.schema.plain import SchemaError
from extensions.schema.reading import Kind, read_pages


def page_of(properties, **schema):
    (page,) = read_pages([{"type": "object", "properties": properties, **schema}])
    return page


def filled(page, *values, **named):
    data = {f"f{number}": value for number, value in enumerate(values) if value is not None}
    return PageForm(page, data | named)


@pytest.mark.parametrize(
    ("schema", "kind", "typed", "value"),
    [
        ({"type": "string"}, Kind.TEXT, " press-1 ", "press-1"),
        ({}, Kind.TEXT, "x", "x"),
        ({"type": ["string", "null"]}, Kind.TEXT, "x", "x"),
        ({"type": "string", "format": "password"}, Kind.SECRET, " s3cret ", " s3cret "),
        ({"type": "string", "writeOnly": True}, Kind.SECRET, "x", "x"),
        ({"type": "string", "format": "email"}, Kind.EMAIL, "a@example.com", "a@example.com"),
        ({"type": "string", "format": "uri"}, Kind.URL, "lwm2m://a", "lwm2m://a"),
        ({"type": "string", "format": "date"}, Kind.DATE, "2026-02-03", "2026-02-03"),
        (
            {"type": "string", "format": "date-time"},
            Kind.MOMENT,
            "2026-02-03T04:05",
            "2026-02-03T04:05:00Z",
        ),
        ({"type": "string", "contentMediaType": "application/x-pem-file"}, Kind.LINES, "a\r\nb",
         "a\nb"),
        ({"type": "integer"}, Kind.INTEGER, "12", 12),
        ({"type": "number"}, Kind.NUMBER, "1.5", 1.5),
        ({"type": "number"}, Kind.NUMBER, "2", 2),
        ({"default": 3}, Kind.INTEGER, "4", 4),
        ({"type": "boolean"}, Kind.YES_NO, "on", True),
        ({"type": "boolean"}, Kind.YES_NO, None, False),
        ({"type": "string", "format": "date-time"}, Kind.MOMENT, "2026-02-03T04:05:06+02:00",
         "2026-02-03T02:05:06Z"),
        ({"type": "number", "multipleOf": 0.1}, Kind.NUMBER, "868.3", 868.3),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, Kind.INTEGER, "12", 12),
        ({"allOf": [{"enum": ["A", "B"]}], "default": "A"}, Kind.CHOICE, "1", "B"),
        ({"enum": ["EU868", 5, None, True]}, Kind.CHOICE, "1", 5),
        ({"enum": ["EU868", 5, None, True]}, Kind.CHOICE, "3", True),
        ({"oneOf": [{"const": "A", "title": "Class A"}, {"const": "C"}]}, Kind.CHOICE, "1", "C"),
        ({"type": "array", "items": {"type": "string"}}, Kind.LIST, "a\n\n b \n", ["a", "b"]),
        ({"type": "array", "items": {"type": "integer"}}, Kind.LIST, "1\n2", [1, 2]),
        ({"type": "array", "items": {"enum": ["x", "y"]}}, Kind.CHOICES, ["1"], ["y"]),
    ],
)  # fmt: skip
def test_property_is_drawn_and_read_as_its_schema_says(schema, kind, typed, value):
    page = page_of({"it": schema})
    assert page.fields[0].kind is kind
    form = filled(page, typed)
    assert form.is_valid(), form.errors
    assert form.value == {"it": value}
    assert type(form.value["it"]) is type(value)


@pytest.mark.parametrize(
    ("schema", "typed", "said"),
    [
        ({"type": "string", "minLength": 3}, "ab", "at least 3 characters"),
        ({"type": "string", "maxLength": 3}, "abcd", "at most 3 characters"),
        ({"type": "string", "pattern": "^[A-F0-9]{16}$"}, "xyz", "^[A-F0-9]{16}$"),
        ({"type": "string", "format": "ipv4"}, "300.1.1.1", "IPv4"),
        ({"type": "string", "format": "email"}, "nobody", "email"),
        ({"type": "string", "format": "uri"}, "no address", "address"),
        ({"type": "string"}, "a\x00b", "characters"),
        ({"type": "string"}, "a\ud800b", "cannot be seen"),
        ({"type": "integer"}, "1.5", "whole number"),
        ({"type": "integer"}, "many", "number"),
        ({"type": "number"}, "NaN", "number"),
        ({"type": "number"}, "1e999", "40 digits"),
        ({"type": "integer", "minimum": 3}, "2", "at least 3"),
        ({"type": "integer", "maximum": 3}, "4", "at most 3"),
        ({"type": "number", "exclusiveMinimum": 3}, "3", "more than 3"),
        ({"type": "number", "exclusiveMaximum": 3}, "3", "less than 3"),
        ({"type": "number", "minimum": 3, "exclusiveMinimum": True}, "3", "more than 3"),
        ({"type": "integer", "multipleOf": 5}, "7", "multiple of 5"),
        ({"type": "number", "multipleOf": 0.1}, "868.35", "multiple of 0.1"),
        ({"type": "string", "format": "date-time"}, "0001-01-01T00:00:00+05:00", "valid date"),
        ({"type": "array", "items": {"type": "integer"}}, "1" * 41, "fit"),
        ({"enum": ["a"]}, "7", "valid choice"),
        ({"type": "boolean", "const": True}, None, "required"),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 1}, "a\nb", "at most 1"),
        ({"type": "array", "items": {"type": "integer"}}, "one", "fit"),
        ({"type": "array", "items": {"type": "number"}}, "1e999999999", "fit"),
        ({"type": "array", "items": {"type": "number", "multipleOf": 2}}, "1e999", "fit"),
        ({"type": "array", "items": {"type": "number"}, "uniqueItems": True}, "1\na\n1", "twice"),
    ],
)
def test_value_that_does_not_fit_is_named_at_its_field(schema, typed, said):
    form = filled(page_of({"it": schema}), typed)
    assert not form.is_valid()
    assert said in " ".join(form.errors["f0"])


def test_all_that_is_wrong_on_a_page_is_told_at_once():
    rule = {"if": {"required": ["c"]}, "else": {"properties": {"a": {"const": 1}}}}
    number = {"type": "string", "pattern": "^M[0-9]$", "examples": ["M1"]}
    page = page_of({"a": {"type": "integer", "maximum": 3}, "b": number, "c": {}},
                   required=["c"], allOf=[rule])  # fmt: skip
    form = filled(page, "9", "x", "")
    assert not form.is_valid()
    assert {name: " ".join(said) for name, said in form.errors.items()} == {
        "f0": "It can be at most 3.",
        "f1": "It does not look as it should, such as M1.",
        "f2": "This field is required.",
    }  # fmt: skip


def test_required_counts_where_its_group_is_required():
    inner = {"type": "object", "required": ["b"], "properties": {"b": {"type": "string"}}}
    assert page_of({"a": inner}, required=["a"]).fields[0].is_required
    page = page_of({"a": inner})
    assert not page.fields[0].is_required
    form = filled(page)
    assert form.is_valid()
    assert form.value == {}


def test_group_that_is_begun_has_to_be_complete():
    inner = {"type": "object", "required": ["b"], "properties": {"b": {}, "c": {}}}
    form = filled(page_of({"a": inner}), "", "x")
    assert not form.is_valid()
    assert form.errors == {"f0": ["Fill this in too, or leave all of a empty."]}


def test_group_that_nobody_began_is_left_out_whatever_else_is_in_it():
    inner = {"type": "object", "required": ["b"], "properties": {
        "b": {}, "on": {"type": "boolean"}, "kind": {"const": 1},
        "deep": {"type": "object", "properties": {"off": {"type": "boolean"}}},
    }}  # fmt: skip
    page = page_of({"a": inner})
    blank, begun, ticked = filled(page), filled(page, "x"), filled(page, "", "on")
    assert blank.is_valid()
    assert blank.value == {}
    assert begun.is_valid()
    assert begun.value == {"a": {"b": "x", "on": False, "kind": 1}}
    assert ticked.errors == {"f0": ["Fill this in too, or leave all of a empty."]}
    needed = filled(page_of({"a": {"properties": {"on": {"type": "boolean"}}}}, required=["a"]))
    assert needed.is_valid()
    assert needed.value == {"a": {"on": False}}


def test_problem_of_what_is_not_shown_is_named():
    form = filled(page_of({"state": {"readOnly": True}}, required=["state"]))
    assert form.non_field_errors() == ["state: This is needed."]


def test_values_that_nobody_fills_in_are_sent_along():
    page = page_of({
        "kind": {"const": "lora"}, "version": {"readOnly": True, "default": 2},
        "state": {"readOnly": True}, "none": {"type": "null"},
    })  # fmt: skip
    form = filled(page)
    assert form.is_valid()
    assert form.value == {"kind": "lora", "version": 2, "none": None}


def test_rules_between_properties_are_asked_of_the_whole_page():
    page = page_of({"a": {}, "b": {}}, dependentRequired={"a": ["b"]}, minProperties=1)
    form = filled(page)
    assert not form.is_valid()
    assert form.non_field_errors()
    other = page_of({"mode": {"enum": ["x", "y"]}, "key": {}}, **{
        "if": {"properties": {"mode": {"const": "y"}}}, "then": {"required": ["key"]},
    })  # fmt: skip
    assert filled(other, "0").is_valid()
    assert filled(other, "1").errors == {"f1": ["This is needed."]}


@pytest.mark.parametrize(
    ("schema", "initial"),
    [
        ({"type": "string", "default": "x"}, "x"),
        ({"enum": ["a", "b"], "default": "b"}, "1"),
        ({"enum": [1, True], "default": True}, "1"),
        ({"enum": [5, 1], "default": 1.0}, "1"),
        ({"enum": ["a", "b"], "default": "c"}, None),
        ({"type": "boolean", "default": True}, True),
        ({"type": "array", "items": {"enum": ["a", "b"]}, "default": ["b"]}, ["1"]),
        ({"type": "array", "items": {"type": "string"}, "default": ["a", "b"]}, "a\nb"),
        ({"type": "string", "default": {"no": "text"}}, None),
        ({"type": "string", "format": "date-time", "default": "never"}, None),
    ],
)
def test_default_is_filled_in_before(schema, initial):
    assert PageForm(page_of({"it": schema})).fields["f0"].initial == initial


@pytest.mark.parametrize("default", [{}, {"default": "c"}, {"default": ["a"]}])
def test_list_without_a_default_chooses_nothing_for_the_person(default):
    drawn = str(PageForm(page_of({"it": {"enum": ["a", "b"], **default}}, required=["it"])))
    assert "Choose …" in drawn


def test_moment_by_default_is_one_that_browsers_understand():
    schema = {"type": "string", "format": "date-time", "default": "2026-01-31T04:05:00+02:00"}
    assert 'value="2026-01-31T02:05"' in str(PageForm(page_of({"it": schema})))


@pytest.mark.parametrize(
    ("pattern", "in_html"),
    [
        ("^[A-F0-9]{16}$", "[A-F0-9]{16}"),
        ("abc", ".*abc.*"),
        (r"^(EU|US)\d+$", r"(EU|US)\d+"),
        (r"a\$", r".*a\$.*"),
        (r"^[\w.\-]+$", r"[\w.\-]+"),
        # What means another thing in a browser, nothing at all, or may take it for ever.
        ("^a|b$", ""), ("^(a+)+$", ""), ("[a-", ""), ("[z-a]", ""), ("(?=x)", ""),
        ("^[A-Z-]+$", ""), ("[a..b]", ""),
        ("^[(]$", ""), (r"\p{L}", ""), ("{", ""), ("^ä$", ""), ("a" * 201, ""),
    ],
)  # fmt: skip
def test_pattern_is_sent_to_browsers_that_understand_it(pattern, in_html):
    assert for_html(pattern) == in_html
    drawn = str(PageForm(page_of({"it": {"pattern": pattern}})))
    assert (" pattern=" in drawn) is bool(in_html)


def test_browser_counts_no_steps_that_the_schema_does_not():
    drawn = str(PageForm(page_of({
        "a": {"type": "integer", "minimum": 3.2, "maximum": 9.9, "multipleOf": 5},
        "b": {"type": "number", "minimum": 0.5, "multipleOf": 0.1},
    })))  # fmt: skip
    assert 'step="1" min="4" max="9"' in drawn
    assert 'step="any" min="0.5"' in drawn


def test_long_titles_are_clipped():
    page = page_of({"a": {"title": "L" * 900}, "b": {"title": "two\nlines"}}, title="S" * 900)
    assert len(page.title) == 100
    assert [len(each.label) for each in page.fields] == [200, 9]


def test_names_and_texts_of_providers_are_never_markup_nor_names_of_fields():
    bad = '"><script>alert(1)</script>'
    html = str(PageForm(page_of({bad: {"title": bad, "description": bad, "examples": [bad]},
                                 "__proto__": {}, "a\x00b": {}})))  # fmt: skip
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert 'name="f2"' in html


def nested(depth):
    schema = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"x": schema}}
    return schema["properties"]


LOOP = {"$ref": "#/$defs/a"}
LONG = {"a": {"const": "x" * 10_000}}
FAN = {f"a{n}": {"anyOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(20)} | {"a20": {}}


@pytest.mark.parametrize(
    ("schema", "cause"),
    [
        ({}, "no properties"),
        ({"type": "string"}, "no properties"),
        ({"properties": {"a": 3}}, "no schema"),
        ({"properties": {"a": LOOP}, "$defs": {"a": {"properties": {"b": LOOP}}}}, "itself"),
        ({"properties": {"a": {"$ref": "https://example.com/a.json"}}}, "out of the page"),
        ({"properties": {"a": {"$ref": "#"}}}, "out of the page"),
        ({"properties": {"a": {"$ref": "#/$defs/none"}}}, "nowhere"),
        ({"properties": {"a": {"$ref": "#/$defs/a0"}}, "$defs": FAN}, "parts"),
        ({"properties": nested(40)}, "deeper"),
        ({"properties": nested(10)}, "deeper"),
        ({"properties": {f"p{n}": {} for n in range(101)}}, "100 fields"),
        ({"properties": {"a": {"enum": list(range(501))}}}, "500 choices"),
        ({"properties": {f"p{n}": {"enum": list(range(400))} for n in range(20)}}, "5,000 choices"),
        ({"properties": {f"p{n}": LOOP for n in range(40)}, "$defs": LONG}, "references"),
        ({"properties": {"a" * 201: {}}}, "too long"),
        (
            {"properties": {"a": {"type": "array", "items": {"type": "object"}}},
             "required": ["a"]},
            "cannot show",
        ),
    ],
)  # fmt: skip
def test_page_that_cannot_be_drawn_is_refused_with_the_cause(schema, cause):
    with pytest.raises(SchemaError) as caught:
        read_pages([schema])
    assert cause in caught.value.cause
    assert str(caught.value) == "Cannot fetch a form definition from the microservice."


def test_unknown_words_and_wrong_shapes_are_passed_over():
    page = page_of({
        "a": {"type": "wat", "minLength": "x", "enum": [], "required": True, "x-widget": {}},
        "b": {"type": "array", "items": {"type": "object"}},  # nobody has to fill it in
        "c": True,
    })  # fmt: skip
    assert [field.path for field in page.fields] == [("a",)]


def test_no_pattern_keeps_the_server_busy():
    """An engine that goes back would be at it for longer than anybody waits."""
    page = page_of({"a": {"pattern": "^(a+)+$"}, "b": {"pattern": "(?=x)"}})
    form = filled(page, "a" * 5_000 + "!", "left to the provider")
    assert list(form.errors) == ["f0"]


@pytest.mark.parametrize(
    ("schema", "typed"),
    [
        ({"allOf": [{"pattern": f"(((a|b)*){{30}}){{30}}{n}"} for n in range(300)]}, "ab" * 9_999),
        ({"type": "array", "items": {"allOf": [{"minLength": 1}] * 2_900}}, "a\n" * 9_999),
        ({"type": "array", "items": {"anyOf": [{}, {"enum": [0] * 9_999}]}}, "a\n" * 9_999),
    ],
    ids=["patterns", "rules", "values"],
)
def test_no_schema_keeps_the_server_busy(schema, typed):
    """What is too laborious is left to the provider."""
    form = filled(page_of({"a": schema}), typed)
    began = time.thread_time()
    form.is_valid()
    assert time.thread_time() - began < 4


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["type", "properties", "items", "enum", "$ref", "pattern", "required",
                         "minimum", "default", "oneOf", "const", "format", "title", "examples"])
        | st.text(max_size=3),
        inner | st.sampled_from(["string", "object", "array", "integer", "boolean", "#/$defs/a"]),
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON, st.text(max_size=5))
def test_no_schema_gives_anything_but_a_form_or_a_refusal(properties, typed):
    try:
        (page,) = read_pages([{"properties": {"a": properties}}])
    except ProviderError:
        return
    form = filled(page, *[typed] * len(page.fields))
    form.is_valid()
    str(form)
