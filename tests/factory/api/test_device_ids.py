"""Sets of device IDs through the Operations API: registered, listed, deleted."""

from functools import partial

import pytest
from django.apps import apps

from bulk.models import Door, Import, ImportItem
from bulk.preshared import MAX_OFFERS
from factory.problems import CODES
from inventory.devices import report
from inventory.identity import bind
from inventory.models import DeviceCredentials, ManagedObject, Tombstone
from registration.lifecycle import Stage
from registration.models import Registration
from tenants.actors import SYSTEM
from tenants.models import AuditRecord, FailedSignIns, VerifiedLogin
from tests.factory.api.calls import assert_problem, ids_of, pairs
from tests.support import Api, at_once, counted_devices, set_limit

GOOD = ("device1", "secretfordevice1")
COUNTS = ("created", "updated", "unchanged", "duplicate", "skipped", "failed")
PASSING = {FailedSignIns, VerifiedLogin}  # counts of who calls, and of what it presented


def counts(answer):
    assert answer.status_code == 200, answer.content
    return {name: answer.json()[name] for name in COUNTS if answer.json()[name]}


def results(answer):
    return {one.get("device_id"): one["result"] for one in answer.json()["results"]}


def everything():
    """Return all rows of all tables, but for those that any call may touch."""
    return {
        model._meta.label: sorted(map(repr, model._base_manager.values()))
        for model in apps.get_models()
        if model not in PASSING
    }


def log_in(device_id, secret):
    return Api(f"acme/device_{device_id}", secret).get("/user/currentUser").status_code


def test_set_is_registered_and_its_devices_log_in(ops, thermostat):
    named = {"device_id": "device2", "secret": "secretfordevice2", "name": "Lobby"}
    answer = ops.put(ids_of(thermostat), pairs(GOOD, named))
    body = answer.json()
    batch = Import.objects.get(pk=body.pop("batch_id"))
    assert (batch.tenant_id, batch.door, batch.device_type) == ("acme", Door.OPS, thermostat)
    assert body == {
        "device_type_id": thermostat.pk, "total": 2, "created": 2, "updated": 0, "unchanged": 0,
        "duplicate": 0, "skipped": 0, "failed": 0,
        "results": [
            {"index": 0, "result": "created", "device_id": "device1"},
            {"index": 1, "result": "created", "device_id": "device2"},
        ],
    }  # fmt: skip
    assert log_in(*GOOD) == 200
    assert log_in("device1", "secretfordevice2") == 401
    first, second = ops.get(ids_of(thermostat)).json()["device_ids"]
    assert (first["state"], bool(first["last_active_at"])) == ("connected", True)
    assert (second["state"], second["last_active_at"]) == ("never_connected", None)
    assert ManagedObject.objects.get(device_id="device2").name == "Lobby"


def test_same_set_again_writes_nothing_at_all(ops, thermostat):
    body = pairs(GOOD, ("device2", "secretfordevice2"))
    ops.put(ids_of(thermostat), body)
    before = everything()
    answer = ops.put(ids_of(thermostat), body)
    assert counts(answer) == {"unchanged": 2}
    assert answer.json()["batch_id"] is None
    assert everything() == before


def test_set_adds_to_what_is_there(ops, thermostat):
    ops.put(ids_of(thermostat), pairs(GOOD))
    answer = ops.put(ids_of(thermostat), pairs(("device2", "secretfordevice2"), GOOD))
    assert results(answer) == {"device1": "unchanged", "device2": "created"}
    assert counts(ops.put(ids_of(thermostat), pairs())) == {}
    assert DeviceCredentials.objects.count() == 2


def test_other_secret_replaces_the_one_before(ops, thermostat):
    ops.put(ids_of(thermostat), pairs(GOOD))
    assert counts(ops.put(ids_of(thermostat), pairs(("device1", "another secret")))) == {
        "updated": 1}  # fmt: skip
    assert log_in("device1", "another secret") == 200
    assert log_in(*GOOD) == 401


@pytest.mark.parametrize(
    ("on_existing", "expected"),
    [("update", {"updated": 1, "created": 1}), ("skip", {"skipped": 1, "created": 1}),
     ("fail", None)],
)  # fmt: skip
def test_client_says_what_happens_to_devices_that_are_there(ops, thermostat, on_existing, expected):
    ops.put(ids_of(thermostat), pairs(GOOD))
    path = f"{ids_of(thermostat)}?on_existing={on_existing}"
    answer = ops.put(path, pairs(("device1", "another secret"), ("device2", "secretfordevice2")))
    if expected is not None:
        assert counts(answer) == expected
        return
    problem = assert_problem(answer, 422, "validation-error")
    assert [(one["code"], one["device_id"]) for one in problem["errors"]] == [
        ("device_exists", "device1")]  # fmt: skip


# --- What is refused: every code, alone and among others ------------------------------------


VALUES = {
    "empty_id": ({"device_id": "", "secret": "secret-of-it"}, "device_id"),
    "empty_id by missing": ({"secret": "secret-of-it"}, "device_id"),
    "invalid_characters of the ID": (("gerät", "secret-of-it"), "device_id"),
    "invalid_characters of the ID: NUL": (("a\x00b", "secret-of-it"), "device_id"),
    "invalid_device_id": (("a,b", "secret-of-it"), "device_id"),
    "invalid_device_id: colon": (("00:11:22", "secret-of-it"), "device_id"),
    "invalid_device_id: length": (("x" * 256, "secret-of-it"), "device_id"),
    "pattern_mismatch": (("not-one", "secret-of-it"), "device_id"),
    "secret_required": ({"device_id": "d9"}, "secret"),
    "secret_required by null": ({"device_id": "d9", "secret": None}, "secret"),
    "empty_secret": (("d9", ""), "secret"),
    "secret_too_short": (("d9", "1234567"), "secret"),
    "secret_too_long": (("d9", "x" * 257), "secret"),
    "secret_equals_id": (("d-12345678", "d-12345678"), "secret"),
    "invalid_characters of the secret": (("d9", "12345678\x00"), "secret"),
    "invalid_characters of the secret: half": (("d9", "12345678\ud800"), "secret"),
    "invalid_characters of the name": (
        {"device_id": "d9", "secret": "secret-of-it", "name": "a\x00"}, "name"),
    "name_too_long": ({"device_id": "d9", "secret": "secret-of-it", "name": "x" * 501}, "name"),
    "unknown_member": ({"device_id": "d9", "secret": "secret-of-it", "path": "Plant"}, ""),
    "wrong_type": ({"device_id": 9, "secret": "secret-of-it"}, "device_id"),
    "wrong_type of the secret": ({"device_id": "d9", "secret": ["secret-of-it"]}, "secret"),
    "wrong_type of it all": (["d9", "secret-of-it"], ""),
}  # fmt: skip


@pytest.fixture
def strict(make_type):
    return make_type("Strict", device_id_pattern="d.*|00:.*|x+|a.b|ger.t")


@pytest.mark.parametrize("name", VALUES)
def test_value_that_cannot_be_is_pointed_at_and_never_repeated(ops, strict, name):
    bad, member = VALUES[name]
    code = name.partition(" ")[0].rstrip(":")
    items = [{"device_id": "d1", "secret": "secretfordevice1"}]
    items.append(dict(zip(("device_id", "secret"), bad, strict=True)) if isinstance(bad, tuple)
                 else bad)  # fmt: skip
    answer = ops.put(ids_of(strict), {"device_ids": items})
    problem = assert_problem(answer, 422, "validation-error")
    assert problem["detail"] == "1 of 2 items was refused; nothing was stored."
    [error] = problem["errors"]
    assert (error["code"], error["index"]) == (code, 1)
    assert error["pointer"] == f"#/device_ids/1{member and '/' + member}"
    assert not DeviceCredentials.objects.exists()
    assert not Import.objects.exists()
    answers = [answer, ops.put(f"{ids_of(strict)}?partial=true", {"device_ids": items})]
    assert counts(answers[1]) == {"created": 1, "failed": 1}
    [_, failed] = answers[1].json()["results"]
    assert (failed["code"], failed["index"]) == (code, 1)
    assert ("device_id" in failed) == ("device_id" in error) == (
        failed.get("device_id") == "d9")  # fmt: skip
    for each in answers:
        assert "secret-of-it" not in each.content.decode()
        assert "1234567" not in each.content.decode()
    # Where nothing is left to store, a client that reads the status alone is not misled either.
    only = ops.put(f"{ids_of(strict)}?partial=true", {"device_ids": items[1:]})
    assert_problem(only, 422, "validation-error")


def put_pending(make, other, globex):
    make("d9", stage=Stage.PENDING)


def put_in_progress(make, other, globex):
    make("d9", stage=Stage.ACCEPTED)


def put_blocked(make, other, globex):
    make("d9", stage=Stage.BLOCKED)


def put_of_another_type(make, other, globex):
    Api("acme/administrator").put(ids_of(other), pairs(("d9", "secretfordevice9")))


def put_of_another_tenant(make, other, globex):
    DeviceCredentials.issue(globex, "d9", "x" * 32)


def put_external_id(make, other, globex):
    make("d8", stage=Stage.CONFIRMED)
    login = DeviceCredentials.objects.get(device_id="d8")
    device, _ = report(login, name="d8", kind="", fragments={"c8y_IsDevice": {}}, by=SYSTEM)
    bind(device, "c8y_Serial", "d9", by=SYSTEM)


def put_no_place(make, other, globex):
    set_limit(other.tenant, 0)


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (put_pending, "registration_pending"),
        (put_in_progress, "registration_in_progress"),
        (put_blocked, "registration_blocked"),
        (put_of_another_type, "device_type_conflict"),
        (put_of_another_tenant, "id_taken"),
        (put_external_id, "external_id"),
        (put_no_place, "device_limit"),
    ],
)
def test_device_that_stands_in_the_way_is_named(
    ops, thermostat, make_type, make_registration, globex, prepare, code
):
    prepare(make_registration, make_type("Other"), globex)
    problem = assert_problem(
        ops.put(ids_of(thermostat), pairs(("d9", "secretfordevice0"))), 422, "validation-error"
    )
    [error] = problem["errors"]
    assert (error["code"], error["device_id"]) == (code, "d9")
    assert error["pointer"] == "#/device_ids/0"
    assert code in CODES
    assert "globex" not in error["detail"].lower()


def test_registration_that_waits_gives_way_to_the_device(ops, thermostat, make_registration):
    make_registration("d9")
    assert counts(ops.put(ids_of(thermostat), pairs(("d9", "secretfordevice9")))) == {"created": 1}
    assert not Registration.objects.exists()


def test_same_device_twice_in_a_set(ops, thermostat):
    assert counts(ops.put(ids_of(thermostat), pairs(GOOD, GOOD))) == {"created": 1, "duplicate": 1}
    two = pairs(("d2", "secret-a-of-d2"), ("d3", "secretfordevice3"), ("d2", "secret-b-of-d2"))
    problem = assert_problem(ops.put(ids_of(thermostat), two), 422, "validation-error")
    assert [(one["index"], one["code"]) for one in problem["errors"]] == [
        (0, "duplicate_conflict"), (2, "duplicate_conflict")]  # fmt: skip


def test_long_list_of_errors_is_cut_and_counted(ops, thermostat):
    problem = assert_problem(
        ops.put(ids_of(thermostat), pairs(*[(f"d{n}", "short") for n in range(150)])),
        422, "validation-error",
    )  # fmt: skip
    assert (len(problem["errors"]), problem["errors_total"]) == (100, 150)
    assert problem["detail"] == "150 of 150 items were refused; nothing was stored."


@pytest.mark.parametrize("option", ["temporary_credentials", "certificate"])
def test_type_without_secrets_takes_none(ops, make_type, option):
    device_type = make_type("Without", security_option=option)
    for query in ("", "?partial=true"):
        answer = ops.put(ids_of(device_type) + query, pairs(GOOD, {"device_id": "d2"}))
        assert_problem(answer, 409, "secrets-forbidden")
    answer = ops.put(ids_of(device_type), pairs({"device_id": "d2"}))
    assert counts(answer) == {"created": 1}
    state = "waiting_for_connection" if option == "temporary_credentials" else "no_login"
    [listed] = ops.get(ids_of(device_type)).json()["device_ids"]
    assert (listed["device_id"], listed["state"]) == ("d2", state)
    assert counts(ops.put(ids_of(device_type), pairs({"device_id": "d2"}))) == {"unchanged": 1}


@pytest.mark.parametrize(
    "body",
    [{}, {"device_ids": None}, {"device_ids": {}}, {"device_ids": "x"}, {"ids": []},
     {"device_ids": [], "partial": True}],
    ids=str,
)  # fmt: skip
def test_body_that_is_no_set_is_refused(ops, thermostat, body):
    assert_problem(ops.put(ids_of(thermostat), body), 400, "bad-request")


@pytest.mark.parametrize(
    "query", ["partial=1", "partial=", "partial=True", "on_existing=", "on_existing=replace"]
)
def test_query_that_says_nothing_known_is_refused(ops, thermostat, query):
    answer = ops.put(f"{ids_of(thermostat)}?{query}", pairs(GOOD))
    assert_problem(answer, 400, "bad-request")
    assert not DeviceCredentials.objects.exists()


def test_too_many_devices_or_bytes_are_refused(ops, thermostat, settings):
    assert settings.OPS_MAX_ITEMS == MAX_OFFERS
    settings.OPS_MAX_ITEMS, settings.OPS_MAX_BYTES = 2, 1_000
    three = pairs(GOOD, ("d2", "secretfordevice2"), ("d3", "secretfordevice3"))
    assert_problem(ops.put(ids_of(thermostat), three), 413, "too-large")
    long = pairs(("d" * 1_000, "secretfordevice2"))
    assert_problem(ops.put(ids_of(thermostat), long), 413, "too-large")
    assert not DeviceCredentials.objects.exists()


def test_body_beyond_the_limit_of_forms_is_read(ops, thermostat, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert counts(ops.put(ids_of(thermostat), pairs(GOOD))) == {"created": 1}


def test_every_code_that_was_met_is_documented(ops):
    assert {name.partition(" ")[0].rstrip(":") for name in VALUES} <= CODES.keys()


# --- The list, and deleting -----------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 200])
def test_list_has_those_on_their_way_and_those_that_are_in(ops, make_type, make_registration, size):
    gateway = make_type("Gateway", security_option="temporary_credentials")
    for number, stage in enumerate((Stage.WAITING, Stage.PENDING, Stage.ACCEPTED, Stage.BLOCKED,
                                    Stage.DELIVERED, Stage.CONFIRMED)):  # fmt: skip
        make_registration(f"gw-{number}", stage=stage, device_type=gateway)
    make_registration("of-no-type")
    seen, cursor = [], ""
    while cursor is not None:
        page = ops.get(f"{ids_of(gateway)}?limit={size}{cursor}").json()
        seen += page["device_ids"]
        cursor = page["next"] and f"&cursor={page['next']}"
    assert [(one["device_id"], one["state"]) for one in seen] == [
        ("gw-0", "waiting_for_connection"), ("gw-1", "pending_acceptance"), ("gw-2", "accepted"),
        ("gw-3", "blocked"), ("gw-4", "never_connected"), ("gw-5", "never_connected"),
    ]  # fmt: skip
    assert all(set(one) == {"device_id", "name", "state", "registered_at", "last_active_at"}
               for one in seen)  # fmt: skip
    assert (seen[0]["last_active_at"], bool(seen[1]["last_active_at"])) == (None, True)


def test_list_costs_the_same_however_long(ops, thermostat, django_assert_max_num_queries):
    ops.put(ids_of(thermostat), pairs(*[(f"d{n}", f"secretfordevice{n}") for n in range(20)]))
    with django_assert_max_num_queries(8):
        assert len(ops.get(ids_of(thermostat)).json()["device_ids"]) == 20


def test_device_goes_with_its_login(ops, thermostat):
    ops.put(ids_of(thermostat), pairs(GOOD))
    path = f"{ids_of(thermostat)}/device1"
    answer = ops.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert log_in(*GOOD) == 401
    assert Tombstone.objects.get().device_id == "device1"
    assert not ManagedObject.objects.exists()
    assert thermostat.tenant.device_count == 0
    assert AuditRecord.objects.filter(subject__contains="device1").exists()
    assert_problem(ops.delete(path), 404, "not-found")
    assert ops.get(ids_of(thermostat)).json()["device_ids"] == []
    assert counts(ops.put(ids_of(thermostat), pairs(GOOD))) == {"created": 1}


@pytest.mark.parametrize(
    "stage", [Stage.WAITING, Stage.PENDING, Stage.ACCEPTED, Stage.DELIVERED, Stage.CONFIRMED,
              Stage.BLOCKED],
)  # fmt: skip
def test_registration_goes_at_whatever_stage(ops, make_type, make_registration, stage):
    gateway = make_type("Gateway", security_option="temporary_credentials")
    make_registration("gw-1", stage=stage, device_type=gateway)
    make_registration("gw-2", stage=stage, device_type=gateway)
    assert ops.delete(f"{ids_of(gateway)}/gw-1").status_code == 204
    assert ops.delete(f"{ids_of(gateway)}/gw-1").status_code == 404
    assert [one["device_id"] for one in ops.get(ids_of(gateway)).json()["device_ids"]] == ["gw-2"]
    assert not Registration.objects.filter(device_id="gw-1").exists()
    assert not DeviceCredentials.objects.filter(device_id="gw-1").exists()


def test_device_that_is_registered_anew_is_one_and_goes_as_one(
    ops, make_type, make_registration, acme, operator
):
    gateway = make_type("Gateway", security_option="temporary_credentials")
    make_registration("gw-1", stage=Stage.CONFIRMED)
    Registration.objects.register(acme, "gw-1", by=operator, device_type=gateway)
    ManagedObject.objects.filter(device_id="gw-1").update(device_type=gateway)
    assert [one["device_id"] for one in ops.get(ids_of(gateway)).json()["device_ids"]] == ["gw-1"]
    codes = [ops.delete(f"{ids_of(gateway)}/gw-1").status_code for _ in range(2)]
    assert codes == [204, 404]
    assert not Registration.objects.exists()
    assert acme.device_count == counted_devices(acme) == 0


def test_device_of_another_type_or_of_none_is_not_there(ops, thermostat, make_type, acme):
    other = make_type("Other")
    ops.put(ids_of(other), pairs(GOOD))
    DeviceCredentials.issue(acme, "of-none", "x" * 32)
    for device_id in ("device1", "of-none", "%00", "x%2Fy", "%ED%A0%80", "x" * 2000):
        assert_problem(ops.delete(f"{ids_of(thermostat)}/{device_id}"), 404, "not-found")
    assert DeviceCredentials.objects.count() == 2
    assert ImportItem.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_registering_and_deleting_at_the_same_moment_fails_for_nobody(thermostat, make_type):
    gateway = make_type("Gateway", security_option="temporary_credentials")
    ids = [f"d{number}" for number in range(6)]
    sets = {
        thermostat: (pairs(*[(one, "secretfordevice") for one in ids]),
                     pairs(*[(one, "another secret") for one in reversed(ids)])),
        gateway: (pairs(*[{"device_id": one} for one in ids]),) * 2,
    }  # fmt: skip
    for device_type, bodies in sets.items():
        path = ids_of(device_type)
        for _ in range(2):
            registering = [partial(Api("acme/administrator").put, path, body) for body in bodies]
            deleting = [partial(Api("acme/administrator").delete, f"{path}/{one}") for one in ids]
            codes = [answer.status_code for answer in at_once(*registering, *deleting)]
            assert set(codes[:2]) <= {200, 422}, codes
            assert set(codes[2:]) <= {204, 404}, codes
        for one in ids:
            Api("acme/administrator").delete(f"{path}/{one}")
        assert Api("acme/administrator").get(path).json()["device_ids"] == []
    assert counted_devices(thermostat.tenant) == 0
