"""How a file is written is found out from the file, whoever wrote it."""

import codecs

import pytest

from bulk.reading.dialect import MAX_HEADER, Detector, Dialect
from bulk.reading.problems import FileProblem
from tests.bulk.reading.hands import detected, found_in

TEXT = "ID;NAME;CREDENTIALS\nü1;Düsseldorf €;abcd1234\nü2;Paß;abcd1234\n"
FILES = [
    pytest.param(TEXT.encode(), "utf-8", 0, id="utf-8"),
    pytest.param(TEXT.encode("utf-8-sig"), "utf-8", 3, id="utf-8-with-mark"),
    pytest.param(TEXT.encode("cp1252"), "cp1252", 0, id="windows-1252"),
    pytest.param(codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "utf-16-le", 2, id="utf-16-le"),
    pytest.param(codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16-be", 2, id="utf-16-be"),
    pytest.param(TEXT.encode("utf-16-le"), "utf-16-le", 0, id="utf-16-le-without-mark"),
    pytest.param(TEXT.encode("utf-16-be"), "utf-16-be", 0, id="utf-16-be-without-mark"),
]


@pytest.mark.parametrize("block", [1, 2, 3, 7, 65_536])
@pytest.mark.parametrize(("data", "encoding", "bom"), FILES)
def test_encoding_is_told_by_the_bytes(data, encoding, bom, block):
    found = found_in(data, block=block)
    assert (found.dialect.encoding, found.dialect.bom) == (encoding, bom)
    assert found.ids == ["ü1", "ü2"]
    assert [entry.name for entry in found.entries] == ["Düsseldorf €", "Paß"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("block", [1, 65_536])
@pytest.mark.parametrize(
    ("newline", "name"), [("\n", "LF"), ("\r\n", "CRLF"), ("\r", "CR")], ids=["lf", "crlf", "cr"]
)
def test_end_of_lines_is_that_of_the_first(newline, name, block, encoding):
    found = found_in(TEXT.replace("\n", newline).encode(encoding), block=block)
    assert found.dialect.newline == name
    assert found.ids == ["ü1", "ü2"]


def test_other_ends_of_lines_further_down_are_no_trouble():
    assert found_in("ID;PATH\r\na;\nb;\r\nc;").ids == ["a", "b", "c"]
    assert found_in("ID;PATH\na;\r\nb;\n\r\nc;").ids == ["a", "b", "c"]
    assert found_in("ID;PATH\ra;\r\nb;\r").ids == ["a", "b"]


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ("ID;PATH", ";"),
        ("ID,PATH", ","),
        ("ID\tPATH", "\t"),
        ('"ID";"PATH"', ";"),
        ('"ID","a;b;c;d"', ","),
        ("a;b,ID,NAME;x", ","),  # what sets ID apart
        ("NAME;id;a,b,c,d", ";"),
        ("ID", ";"),
        ('"ID', ";"),
        ("NAME\tTYPE\tx", "\t"),
    ],
)
def test_delimiter_is_told_by_the_header(header, delimiter):
    assert detected(header.encode()).delimiter == delimiter
    assert detected(f"{header}\na,b;c;d\te,f;;;;;;,,,,,,,".encode()).delimiter == delimiter


def test_password_with_other_delimiters_is_one_cell():
    found = found_in("ID\tCREDENTIALS\nx\ta;b,c;d,e\n")
    assert found.entries[0].password == "a;b,c;d,e"


@pytest.mark.parametrize(
    "lead", ["\n", "\r\n\r\n", " \n\t\n", "sep=,\n", "sep=,\r\n\n", '"sep=,"\n']
)
def test_what_stands_before_the_header_is_passed_over(lead):
    found = found_in(f"{lead}ID,PATH\na,Plant\n")
    assert found.dialect.delimiter == ","
    assert (found.ids, found.entries[0].line) == (["a"], lead.count("\n") + 2)


def test_mark_that_stands_there_twice_is_no_part_of_the_name():
    assert found_in("\ufeff\ufeffID;PATH\na;\n").ids == ["a"]
    assert found_in("\ufeff\ufeffID,PATH\na,\n".encode("utf-16-le")).ids == ["a"]


@pytest.mark.parametrize(
    ("data", "line", "says"),
    [
        (b"", 1, "empty"),
        (b"\n\n \r\n", 1, "empty"),
        (b"\xef\xbb\xbf", 1, "empty"),
        (b"ID;PATH\na;\nb\0;\n", 3, "NUL byte"),
        (b"ID;PATH\ra;\rb\0;\r", 3, "NUL byte"),
        (b"\0" * 100, 1, "NUL byte"),
        ("ID;PATH\na;\nb\0;\n".encode("utf-16"), 3, "NUL byte"),
        ("ID;PATH\na;\n".encode("utf-32"), 1, "NUL byte"),
        (b"PK\x03\x04" + b"\x14" * 100, 1, "workbook"),
        (b"\x1f\x8b" + b"\x14" * 100, 1, "Unpack"),
        ("ID;PATH\na;\n".encode("utf-16") + b"x", 3, "something else"),
        ("ID;PATH\na;ü\n".encode("utf-16") + b"\x00\xd8\n\0", 3, "something else"),
        ("ID;PATH\na;ü\n".encode() + b"b;\xfc\n", 3, "begins as UTF-8"),
        ("\ufeffID;PATH\na;\n".encode() + b"b;\xfc\n", 3, "begins as UTF-8"),
        (b"ID;" + b"x" * MAX_HEADER, 1, "at most 262,144 bytes"),
    ],
)
@pytest.mark.parametrize("block", [1, 65_536])
def test_file_that_is_none_is_refused_with_its_line(data, line, says, block):
    with pytest.raises(FileProblem, match=says) as refused:
        detected(data, block=block)
    assert (refused.value.line, refused.value.message) == (line, str(refused.value))


def test_header_alone_is_no_matter_of_the_dialect():
    found = found_in("ID;PATH")
    assert [(batch.entries, batch.is_last) for batch in found.batches] == [([], True)]


def test_dialect_is_shown_in_words_and_kept_as_json():
    dialect = detected(b"ID\tPATH\r\n")
    assert dialect.label() == "UTF-8, separated by tabs, lines end with CRLF"
    assert Dialect.from_dict(dialect.as_dict()) == dialect


def test_header_that_comes_in_single_bytes_takes_no_longer():
    detector = Detector()
    for _ in range(100_000):
        detector.feed(b"\n")
    detector.feed(b"ID")
    assert detector.finish().newline == "LF"
