"""The first line of a file says what the others mean."""

import pytest

from bulk.reading.columns import MAX_COLUMNS, Form
from bulk.reading.header import Header
from bulk.reading.problems import FileProblem
from tests.bulk.reading.hands import found_in


@pytest.mark.parametrize(
    ("names", "form"),
    [
        ("ID", Form.SIMPLE),
        ("ID;PATH", Form.SIMPLE),
        ("ID;PATH;TENANT;NAME;colour", Form.SIMPLE),
        ("ID;CREDENTIALS", Form.FULL),
        ("ID;AUTH_TYPE", Form.FULL),
        ("ID;ENROLLMENT_OTP", Form.FULL),
        ("id;Credentials;path", Form.FULL),
    ],
)
def test_form_is_told_by_the_columns(names, form):
    assert Header.of(names.split(";")).form is form


def test_names_are_matched_in_any_case_and_kept_as_written():
    header = found_in(" id ;Credentials;\t Name\t;Serial\n").header
    assert header.names == ("id", "Credentials", "Name", "Serial")
    assert header.standard == {"ID": 0, "CREDENTIALS": 1, "NAME": 2}
    assert header.customs == ((3, ("Serial",)),)


def test_external_ids_and_properties_are_told_by_their_names():
    names = ["external-c8y_Imei", "ID", "EXTERNAL-mac", "a.b.c", "CREDENTIALS", "", "REASON"]
    header = Header.of(names)
    assert header.externals == ((0, "c8y_Imei"), (2, "mac"))
    assert header.customs == ((3, ("a", "b", "c")),)
    assert header.nameless == {5}
    assert Header.from_dict(header.as_dict()) == header


def test_simple_file_tells_which_columns_it_does_not_use():
    header = Header.of(["ID", "NAME", "Path", "external-x", "colour", "", "REASON"])
    assert header.ignored == ["NAME", "external-x", "colour"]
    assert Header.of(["ID", "CREDENTIALS", "colour"]).ignored == []
    found = found_in("ID;NAME;PATH;colour\na;'x;Plant;\0".replace("\0", "red") + "\nb;;;\n", most=1)
    assert [(one.code, one.line, one.column) for one in found.warnings] == [
        ("ignored-column", 1, "NAME")
    ]
    assert "NAME, colour" in found.warnings[0].reason
    assert [(one.device_id, one.path, one.name, one.properties) for one in found.entries] == [
        ("a", "Plant", "", {}), ("b", "", "", {}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "column", "says"),
    [
        ("NAME;PATH", "ID", "no column called ID"),
        ("ID|PATH", "ID", "separated by semicolons, commas or tabs"),
        ("id1;hunter2hunter2", "ID", "no column called ID"),
        ("ID;Path;PATH", "PATH", "there 2 times"),
        ("ID;id;ID", "ID", "there 3 times"),
        ("ID;" + "x" * 260, "x" * 259, "at most 259 characters"),
        ("ID;a\x07b", "a?b", "control or invisible"),
        ("ID;external-", "external-", "a type of IDs"),
        ("ID;external-a/b", "external-a/b", "a type of IDs"),
        ("ID;external-" + "ä" * 126, "external-" + "ä" * 126, "at most 250 bytes"),
        ("ID;CREDENTIALS;a;a.b", "a", "holds a.b"),
        ("ID;CREDENTIALS;a.b.c;a.b", "a.b", "holds a.b.c"),
        ("ID;CREDENTIALS;a..b", "a..b", "single dots"),
        ("ID;CREDENTIALS;.a", ".a", "single dots"),
        ("ID;CREDENTIALS;a. b", "a. b", "single dots"),
        ("ID;CREDENTIALS;" + "x" * 256, "x" * 256, "at most 255"),
        *(
            (f"ID;CREDENTIALS;{name}", name, "every object has")
            for name in ("owner", "self", "creationTime", "lastUpdated", "assetParents", "id.x",
                         "type.x", "name.first", "childDevices")
        ),
        ("ID;CREDENTIALS;c8y_IsDeviceGroup", "c8y_IsDeviceGroup", "no group"),
        ("ID;CREDENTIALS;ICCID;c8y_Mobile.iccid", "c8y_Mobile.iccid", "are the same"),
        ("ID;CREDENTIALS;ICCID;c8y_Mobile", "c8y_Mobile", "holds c8y_Mobile.iccid"),
        ("ID;CREDENTIALS;SHELL;c8y_SupportedOperations", "c8y_SupportedOperations", "same"),
        ("ID;CREDENTIALS" + "".join(f";p{n}" for n in range(498)), "", "at most 497"),
        (";".join(["ID"] * (MAX_COLUMNS + 1)), "", "1,001 columns"),
    ],
)  # fmt: skip
def test_header_that_makes_no_sense_is_refused(names, column, says):
    with pytest.raises(FileProblem, match=says) as refused:
        found_in(f"\n{names}\nx;y\n")
    assert (refused.value.line, refused.value.column) == (2, column)
    assert "hunter2" not in refused.value.message


@pytest.mark.parametrize(
    "name", ["c8y_IsDevice", "c8y_Mobile.imsi", "Group", "Owner", "warehouse.id", "größe"]
)
def test_other_names_are_properties(name):
    assert Header.of(["ID", "CREDENTIALS", "ICCID", name]).customs == ((3, tuple(name.split("."))),)


def test_property_can_be_there_twice_and_the_last_value_counts():
    found = found_in("ID;CREDENTIALS;lot;lot\na;abcd1234;1;2\nb;abcd1234;1;\n")
    assert [entry.properties for entry in found.entries] == [{"lot": "2"}, {"lot": "1"}]


def test_as_many_columns_as_there_can_be_are_read():
    names = ["ID", "CREDENTIALS", *(f"a{n % 400}.p{n}" for n in range(MAX_COLUMNS - 2))]
    row = ["x", "abcd1234", *(str(n) for n in range(MAX_COLUMNS - 2))]
    found = found_in(";".join(names) + "\n" + ";".join(row))
    assert found.entries[0].properties["a399"] == {"p399": "399", "p799": "799"}


def test_columns_without_a_name_have_no_values():
    found = found_in("ID;CREDENTIALS;;\na;abcd1234;;\nb;abcd1234\nc;abcd1234;;x\n")
    assert found.ids == ["a", "b"]
    assert (found.problem.code, found.problem.cells) == ("cells", {"ID": "c"})
    assert "column 4" in found.problem.reason
