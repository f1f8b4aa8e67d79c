"""Devices with logins of their own, as tests about them need them."""

from django.utils import timezone

from inventory import devices
from inventory.models import DeviceCredentials, DeviceEvent
from registration.lifecycle import Stage
from registration.models import Registration
from tenants.actors import Actor
from tests.support import Api, knock

ME = "/user/currentUser"


def login_of(device_id):
    """Return the login of a device as it is now."""
    return DeviceCredentials.objects.select_related("tenant", "managed_object").get(
        device_id=device_id
    )


def api_of(credentials, password):
    """Return the API as the device uses it with this password."""
    return Api(f"{credentials.tenant_id}/{credentials.username}", password)


def comes_in(credentials, password):
    """Say whether the device gets in with this password."""
    answer = api_of(credentials, password).get(ME)
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


def let_in(make_registration, device_id, *, logs_in=True, reports=False, **details):
    """Let a device in by the steps that lead there; return its login and its password."""
    registration = make_registration(device_id, stage=Stage.ACCEPTED, **details)
    password = knock(registration)
    credentials = login_of(device_id)
    if logs_in:
        assert comes_in(credentials, password)
    if reports:
        report(credentials)
    return login_of(device_id), password


def report(credentials):
    """Let the device create its device object."""
    made = devices.report(
        credentials, name=f"Name of {credentials.device_id}"[:100], kind="c8y_Linux",
        fragments={"c8y_IsDevice": {}}, by=Actor(credentials.username),
    )  # fmt: skip
    return made[0]


def device_kinds(device_id, tenant_id="acme"):
    """Return what happened to a device, oldest first."""
    found = DeviceEvent.objects.filter(tenant=tenant_id, device_id=device_id).order_by("pk")
    return [str(event.kind) for event in found]


def used_before(credentials, age):
    """Let the last use of a login lie so far back."""
    DeviceCredentials.objects.filter(pk=credentials.pk).update(last_used_at=timezone.now() - age)


def registration_of(device_id):
    """Return the registration of a device, or None."""
    return Registration.objects.filter(device_id=device_id).first()
