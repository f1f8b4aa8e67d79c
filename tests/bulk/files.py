"""Files of devices, brought and worked on as people and clients do it."""

from bulk import engine, imports
from bulk.models import Door, Existing, Import, ImportItem, ImportProblem, Outcome, State
from inventory.models import ChildLink, DeviceCredentials, DeviceGroup, ExternalId, ManagedObject
from registration.models import Registration, RegistrationEvent

SECRET = "canary-S3cret!"
FULL = "ID;CREDENTIALS;TYPE;NAME;PATH\n"
SIMPLE = "ID;PATH\n"


def received(tenant, text, by, *, file_name="devices.csv", door=Door.CONSOLE):
    """Bring a file; return its import."""
    data = text if isinstance(text, bytes) else text.encode()
    return imports.receive(tenant, [data], by=by, file_name=file_name, door=door)


def checked(tenant, text, by, **details):
    """Bring a file and have it looked through; return the import."""
    one = received(tenant, text, by, **details)
    assert one.state == State.READY, one.refusal
    imports.check(one)
    return carried_on(one)


def registered(tenant, text, by, *, on_existing=Existing.UPDATE, **details):
    """Bring a file and register what it holds; return the import."""
    one = received(tenant, text, by, **details)
    assert one.state == State.READY, one.refusal
    imports.start(one, on_existing=on_existing, by=by)
    return carried_on(one)


def undone(one, by):
    """Undo an import; return it."""
    imports.undo(one, by=by)
    return carried_on(one)


def carried_on(one):
    """Work on an import until nothing is left to be done; return it as it is then."""
    engine.carry_on(one.pk)
    return Import.objects.get(pk=one.pk)


def counts(one):
    """Return the counts of an import that are not 0."""
    names = ("created", "updated", "unchanged", "skipped", "failed", "undone", "kept")
    return {name: getattr(one, name) for name in names if getattr(one, name)}


def reasons(one):
    """Return why rows failed: line, column and code."""
    found = ImportProblem.objects.filter(owner=one).order_by("line", "pk")
    return list(found.values_list("line", "column", "code"))


def outcomes(one):
    """Return what became of the lines."""
    found = ImportItem.objects.filter(owner=one).order_by("line")
    return {line: Outcome(outcome).name for line, outcome in found.values_list("line", "outcome")}


def everything():
    """Return all that imports write, without what depends on the moment and on numbers."""
    groups = dict(DeviceGroup.objects.values_list("pk", "path"))
    devices = dict(ManagedObject.objects.devices().values_list("pk", "device_id"))
    return {
        "groups": sorted(groups.values()),
        "devices": sorted(
            (one.tenant_id, one.device_id, one.name, one.name_key, one.type, one.owner,
             str(one.fragments), one.state, one.created_by_name)
            for one in ManagedObject.objects.devices()
        ),
        "logins": sorted(
            (one.tenant_id, one.device_id, one.digest, devices.get(one.managed_object_id, ""))
            for one in DeviceCredentials.objects.all()
        ),
        "names": sorted(
            (one.tenant_id, one.type, one.value, devices.get(one.managed_object_id, ""))
            for one in ExternalId.objects.all()
        ),
        "members": sorted(
            (groups.get(one.parent_id, ""), devices.get(one.child_id, groups.get(one.child_id, "")))
            for one in ChildLink.objects.all()
        ),
        "registrations": sorted(
            (one.tenant_id, one.device_id, one.status, groups.get(one.group_id, ""),
             one.created_by_name)
            for one in Registration.objects.all()
        ),
        "events": sorted(
            RegistrationEvent.objects.values_list("tenant_id", "device_id", "kind", "actor_name")
        ),
    }  # fmt: skip
