"""What an update keeps of a device, and which rows cannot be."""

import json

import pytest

from bulk.models import ImportProblem, State
from inventory import devices
from inventory.fragments import MAX_FRAGMENTS_BYTES
from inventory.groups import create_at
from inventory.history import history_of
from inventory.models import ChildLink, ManagedObject
from tenants.actors import Actor
from tenants.models import Tenant
from tests.bulk.files import FULL, SECRET, checked, counts, reasons, registered
from tests.logins import let_in, login_of

pytestmark = pytest.mark.django_db
BY = Actor("olga")


def keeps(device_id, fragments):
    ManagedObject.objects.filter(device_id=device_id).update(fragments=fragments)


def fragments_of(device_id):
    return ManagedObject.objects.get(device_id=device_id).fragments


def test_an_update_adds_to_what_a_device_has_and_replaces_nothing_else(acme, make_registration):
    let_in(make_registration, "d", reports=True)
    keeps("d", {
        "c8y_IsDevice": {},
        "c8y_SupportedOperations": ["c8y_Restart", "c8y_Firmware"],
        "c8y_Mobile": {"imei": "1", "iccid": "old"},
        "warehouse": {"shelf": "7", "hall": {"door": "3", "light": "on"}},
    })  # fmt: skip
    header = "ID;CREDENTIALS;ICCID;SHELL;warehouse.hall.light\n"
    text = header + f"d;{SECRET};894900;1;off\n"
    assert counts(registered(acme, text, BY)) == {"updated": 1}
    assert fragments_of("d") == {
        "c8y_IsDevice": {},
        "c8y_SupportedOperations": ["c8y_Restart", "c8y_Firmware", "c8y_Command"],
        "c8y_Mobile": {"imei": "1", "iccid": "894900"},
        "warehouse": {"shelf": "7", "hall": {"door": "3", "light": "off"}},
    }
    assert counts(registered(acme, text, BY)) == {"unchanged": 1}


def test_a_row_fails_whose_device_would_have_too_much_together(acme, make_registration):
    let_in(make_registration, "d", reports=True)
    before = {"c8y_IsDevice": {}, "big": "x" * (MAX_FRAGMENTS_BYTES - 200)}
    keeps("d", before)
    text = "ID;CREDENTIALS;note\n" + f"d;{SECRET};{'y' * 500}\nnew;{SECRET};fine\n"
    plan = checked(acme, text, BY)
    assert plan.state == State.READY
    assert (plan.preview["create"], plan.preview["reject"]) == (1, 1)
    one = registered(acme, text, BY)
    assert (one.state, counts(one)) == (State.FINISHED, {"created": 1, "failed": 1})
    assert reasons(one) == [(2, "", "too-long")]
    assert fragments_of("d") == before


def test_a_device_that_has_not_reported_joins_the_group_that_was_chosen(acme, make_registration):
    group = create_at(acme, "Hall 2", by=BY)
    let_in(make_registration, "d", group=group)
    registered(acme, FULL + f"d;{SECRET};;New name;\n", BY)
    device = login_of("d").managed_object
    assert (device.name, device.group_to_join_id) == ("New name", None)
    assert list(ChildLink.objects.filter(child=device).values_list("parent", flat=True)) == [
        group.pk
    ]
    assert devices.has_reported("acme", "d")


def test_two_rows_cannot_take_the_same_device_by_two_of_its_names(acme):
    device = ManagedObject.objects.create(
        tenant=acme, kind="device", name="made by a client", fragments={"c8y_IsDevice": {}}
    )
    for kind, value in (("c8y_Serial", "a"), ("c8y_Imei", "b")):
        device.external_ids.create(tenant=acme, type=kind, value=value)
    text = f"ID;CREDENTIALS;IDTYPE\na;{SECRET};c8y_Serial\nb;{SECRET};c8y_Imei\n"
    one = registered(acme, text, BY)
    assert counts(one) == {"updated": 1, "failed": 1}
    device.refresh_from_db()
    assert device.device_id == "a"


def test_a_device_is_not_told_the_name_of_another_tenants_file(management, acme, globex):
    text = f"ID;CREDENTIALS;TENANT\na;{SECRET};acme\ng;{SECRET};globex\n"
    registered(management, text, BY, file_name="acme-and-globex.csv")
    told = history_of("acme", device_id="a", limit=10)
    assert [one.what for one in told] == ["Registered by bulk registration"]
    assert "globex" not in str(told)
    told = history_of("globex", device_id="g", limit=10)
    assert "acme" not in str(told)


def test_a_tenant_that_is_suspended_while_the_file_runs_gets_no_more(
    management, acme, globex, monkeypatch
):
    for name in ("ROWS", "FIRST", "MOST"):
        monkeypatch.setattr(f"bulk.engine.pace.{name}", 1)
    monkeypatch.setattr(
        "bulk.engine.pace.Pace.took",
        lambda *_: Tenant.objects.filter(pk="globex").update(status=Tenant.Status.SUSPENDED),
    )
    text = f"ID;CREDENTIALS;TENANT\ng1;{SECRET};globex\ng2;{SECRET};globex\na;{SECRET};acme\n"
    one = registered(management, text, BY)
    assert counts(one) == {"created": 2, "failed": 1}
    assert reasons(one) == [(3, "TENANT", "tenant")]


@pytest.mark.parametrize("row", ["d;pa;canary-word-9;;;", "d;pa;canary-word-9;;;;;"])
def test_what_follows_a_separator_in_a_password_is_kept_nowhere(acme, row):
    one = registered(acme, FULL + row + "\n", BY)
    assert counts(one) == {"failed": 1}
    assert reasons(one) == [(2, "CREDENTIALS", "password")]
    kept = list(ImportProblem.objects.values("cells", "reason", "device_id"))
    assert "canary-word-9" not in json.dumps(kept)
    assert kept[0]["cells"] == {"ID": "d"}
