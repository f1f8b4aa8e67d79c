"""Devices that are let in by a file."""

import pytest
from django.db import IntegrityError

from bulk import imports
from bulk.engine import full
from bulk.models import Existing, State
from bulk.reading.columns import Form, template
from inventory import logins
from inventory.models import DeviceCredentials, DeviceGroup, ExternalId, ManagedObject, Tombstone
from registration.lifecycle import Stage
from registration.models import Registration
from tenants.actors import Actor
from tenants.models import Tenant
from tests.bulk.files import (
    FULL,
    SECRET,
    carried_on,
    counts,
    outcomes,
    reasons,
    received,
    registered,
)
from tests.logins import comes_in, let_in, login_of

pytestmark = pytest.mark.django_db
BY = Actor("olga")


def test_a_row_becomes_a_device_that_may_log_in_at_once(acme):
    one = registered(acme, FULL + f"press-1;{SECRET};press;The press;Plant/Hall 1\n", BY)
    assert (one.state, counts(one)) == (State.FINISHED, {"created": 1})
    login = login_of("press-1")
    assert comes_in(login, SECRET)
    device = login.managed_object
    assert (device.name, device.type, device.owner) == ("The press", "press", "device_press-1")
    assert device.fragments == {"c8y_IsDevice": {}}
    assert device.reported_at is not None
    assert [str(one) for one in device.external_ids.all()] == ["c8y_Serial press-1"]
    assert [str(g) for g in DeviceGroup.objects.filter(child_links__child=device)] == [
        "Plant/Hall 1"
    ]
    assert Tenant.objects.get(pk="acme").device_count == 1


def test_what_a_row_leaves_out_gets_its_defaults(acme):
    registered(acme, f"ID;CREDENTIALS\npress-1;{SECRET}\n", BY)
    device = login_of("press-1").managed_object
    assert (device.name, device.type, device.state) == ("press-1", "c8y_DefaultDevice", "never")


def test_further_columns_become_fragments_and_external_ids(acme):
    header = (
        "ID;CREDENTIALS;ICCID;IDTYPE;SHELL;external-c8y_Imei;com_cumulocity_model_Agent.active;a.b"
    )
    registered(acme, f"{header}\nid-1;{SECRET};8949;c8y_Mac;1;4711;true;x\n", BY)
    device = login_of("id-1").managed_object
    assert device.fragments == {
        "c8y_IsDevice": {},
        "c8y_Mobile": {"iccid": "8949"},
        "c8y_SupportedOperations": ["c8y_Command"],
        "com_cumulocity_model_Agent": {"active": "true"},
        "a": {"b": "x"},
    }
    assert {str(one) for one in device.external_ids.all()} == {"c8y_Mac id-1", "c8y_Imei 4711"}


def test_a_device_that_is_there_is_updated_and_its_password_replaced(acme, make_registration):
    login, password = let_in(make_registration, "press-1", reports=True)
    one = registered(acme, FULL + f"press-1;{SECRET};pump;New name;Plant\n", BY)
    assert counts(one) == {"updated": 1}
    login = login_of("press-1")
    assert comes_in(login, SECRET)
    assert not comes_in(login, password)
    assert (login.managed_object.name, login.managed_object.type) == ("New name", "pump")
    assert ManagedObject.objects.devices().count() == 1
    assert Tenant.objects.get(pk="acme").device_count == 1


@pytest.mark.parametrize(
    ("on_existing", "expected"),
    [
        (Existing.UPDATE, {"unchanged": 1}),
        (Existing.SKIP, {"skipped": 1}),
        (Existing.FAIL, {"failed": 1}),
    ],
)
def test_the_same_file_again_changes_nothing(acme, on_existing, expected):
    text = FULL + f"press-1;{SECRET};press;The press;Plant/Hall 1\n"
    registered(acme, text, BY)
    before = login_of("press-1").issued_at, login_of("press-1").managed_object.updated_at
    one = registered(acme, text, BY, on_existing=on_existing)
    assert counts(one) == expected
    after = login_of("press-1")
    assert (after.issued_at, after.managed_object.updated_at) == before


def test_a_device_without_a_login_of_its_own_gets_one_by_its_external_id(acme):
    device = ManagedObject.objects.create(tenant=acme, kind="device", name="old")
    ExternalId.objects.create(
        tenant=acme, type="c8y_Serial", value="press-1", managed_object=device
    )
    one = registered(acme, FULL + f"press-1;{SECRET};;;\n", BY)
    assert counts(one) == {"updated": 1}
    assert login_of("press-1").managed_object == device
    assert comes_in(login_of("press-1"), SECRET)
    device.refresh_from_db()
    assert (device.name, device.device_id) == ("old", "press-1")


def test_an_external_id_of_another_device_fails_the_row(acme, make_registration):
    login, _ = let_in(make_registration, "press-1", reports=True)
    ExternalId.objects.create(
        tenant=acme, type="c8y_Imei", value="4711", managed_object=login.managed_object
    )
    text = "ID;CREDENTIALS;external-c8y_Imei\n"
    text += f"a-1;{SECRET};4711\na-2;{SECRET};4712\na-3;{SECRET};4712\n"
    one = registered(acme, text, BY)
    assert counts(one) == {"created": 1, "failed": 2}
    assert [code for _, _, code in reasons(one)] == ["external-id", "external-id"]
    assert not DeviceCredentials.objects.filter(device_id="a-1").exists()


def test_a_second_row_of_a_device_fails_also_far_behind(acme):
    rows = "".join(f"d-{number};{SECRET};;;\n" for number in range(300))
    one = registered(
        acme, FULL + rows + f"d-7;{SECRET};;;\nd-300;{SECRET};;;\nd-300;{SECRET};;;\n", BY
    )
    assert counts(one) == {"created": 301, "failed": 2}
    assert reasons(one) == [(302, "ID", "repeated"), (304, "ID", "repeated")]


def test_a_registration_gives_way_only_while_nobody_has_knocked(acme, make_registration):
    for stage in (Stage.WAITING, Stage.PENDING, Stage.ACCEPTED):
        make_registration(f"d-{stage}", stage=stage)
    let_in(make_registration, "d-delivered", logs_in=False)
    assert Tenant.objects.get(pk="acme").device_count == 2
    names = ("waiting", "pending", "accepted", "delivered")
    one = registered(acme, FULL + "".join(f"d-{name};{SECRET};;;\n" for name in names), BY)
    assert counts(one) == {"created": 1, "failed": 3}
    assert reasons(one) == [
        (3, "ID", "registration_pending"),
        (4, "ID", "registration_in_progress"),
        (5, "ID", "registration_in_progress"),
    ]
    assert not Registration.objects.filter(device_id="d-waiting").exists()
    assert Registration.objects.count() == 3
    assert comes_in(login_of("d-waiting"), SECRET)
    assert not comes_in(login_of("d-delivered"), SECRET)
    assert Tenant.objects.get(pk="acme").device_count == 3


def test_another_tenants_device_fails_the_row_and_is_not_told(acme, globex, make_registration):
    make_registration("press-1", tenant=globex)
    let_in(make_registration, "press-2", tenant=globex)
    one = registered(acme, FULL + f"press-1;{SECRET};;;New\npress-2;{SECRET};;;New\n", BY)
    assert counts(one) == {"failed": 2}
    assert not DeviceGroup.objects.exists()
    assert "globex" not in str(list(one.problems.values()))


def test_rows_beyond_the_device_limit_fail_and_leave_nothing(acme):
    Tenant.objects.filter(pk="acme").update(device_limit=2)
    one = registered(acme, FULL + "".join(f"d-{n};{SECRET};;;\n" for n in range(4)), BY)
    assert counts(one) == {"created": 2, "failed": 2}
    assert reasons(one) == [(4, "", "device_limit"), (5, "", "device_limit")]
    assert ManagedObject.objects.devices().count() == 2
    assert Tenant.objects.get(pk="acme").device_count == 2


def test_a_deleted_device_that_is_in_a_file_is_in_again(acme, make_registration):
    login, _ = let_in(make_registration, "press-1")
    logins.delete_login(login, by=BY)
    assert Tombstone.objects.exists()
    registered(acme, FULL + f"press-1;{SECRET};;;\n", BY)
    assert not Tombstone.objects.exists()


def test_a_disabled_login_stays_disabled(acme, make_registration):
    login, _ = let_in(make_registration, "press-1")
    logins.disable(login, by=BY)
    registered(acme, FULL + f"press-1;{SECRET};;;\n", BY)
    assert not login_of("press-1").is_enabled
    assert login_of("press-1").managed_object.state == "disabled"


def test_a_device_with_a_certificate_has_no_password(acme):
    one = registered(acme, "ID;AUTH_TYPE\npress-1;CERTIFICATES\n", BY)
    assert counts(one) == {"created": 1}
    assert not DeviceCredentials.objects.exists()
    assert ManagedObject.objects.devices().get().state == ""
    assert Tenant.objects.get(pk="acme").device_count == 0


def test_the_management_tenant_says_whose_devices_they_are(management, acme):
    text = f"ID;CREDENTIALS;TENANT\na;{SECRET};acme\nb;{SECRET};\n"
    text += f"c;{SECRET};nobody\nd;{SECRET};globex\n"
    one = registered(management, text, BY)
    assert counts(one) == {"created": 2, "failed": 2}
    assert reasons(one) == [(3, "TENANT", "tenant"), (4, "TENANT", "tenant")]
    assert {c.device_id: c.tenant_id for c in DeviceCredentials.objects.all()} == {
        "a": "acme", "d": "globex",
    }  # fmt: skip


def test_the_column_tenant_means_nothing_elsewhere(acme):
    registered(acme, f"ID;CREDENTIALS;TENANT\na;{SECRET};globex\n", BY)
    assert login_of("a").tenant_id == "acme"


def test_nothing_secret_is_left(acme, caplog, django_capture_on_commit_callbacks):
    text = FULL + f"good-1;{SECRET};;;\nbad id;{SECRET};;;\ngood-1;{SECRET};;;\n"
    with django_capture_on_commit_callbacks(execute=True):
        one = registered(acme, text, BY)
    assert counts(one) == {"created": 1, "failed": 2}
    assert not one.blocks.exists()
    assert bytes(one.file_key) == b""
    assert SECRET not in str(list(one.problems.values())) + caplog.text


def test_a_group_that_cannot_be_fails_its_rows_only(acme):
    deep = "/".join(["x"] * 60)
    one = registered(acme, FULL + f"a;{SECRET};;;{deep}\nb;{SECRET};;;Plant\n", BY)
    assert counts(one) == {"created": 1, "failed": 1}
    assert outcomes(one)[3] == "CREATED"


def test_an_external_id_that_is_named_twice_in_a_row_is_one(acme):
    one = registered(acme, f"ID;CREDENTIALS;external-c8y_Serial\na;{SECRET};a\n", BY)
    assert counts(one) == {"created": 1}
    assert ExternalId.objects.count() == 1


def test_a_row_that_the_database_refuses_fails_alone(acme, monkeypatch):
    monkeypatch.setattr("bulk.engine.running.ATTEMPTS", 2)
    insert = full._insert_logins

    def refusing(rows, now):
        if any(row.entry.device_id == "b" for row in rows):
            raise IntegrityError
        insert(rows, now)

    monkeypatch.setattr(full, "_insert_logins", refusing)
    one = registered(acme, FULL + "".join(f"{name};{SECRET};;;Plant\n" for name in "abc"), BY)
    assert counts(one) == {"created": 2, "failed": 1}
    assert reasons(one) == [(3, "", "database")]
    assert ManagedObject.objects.devices().count() == ExternalId.objects.count() == 2


def test_a_file_of_which_a_piece_is_missing_is_not_taken_for_a_shorter_one(acme, monkeypatch):
    monkeypatch.setattr("bulk.files.BLOCK", 100)
    text = FULL + "".join(f"d-{n};{SECRET};;;\n" for n in range(20))
    one = received(acme, text, BY)
    one.blocks.filter(number=3).delete()
    imports.start(one, on_existing=Existing.UPDATE, by=BY)
    assert carried_on(one).state == State.PAUSED


@pytest.mark.parametrize("form", list(Form))
def test_every_row_of_a_template_can_be_registered(acme, form):
    one = registered(acme, template(form, with_tenant=False), BY)
    assert one.failed == 0
    assert one.created == 3


def test_a_one_time_password_for_a_certificate_is_refused_with_a_sentence(acme):
    one = registered(acme, "ID;AUTH_TYPE;ENROLLMENT_OTP\na;CERTIFICATES;otp-canary\n", BY)
    assert reasons(one) == [(2, "ENROLLMENT_OTP", "otp")]
    assert "otp-canary" not in str(list(one.problems.values()))


def test_a_password_that_slipped_into_another_cell_is_not_kept(acme):
    one = registered(acme, f"ID;AUTH_TYPE;CREDENTIALS\na;{SECRET};\n", BY)
    assert counts(one) == {"failed": 1}
    assert SECRET not in str(list(one.problems.values()))


def test_what_follows_a_password_that_is_too_short_is_not_kept(acme):
    one = registered(acme, f"ID;NAME;CREDENTIALS;TYPE;PATH\na;Press;pa;{SECRET};;\n", BY)
    assert one.problems.get().cells == {"ID": "a"}
    one = registered(acme, f"ID;NAME;CREDENTIALS;TYPE\na;Press;pa;{SECRET}\n", BY)
    assert one.problems.get().cells == {"ID": "a", "NAME": "Press"}


def test_what_follows_a_password_that_is_missing_or_has_a_wrong_sign_is_kept(acme):
    one = registered(acme, "ID;CREDENTIALS;NAME\na;;Press\nb;with a blank;Pump\n", BY)
    assert [each.cells for each in one.problems.order_by("line")] == [
        {"ID": "a", "NAME": "Press"},
        {"ID": "b", "NAME": "Pump"},
    ]
