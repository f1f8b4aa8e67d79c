"""``manage.py permissions``: who may do what, as the gates have it."""

from collections.abc import Iterator
from typing import Any, Final

from django.core.management import BaseCommand
from django.urls import URLPattern, URLResolver, get_resolver

from tenants.api.http import PUBLIC
from tenants.roles import BUNDLES, Role, effective_roles

INTRODUCTION: Final = """# Who may do what

Written by `manage.py permissions` from the gates themselves; a test fails when this page and the
code disagree. The columns are the global roles as every tenant starts with them. A tenant may
change its own; what counts is the right in the last column. Everybody acts in the own tenant;
people of the management tenant also see and decide about the registrations of all others. Rights
about tenants count only in a tenant that may own some.
"""
HEAD: Final = "| {} | " + " | ".join(bundle.name for bundle in BUNDLES) + " | right |"
RULE: Final = "|---|" + "---|" * (len(BUNDLES) + 1)


class Command(BaseCommand):
    """Write the table of rights in Markdown."""

    help = "Print who may do what, as Markdown."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print the page."""
        self.stdout.write(permissions(), ending="")


def permissions() -> str:
    """Return the page."""
    console, api = [], []
    views: dict[str, Any] = {}
    for address, view in _walk(get_resolver().url_patterns):
        views.setdefault(address, view)  # of two at one address, the first answers
    for address, view in sorted(views.items()):
        roles = getattr(view, "required_roles", None)
        if isinstance(roles, tuple):
            console += _console_rows(address, view, roles)
        elif isinstance(roles, dict):
            api += [_row(f"`{method} /{address}`", _any(roles[method])) for method in roles]
    lines = [INTRODUCTION, "## Console\n", HEAD.format("address"), RULE, *console]
    lines += ["\n## REST API\n", HEAD.format("call"), RULE, *api]
    return "\n".join(lines) + "\n"


def _console_rows(address: str, view: Any, roles: tuple[Role, ...]) -> list[str]:
    where = ", management tenant only" if getattr(view, "is_for_management", False) else ""
    rows = [_row(f"`/{address}`{where}", roles)]
    change = getattr(view, "role_to_change", None)
    if change is not None:
        rows.append(_row(f"`/{address}`{where}, to change", (change,)))
    return rows


def _any(roles: Any) -> tuple[Role, ...] | None:
    """Return the roles of an endpoint, or None for one that is open to everybody."""
    if roles == PUBLIC:
        return None
    return roles if isinstance(roles, tuple) else (roles,)


def _row(what: str, roles: tuple[Role, ...] | None) -> str:
    marks = []
    for bundle in BUNDLES:
        held = effective_roles(bundle.roles)
        marks.append("yes" if not roles or any(role in held for role in roles) else "no")
    if roles is None:
        right = "none: open to everybody"
    elif not roles:
        right = "any account of a person"
    else:
        right = " or ".join(f"`{role}`" for role in roles)
    return f"| {what} | {' | '.join(marks)} | {right} |"


def _walk(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for each in patterns:
        address = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _walk(each.url_patterns, address)
        elif isinstance(each, URLPattern):
            yield address, each.callback
