"""Glyphs are drawn once in a page and referred to by its rows."""

import re

import pytest

from ui.templatetags.ui import GLYPHS, glyph, glyphs


def test_every_glyph_fits_where_it_is_shown():
    symbols = re.findall(r"<symbol ([^>]*)>", glyphs())
    assert len(symbols) == len(GLYPHS)
    for name, attributes in zip(GLYPHS, symbols, strict=True):
        assert f'id="glyph-{name}"' in attributes
        assert 'viewBox="0 0 24 24"' in attributes
        assert not re.search(r'\b(width|height)="', attributes.replace("stroke-width", ""))


def test_unknown_glyph_is_refused_before_it_is_invisible():
    with pytest.raises(ValueError, match="add it to GLYPHS"):
        glyph("dragon")
