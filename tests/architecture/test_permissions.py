"""Every global role against every address of console and API, and the page that says so."""

from itertools import product
from pathlib import Path

import pytest
from django.conf import settings

from tenants.api.http import PUBLIC
from tenants.management.commands.permissions import permissions
from tenants.roles import BUNDLES, effective_roles
from tests.architecture.test_console import VIEWS, address, scene  # noqa: F401 -- a fixture
from tests.architecture.test_isolation import EVERYTHING
from tests.consoles import Console
from tests.support import Api, taken_back

PAGE = Path(settings.BASE_DIR) / "docs/permissions.md"
BUNDLE = {bundle.name: effective_roles(bundle.roles) for bundle in BUNDLES}
HOUSES = ("management", "acme")
GATED = {name for name, each in VIEWS.items() if hasattr(each.callback, "required_roles")}
ENDPOINTS = {
    name: each
    for name, each in EVERYTHING.items()
    if isinstance(getattr(each.callback, "required_roles", None), dict)
}


def test_page_about_permissions_tells_what_the_gates_do():
    assert PAGE.read_text() == permissions(), "run: manage.py permissions > docs/permissions.md"


def held(user, roles):
    return not roles or any(user.has_role(role) for role in roles)


@pytest.mark.parametrize("house_of", HOUSES)
@pytest.mark.parametrize("bundle", BUNDLE)
def test_console_lets_a_role_in_exactly_where_its_rights_say(
    scene,  # noqa: F811
    person,
    bundle,
    house_of,
):
    user = person(f"{house_of}/{bundle}")
    wrong = []
    for name, method in product(sorted(GATED), ("get", "post")):
        view = VIEWS[name].callback
        allowed = held(user, view.required_roles)
        if view.is_for_management and house_of != "management":
            allowed = False
        if method == "post" and view.role_to_change:
            allowed = allowed and user.has_role(view.role_to_change)
        with taken_back():
            console = Console(f"{house_of}/{bundle}")
            status = console.call(method, address(name, scene), {"next": "/"}).status_code
        if status != 405 and (status != 403) is not allowed:
            wrong.append(f"{name}: {method} answered {status}")
    assert wrong == []


def concrete(name):
    parts = str(ENDPOINTS[name].pattern).split("/")
    return "/" + "/".join("x" if part.startswith("<") else part for part in parts)


@pytest.mark.parametrize("house_of", HOUSES)
@pytest.mark.parametrize("bundle", BUNDLE)
def test_api_lets_a_role_in_exactly_where_its_rights_say(person, bundle, house_of):
    user = person(f"{house_of}/{bundle}")
    wrong = []
    for name in sorted(ENDPOINTS):
        for method, roles in ENDPOINTS[name].callback.required_roles.items():
            if roles == PUBLIC:
                continue
            wanted = roles if isinstance(roles, tuple) else (roles,)
            with taken_back():
                answer = Api(f"{house_of}/{bundle}").call(method, concrete(name), {})
            status = answer.status_code
            if held(user, wanted):
                # A rule may refuse as well, but says which one.
                denied = status == 403 and answer.json().get("message") in {
                    None,
                    "Access is denied",
                }
                is_right = status not in {401, 405} and not denied
            else:
                is_right = status == 403
            if not is_right:
                wrong.append(f"{name}: {method} answered {status}")
    assert wrong == []
