"""The samples of Cumulocity's manual and clients work as they are.

Sources: user guide, bulk device registration (several releases); OpenAPI of devicecontrol; the
services of the web SDK.
"""
# ruff: noqa: E501 - the samples are as they are

import pytest

from bulk.reading.columns import Form
from tests.bulk.reading.hands import found_in

SIMPLE = "ID;PATH\nDevice1;Group A\nDevice2;Group A/Group B\t\t\t\n"
FULL = """ID;CREDENTIALS;TYPE;NAME;ICCID;IDTYPE;PATH;SHELL;AUTH_TYPE
006064ce800a;LF2PWJoLG1Fz;c8y_Device;Sample_Device1;+491555555;c8y_Serial;bulk group/subgroup1;1;BASIC
006064ce8077;OowoGKAbiNJs;c8y_Device;Sample_Device2;+491555555;c8y_Serial;bulk group/subgroup2;1;BASIC
"""
OLD_FULL = """ID;Credentials;PATH;ICCID;NAME;TYPE
006064ce800a;LF2PWJoLG1Fz;Sample_Düsseldorf;+491555555;Sample_Device1;c8y_Device
006064ce8077;OowoGKAbiNJs;Sample_Düsseldorf;+491555555;Sample_Device2;c8y_Device\t\t
"""
OLDER_FULL = """ID;Credentials;Tenant;PATH;ICCID;NAME;TYPE
006064ce800a;LF2PWJoLG1Fz;management;Sample_Düsseldorf;\t+491555555;Sample_Device1;c8y_Device
006064ce8077;OowoGKAbiNJs;management;Sample_Düsseldorf;\t+491555555;Sample_Device2;c8y_Device
"""
OLDEST = "ID;Credentials\n006064ce800a;LF2PWJoLG1Fz\n006064ce8077;OowoGKAbiNJs\n"
CERTIFICATES = """ID;TYPE;NAME;ICCID;IDTYPE;PATH;SHELL;AUTH_TYPE;ENROLLMENT_OTP
006064ce800a;c8y_Device;Sample_Device1;+491555555;c8y_Serial;bulk group/subgroup1;1;CERTIFICATES;somePassword@123
006064ce8077;c8y_Device;Sample_Device2;+491555555;c8y_Serial;bulk group/subgroup2;1;CERTIFICATES;password@345
"""
OPEN_API = """ID;CREDENTIALS;TYPE;NAME;ICCID;IDTYPE;PATH;SHELL
id_101;AbcD1234!1234AbcD;type_of_device;Device 101;111111111;;csv device/subgroup0;1
id_102;AbcD1234!1234AbcD;type_of_device;Device 102;222222222;;csv device/subgroup0;0
id_111;AbcD1234!1234AbcD;type_of_device;Device 111;333333333;c8y_Imei;csv device1/subgroup1;0
id_112;AbcD1234!1234AbcD;type_of_device;Device 112;444444444;;csv device1/subgroup1;1
id_121;AbcD1234!1234AbcD;type_of_device;Device 121;555555555;;csv device1/subgroup2;1
id_122;AbcD1234!1234AbcD;type_of_device;Device 122;;;csv device1/subgroup2;
id_131;AbcD1234!1234AbcD;type_of_device;Device 131;;;csv device1/subgroup3;
"""
WEB_SDK = """ID,CREDENTIALS,TENANT,TYPE,NAME,ICCID,IDTYPE,PATH,SHELL
e2eDeviceRegistrationId,e2epassword123!,e2edocker,c8y_e2eDevice,e2eDevice,123456789,89456,e2eDeviceGroup,1
 900001,e2epassword123!,e2edocker,c8y_e2eDevice1,e2eDevice1,123456789,89456,e2eDeviceGroup,1
 900002,e2epassword123!,e2edocker,c8y_e2eDevice2,e2eDevice2,123456789,89456,e2eDeviceGroup,1"""
REST = "ID;CREDENTIALS;TENANT\nid01;abcd1234;sample_tenant\nid02;abcd1234;sample_tenant\n"


@pytest.mark.parametrize(
    ("text", "form", "rows"),
    [
        (SIMPLE, Form.SIMPLE, 2),
        (FULL, Form.FULL, 2),
        (OLD_FULL, Form.FULL, 2),
        (OLDER_FULL, Form.FULL, 2),
        (OLDEST, Form.FULL, 2),
        (CERTIFICATES, Form.FULL, 2),
        (OPEN_API, Form.FULL, 7),
        (WEB_SDK, Form.FULL, 3),
    ],
    ids=["simple", "full", "old", "older", "oldest", "certificates", "open-api", "web-sdk"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_sample_works_verbatim(text, form, rows, encoding, newline):
    found = found_in(text.replace("\n", newline).encode(encoding))
    assert (found.header.form, len(found.entries), found.problems) == (form, rows, [])


def test_full_sample_means_what_the_manual_says():
    first, _ = found_in(OLDER_FULL).entries
    assert (first.device_id, first.password, first.tenant_id) == (
        "006064ce800a", "LF2PWJoLG1Fz", "management",
    )  # fmt: skip
    assert (first.path, first.name, first.type) == (
        "Sample_Düsseldorf", "Sample_Device1", "c8y_Device",
    )  # fmt: skip
    assert first.id_type == "c8y_Serial"
    assert first.fragments() == {"c8y_IsDevice": {}, "c8y_Mobile": {"iccid": "+491555555"}}


def test_sample_of_certificates_holds_one_time_passwords():
    first, second = found_in(CERTIFICATES).entries
    assert (first.certificate, first.password, first.otp) == (True, "", "somePassword@123")
    assert second.otp == "password@345"


def test_sample_of_the_open_api_has_its_types_and_shells():
    rows = found_in(OPEN_API).entries
    assert [row.shell for row in rows] == [True, False, False, True, True, False, False]
    assert [row.id_type for row in rows[1:4]] == ["c8y_Serial", "c8y_Imei", "c8y_Serial"]
    assert rows[0].fragments()["c8y_SupportedOperations"] == ["c8y_Command"]
    assert rows[6].fragments() == {"c8y_IsDevice": {}}


def test_agent_is_marked_by_a_nested_property():
    found = found_in("ID;CREDENTIALS;com_cumulocity_model_Agent.active;x\na;abcd1234;true;{}\n")
    assert found.entries[0].fragments() == {
        "c8y_IsDevice": {}, "com_cumulocity_model_Agent": {"active": "true"}, "x": "{}",
    }  # fmt: skip


def test_rows_of_the_command_line_are_read_as_they_are_written():
    # It quotes the header, and writes what is below it as it comes.
    found = found_in('"ID"\t"CREDENTIALS"\t"NAME"\nabc\tx"y;z,\'w0\tdevice "one"\n')
    (entry,) = found.entries
    assert (entry.password, entry.name) == ("x\"y;z,'w0", 'device "one"')
