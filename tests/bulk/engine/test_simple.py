"""Devices that are expected because a file says so."""

import pytest

from bulk.models import Existing
from registration.lifecycle import Stage
from registration.models import Registration, RegistrationEvent, Tally
from tenants.actors import Actor
from tests.bulk.files import SIMPLE, counts, reasons, registered
from tests.logins import let_in

pytestmark = pytest.mark.django_db
BY = Actor("olga")


def test_rows_become_registrations_that_wait(acme):
    one = registered(acme, SIMPLE + "a;Plant/Hall 1\nb;\n", BY)
    assert counts(one) == {"created": 2}
    found = Registration.objects.order_by("device_id")
    assert [(r.device_id, r.status, str(r.group or "")) for r in found] == [
        ("a", "WAITING_FOR_CONNECTION", "Plant/Hall 1"),
        ("b", "WAITING_FOR_CONNECTION", ""),
    ]
    assert Tally.counts(acme)[Stage.WAITING] == 2
    events = RegistrationEvent.objects.filter(kind="registered")
    assert set(events.values_list("device_id", "actor_name")) == {("a", "olga"), ("b", "olga")}


@pytest.mark.parametrize(
    ("on_existing", "expected"),
    [
        (Existing.FAIL, {"created": 1, "failed": 1}),
        (Existing.SKIP, {"created": 1, "skipped": 1}),
        (Existing.UPDATE, {"created": 1, "updated": 1}),
    ],
)
def test_what_is_expected_already(acme, make_registration, on_existing, expected):
    make_registration("a")
    one = registered(acme, SIMPLE + "a;Plant\nb;Plant\n", BY, on_existing=on_existing)
    assert counts(one) == expected
    group = Registration.objects.get(device_id="a").group
    assert str(group or "") == ("Plant" if on_existing is Existing.UPDATE else "")


def test_a_device_that_is_in_long_since_is_registered_anew(acme, make_registration):
    let_in(make_registration, "a")
    one = registered(acme, SIMPLE + "a;\n", BY, on_existing=Existing.FAIL)
    assert counts(one) == {"created": 1}
    assert Registration.objects.get(device_id="a").stage is Stage.WAITING


def test_another_tenants_registration_fails_the_row(acme, globex, make_registration):
    make_registration("a", tenant=globex)
    one = registered(acme, SIMPLE + "a;\n", BY)
    assert reasons(one) == [(2, "ID", "id_taken")]


def test_other_columns_mean_nothing(acme):
    one = registered(acme, "ID;PATH;NAME;x.y\na;;Press;1\n", BY)
    assert counts(one) == {"created": 1}
