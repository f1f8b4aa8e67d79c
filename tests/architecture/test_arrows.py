"""Imports point one way: ui <- tenants <- inventory <- registration <- … <- config."""

import ast
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
APPS = [
    "ui",
    "tenants",
    "inventory",
    "registration",
    "bulk",
    "factory",
    "extensions",
    "openapi",
    "config",
]
MODULES = sorted(path for app in APPS for path in (ROOT / app).rglob("*.py"))


def imported(path):
    """Return the first names of everything that the file imports, in functions too."""
    tree = ast.parse(path.read_text(), path)
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names.add((node.module or "").partition(".")[0])
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_imports_only_what_stands_below_it(path):
    app = path.relative_to(ROOT).parts[0]
    forbidden = {*APPS[APPS.index(app) + 1 :], "tests", "bench"}
    assert not imported(path) & forbidden


def test_arrows_are_looked_at():
    assert len(MODULES) > 50
    assert "inventory" in imported(ROOT / "registration/models/registration.py")


def test_environment_is_read_in_one_place():
    # The rest are the command line's own business: where Django finds its settings.
    readers = {
        str(path.relative_to(ROOT))
        for path in MODULES
        if "os.environ" in path.read_text() or "getenv" in path.read_text()
    }
    assert readers <= {"config/env.py", "config/wsgi.py"}


def test_status_is_assigned_in_one_place():
    (assignment,) = (
        (path.name, ast.unparse(target))
        for path in (ROOT / "registration/models").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute) and target.attr == "status"
    )
    assert assignment == ("steps.py", "self.status")
