"""Every global role against every address of console and API, and the page that says so."""

from pathlib import Path

import pytest
from django.conf import settings

from tenants.api.http import PUBLIC
from tenants.management.commands.permissions import permissions
from tenants.roles import BUNDLES, effective_roles
from tests.architecture.test_console import VIEWS, address, scene  # noqa: F401 -- a fixture
from tests.architecture.test_isolation import EVERYTHING
from tests.consoles import Console
from tests.support import Api

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


@pytest.mark.parametrize("name", sorted(GATED))
@pytest.mark.parametrize("house_of", HOUSES)
@pytest.mark.parametrize("bundle", BUNDLE)
def test_console_lets_a_role_in_exactly_where_its_rights_say(
    request,
    scene,  # noqa: F811
    person,
    bundle,
    house_of,
    name,
):
    view = VIEWS[name].callback
    user = person(f"{house_of}/{bundle}")
    console = Console(f"{house_of}/{bundle}")
    for method in ("get", "post"):
        allowed = held(user, view.required_roles)
        if view.is_for_management and house_of != "management":
            allowed = False
        if method == "post" and view.role_to_change:
            allowed = allowed and user.has_role(view.role_to_change)
        status = console.call(method, address(name, scene), {"next": "/"}).status_code
        if status == 405:
            continue
        assert (status != 403) is allowed, f"{method} answered {status}"


def concrete(name):
    parts = str(ENDPOINTS[name].pattern).split("/")
    return "/" + "/".join("x" if part.startswith("<") else part for part in parts)


@pytest.mark.parametrize("name", sorted(ENDPOINTS))
@pytest.mark.parametrize("house_of", HOUSES)
@pytest.mark.parametrize("bundle", BUNDLE)
def test_api_lets_a_role_in_exactly_where_its_rights_say(person, name, bundle, house_of):
    user = person(f"{house_of}/{bundle}")
    for method, roles in ENDPOINTS[name].callback.required_roles.items():
        if roles == PUBLIC:
            continue
        wanted = roles if isinstance(roles, tuple) else (roles,)
        answer = Api(f"{house_of}/{bundle}").call(method, concrete(name), {})
        if held(user, wanted):
            assert answer.status_code not in {401, 405}
            assert answer.status_code != 403 or answer.json()["message"] != "Access is denied"
        else:
            assert answer.status_code == 403, method
