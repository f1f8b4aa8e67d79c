"""Clients of the inventory: people, and devices with logins of their own."""

import pytest

from inventory.devices import let_in
from inventory.models import ManagedObject
from inventory.objects import create_object
from tests.support import PASSWORD, Api, give_rights


@pytest.fixture
def device_user(acme, operator):
    """Let a device in and return the API as it uses it: ``device_user("press-1")``."""

    def make(device_id="press-1", *, tenant=acme, **details):
        let_in(tenant, device_id, PASSWORD, by=operator, **details)
        return Api(f"{tenant.pk}/device_{device_id}")

    return make


@pytest.fixture
def caller(person):
    """Return the API as somebody with just these rights uses it."""

    def make(*roles, login="acme/reader"):
        give_rights(person(login), *roles)
        return Api(login)

    return make


@pytest.fixture
def ours(operator):
    """Make an object as the operator of acme, and return its ID, as a POST would."""

    def make(by=operator, **body):
        made, _ = create_object(by.user.tenant, body, by=by)
        return str(made.pk)

    return make


@pytest.fixture
def theirs(ours, globex_operator):
    """Make an object as the operator of globex, and return its ID."""

    def make(**body):
        return ours(globex_operator, **body)

    return make


@pytest.fixture
def row():
    """Return the object behind an ID."""

    def find(object_id):
        return ManagedObject.objects.get(pk=int(object_id))

    return find
