"""``POST /devicecontrol/bulkNewDeviceRequests``: what a file does, and how it is answered."""

import logging

import pytest
from django.apps import apps

from bulk.models import Import, ImportBlock, State
from inventory.models import DeviceCredentials, ExternalId, ManagedObject
from registration.models import Registration
from tenants.models import AuditRecord
from tests.bulk.api.forms import BULK, Body, form, part, upload, variants
from tests.support import ERROR_TYPE, Api, give_rights, request_path, set_limit

ANSWER = "application/vnd.com.nsn.cumulocity.bulkNewDeviceRequest+json;charset=UTF-8;ver=0.9"
ME = "/user/currentUser"

# Verbatim: the reference of the REST contract, and what the command line tool writes.
MANUAL = """\
ID;CREDENTIALS;TYPE;NAME;ICCID;IDTYPE;PATH;SHELL
id_101;AbcD1234!1234AbcD;type_of_device;Device 101;111111111;;csv device/subgroup0;1
id_102;AbcD1234!1234AbcD;type_of_device;Device 102;222222222;;csv device/subgroup0;0
id_111;AbcD1234!1234AbcD;type_of_device;Device 111;333333333;c8y_Imei;csv device1/subgroup1;0
id_112;AbcD1234!1234AbcD;type_of_device;Device 112;444444444;;csv device1/subgroup1;1
id_121;AbcD1234!1234AbcD;type_of_device;Device 121;555555555;;csv device1/subgroup2;1
id_122;AbcD1234!1234AbcD;type_of_device;Device 122;;;csv device1/subgroup2;
id_131;AbcD1234!1234AbcD;type_of_device;Device 131;;;csv device1/subgroup3;
"""
COMMAND_LINE = (
    "ID\tAUTH_TYPE\tCREDENTIALS\tENROLLMENT_OTP\tNAME\tTYPE\tIDTYPE\tICCID\tTENANT\tPATH\t"
    "com_cumulocity_model_Agent.active\n"
    "device01\tCERTIFICATES\t\tdummy\tdevice01\tlinux\tc8y_Serial\t\t\t\ttrue\n"
    "device02\tCERTIFICATES\t\t\tdevice02\tmacOS\tc8y_Serial\t\t\t\ttrue\n"
    "device03\tBASIC\tpass12345\t\tdevice03\tWindows\tc8y_Serial\t\t\t\tfalse\n"
)
SIMPLE = '"ID";"PATH"\r\npress-1;Plant A/Hall 1\r\npress-2;\r\n'
OLD, NEW = "canary-old-k3Tq9w", "canary-new-V7pXm2"


def send(caller, body, **headers):
    """Send a body as it is, or a file in a form."""
    if not isinstance(body, Body):
        body = upload(body.encode())
    return caller.call("POST", BULK, body.content, content_type=body.content_type, **headers)


def counts(answer):
    """Return the numbers of all, created, failed and successful rows."""
    assert answer.status_code == 201, answer.content
    names = ("numberOfAll", "numberOfCreated", "numberOfFailed", "numberOfSuccessful")
    return tuple(answer.json()[name] for name in names)


def reasons(answer):
    return [failure["failureReason"] for failure in answer.json()["failedCreationList"]]


@pytest.fixture
def office(api):
    return api("acme/administrator")


# --- What it does ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", variants(b""))
def test_file_is_registered_in_whatever_way_it_comes(name, office):
    file = f"ID;CREDENTIALS;NAME\nMüller-1;{OLD};Müller\n".encode("latin-1")
    answer = send(office, variants(file)[name])
    assert counts(answer) == (1, 1, 0, 1)
    assert answer["Content-Type"] == ANSWER
    assert Api("acme/device_Müller-1", OLD).get(ME).status_code == 200


def test_sample_of_the_manual_is_registered_verbatim(office):
    answer = send(office, MANUAL)
    assert answer.json() == {
        "numberOfAll": 7,
        "numberOfCreated": 7,
        "numberOfFailed": 0,
        "numberOfSuccessful": 7,
        "credentialUpdatedList": [],
        "failedCreationList": [],
    }
    for device_id in ("id_101", "id_131"):
        assert Api(f"acme/device_{device_id}", "AbcD1234!1234AbcD").get(ME).status_code == 200
    # What the command line tool does next: look for the device by its external ID.
    found = office.get("/identity/externalIds/c8y_Imei/id_111").json()["managedObject"]["id"]
    device = office.get(f"/inventory/managedObjects/{found}?withParents=true").json()
    assert (device["name"], device["type"], device["owner"]) == (
        "Device 111", "type_of_device", "device_id_111",
    )  # fmt: skip
    assert device["c8y_Mobile"] == {"iccid": "333333333"}
    assert device["c8y_IsDevice"] == {}
    parents = device["assetParents"]["references"]
    assert [parent["managedObject"]["name"] for parent in parents] == ["subgroup1"]
    assert ManagedObject.objects.get(device_id="id_101").fragments["c8y_SupportedOperations"]


def test_sample_of_the_command_line_is_registered_verbatim(office):
    answer = send(office, variants(COMMAND_LINE.encode())["command-line"])
    # The first row wants a certificate issued, which nobody here does.
    assert counts(answer) == (3, 2, 1, 2)
    assert "one-time password" in reasons(answer)[0]
    assert Api("acme/device_device03", "pass12345").get(ME).status_code == 200
    agent = ManagedObject.objects.get(device_id="device02").fragments
    assert agent["com_cumulocity_model_Agent"] == {"active": "true"}


def test_simple_file_makes_registrations_that_wait(office, acme):
    assert counts(send(office, SIMPLE)) == (2, 2, 0, 2)
    first = office.get(request_path("press-1")).json()
    assert (first["status"], first["owner"]) == ("WAITING_FOR_CONNECTION", "administrator")
    assert Registration.objects.get(device_id="press-1").group.path == "Plant A/Hall 1"


def test_simple_file_fails_where_a_registration_is_open(office):
    send(office, SIMPLE)
    answer = send(office, SIMPLE + "press-3;\n")
    assert counts(answer) == (3, 1, 2, 1)
    assert answer.json()["failedCreationList"][0] == {
        "bulkNewDeviceStatus": "FAILED",
        "deviceId": "press-1",
        "failureReason": "Device registration request with ID press-1 already exists.",
        "line": "press-1;Plant A/Hall 1",
        "lineNumber": 2,
    }


def test_device_that_is_there_gets_the_password_of_the_file(office):
    file = "ID,CREDENTIALS\npress-1,{}\npress-2,{}\n"
    assert counts(send(office, file.format(OLD, OLD))) == (2, 2, 0, 2)
    answer = send(office, file.format(NEW, OLD) + f"press-3,{NEW}\n")
    assert counts(answer) == (3, 1, 0, 3)
    updated = answer.json()["credentialUpdatedList"]
    assert updated == [
        {"bulkNewDeviceStatus": "CREDENTIAL_UPDATED", "deviceId": "press-1"},
        {"bulkNewDeviceStatus": "CREDENTIAL_UPDATED", "deviceId": "press-2"},
    ]
    assert Api("acme/device_press-1", OLD).get(ME).status_code == 401
    assert Api("acme/device_press-1", NEW).get(ME).status_code == 200


def test_rows_that_fail_are_listed_and_the_others_are_done(office):
    answer = send(
        office,
        "ID;CREDENTIALS;NAME\r\n"
        f"press-1;{OLD};one\r\n"
        f"press 2;{OLD};two\r\n"
        "\r\n"
        "press-3;short;three\r\n"
        f"press-1;{NEW};again\r\n"
        f"press-4;{OLD};four;{NEW}\r\n"
        f"press-5;{OLD};five\r\n",
    )
    assert counts(answer) == (6, 2, 4, 2)
    failed = answer.json()["failedCreationList"]
    assert [each["lineNumber"] for each in failed] == [3, 5, 6, 7]
    assert [each["line"] for each in failed] == [
        "press 2;***;two",
        "press-3;***;***",  # right of a bad password may stand the rest of it
        "press-1;***;again",
        "press-4;***;***",
    ]
    assert all(each["bulkNewDeviceStatus"] == "FAILED" for each in failed)
    assert all(each["failureReason"].endswith(".") for each in failed)
    assert Api("acme/device_press-1", OLD).get(ME).status_code == 200
    assert Api("acme/device_press-5", OLD).get(ME).status_code == 200


def test_row_without_an_id_names_none(office):
    answer = send(office, f"ID;CREDENTIALS\n;{OLD}\n")
    (failure,) = answer.json()["failedCreationList"]
    assert "deviceId" not in failure
    assert (failure["line"], failure["lineNumber"]) == ("***;***", 2)


def test_row_that_is_shown_again_is_quoted_and_cut(office):
    name = 'a;"b"' + "x" * 990
    quoted = '"{}"'.format(name.replace('"', '""'))
    answer = send(office, f"CREDENTIALS;NAME;ID\n{OLD};{quoted};bad id\n")
    (failure,) = answer.json()["failedCreationList"]
    assert failure["line"].startswith('***;"a;""b""xxx')
    assert len(failure["line"]) == 1001
    assert failure["line"].endswith("…")


def test_client_that_asks_for_no_answer_gets_none(office):
    answer = send(office, SIMPLE, Accept=None)
    assert (answer.status_code, answer.content) == (201, b"")
    assert Registration.objects.count() == 2


# --- Tenants --------------------------------------------------------------------------------


def test_management_tenant_names_the_tenant_of_each_device(api, house):
    answer = send(
        api("management/administrator"),
        f"ID;CREDENTIALS;TENANT\na-1;{OLD};acme\ng-1;{OLD};globex\nx-1;{OLD};\nx-2;{OLD};nobody\n",
    )
    assert counts(answer) == (4, 2, 2, 2)
    owners = dict(DeviceCredentials.objects.values_list("device_id", "tenant_id"))
    assert owners == {"a-1": "acme", "g-1": "globex"}
    assert reasons(answer)[1] == "There is no active tenant with ID nobody."


def test_tenant_of_others_is_ignored_in_a_file_of_a_subtenant(office):
    assert counts(send(office, f"ID;CREDENTIALS;TENANT\na-1;{OLD};globex\n")) == (1, 1, 0, 1)
    assert DeviceCredentials.objects.get().tenant_id == "acme"


@pytest.mark.parametrize("form_of_file", ["ID;CREDENTIALS\npress-1;{}\n", "ID\npress-1\n"])
def test_device_of_another_tenant_is_left_alone_and_not_told_of(form_of_file, api, office):
    file = f"ID;CREDENTIALS\npress-1;{OLD}\n"
    send(api("globex/administrator"), file)
    answer = send(office, form_of_file.format(NEW))
    assert counts(answer) == (1, 0, 1, 0)
    assert "globex" not in answer.content.decode()
    assert Api("globex/device_press-1", OLD).get(ME).status_code == 200


def test_devices_over_the_limit_fail(office, acme):
    set_limit(acme, 1)
    answer = send(office, f"ID;CREDENTIALS\na;{OLD}\nb;{OLD}\n")
    assert counts(answer) == (2, 1, 1, 1)
    assert reasons(answer) == ["You have reached devices limit. No more devices can be registered."]


# --- Who may --------------------------------------------------------------------------------


def assert_nothing_happened():
    for model in (Import, ImportBlock, Registration, DeviceCredentials, ManagedObject, ExternalId):
        assert not model.objects.exists(), model


def test_stranger_is_refused(api):
    answer = send(api(), SIMPLE)
    assert (answer.status_code, answer["Content-Type"]) == (401, ERROR_TYPE)
    assert_nothing_happened()


def test_caller_who_may_only_look_is_refused(api, person):
    user = person("acme/operator")
    give_rights(user, "ROLE_DEVICE_CONTROL_READ", "ROLE_INVENTORY_ADMIN")
    answer = send(api("acme/operator"), SIMPLE)
    assert (answer.status_code, answer.json()["message"]) == (403, "Access is denied")
    assert_nothing_happened()


def test_right_of_device_control_is_enough(api, person):
    give_rights(person("acme/operator"), "ROLE_DEVICE_CONTROL_ADMIN")
    assert counts(send(api("acme/operator"), MANUAL)) == (7, 7, 0, 7)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_only_posting_is_allowed(method, office):
    answer = office.call(method, BULK, b"")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


# --- What is refused as a whole -------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("", "empty"),
        ("\n\n", ""),
        ("NAME;PATH\na;b\n", "ID"),
        ("ID;NAME;id\na;b;c\n", "ID"),
        ("ID;a;a.b;CREDENTIALS\n", "a"),
        ("ID;\x00\n", ""),
    ],
    ids=["empty", "blank", "no-id", "twice", "nested", "binary"],
)
def test_file_that_is_none_is_refused_with_its_place(file, words, office):
    answer = send(office, file)
    assert (answer.status_code, answer["Content-Type"]) == (422, ERROR_TYPE)
    message = answer.json()["message"]
    assert words in message
    assert message.endswith(".")
    one = Import.objects.get()
    assert (one.state, one.refusal["message"]) == (State.REFUSED, message.partition(": ")[2]) or (
        one.refusal["message"] == message
    )
    assert not one.file_key
    assert not Registration.objects.exists()


def test_place_of_the_mistake_is_said(office):
    answer = send(office, "ID;NAME;id\na;b;c\n")
    assert answer.json()["message"].startswith("Line 1, column ID: ")


def test_header_alone_is_refused(office):
    answer = send(office, "ID;PATH\n")
    assert answer.status_code == 422
    assert "nothing below the names of the columns" in answer.json()["message"]


def test_form_that_is_cut_off_registers_nothing(office):
    whole = upload(MANUAL.encode())
    for end in (len(whole.content) // 2, len(whole.content) - 5):
        answer = send(office, Body(whole.content_type, whole.content[:end]))
        assert (answer.status_code, answer["Content-Type"]) == (400, ERROR_TYPE)
        assert "Nothing was registered" in answer.json()["message"]
    assert_nothing_happened()
    assert not AuditRecord.objects.filter(tenant_id="acme").exists()


def test_second_file_in_the_form_undoes_the_first(office):
    file = part(MANUAL.encode(), file_name="a.csv")
    assert send(office, form(file, file)).status_code == 422
    assert_nothing_happened()


def test_file_with_too_many_bytes_leaves_nothing(office, settings):
    settings.BULK_API_MAX_BYTES = len(MANUAL) - 1
    answer = send(office, MANUAL)
    assert (answer.status_code, answer["Content-Type"]) == (413, ERROR_TYPE)
    assert "Register larger files in the console" in answer.json()["message"]
    assert_nothing_happened()


@pytest.mark.parametrize("file", [MANUAL, SIMPLE], ids=["full", "simple"])
def test_file_with_too_many_rows_is_refused_before_the_first(file, office, settings):
    rows = len(file.splitlines()) - 1
    settings.BULK_API_MAX_ROWS = rows - 1
    answer = send(office, file)
    assert (answer.status_code, answer["Content-Type"]) == (413, ERROR_TYPE)
    assert f"more than {rows - 1} rows" in answer.json()["message"]
    one = Import.objects.get()
    assert (one.state, one.refusal["message"]) == (State.REFUSED, answer.json()["message"])
    assert not one.file_key
    assert not ManagedObject.objects.exists()
    assert not Registration.objects.exists()
    settings.BULK_API_MAX_ROWS = rows
    assert counts(send(office, file)) == (rows, rows, 0, rows)


# --- What is kept ---------------------------------------------------------------------------


def test_import_says_who_brought_what(office):
    send(office, upload(MANUAL.encode(), "from the factory.csv"))
    one = Import.objects.get()
    assert (one.state, one.door, one.file_name) == (State.FINISHED, "api", "from the factory.csv")
    assert (one.created_by_name, one.tenant_id, one.created, one.rows) == (
        "administrator", "acme", 7, 7,
    )  # fmt: skip
    activities = AuditRecord.objects.filter(tenant_id="acme").order_by("pk")
    assert [
        (record.activity, record.actor_name, record.subject)
        for record in activities
        if record.activity.startswith("Bulk")
    ] == [
        ("Bulk registration started", "administrator", "from the factory.csv"),
        ("Bulk registration finished", "administrator", "from the factory.csv"),
    ]


def test_no_password_is_told_logged_or_kept(office, caplog):
    caplog.set_level(logging.DEBUG)
    otp = "canary-otp-5rNd8c"
    head = "ID;CREDENTIALS;AUTH_TYPE;ENROLLMENT_OTP;NAME\n"
    rows = [
        f"good;{OLD};;;one\n",
        f"certified;;CERTIFICATES;{otp};two\n",
        f"bad id;{OLD};;;three\n",
        f"good;{OLD};;;again\n",
        f"shifted;x;{OLD};{otp};{OLD};{OLD}\n",
        f"few;{OLD}\n",
        f'open;"{OLD};;;\n',
        f"sign;{OLD}\u20ac;;;five\n",
        f"otp;;CERTIFICATES;{otp * 5};six\n",
        f"kind;{OLD};TOKEN;;seven\n",
    ]
    answers = [
        send(office, head + "".join(rows)),
        send(office, f"{OLD};{otp}\n{OLD};{otp}\n"),
        send(office, upload((head + rows[0]).encode("utf-16"))),
    ]
    assert [answer.status_code for answer in answers] == [201, 422, 201]
    told = [answer.content.decode() for answer in answers]
    logged = [caplog.text, *(str(record.__dict__) for record in caplog.records)]
    kept = [repr(row) for model in apps.get_models() for row in model._base_manager.values()]
    for text in (*told, *logged, *kept):
        assert OLD not in text
        assert otp not in text
