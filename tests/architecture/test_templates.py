"""Templates keep to the content security policy and to the manners of fragments."""

import re

import pytest
from django.conf import settings

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
every_template = pytest.mark.parametrize(
    "path", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR / "templates"))
)


def source(path):
    """Return the template without its comments."""
    return re.sub(r"{#.*?#}", "", path.read_text(), flags=re.DOTALL)


@every_template
def test_template_has_no_inline_script_or_style(path):
    text = source(path)
    assert not re.search(r"<style\b", text)
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", text)
    assert not re.search(r"hx-on|js:|javascript:|hx-vals|hx-vars", text)
    for tag in re.findall(r"<script\b[^>]*>", text):
        assert re.search(r"\bsrc=\"{% static ", tag), tag


@every_template
def test_template_loads_nothing_from_elsewhere(path):
    assert not re.search(r"(src|href|action)\s*=\s*[\"'](https?:)?//", source(path))


@every_template
def test_template_trusts_no_text(path):
    text = source(path)
    assert "|safe" not in text
    assert "autoescape" not in text
    assert "mark_safe" not in text


@every_template
def test_fragment_extends_nothing_and_page_is_no_fragment(path):
    extends = "{% extends" in source(path)
    assert not (path.name.startswith("_") and extends)


@every_template
def test_form_that_posts_carries_its_token(path):
    text = source(path)
    posts = len(re.findall(r"<form\b[^>]*method=\"post\"", text))
    tokens = text.count("{% csrf_token %}") + text.count('name="csrfmiddlewaretoken"')
    assert tokens == posts


@every_template
def test_element_that_posts_by_htmx_also_posts_without(path):
    for tag in re.findall(r"<\w+\b[^>]*hx-post=[^>]*>", source(path)):
        assert "action=" in tag
        assert 'method="post"' in tag


@every_template
def test_link_that_htmx_follows_is_a_link_without_it(path):
    for tag in re.findall(r"<a\b[^>]*hx-get=\"([^\"]*)\"[^>]*>", source(path)):
        assert f'href="{tag}' in source(path)


def test_inherited_header_carries_the_token_once():
    holders = [path.name for path in TEMPLATES if "X-CSRFToken" in source(path)]
    assert holders == ["base.html"]


def test_htmx_evaluates_nothing():
    config = re.search(r"name=\"htmx-config\"\s+content='([^']*)'", source(
        settings.BASE_DIR / "templates/base.html"))[1]  # fmt: skip
    for rule in ('"allowEval": false', '"allowScriptTags": false', '"selfRequestsOnly": true',
                 '"includeIndicatorStyles": false'):  # fmt: skip
        assert rule in config


@pytest.mark.parametrize(
    "name", ["api-docs.js", "bulk.js", "console.js", "copying.js", "picker.js"]
)
def test_script_writes_no_html_of_others(name):
    script = (settings.BASE_DIR / "static" / name).read_text()
    assert not re.search(r"\beval\(|new Function|(inner|outer)HTML\s*=[^=]|document\.write", script)


def test_style_sheet_closes_what_it_opens_before_the_next_heading():
    depth, heads = 0, 0
    for line in (settings.BASE_DIR / "static/console.css").read_text().splitlines():
        if line.startswith("/* ---"):
            heads += 1
            assert depth == 0, f"something before this is still open: {line}"
        depth += line.count("{") - line.count("}")
    assert depth == 0
    assert heads > 10
