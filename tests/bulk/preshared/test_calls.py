"""Many offers in one call: what is stored, what is told, and what is written down."""

import json
import logging

import pytest
from django.core.serializers.json import DjangoJSONEncoder

from bulk.errors import SecretsForbiddenError
from bulk.models import Door, Existing, Form, Import, ImportItem, ImportProblem, State
from bulk.preshared import MAX_OFFERS, Offer, register
from inventory.device_types import TypeDetails, change_type, delete_type
from inventory.errors import DeviceTypeInUseError
from inventory.history import history_of
from inventory.models import (
    ChildLink,
    DeviceCredentials,
    DeviceEvent,
    DeviceGroup,
    DeviceType,
    ExternalId,
    ManagedObject,
)
from registration.lifecycle import Stage
from registration.models import Registration, RegistrationEvent
from tenants.models import AuditRecord, Tenant
from tests.bulk.files import SECRET, counts, outcomes, reasons, undone
from tests.bulk.preshared.hands import BY, OTHER, made_type, offered, results
from tests.logins import comes_in, login_of
from tests.support import recount, tally

pytestmark = pytest.mark.django_db
TABLES = (
    Import, ImportItem, ImportProblem, AuditRecord, ManagedObject, DeviceCredentials, DeviceGroup,
    ChildLink, ExternalId, Registration, RegistrationEvent, DeviceEvent, Tenant, DeviceType,
)  # fmt: skip


def database():
    """Return every row of every table that a call may write to."""
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in TABLES}


def of_call(activity="Devices registered"):
    found = AuditRecord.objects.filter(activity=activity)
    return list(found.values_list("subject", "text", "actor_name", "request_id"))


def test_devices_may_talk_at_once_and_the_call_is_told_once(acme):
    device_type = made_type(acme)
    done = offered(device_type, Offer("a", SECRET, name="Hall lamp", path="Plant/Hall 1"), "b")
    assert (results(done), done.is_stored) == (["created", "created"], True)
    assert [each.index for each in done.results] == [0, 1]
    lamp = ManagedObject.objects.get(pk=done.results[0].number)
    assert (lamp.device_id, lamp.name, lamp.device_type) == ("a", "Hall lamp", device_type)
    assert lamp.parent_links.get().parent.path == "Plant/Hall 1"
    assert comes_in(login_of("a"), SECRET)
    batch = Import.objects.get()
    assert batch == done.batch
    assert (batch.state, batch.form, batch.door) == (State.FINISHED, Form.PAIRS, Door.OPS)
    assert (batch.rows, batch.seen, counts(batch)) == (2, 2, {"created": 2})
    assert (batch.device_type, batch.all_or_nothing) == (device_type, True)
    assert batch.finished_at >= batch.started_at
    assert (batch.created_by_name, batch.source) == (BY.name, BY.source)
    assert outcomes(batch) == {1: "CREATED", 2: "CREATED"}
    assert of_call() == [
        ("Thermostat", "2 created, 0 updated, 0 unchanged, 0 left as they were, 0 failed.",
         BY.name, BY.request_id)
    ]  # fmt: skip
    told = history_of("acme", device_id="a", limit=10)
    assert [(one.what, one.who, one.why) for one in told] == [
        ("Registered by the Operations API", "olga", "With the device type Thermostat.")
    ]


@pytest.mark.parametrize("partial", [False, True])
def test_the_same_call_again_writes_nothing(acme, partial):
    device_type = made_type(acme)
    offers = [Offer("a", SECRET, "Lamp", "Plant"), Offer("b", SECRET), Offer("b", SECRET)]
    first = offered(device_type, *offers, partial=partial)
    assert results(first) == ["created", "created", "duplicate"]
    assert (first.count("created"), first.count("duplicate")) == (2, 1)
    before = database()
    again = offered(device_type, *offers, partial=partial)
    assert results(again) == ["unchanged", "unchanged", "duplicate"]
    assert (again.is_stored, again.batch) == (True, None)
    assert database() == before


def test_one_bad_offer_stops_all_of_them(acme):
    device_type = made_type(acme)
    before = database()
    done = offered(device_type, Offer("a", SECRET, path="New"), "b c", Offer("c", "short"))
    assert results(done) == ["created", "invalid_device_id", "secret_too_short"]
    assert (done.is_stored, done.batch) == (False, None)
    assert database() == before


def test_partly_the_good_ones_are_stored_and_the_bad_ones_are_kept_in_mind(acme):
    device_type = made_type(acme)
    done = offered(device_type, "a", "b c", Offer("c", "short"), partial=True)
    assert results(done) == ["created", "invalid_device_id", "secret_too_short"]
    assert (done.is_stored, counts(done.batch)) == (True, {"created": 1, "failed": 2})
    assert reasons(done.batch) == [(2, "ID", "invalid_device_id"), (3, "", "secret_too_short")]
    # What stands in place of an ID may be a secret.
    assert [each.device_id for each in done.results] == ["a", "", "c"]
    told = ImportProblem.objects.order_by("line").values_list("device_id", "cells")
    assert list(told) == [("", {"ID": ""}), ("c", {"ID": "c"})]
    assert AuditRecord.objects.get(activity="Devices registered").severity == "WARNING"


def test_partly_nothing_is_written_if_every_offer_is_bad(acme):
    device_type = made_type(acme)
    before = database()
    done = offered(device_type, "b c", Offer("c", "short", path="New"), partial=True)
    assert (done.is_stored, done.batch) == (False, None)
    assert database() == before


def test_nothing_to_register_is_fine(acme):
    done = offered(made_type(acme))
    assert (done.results, done.is_stored, done.batch) == ([], True, None)


@pytest.mark.parametrize(
    ("offers", "expected"),
    [
        pytest.param(
            [Offer("a", SECRET), Offer("a", SECRET), Offer("a", SECRET)],
            ["created", "duplicate", "duplicate"],
            id="same-secret",
        ),
        pytest.param(
            [Offer("a", SECRET), Offer("b", SECRET), Offer("a", OTHER), Offer("a", SECRET)],
            ["duplicate_conflict", "created", "duplicate_conflict", "duplicate_conflict"],
            id="different-secrets",
        ),
        pytest.param(
            [Offer("a", SECRET), Offer("a", "short")],
            ["duplicate_conflict", "secret_too_short"],
            id="different-and-one-cannot-be",
        ),
        pytest.param(
            [Offer("pending", SECRET), Offer("pending", SECRET)],
            ["registration_pending", "registration_pending"],
            id="no-better-than-the-first",
        ),
        pytest.param(
            [Offer("a", SECRET, name="x" * 501), Offer("b", SECRET, name="line\nend")],
            ["name_too_long", "invalid_characters"],
            id="names",
        ),
        pytest.param(
            [Offer("a", SECRET, path="x//y"), Offer("b", SECRET, path="\x00"),
             Offer("c", SECRET, path="/".join(["deep"] * 200))],
            ["invalid_path"] * 3,
            id="paths",
        ),
        pytest.param(
            [Offer("a", SECRET, name="\x00"), Offer("b", SECRET, name="\ud800"),
             Offer("c", SECRET, path="\udfff")],
            ["invalid_characters", "invalid_characters", "invalid_path"],
            id="what-no-database-takes",
        ),
    ],
)  # fmt: skip
def test_offers_that_contradict_each_other_or_themselves(acme, make_registration, offers, expected):
    make_registration("pending", stage=Stage.PENDING)
    device_type = made_type(acme)
    assert results(offered(device_type, *offers, partial=True)) == expected
    created = {offer.device_id for offer, code in zip(offers, expected, strict=True)
               if code == "created"}  # fmt: skip
    assert set(DeviceCredentials.objects.values_list("device_id", flat=True)) == created


@pytest.mark.parametrize(
    ("on_existing", "expected"),
    [
        (Existing.UPDATE, ["updated", "unchanged", "created"]),
        (Existing.SKIP, ["skipped", "skipped", "created"]),
        (Existing.FAIL, ["device_exists", "device_exists", "created"]),
    ],
)
def test_devices_that_are_there_are_treated_as_asked(acme, on_existing, expected):
    device_type = made_type(acme)
    offered(device_type, Offer("a", OTHER), "b")
    done = offered(device_type, "a", "b", "c", on_existing=on_existing, partial=True)
    assert results(done) == expected
    assert comes_in(login_of("a"), SECRET) == (on_existing is Existing.UPDATE)


def test_beyond_the_limit_nobody_comes_in(acme, globex):
    Tenant.objects.filter(pk="acme").update(device_limit=2)
    device_type = made_type(acme)
    before = database()
    done = offered(device_type, "a", "b", "c")
    assert results(done) == ["created", "created", "device_limit"]
    assert not done.is_stored
    assert database() == before
    assert results(offered(device_type, "a", "b", "c", partial=True))[2] == "device_limit"
    assert Tenant.objects.get(pk="acme").device_count == 2
    # Who is in already needs no place.
    assert results(offered(device_type, Offer("a", OTHER), "b")) == ["updated", "unchanged"]
    assert results(offered(made_type(globex), "elsewhere")) == ["created"]


def test_the_management_tenant_registers_devices_of_its_own_types(management):
    done = offered(made_type(management), Offer("a", SECRET, path="Plant"))
    assert results(done) == ["created"]
    assert login_of("a").tenant_id == "management"


@pytest.mark.parametrize("option", ["temporary_credentials", "certificate"])
def test_a_type_without_secrets_takes_none(acme, option):
    device_type = made_type(acme, security_option=option)
    with pytest.raises(SecretsForbiddenError, match=r"have no secrets.*Leave the secrets out"):
        offered(device_type, "a")
    assert not Import.objects.exists()


def test_a_device_with_a_certificate_has_no_login(acme):
    device_type = made_type(acme, security_option="certificate")
    assert results(offered(device_type, Offer("a"))) == ["created"]
    assert ManagedObject.objects.get(device_id="a").device_type == device_type
    assert not DeviceCredentials.objects.exists()
    assert results(offered(device_type, Offer("a"))) == ["unchanged"]


def test_devices_with_temporary_credentials_are_expected(acme, make_registration):
    device_type = made_type(acme, security_option="temporary_credentials")
    for stage in (Stage.WAITING, Stage.PENDING, Stage.BLOCKED, Stage.CONFIRMED):
        make_registration(f"{stage}", stage=stage)
    make_registration("mine", stage=Stage.PENDING, device_type=device_type)
    other = made_type(acme, "Valve", security_option="temporary_credentials")
    make_registration("other", device_type=other)
    ids = ["new", "waiting", "pending", "blocked", "confirmed", "mine", "other"]
    offers = [Offer(each) for each in ids]
    expected = ["created", "updated", "registration_pending", "registration_blocked", "updated",
                "unchanged", "device_type_conflict"]  # fmt: skip
    done = offered(device_type, *offers, Offer("named", name="x"), partial=True)
    assert results(done) == [*expected, "name_not_kept"]
    new = Registration.objects.get(pk=done.results[0].number)
    assert (new.device_id, new.status, new.device_type) == (
        "new", "WAITING_FOR_CONNECTION", device_type,
    )  # fmt: skip
    assert Registration.objects.get(device_id="waiting").device_type == device_type
    assert ManagedObject.objects.get(device_id="confirmed").device_type == device_type
    assert recount(acme) == tally(acme)
    before = database()
    good = [Offer(each) for each in ("new", "waiting", "confirmed", "mine")]
    assert results(offered(device_type, *good)) == ["unchanged"] * 4
    assert database() == before
    assert counts(undone(done.batch, BY))["undone"] == 1
    assert not Registration.objects.filter(device_id="new").exists()
    assert Registration.objects.filter(device_id="waiting").exists()


def test_a_call_can_be_undone_as_a_file_can(acme):
    device_type = made_type(acme)
    done = offered(device_type, Offer("a", SECRET, path="New/Group"), "b", "c")
    assert comes_in(login_of("b"), SECRET)
    with pytest.raises(DeviceTypeInUseError):
        delete_type(device_type, by=BY)
    one = undone(done.batch, BY)
    assert (one.undone, one.kept) == (2, 1)
    assert set(ManagedObject.objects.devices().values_list("device_id", flat=True)) == {"b"}
    assert not DeviceGroup.objects.exists()
    assert Tenant.objects.get(pk="acme").device_count == 1


def test_a_list_on_its_way_keeps_its_type(acme):
    device_type = made_type(acme)
    one = Import.objects.create(
        tenant=acme, door=Door.CONSOLE, form=Form.PAIRS, state=State.READY, device_type=device_type,
        created_by_name="olga",
    )  # fmt: skip
    with pytest.raises(DeviceTypeInUseError):
        delete_type(device_type, by=BY)
    with pytest.raises(DeviceTypeInUseError):
        change_type(device_type, TypeDetails("Thermostat", security_option="certificate"), by=BY)
    Import.objects.filter(pk=one.pk).update(state=State.DISCARDED)
    delete_type(device_type, by=BY)
    one.refresh_from_db()
    assert one.device_type is None


def test_as_many_as_can_be_are_a_matter_of_few_statements(acme, django_assert_max_num_queries):
    device_type = made_type(acme)
    offers = [Offer(f"d-{n}", f"{SECRET}{n}", path=f"Hall {n % 5}") for n in range(MAX_OFFERS)]
    Registration.objects.bulk_create(
        Registration(tenant=acme, device_id=f"d-{n}", status="WAITING_FOR_CONNECTION")
        for n in range(500)
    )
    with django_assert_max_num_queries(60):
        assert offered(device_type, *offers).count("created") == MAX_OFFERS
    assert not Registration.objects.exists()
    before = Import.objects.count()
    with django_assert_max_num_queries(19):
        assert offered(device_type, *offers).count("unchanged") == MAX_OFFERS
    changed = [Offer(offer.device_id, OTHER) for offer in offers]
    with django_assert_max_num_queries(40):
        assert offered(device_type, *changed).count("updated") == MAX_OFFERS
    assert Import.objects.count() == before + 1
    with pytest.raises(ValueError, match="5,000"):
        register(device_type, [*offers, offers[0]], by=BY)


def test_no_secret_is_left_anywhere(acme, caplog):
    caplog.set_level(logging.DEBUG)
    device_type = made_type(acme)
    offers = [
        Offer("a", SECRET), Offer(SECRET, SECRET), Offer("b", SECRET + "\x00"),
        Offer(f"c {SECRET}", OTHER), Offer("d", SECRET), Offer("d", OTHER), Offer("e", OTHER[:7]),
    ]  # fmt: skip
    done = offered(device_type, *offers, partial=True)
    assert done.count("failed") == 6
    undone(done.batch, BY)
    kept = json.dumps(database(), cls=DjangoJSONEncoder, default=str)
    for secret in (SECRET, OTHER):
        assert secret not in kept
        assert secret not in repr([done, offers[0], *offers[2:3], *offers[4:]])
        assert secret not in caplog.text
