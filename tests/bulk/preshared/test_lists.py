"""Lists of IDs with secrets on their way through the engine, as files that are checked first."""

import pytest

from bulk import engine, imports
from bulk.engine import stopping
from bulk.errors import WrongStateError
from bulk.models import Existing, Form, Import, ImportItem, ImportProblem, State
from inventory.models import DeviceCredentials, ManagedObject
from registration.lifecycle import Stage
from tenants.models import AuditRecord, Tenant
from tests.bulk.files import SECRET, carried_on, counts, outcomes, reasons, undone
from tests.bulk.preshared.hands import BY, OTHER, made_type, offered
from tests.logins import comes_in, login_of

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[pytest.param(2, id="small-chunks"), pytest.param(5_000, id="one-chunk")])
def pace(request, monkeypatch):
    for name in ("ROWS", "FIRST", "MOST"):
        monkeypatch.setattr(f"bulk.engine.pace.{name}", request.param)


def checked(device_type, text, *, all_or_nothing=True):
    """Bring a list and have it looked through."""
    one = imports.receive_pairs(
        device_type, [text.encode()], by=BY, all_or_nothing=all_or_nothing, file_name="pairs.csv"
    )
    assert one.state == State.READY, one.refusal
    imports.check(one)
    return carried_on(one)


def started(one, on_existing=Existing.UPDATE):
    """Register what a list holds."""
    imports.start(one, on_existing=on_existing, by=BY)
    return carried_on(one)


def plan(one):
    names = ("rows", "create", "update", "unchanged", "duplicate", "reject", "new_secrets")
    return {name: one.preview[name] for name in names if one.preview[name]}


def pairs(*ids, secret=SECRET):
    return "".join(f"{each}, {secret}\n" for each in ids)


@pytest.mark.usefixtures("pace")
def test_a_list_becomes_devices_of_its_type(acme):
    device_type = made_type(acme)
    offered(device_type, "same")
    one = checked(device_type, pairs("a", "b", "c", "same", "a"))
    assert plan(one) == {"rows": 5, "create": 3, "unchanged": 1, "duplicate": 1}
    one = started(one)
    assert (one.state, one.form, counts(one)) == (
        State.FINISHED, Form.PAIRS, {"created": 3, "unchanged": 2},
    )  # fmt: skip
    assert outcomes(one) == {1: "CREATED", 2: "CREATED", 3: "CREATED", 4: "UNCHANGED"}
    assert ManagedObject.objects.filter(device_type=device_type).count() == 4
    assert comes_in(login_of("c"), SECRET)
    one = undone(one, BY)
    assert (one.undone, one.kept) == (2, 1)
    assert set(DeviceCredentials.objects.values_list("device_id", flat=True)) == {"same", "c"}


@pytest.mark.usefixtures("pace")
def test_contradictions_fail_wherever_they_stand_and_before_any_is_written(acme, make_registration):
    make_registration("knocked", stage=Stage.PENDING)
    make_registration("waits")
    device_type = made_type(acme, device_id_pattern="[a-z]+")
    other = made_type(acme, "Valve")
    offered(other, "valve")
    text = (
        pairs("twice", "fine", "knocked", "waits", "valve")
        + pairs("twice", secret=OTHER)
        + pairs("twice", "A1")
    )
    one = checked(device_type, text, all_or_nothing=False)
    assert plan(one) == {"rows": 8, "create": 2, "reject": 6}
    one = started(one)
    assert counts(one) == {"created": 2, "failed": 6}
    assert [(line, code) for line, _, code in reasons(one)] == [
        (1, "duplicate_conflict"), (3, "registration_pending"), (5, "device_type_conflict"),
        (6, "duplicate_conflict"), (7, "duplicate_conflict"), (8, "pattern_mismatch"),
    ]  # fmt: skip
    made = ManagedObject.objects.filter(device_type=device_type)
    assert set(made.values_list("device_id", flat=True)) == {"fine", "waits"}
    kept = str([list(model.objects.values()) for model in (ImportProblem, Import, AuditRecord)])
    assert SECRET not in kept
    assert OTHER not in kept
    assert not one.file_key


def test_all_or_nothing_does_not_start_where_the_check_found_something(acme):
    device_type = made_type(acme)
    offered(device_type, "there")
    unchecked = imports.receive_pairs(
        device_type, [pairs("a").encode()], by=BY, all_or_nothing=True
    )
    bad = checked(device_type, pairs("a", "b c"))
    good = checked(device_type, pairs("a", "there"))
    Tenant.objects.filter(pk="acme").update(device_limit=1)
    full = checked(device_type, pairs("a"))
    Tenant.objects.filter(pk="acme").update(device_limit=None)
    for one, existing, said in (
        (unchecked, Existing.UPDATE, "Check it first"),
        (bad, Existing.UPDATE, "1 of 2 rows cannot be registered"),
        (good, Existing.FAIL, "1 of 2 rows cannot be registered"),
        (full, Existing.UPDATE, "no room for 1"),
    ):
        with pytest.raises(WrongStateError, match=said):
            imports.start(one, on_existing=existing, by=BY)
        assert Import.objects.get(pk=one.pk).state == State.READY
    assert counts(started(good)) == {"created": 1, "unchanged": 1}


def test_a_check_counts_the_secrets_that_would_change(acme):
    device_type = made_type(acme)
    offered(device_type, "a", "b")
    one = checked(device_type, pairs("a", secret=OTHER) + pairs("b", "c"))
    assert plan(one) == {"rows": 3, "create": 1, "update": 1, "unchanged": 1, "new_secrets": 1}


@pytest.mark.usefixtures("pace")
def test_a_list_that_is_interrupted_goes_on_where_it_was(acme, monkeypatch):
    monkeypatch.setattr("bulk.engine.pace.FIRST", 2)
    monkeypatch.setattr("bulk.engine.pace.ROWS", 2)
    device_type = made_type(acme)
    ids = [f"d-{number}" for number in range(9)]
    one = checked(device_type, pairs(*ids, "d-1"), all_or_nothing=False)
    imports.start(one, on_existing=Existing.UPDATE, by=BY)
    monkeypatch.setattr(stopping, "is_asked", lambda: True)
    for _ in range(20):
        engine.carry_on(one.pk)
    one.refresh_from_db()
    assert (one.state, counts(one)) == (State.FINISHED, {"created": 9, "unchanged": 1})
    assert ImportItem.objects.filter(owner=one).count() == 9


def test_the_management_tenant_brings_lists_for_its_own_types(management):
    assert counts(started(checked(made_type(management), pairs("a")))) == {"created": 1}
    assert login_of("a").tenant_id == "management"
