"""Device types and offers, as tests of devices with secrets need them."""

from bulk import imports
from bulk.models import Existing, ImportProblem
from bulk.preshared import Offer, register
from inventory.device_types import TypeDetails, create_type
from tenants.actors import Actor
from tests.bulk.files import FULL, SECRET, carried_on, registered

BY = Actor("olga", source="192.0.2.7", request_id="request-of-olga")
OTHER = "another-S3cret!"


def made_type(tenant, name="Thermostat", **details):
    """Make a device type."""
    return create_type(tenant, TypeDetails(name, **details), by=BY)


def offered(device_type, *offers, **details):
    """Register devices, named by their IDs or whole offers; return what became of them."""
    every = [Offer(each, SECRET) if isinstance(each, str) else each for each in offers]
    return register(device_type, every, by=BY, **details)


def results(outcome):
    """Return what became of each offer: the result, or the code of one that failed."""
    return [each.code or each.result for each in outcome.results]


def by_offer(device_type, device_id, secret=SECRET):
    """Register one device by an offer; return what became of it."""
    return results(offered(device_type, Offer(device_id, secret)))[0]


def by_full_file(device_type, device_id, secret=SECRET):
    """Register one device by a file of the general form; return what became of it."""
    return _told(registered(device_type.tenant, FULL + f"{device_id};{secret};;;\n", BY))


def by_list(device_type, device_id, secret=SECRET):
    """Register one device by a list of pairs; return what became of it."""
    text = f"{device_id}, {secret}\n"
    one = imports.receive_pairs(device_type, [text.encode()], by=BY, all_or_nothing=False)
    imports.start(one, on_existing=Existing.UPDATE, by=BY)
    return _told(carried_on(one))


def _told(one):
    problem = ImportProblem.objects.filter(owner=one).first()
    names = ("created", "updated", "unchanged")
    return problem.code if problem else next(name for name in names if getattr(one, name))
