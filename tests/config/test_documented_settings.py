"""Whoever runs the server finds every setting in one table."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_setting_is_in_the_table_of_settings():
    code = "".join(path.read_text() for path in (ROOT / "config").glob("*.py"))
    table = (ROOT / "docs/operating.md").read_text()
    known = set(re.findall(r"\bGATEHOUSE_[A-Z_]+[A-Z]\b", code))
    assert known
    assert sorted(name for name in known if f"`{name}`" not in table) == []
