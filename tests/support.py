"""Hands of the suite: callers of the API, things done at the same time, recounts."""

import base64
import json
import threading
from collections import Counter
from contextlib import contextmanager
from urllib.parse import quote

from django.db import connection, connections, transaction
from django.test import Client

from inventory.models import DeviceCredentials
from registration.errors import PollRefusedError
from registration.lifecycle import Stage, Status
from registration.models import Registration, RegistrationEvent, Tally, TallyChange
from tenants.actors import Actor
from tenants.models import Tenant

PASSWORD = "correct horse battery staple"
REQUESTS = "/devicecontrol/newDeviceRequests"
CREDENTIALS = "/devicecontrol/deviceCredentials"
ERROR_TYPE = "application/vnd.com.nsn.cumulocity.error+json;charset=UTF-8;ver=0.9"
ABSENT = object()
DEVICE = Actor("device", source="198.51.100.7", request_id="request-of-device")


def basic(login, password=PASSWORD):
    """Return a Basic header."""
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()


def request_path(device_id):
    """Return the path of a registration, as a careful client encodes it."""
    return f"{REQUESTS}/{quote(device_id, safe='')}"


class Api:
    """The REST contract as one caller uses it; without a login, as a stranger does."""

    def __init__(self, login=None, password=PASSWORD):
        self.client = Client()
        self.headers = {"Accept": "application/json"}
        if login is not None:
            self.headers["Authorization"] = basic(login, password)

    def call(self, method, path, body=ABSENT, *, content_type="application/json", **headers):
        """Send a request; a header given as None is left out, others replace the usual ones."""
        sent = {
            **self.headers,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        sent = {name: value for name, value in sent.items() if value is not None}
        data = b"" if body is ABSENT else body if isinstance(body, bytes) else json.dumps(body)
        return self.client.generic(method, path, data, content_type=content_type, headers=sent)

    def get(self, path, **headers):
        return self.call("GET", path, **headers)

    def post(self, path, body=ABSENT, **headers):
        return self.call("POST", path, body, **headers)

    def put(self, path, body=ABSENT, **headers):
        return self.call("PUT", path, body, **headers)

    def delete(self, path, **headers):
        return self.call("DELETE", path, **headers)

    def poll(self, device_id, token=None):
        """Knock as the device."""
        body = {"id": device_id} if token is None else {"id": device_id, "securityToken": token}
        return self.post(CREDENTIALS, body)

    def accept(self, device_id, token=None):
        """Accept one device."""
        body = {"status": "ACCEPTED"}
        if token is not None:
            body["securityToken"] = token
        return self.put(request_path(device_id), body)


def give_rights(user, *roles):
    """Give ``user`` these rights and no others."""
    user.global_roles.clear()
    user.roles = [str(role) for role in roles]
    user.save()


def knock(registration, token="", device=DEVICE):
    """Poll; return the password, or the status that the device is told."""
    try:
        return registration.poll(token=token, device=device)
    except PollRefusedError as error:
        return Status(error.status)


def kinds(registration):
    """Return what happened to a registration, in order."""
    return [str(event.kind) for event in events_of(registration)]


def events_of(registration):
    """Return the events of a registration, oldest first; the row itself may be gone."""
    return list(
        RegistrationEvent.objects.filter(
            device_id=registration.device_id, tenant_id=registration.tenant_id
        ).order_by("pk")
    )


def recount(tenant):
    """Count the registrations that ``tenant`` sees by looking at each of them."""
    return Counter(row.stage for row in Registration.objects.for_tenant(tenant))


def tally(tenant):
    """Return the counts that the product shows, without zeros."""
    return +Tally.counts(tenant)


def total_of_tally():
    """Return the sum over both tables, per tenant and stage, zeros included."""
    sums = Counter()
    for table in (Tally, TallyChange):
        for row in table.objects.all():
            sums[row.tenant_id, Stage(row.stage)] += row.number
    return {key: number for key, number in sums.items() if number}


def recount_devices(tenant):
    """Count the devices that ``tenant`` has let in, ID by ID: by credentials, or accepted."""
    held = DeviceCredentials.objects.filter(tenant=tenant).values_list("device_id", flat=True)
    accepted = Registration.objects.filter(tenant=tenant, status=Status.ACCEPTED)
    return len({*held, *accepted.values_list("device_id", flat=True)})


def counted_devices(tenant):
    """Return the number of devices that the product keeps for ``tenant``."""
    return Tenant.objects.get(pk=tenant.pk).device_count


def set_limit(tenant, limit):
    """Let ``tenant`` have so many devices and no more."""
    Tenant.objects.filter(pk=tenant.pk).update(device_limit=limit)
    tenant.refresh_from_db()


@contextmanager
def taken_back():
    """Take back whatever is written inside, so that many cases can share one scene."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def at_once(*calls):
    """Make all calls at the same moment, each on a connection of its own.

    Returns their results in order; an exception that a call raised is its result.
    """
    barrier = threading.Barrier(len(calls))
    results = [None] * len(calls)

    def run(index, call):
        try:
            connection.ensure_connection()
            barrier.wait(timeout=60)
            results[index] = call()
        except Exception as error:  # noqa: BLE001 -- it is the result
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
