"""What holds for every file: nothing lost, nothing twice, nothing raised, nothing betrayed."""

import codecs
import csv
import io
import string

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bulk.reading.dialect import Dialect
from bulk.reading.header import Header, read_header
from bulk.reading.lines import Lines
from bulk.reading.problems import FileProblem
from bulk.reading.results import Position
from bulk.reading.rows import RowReader, read_batches
from tests.bulk.reading.hands import detected, found_in

LETTERS = string.ascii_letters + string.digits
SIGNS = "`~!@#$%^&*()_|+-=?;:'\",.<>{}[]\\/"
text = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=30)
plain = text.map(str.strip)
words = st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=12)
devices = st.fixed_dictionaries(
    {
        "ID": st.text(LETTERS + "-_.:äß中", min_size=3, max_size=20),
        "CREDENTIALS": st.text(LETTERS + SIGNS, min_size=8, max_size=40),
        "TYPE": plain,
        "NAME": plain,
        "ICCID": st.text(string.digits, max_size=20),
        "IDTYPE": st.sampled_from(["", "c8y_Serial", "c8y_Imei", "x y"]),
        "PATH": st.lists(words, max_size=3).map("/".join),
        "SHELL": st.sampled_from(["", "0", "1"]),
        "warehouse.shelf": text,
        "note": text | st.just("two\nlines; and, \"more\""),
    }
)  # fmt: skip
DIALECTS = [
    (encoding, delimiter, newline)
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252")
    for delimiter in ";,\t"
    for newline in ("\n", "\r\n", "\r")
]


def csv_of(rows, delimiter, newline, quoting=csv.QUOTE_MINIMAL):
    file = io.StringIO(newline="")
    writer = csv.DictWriter(
        file, list(rows[0]), delimiter=delimiter, lineterminator=newline, quoting=quoting
    )
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


@settings(max_examples=150)
@given(
    st.lists(devices, min_size=1, max_size=6),
    st.sampled_from(DIALECTS),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.integers(1, 4),
)
def test_rows_that_were_written_are_read(rows, dialect, quoting, most):
    encoding, delimiter, newline = dialect
    # Our own guard would be taken off, and blanks around a cell without quotes are none of it.
    assume(not any(cell.startswith("'") for row in rows for cell in row.values()))
    data = csv_of(rows, delimiter, newline, quoting)
    assume(encoding != "cp1252" or data.encode("cp1252", "replace").decode("cp1252") == data)
    found = found_in(data.encode(encoding), most=most)
    assert found.problems == []
    for entry, row in zip(found.entries, rows, strict=True):
        assert (entry.password, entry.type, entry.name) == (
            row["CREDENTIALS"], row["TYPE"], row["NAME"],
        )  # fmt: skip
        assert (entry.iccid, entry.shell) == (row["ICCID"], row["SHELL"] == "1")
        assert entry.id_type == (row["IDTYPE"] or "c8y_Serial")
        if data.isascii():
            assert (entry.device_id, entry.path) == (row["ID"], row["PATH"])
        if quoting == csv.QUOTE_ALL:
            assert entry.properties.get("note", "") == row["note"]
            assert entry.properties.get("warehouse", {"shelf": ""}) == {
                "shelf": row["warehouse.shelf"]
            }


# Files that are nearly right, and pieces that make them wrong.
PIECES = [
    "\nd1;abcd1234", "\nd2;abcd1234;x;y", "\nabcd1234;d3;", '\n"d4";"abcd1234"',
    "\r\nd5;;CERTIFICATES;z",
    "\n", "\r\n", "\r", ";", '"', "'", " ", "\t", "a", "b1", "x" * 9, "abcd1234", "1", "1.2E+11",
    "ä", "\u2028", "\x07", "BASIC", "CERTIFICATES", "A/B", "//", "\n\n", '""', "'=x", "\ud7ff",
]  # fmt: skip
HEADERS = [
    "ID", "ID;PATH", "ID;CREDENTIALS", "CREDENTIALS;ID;NAME",
    "ID;NAME;note;CREDENTIALS;AUTH_TYPE;;",
    "ID;ENROLLMENT_OTP;AUTH_TYPE;a.b;external-x;PATH;TENANT;IDTYPE;ICCID;SHELL;TYPE;REASON",
]  # fmt: skip
nearly = st.tuples(
    st.sampled_from(HEADERS),
    st.lists(st.sampled_from(PIECES), max_size=60).map("".join),
    st.sampled_from(["utf-8", "utf-16", "utf-16-be", "cp1252"]),
    st.binary(max_size=3),
).map(lambda four: f"{four[0]}\n{four[1]}".encode(four[2], "replace") + four[3])
anything = (
    st.binary(max_size=300) | nearly | st.binary(max_size=60).map(lambda b: b"ID;CREDENTIALS\n" + b)
)


def whatever(data, most=3):
    """Return what is in a file, None for no file at all."""
    try:
        return found_in(data, most=most, block=7)
    except FileProblem:
        return None


@settings(max_examples=600)
@given(anything)
@example(b"ID;CREDENTIALS\n" + b'"\n' * 300)
@example("ID\n\ud800x".encode("utf-16-le", "surrogatepass"))
@example(b"ID;NAME\r\na;\r")
def test_file_is_read_whatever_is_in_it(data):
    found = whatever(data)
    if found is None:
        return
    assert [batch.is_last for batch in found.batches] == [False] * (len(found.batches) - 1) + [True]
    rows = 0
    for batch in found.batches:
        rows += len(batch.entries) + len(batch.problems)
        assert batch.next.row == rows
        assert len(batch.entries) + len(batch.problems) <= 3
    lines = [one.line for one in (*found.entries, *found.problems)]
    assert len(set(lines)) == len(lines)
    assert found.batches[-1].next.offset == len(data)
    for problem in found.problems:
        shown = repr(problem) + "".join(problem.cells.values())
        assert "\0" not in shown
        assert shown.encode()  # no halves of characters


def test_long_stretches_of_nothing_keep_nobody_waiting(monkeypatch):
    monkeypatch.setattr("bulk.reading.lines.BLOCK", 100)
    found = found_in("ID\na\n" + "\n" * 20_000 + "b\n" + ";\n" * 5_000)
    assert found.ids == ["a", "b"]
    assert len(found.batches) == 5
    assert [batch.is_last for batch in found.batches] == [False] * 4 + [True]


def as_told(batches):
    return [one for batch in batches for one in batch.entries], [
        one for batch in batches for one in batch.problems
    ]


@settings(max_examples=150)
@given(anything, st.integers(1, 4), st.integers(1, 4))
def test_reading_on_from_any_checkpoint_is_reading_it_all(data, most, then):
    found = whatever(data, most)
    if found is None:
        return
    for at, batch in enumerate(found.batches):
        stream = io.BytesIO(data)
        dialect = Dialect.from_dict(found.dialect.as_dict())
        header = Header.from_dict(found.header.as_dict())
        start = Position.from_dict(batch.next.as_dict())
        rest = list(read_batches(stream, dialect, header, start, most=lambda: then))
        assert as_told(rest) == as_told(found.batches[at + 1 :])
        assert (rest[-1].is_last, rest[-1].next) == (True, found.batches[-1].next)


@pytest.mark.parametrize("block", [1, 2, 5, 64])
@settings(max_examples=60)
@given(data=anything)
def test_rows_do_not_depend_on_where_blocks_end(data, block):
    found = whatever(data)
    if found is None:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bulk.reading.lines.BLOCK", block)
        patch.setattr("bulk.reading.rows.MAX_BLOCKS", len(data) + 2)
        again = list(
            read_batches(io.BytesIO(data), found.dialect, found.header, found.start, most=3)
        )
    assert as_told(again) == as_told(found.batches)
    assert [batch.next for batch in again] == [batch.next for batch in found.batches]


@settings(max_examples=200)
@given(
    anything
    | st.lists(devices, min_size=1, max_size=4).map(lambda rows: csv_of(rows, ";", "\n").encode())
)
def test_quick_reading_finds_what_careful_reading_finds(data):
    found = whatever(data, 1_000)
    if found is None:
        return
    lines = Lines(io.BytesIO(data), found.dialect, found.start)
    lines.more(0)
    careful = RowReader(found.header, found.dialect.delimiter)
    quick = RowReader(found.header, found.dialect.delimiter)
    for entry in found.entries:  # so that nothing is special because it is new
        quick._remember(entry)
    for at, line in enumerate(lines.lines):
        entry = quick._quick(line, lines.number + at)
        if entry is not None:
            result, after, warnings = careful._checker.check(
                lines.lines, at, lines.number + at, is_end=True
            )
            assert (result, after, warnings) == (entry, at + 1, [])


@settings(max_examples=100)
@given(st.binary(max_size=200), st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "cp1252"]))
def test_bytes_that_are_no_text_after_all_are_a_problem(data, encoding):
    dialect = Dialect(encoding, 0, ";", "LF")
    header = Header.of(["ID", "CREDENTIALS"])
    batches = list(read_batches(io.BytesIO(data), dialect, header, Position(0, 1, 0), most=5))
    assert batches[-1].is_last


CANARY = "hunter2-canary"
CANARIES = st.lists(
    st.sampled_from([*PIECES, CANARY, f'"{CANARY}"', f'"{CANARY}', f"{CANARY};", f"{CANARY} x"]),
    max_size=12,
).map("".join)


@settings(max_examples=300)
@given(CANARIES, st.sampled_from(["CREDENTIALS", "ENROLLMENT_OTP"]))
def test_no_secret_is_told_by_anything_but_itself(cells, column):
    found = found_in(f"ID;{column};AUTH_TYPE\nid-1;{cells}\n")
    for problem in found.problems:
        if problem.line == 2 and problem.code in {
            "cells",
            "quotes",
            "password",
            "otp",
            "characters",
        }:
            told = repr(problem)
            # Whatever stands where the secret should is kept; what has moved into other cells
            # of a row that fits its header cannot be told from what belongs there.
            assert CANARY not in told or ";" in cells
    for told in (*found.entries, *found.warnings):
        assert CANARY not in repr(told) or ";" in cells or "\n" in cells or "\r" in cells


@pytest.mark.parametrize(
    "row",
    [
        f"a b;{CANARY};n", f"a;{CANARY} x;n", f"a;{CANARY};n;x;y", f"a;{CANARY};{CANARY};x",
        f'a;"{CANARY};n', f'a;"{CANARY}"x;n', f"a;{CANARY}\x01;n", f"a;{CANARY};" + "n" * 501,
        f"a;{CANARY};" + "n" * 99_999,
    ],
)  # fmt: skip
def test_problem_of_a_row_keeps_its_password(row):
    found = found_in(f"ID;CREDENTIALS;NAME\n{row}\n")
    assert CANARY not in repr(found.problem)


def test_password_is_not_in_what_a_traceback_shows():
    (entry,) = found_in(f"ID;CREDENTIALS;note\na;{CANARY};x\n").entries
    assert entry.password == CANARY
    assert CANARY not in repr(entry)


def test_utf_16_mark_is_counted():
    data = codecs.BOM_UTF16_BE + "ID\na\n".encode("utf-16-be")
    _, start = read_header(io.BytesIO(data), detected(data))
    assert start == Position(8, 2, 0)
