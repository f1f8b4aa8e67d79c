"""Devices that introduce themselves with a provisioning key."""

import pytest
from django.utils import timezone

from inventory import logins
from inventory.device_types import TypeDetails, change_type, create_type, delete_type
from inventory.models import DeviceCredentials, DeviceType, ManagedObject
from registration.lifecycle import Stage
from registration.models import ProvisioningKey, Registration, RegistrationEvent
from registration.provisioning import make_key, revoke_key
from tenants.models import AuditRecord, Tenant
from tests.registration.test_secrets import everything
from tests.support import (
    CREDENTIALS,
    REQUESTS,
    Api,
    at_once,
    counted_devices,
    kinds,
    recount,
    recount_devices,
    set_limit,
    tally,
)

TEMPORARY = "temporary_credentials"


def type_of(tenant, by, name="Thermostat", **details):
    details = {"security_option": TEMPORARY, **details}
    return create_type(tenant, TypeDetails(name, **details), by=by)


def with_key(device_type, by, **details):
    """Return a new key, and the API as a device uses it with that."""
    key, secret = make_key(device_type, "Line 3", by=by, **details)
    return key, Api(key.login, secret)


@pytest.fixture
def thermostat(acme, operator):
    return type_of(acme, operator)


@pytest.fixture
def automatic(acme, operator):
    return type_of(acme, operator, "Sensor", acceptance="automatic")


@pytest.fixture
def knocking(thermostat, operator):
    return with_key(thermostat, operator)[1]


def found(device_id="4711"):
    return Registration.objects.filter(device_id=device_id).first()


def heard(answer):
    """Return what a device hears: the state it is told, "unknown", or its password."""
    if answer.status_code == 201:
        return answer.json()["password"]
    assert answer.status_code == 404, answer.content
    message = answer.json()["message"]
    return "unknown" if "There is no" in message else message.split("in state ")[1].split(",")[0]


# --- The way in ------------------------------------------------------------------------------


def test_unknown_device_is_registered_pending_and_gets_in_when_it_is_accepted(
    thermostat, operator, api
):
    key, device = with_key(thermostat, operator)
    assert heard(device.poll("4711", "s3cret")) == "PENDING_ACCEPTANCE"
    registration = found()
    assert (registration.tenant_id, registration.device_type) == ("acme", thermostat)
    assert (registration.status, registration.sends_token) == ("PENDING_ACCEPTANCE", True)
    assert registration.created_by_name == key.key_id
    assert kinds(registration) == ["registered", "connected"]
    assert registration.events().last().reason == "It came by the provisioning key “Line 3”."
    assert heard(device.poll("4711", "s3cret")) == "PENDING_ACCEPTANCE"
    assert api("acme/operator").accept("4711", "s3cret").status_code == 200
    password = heard(device.poll("4711", "s3cret"))
    assert heard(device.poll("4711", "s3cret")) == password  # the answer got lost
    me = Api("acme/device_4711", password)
    assert me.get("/user/currentUser").status_code == 200
    assert ManagedObject.objects.get(device_id="4711").device_type == thermostat
    assert heard(device.poll("4711", "s3cret")) == "unknown"
    key.refresh_from_db()
    assert (key.used, key.last_used_from) == (1, "127.0.0.1")


@pytest.mark.parametrize("token", [None, "s3cret"])
def test_type_that_is_automatic_lets_in_and_hands_over_at_the_second_poll(
    token, automatic, operator, acme
):
    _, device = with_key(automatic, operator)
    assert heard(device.poll("4711", token)) == "PENDING_ACCEPTANCE"
    assert found().stage is Stage.ACCEPTED
    assert heard(device.poll("4711", "another")) == "PENDING_ACCEPTANCE"
    assert len(heard(device.poll("4711", token))) == 32
    assert kinds(found())[:3] == ["registered", "connected", "accepted"]
    accepted = RegistrationEvent.objects.get(kind="accepted")
    assert accepted.reason == "Devices of Sensor are accepted automatically."
    assert counted_devices(acme) == recount_devices(acme) == 1
    assert tally(acme) == recount(acme)


def returns(tenant, operator, **_):
    logins.delete_login(DeviceCredentials.issue(tenant, "4711", "x" * 32), by=operator)


def is_registered_without_a_type(tenant, operator, **_):
    Registration.objects.register(tenant, "4711", by=operator)


def has_a_login(tenant, operator, device_type, **_):
    DeviceCredentials.issue(tenant, "4711", "x" * 32)
    Registration.objects.register(tenant, "4711", by=operator, device_type=device_type)


def has_no_place(tenant, **_):
    set_limit(tenant, 0)


def needs_a_token(tenant, set_policy, **_):
    set_policy(tenant, "REQUIRED")


@pytest.mark.parametrize(
    "situation",
    [returns, is_registered_without_a_type, has_a_login, has_no_place, needs_a_token],
    ids=lambda case: case.__name__,
)
def test_automatic_rule_leaves_to_a_person_a_device_that(
    situation, automatic, operator, acme, set_policy
):
    situation(acme, operator=operator, device_type=automatic, set_policy=set_policy)
    _, device = with_key(automatic, operator)
    for _ in range(2):
        assert heard(device.poll("4711", "s3cret")) == "PENDING_ACCEPTANCE"
    assert found().stage is Stage.PENDING
    assert found().device_type == automatic
    assert tally(acme) == recount(acme)


def test_device_without_the_token_that_is_required_is_blocked(
    automatic, operator, acme, set_policy
):
    set_policy(acme, "REQUIRED")
    assert heard(with_key(automatic, operator)[1].poll("4711")) == "BLOCKED"
    assert found().stage is Stage.BLOCKED


def test_device_that_was_announced_with_its_type_is_accepted_by_it(automatic, operator, acme):
    Registration.objects.register(acme, "4711", by=operator, device_type=automatic)
    key, device = with_key(automatic, operator)
    device.poll("4711")
    assert found().stage is Stage.ACCEPTED
    key.refresh_from_db()
    assert key.used == 1


# --- What is not the key's -------------------------------------------------------------------


def other_type(acme, operator, **_):
    other = type_of(acme, operator, "Other")
    Registration.objects.register(acme, "4711", by=operator, device_type=other)


def pending_by_a_bootstrap_account(make_registration, **_):
    make_registration("4711", stage=Stage.PENDING)


def registration_of_another_tenant(globex, operator, **_):
    Registration.objects.register(globex, "4711", by=operator)


def device_of_another_tenant(globex, **_):
    DeviceCredentials.issue(globex, "4711", "x" * 32)


def device_with_a_login(acme, **_):
    DeviceCredentials.issue(acme, "4711", "x" * 32)


def device_without_a_login(acme, thermostat, **_):
    ManagedObject.objects.create(
        tenant=acme, device_id="4711", kind="device", device_type=thermostat
    )


@pytest.mark.parametrize(
    "situation",
    [
        other_type,
        pending_by_a_bootstrap_account,
        registration_of_another_tenant,
        device_of_another_tenant,
        device_with_a_login,
        device_without_a_login,
    ],
    ids=lambda case: case.__name__,
)
def test_id_of_somebody_else_is_answered_like_an_unknown_one(
    situation, acme, globex, operator, thermostat, make_registration
):
    situation(
        acme=acme, globex=globex, operator=operator, thermostat=thermostat,
        make_registration=make_registration,
    )  # fmt: skip
    key, device = with_key(thermostat, operator)
    before = list(Registration.objects.values()), RegistrationEvent.objects.count()
    assert heard(device.poll("4711")) == "unknown"
    assert (list(Registration.objects.values()), RegistrationEvent.objects.count()) == before
    key.refresh_from_db()
    assert key.used == 0


def is_announced(acme, operator, automatic, **_):
    Registration.objects.register(acme, "4711", by=operator, device_type=automatic)


def is_accepted_by_the_type(operator, automatic, **_):
    with_key(automatic, operator)[1].poll("4711")
    assert found().stage is Stage.ACCEPTED


def is_accepted_by_a_person(operator, thermostat, **_):
    with_key(thermostat, operator)[1].poll("4711")
    Api("acme/operator").accept("4711")
    assert found().stage is Stage.ACCEPTED


@pytest.mark.parametrize("login", ["management/devicebootstrap", "acme/devicebootstrap"])
@pytest.mark.parametrize(
    "situation",
    [is_announced, is_accepted_by_the_type, is_accepted_by_a_person],
    ids=lambda case: case.__name__,
)
def test_bootstrap_account_gets_nothing_where_the_type_asks_for_a_key(
    login, situation, acme, operator, thermostat, automatic
):
    situation(acme=acme, operator=operator, thermostat=thermostat, automatic=automatic)
    before = list(Registration.objects.values()), RegistrationEvent.objects.count()
    assert heard(Api(login).poll("4711")) == "unknown"
    assert heard(Api(login).poll("4711", "stolen")) == "unknown"
    assert (list(Registration.objects.values()), RegistrationEvent.objects.count()) == before


def test_device_that_is_in_gets_nothing_more_and_the_knock_is_noted(
    make_registration, thermostat, operator
):
    make_registration("4711", stage=Stage.CONFIRMED, device_type=thermostat)
    assert heard(with_key(thermostat, operator)[1].poll("4711")) == "unknown"
    assert kinds(found())[-1] == "conflict"


@pytest.mark.parametrize("device_id", ["", "a b", "../x", "x" * 1001, "T-12", "T-1234x", "t-1234"])
def test_id_that_cannot_be_is_refused_with_a_sentence(device_id, acme, operator):
    device_type = type_of(acme, operator, device_id_pattern=r"T-\d{4}")
    _, device = with_key(device_type, operator)
    answer = device.poll(device_id)
    assert answer.status_code == 422
    assert answer.json()["message"]
    assert heard(device.poll("T-1234")) == "PENDING_ACCEPTANCE"
    assert Registration.objects.count() == 1


def test_pattern_says_nothing_about_whose_an_id_is(acme, globex, operator):
    Registration.objects.register(globex, "theirs", by=operator)
    _, device = with_key(type_of(acme, operator, device_id_pattern=r"T-\d{4}"), operator)
    theirs, nobodys = (device.poll(one) for one in ("theirs", "nobody"))
    assert theirs.status_code == nobodys.status_code == 422
    assert theirs.json()["message"].replace("theirs", "nobody") == nobodys.json()["message"]


# --- How far a key goes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", REQUESTS),
        ("POST", REQUESTS),
        ("GET", f"{REQUESTS}/4711"),
        ("PUT", f"{REQUESTS}/4711"),
        ("DELETE", f"{REQUESTS}/4711"),
        ("GET", "/user/currentUser"),
        ("GET", "/inventory/managedObjects"),
        ("POST", "/inventory/managedObjects"),
        ("GET", "/tenant/options"),
        ("GET", "/device/me"),
        ("GET", "/api/ops/v1/devicetypes"),
    ],
)
def test_key_opens_nothing_else(method, path, knocking):
    assert knocking.call(method, path, {}).status_code == 403


def test_key_is_no_login_of_the_console(knocking, thermostat, operator, client):
    key, secret = make_key(thermostat, "Line 4", by=operator)
    answer = client.post("/sign-in/", {"username": key.login, "password": secret})
    assert answer.status_code in {200, 422}
    assert "_auth_user_id" not in client.session


def revoked(key, operator):
    assert revoke_key(key, by=operator)
    assert not revoke_key(key, by=operator)


def expired(key, operator):
    ProvisioningKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())


def of_a_suspended_tenant(key, operator):
    Tenant.objects.filter(pk=key.tenant_id).update(status="SUSPENDED")


def of_a_type_that_wants_secrets(key, operator):
    details = TypeDetails("Thermostat", security_option="shared_secret")
    change_type(key.device_type, details, by=operator)


@pytest.mark.parametrize(
    "happens",
    [revoked, expired, of_a_suspended_tenant, of_a_type_that_wants_secrets],
    ids=lambda case: case.__name__,
)
def test_key_is_void_at_the_next_poll_when_it_is(happens, thermostat, operator):
    key, device = with_key(thermostat, operator)
    happens(key, operator)
    answer = device.poll("4711")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Basic realm="Gatehouse"'
    assert found() is None


@pytest.mark.parametrize(
    ("login", "secret", "status"),
    [
        ("acme/{id}", "{secret}", 404),
        ("{id}", "{secret}", 404),
        ("globex/{id}", "{secret}", 401),
        ("/{id}", "{secret}", 401),
        ("acme/{id}", "{secret}x", 401),
        ("acme/{id}", "gpk_", 401),
        ("acme/{id}", "", 401),
        ("acme/provision_", "{secret}", 401),
        ("acme/provision_nobody", "{secret}", 401),
        ("acme/devicebootstrap", "{secret}", 401),
    ],
)
def test_key_has_one_name_and_one_secret(login, secret, status, thermostat, operator):
    key, text = make_key(thermostat, "Line 3", by=operator)
    login, secret = (one.format(id=key.key_id, secret=text) for one in (login, secret))
    assert Api(login, secret).poll("4711").status_code == status


def test_key_for_ten_devices_lets_in_ten_and_says_so_once(thermostat, operator):
    key, device = with_key(thermostat, operator, max_devices=2)
    assert [heard(device.poll(f"device-{n}")) for n in range(4)] == [
        "PENDING_ACCEPTANCE", "PENDING_ACCEPTANCE", "unknown", "unknown",
    ]  # fmt: skip
    assert heard(device.poll("device-1")) == "PENDING_ACCEPTANCE"
    key.refresh_from_db()
    assert (key.used, key.is_used_up) == (2, True)
    assert Registration.objects.count() == 2
    said = AuditRecord.objects.get(activity="Provisioning key used up")
    assert (said.severity, said.subject) == ("WARNING", "Thermostat: Line 3")


def test_flood_of_new_devices_is_slowed_and_those_that_wait_are_not(thermostat, operator, settings):
    settings.PROVISIONING_RATE = 2
    _, device = with_key(thermostat, operator)
    for number in range(2):
        device.poll(f"device-{number}")
    answer = device.poll("device-2")
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert "new devices" in answer.json()["message"]
    assert heard(device.poll("device-1")) == "PENDING_ACCEPTANCE"
    assert Registration.objects.count() == 2
    other = with_key(thermostat, operator)[1]
    assert heard(other.poll("device-2")) == "PENDING_ACCEPTANCE"


def test_key_of_one_tenant_knows_nothing_of_the_other(thermostat, globex, operator,
                                                      globex_operator):  # fmt: skip
    theirs = type_of(globex, globex_operator)
    _, device = with_key(thermostat, operator)
    _, their_device = with_key(theirs, globex_operator)
    device.poll("4711")
    assert heard(their_device.poll("4711")) == "unknown"
    assert heard(their_device.poll("4712")) == "PENDING_ACCEPTANCE"
    assert found("4712").tenant_id == "globex"


def test_registration_that_moves_leaves_its_type_behind(knocking, globex, operator):
    knocking.poll("4711")
    found().move_to(globex, by=operator)
    assert (found().tenant_id, found().device_type) == ("globex", None)
    assert heard(knocking.poll("4711")) == "unknown"


# --- Secrets ---------------------------------------------------------------------------------


def test_secret_is_nowhere_but_in_the_answer_of_its_maker(thermostat, operator, caplog):
    key, secret = make_key(thermostat, "Line 3", by=operator)
    device = Api(key.login, secret)
    answers = [device.poll("4711"), device.poll("4711"), device.post(CREDENTIALS, []),
               device.get(REQUESTS), Api(key.login, secret + "x").poll("4711")]  # fmt: skip
    assert secret.startswith("gpk_")
    assert len(secret) > 40
    text = everything() + caplog.text + "".join(answer.content.decode() for answer in answers)
    assert key.key_id in text
    assert secret not in text
    assert secret.removeprefix("gpk_") not in text


# --- At the same moment ----------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_last_place_of_a_key_goes_to_one_of_many(automatic, operator, acme):
    key, secret = make_key(automatic, "Line 3", max_devices=3, by=operator)
    answers = at_once(*[lambda n=n: Api(key.login, secret).poll(f"device-{n}") for n in range(10)])
    told = sorted(heard(answer) for answer in answers)
    assert told == ["PENDING_ACCEPTANCE"] * 3 + ["unknown"] * 7
    key.refresh_from_db()
    assert key.used == Registration.objects.count() == 3
    assert AuditRecord.objects.filter(activity="Provisioning key used up").count() == 1
    assert tally(acme) == recount(acme)
    assert counted_devices(acme) == recount_devices(acme) == 3


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_same_device_at_once_is_registered_once(automatic, operator, acme):
    key, secret = make_key(automatic, "Line 3", by=operator)
    answers = at_once(*[lambda: Api(key.login, secret).poll("4711") for _ in range(8)])
    passwords = {answer.json()["password"] for answer in answers if answer.status_code == 201}
    assert {answer.status_code for answer in answers} <= {201, 404}
    assert len(passwords) <= 1
    key.refresh_from_db()
    assert key.used == Registration.objects.count() == 1
    assert kinds(found())[:3] == ["registered", "connected", "accepted"]
    assert tally(acme) == recount(acme)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(4))
def test_devices_meet_whoever_deletes_their_type(turn, thermostat, operator):
    key, secret = make_key(thermostat, "Line 3", by=operator)
    calls = [lambda n=n: Api(key.login, secret).poll(f"device-{n}") for n in range(2 + turn)]
    answers = at_once(*calls, lambda: delete_type(thermostat, by=operator))[:-1]
    assert {answer.status_code for answer in answers} <= {401, 404}
    is_there = DeviceType.objects.filter(pk=thermostat.pk).exists()
    assert Registration.objects.exists() == is_there
