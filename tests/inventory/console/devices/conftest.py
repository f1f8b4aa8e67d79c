"""Devices as they come in, and people of both tenants who look after them."""

import pytest
from django.utils import timezone

from inventory import logins
from inventory.devices import let_in, report
from inventory.groups import add_to_group, group_at
from inventory.identity import bind
from inventory.models import DeviceCredentials, ManagedObject, State
from inventory.objects import create_object
from tests.consoles import Console


@pytest.fixture
def console(house):
    """Return the console as somebody sees it: ``console("acme/operator").get(url)``."""
    return Console


@pytest.fixture
def desk(console):
    """The console of the operator of acme."""
    return console("acme/operator")


@pytest.fixture
def make_device(acme, operator):
    """Return a device that came in by the usual steps; without an ID it has no login."""

    def make(
        device_id="", *, tenant=acme, name="", kind="", state=State.CONNECTED, groups=(),
        external_ids=(), fragments=None, reports=True, **columns,
    ):  # fmt: skip
        fragments = {"c8y_IsDevice": {}} | (fragments or {})
        if not device_id:
            body = {"name": name, "type": kind, **fragments}
            device, _ = create_object(tenant, body, by=operator)
        else:
            login = let_in(
                tenant, device_id, "x" * 32, by=operator,
                registered_at=columns.get("created_at"), registered_by="operator",
            )  # fmt: skip
            device = login.managed_object
            if state is not State.NEVER_CONNECTED:
                login.first_login_at = timezone.now()
                login.save()
                logins.show_state(login)
            if reports:
                device, _ = report(login, name=name, kind=kind, fragments=fragments, by=operator)
            if state is State.DISABLED:
                logins.disable(login, by=operator)
        for path in groups:
            add_to_group(group_at(tenant, path, by=operator), [device], by=operator)
        for type_, value in external_ids:
            bind(device, type_, value, by=operator)
        if columns:
            ManagedObject.objects.filter(pk=device.pk).update(**columns)
        return ManagedObject.objects.get(pk=device.pk)

    return make


@pytest.fixture
def login_of():
    """Return the login of a device as it is now, or None."""
    return lambda device_id: DeviceCredentials.objects.filter(device_id=device_id).first()


def url_of(device, action=""):
    """Return the address of a device's page, or of something to be done with it."""
    return f"/devices/{device.pk}/{action}"
