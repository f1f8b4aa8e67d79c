"""A row is a device, or one sentence about what is wrong with it."""

import re

import pytest

from bulk.reading.cells import MAX_ROW, MAX_ROW_LINES
from bulk.reading.checks import is_imei
from tests.bulk.reading.hands import found_in, full

ALL = (
    "ID;CREDENTIALS;AUTH_TYPE;TENANT;TYPE;NAME;ICCID;IDTYPE;PATH;SHELL;ENROLLMENT_OTP;external-mac"
)


def row(**cells):
    """Return a row of all columns, with these cells and what else it needs."""
    cells = {"ID": "a", "CREDENTIALS": "abcd1234"} | cells
    return ";".join(cells.get(name.replace("-", "_"), "") for name in ALL.split(";"))


def test_row_with_everything_is_a_device():
    text = row(TENANT="acme", TYPE="t", NAME="Näme", ICCID="89", IDTYPE="mac-id", SHELL="1",
               PATH=" A / B", external_mac="00:11")  # fmt: skip
    (entry,) = full(text, ALL).entries
    assert (entry.line, entry.device_id, entry.password) == (2, "a", "abcd1234")
    assert (entry.tenant_id, entry.type, entry.name, entry.iccid) == ("acme", "t", "Näme", "89")
    assert (entry.id_type, entry.path, entry.shell) == ("mac-id", "A/B", True)
    assert (entry.external, entry.certificate, entry.otp) == ((("mac", "00:11"),), False, "")


def test_row_with_nothing_has_the_defaults():
    (entry,) = full(row(), ALL).entries
    assert (entry.tenant_id, entry.type, entry.name, entry.iccid) == ("", "", "", "")
    assert (entry.id_type, entry.path, entry.shell) == ("c8y_Serial", "", False)
    assert (entry.external, entry.properties) == ((), {})
    assert entry.fragments() == {"c8y_IsDevice": {}}


@pytest.mark.parametrize("shell", ["0", "true", "yes", "2", "11", ""])
def test_only_1_makes_a_shell(shell):
    assert full(row(SHELL=shell), ALL).entries[0].shell is False


@pytest.mark.parametrize("kind", ["", "BASIC", "basic", " Basic "])
def test_password_is_the_usual_way_in(kind):
    (entry,) = full(row(AUTH_TYPE=kind), ALL).entries
    assert (entry.certificate, entry.password) == (False, "abcd1234")


@pytest.mark.parametrize("kind", ["CERTIFICATES", "certificates", " Certificates"])
def test_device_with_a_certificate_has_no_password(kind):
    for password in ("abcd1234", "", "short"):
        text = row(AUTH_TYPE=kind, ENROLLMENT_OTP="x" * 32, CREDENTIALS=password)
        (entry,) = full(text, ALL).entries
        assert (entry.certificate, entry.password, entry.otp) == (True, "", "x" * 32)


@pytest.mark.parametrize(
    ("cells", "column", "code", "says"),
    [
        ({"ID": ""}, "ID", "id", "is needed"),
        ({"ID": "a b"}, "ID", "id", "character: space"),
        ({"ID": "a/b"}, "ID", "id", 'character: "/"'),
        ({"ID": "a\u200bb"}, "ID", "id", "zero width space"),
        ({"ID": "acceptAll"}, "ID", "id", "something else in addresses"),
        ({"ID": "a" * 1001}, "ID", "id", "1,000 bytes"),
        ({"ID": "ä" * 501}, "ID", "id", "1,000 bytes"),
        ({"ID": "1.2E+11"}, "ID", "id", "spreadsheet has shortened"),
        ({"ID": "8,93e+18"}, "ID", "id", "spreadsheet has shortened"),
        ({"ID": "a\tb"}, "ID", "characters", "a tab"),
        ({"CREDENTIALS": ""}, "CREDENTIALS", "password", "is needed, or CERTIFICATES"),
        ({"CREDENTIALS": "abcd123"}, "CREDENTIALS", "password", "8 to 255"),
        ({"CREDENTIALS": "a" * 256}, "CREDENTIALS", "password", "8 to 255"),
        ({"CREDENTIALS": "abcd 1234"}, "CREDENTIALS", "password", "no spaces"),
        ({"CREDENTIALS": "pässwörd"}, "CREDENTIALS", "password", "plain English"),
        ({"AUTH_TYPE": "TOKEN"}, "AUTH_TYPE", "auth-type", "BASIC, CERTIFICATES or empty"),
        ({"ENROLLMENT_OTP": "x"}, "ENROLLMENT_OTP", "otp", "AUTH_TYPE is CERTIFICATES"),
        ({"AUTH_TYPE": "CERTIFICATES", "ENROLLMENT_OTP": "x" * 33}, "ENROLLMENT_OTP", "otp", "32"),
        ({"TENANT": "Acme"}, "TENANT", "tenant", "lower-case"),
        ({"TENANT": "a" * 33}, "TENANT", "tenant", "lower-case"),
        ({"TYPE": "x" * 256}, "TYPE", "type", "at most 255"),
        ({"NAME": "x" * 501}, "NAME", "name", "at most 500"),
        ({"ICCID": "1" * 65}, "ICCID", "iccid", "at most 64"),
        ({"IDTYPE": "a/b"}, "IDTYPE", "external-id", "cannot contain a slash"),
        ({"IDTYPE": "x" * 251}, "IDTYPE", "external-id", "at most 250 bytes"),
        ({"external_mac": "x" * 1001}, "external-mac", "external-id", "at most 1000 bytes"),
        ({"PATH": "/A"}, "PATH", "path", "single slashes"),
        ({"PATH": "A//B"}, "PATH", "path", "single slashes"),
        ({"PATH": "x" * 501}, "PATH", "path", "at most 500"),
        ({"NAME": "a\x07b"}, "NAME", "characters", "U\\+0007"),
        ({"NAME": "a\x85b"}, "NAME", "characters", "U\\+0085"),
        ({"NAME": "a\u2028b"}, "NAME", "characters", "U\\+2028"),
    ],
)  # fmt: skip
def test_row_against_a_rule_is_a_problem(cells, column, code, says):
    found = full(row(**cells), ALL)
    assert found.entries == []
    assert (found.problem.line, found.problem.column, found.problem.code) == (2, column, code)
    assert re.search(says, found.problem.reason)
    assert found.problem.cells.keys() <= {*ALL.split(";")} - {"CREDENTIALS", "ENROLLMENT_OTP"}


def test_column_of_a_problem_is_spelled_as_in_the_file():
    assert full("a;x", "Id;Credentials").problem.column == "Credentials"


def test_blank_lines_and_empty_rows_are_no_rows():
    found = found_in('ID;CREDENTIALS\n\n \t\na;abcd1234\n;\n"";""\n;;;;\n\nb;abcd1234\n\n')
    assert (found.ids, found.problems) == (["a", "b"], [])
    assert [entry.line for entry in found.entries] == [4, 9]


@pytest.mark.parametrize(
    "text", ["a;abcd1234", "a;abcd1234;;", " a ;\tabcd1234 ;;;;;;\t ", "a;abcd1234;;;;"]
)
def test_empty_cells_at_the_end_are_neither_needed_nor_in_the_way(text):
    assert full(text, "ID;CREDENTIALS;TYPE;NAME").entries[0].password == "abcd1234"


def test_more_cells_than_columns_are_a_problem():
    problem = full("a;abcd1234;t;n;x", "ID;CREDENTIALS;TYPE;NAME").problem
    assert (problem.code, problem.device_id, problem.cells) == ("cells", "a", {"ID": "a"})
    assert problem.reason.startswith("The row has 5 cells, the header has 4.")


def test_id_behind_a_password_is_not_told_where_cells_have_moved():
    problem = full("secret;word;a;t;n;x", "CREDENTIALS;ID;TYPE;NAME").problem
    assert (problem.code, problem.device_id, problem.cells) == ("cells", "", {})


def test_row_that_is_too_short_shows_its_id_alone():
    problem = full("a;hunter2hunter2", "ID;TYPE;CREDENTIALS").problem
    assert (problem.code, problem.device_id, problem.cells) == ("password", "a", {"ID": "a"})


def test_problem_shows_the_row_without_its_secrets():
    text = row(ID="a b", NAME="n" * 2_000, ENROLLMENT_OTP="otp-otp", TYPE="t")
    problem = full(text, ALL).problem
    assert problem.cells == {"ID": "a b", "NAME": "n" * 500 * 2, "TYPE": "t"}
    assert problem.device_id == "a b"


def test_what_a_problem_shows_can_be_kept_in_every_database():
    found = found_in(b"ID;NAME;CREDENTIALS\n\x81a;x\x01;abcd1234\n\xfc" + b"\xfc" * 999 + b"/;;\n")
    first, second = found.problems
    assert (first.device_id, first.cells) == ("\ufffda", {"ID": "\ufffda", "NAME": "x\ufffd"})
    assert "no text" in first.reason
    assert (second.device_id, second.cells) == ("ü" * 500, {"ID": "ü" * 1_000})


@pytest.mark.parametrize(
    ("text", "password", "name"),
    [
        ('"a";"abcd1234";"n"', "abcd1234", "n"),
        ('"a" ; "abcd1234"\t;"n" ', "abcd1234", "n"),
        ('a;"ab;cd,12""34";n', 'ab;cd,12"34', "n"),
        ('a;ab"cd"1234;n', 'ab"cd"1234', "n"),
        ('a;abcd1234";n', 'abcd1234"', "n"),
        ("a;abcd1234;n\"'n", "abcd1234", "n\"'n"),
        ('a;abcd1234;""', "abcd1234", ""),
        ('a;abcd1234;""""', "abcd1234", '"'),
    ],
)
def test_quotes_are_those_around_a_cell(text, password, name):
    (entry,) = full(text, "ID;CREDENTIALS;NAME").entries
    assert (entry.device_id, entry.password, entry.name) == ("a", password, name)


def test_property_in_quotes_keeps_line_breaks_blanks_and_delimiters():
    found = found_in(
        'ID;CREDENTIALS;note\r\na;abcd1234;" one;\r\n\r\n\ttwo "\r\nb;abcd1234; x \r\n'
    )
    assert [entry.properties["note"] for entry in found.entries] == [" one;\n\n\ttwo ", "x"]
    assert [entry.line for entry in found.entries] == [2, 5]


def test_line_break_where_none_can_be_is_a_problem_of_the_whole_row():
    found = found_in('ID;CREDENTIALS;NAME\na;abcd1234;"x\ny"\nb;abcd1234;\n')
    assert (found.problem.line, found.problem.code, found.ids) == (2, "characters", ["b"])


@pytest.mark.parametrize("torn", ['x;"abcd1234', 'x;"abcd1234" z;', 'x;"a";"', '"'])
@pytest.mark.parametrize("behind", [0, MAX_ROW_LINES - 1, MAX_ROW_LINES, 5_000])
def test_quote_that_is_not_closed_swallows_nothing(torn, behind):
    text = "".join(f"d{number};abcd1234;n\n" for number in range(behind))
    found = found_in(f"ID;CREDENTIALS;NAME\n{torn}\n{text}")
    assert (found.problem.line, found.problem.code, found.problem.column) == (2, "quotes", "")
    assert len(found.entries) == behind
    assert found.problem.device_id == ("x" if "x" in torn else "")


def test_quotes_that_are_not_closed_in_every_row_cost_little():
    found = found_in("ID;CREDENTIALS\n" + 'x;"abcd1234\n' * 9_999)
    assert {problem.code for problem in found.problems} == {"quotes"}
    # A quote that opens in one row may end in the next, and then something stands behind it.
    assert [problem.line for problem in found.problems] == list(range(2, 10_001))


def test_closed_cell_can_go_over_so_many_lines_and_no_more():
    for lines, code in ((MAX_ROW_LINES - 1, None), (MAX_ROW_LINES, "quotes")):
        found = found_in('ID;CREDENTIALS;note\na;abcd1234;"' + "\n" * lines + 'x"\nb;abcd1234;\n')
        codes = [problem.code for problem in found.problems if problem.line == 2]
        assert codes == ([code] if code else [])
        assert found.ids[-1] == "b"


@pytest.mark.parametrize("size", [MAX_ROW + 1, 262_144, 700_000])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_that_is_too_long_is_one_problem(size, newline):
    long = "x;" + "y" * size
    text = newline.join(["ID;CREDENTIALS", "a;abcd1234", long, long, "b;abcd1234", long])
    for end in ("", newline):
        found = found_in(text + end)
        assert found.ids == ["a", "b"]
        assert [(one.line, one.code, one.device_id) for one in found.problems] == [
            (3, "too-long", "x"), (4, "too-long", "x"), (6, "too-long", "x"),
        ]  # fmt: skip
        assert found.batches[-1].next.offset == len(text + end)


def test_line_as_long_as_can_be_is_read():
    note = "y" * (MAX_ROW - len("a;abcd1234;"))
    found = found_in(f"ID;CREDENTIALS;note\na;abcd1234;{note}\n")
    assert found.entries[0].properties == {"note": note}


def test_properties_that_no_device_could_hold_are_a_problem():
    text = "ID;CREDENTIALS;note\na;abcd1234;" + "ü" * 60_000
    assert found_in(text.encode("cp1252")).problem.code == "too-long"
    assert found_in(text[:30_000].encode("cp1252")).problems == []


def test_guard_of_our_own_files_is_taken_off_but_not_from_passwords():
    text = "'=a;'=abcd1234;'+4915;'-x;'tis\n"
    (entry,) = full(text, "ID;CREDENTIALS;ICCID;p;q").entries
    assert (entry.device_id, entry.password, entry.iccid) == ("=a", "'=abcd1234", "+4915")
    assert entry.properties == {"p": "-x", "q": "'tis"}


def test_column_of_reasons_is_not_read():
    found = full("a;abcd1234;The ID is bad", "ID;CREDENTIALS;REASON")
    assert (found.entries[0].properties, found.warnings) == ({}, [])
    assert full("a;x;The ID is bad", "ID;CREDENTIALS;REASON").problem.cells == {"ID": "a"}


def test_external_ids_are_kept_once():
    header = "ID;CREDENTIALS;external-x;external-x;external-c8y_Serial;external-ü"
    (entry,) = full("a;abcd1234;1;1;a;ü", header).entries
    assert entry.external == (("x", "1"), ("ü", "ü"))


def test_numbers_that_a_spreadsheet_has_shortened_are_warned_about():
    found = found_in(
        "ID;CREDENTIALS;ICCID;external-x\n1.2E+11;abcd1234;;\nb;abcd1234;8.93E+18;8,9e+20\n"
        "12E05;abcd1234;12E05;+49\n"
    )
    assert [(one.line, one.column, one.code) for one in found.warnings] == [
        (2, "ID", "scientific"), (3, "ICCID", "scientific"), (3, "external-x", "scientific"),
    ]  # fmt: skip
    assert found.ids == ["b", "12E05"]


def test_ids_that_have_lost_their_zeros_are_warned_about():
    numbers = [f"{number:08d}" for number in range(10_000_000, 10_000_030)]
    found = found_in("ID\n" + "\n".join([*numbers, "1234567", "x1", "123456789", "1"]))
    assert [(one.line, one.column, one.code) for one in found.warnings] == [
        (32, "ID", "leading-zeros"), (35, "ID", "leading-zeros"),
    ]  # fmt: skip
    assert "others, which have 8" in found.warnings[0].reason


def test_numbers_that_grow_have_lost_nothing():
    assert found_in("ID\n" + "\n".join(map(str, range(3_000)))).warnings == []


@pytest.mark.parametrize("kind", ["c8y_Imei", "IMEI", "imei"])
def test_imei_with_a_wrong_digit_is_warned_about(kind):
    ids = ["490154203237518", "490154203237519", "49015420323751", "press-7"]
    rows = "".join(f"{one};abcd1234;{kind}\n" for one in ids * 2)
    found = found_in(f"ID;CREDENTIALS;IDTYPE\n{rows}")
    assert len(found.entries) == 8
    assert [(one.line, one.code) for one in found.warnings] == [(3, "imei"), (7, "imei")]


@pytest.mark.parametrize(
    ("text", "fits"),
    [("490154203237518", True), ("490154203237510", False), ("x", True), ("٤" * 15, True)],
)
def test_imei_is_checked_by_its_last_digit(text, fits):
    assert is_imei(text) is fits
