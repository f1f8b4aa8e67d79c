"""Lists of IDs with secrets: every rule of their grammar, any list written and read back."""

import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bulk.models import Form
from bulk.reading import fields as reading
from bulk.reading.pairs import survey
from bulk.reading.problems import FileProblem
from bulk.reading.results import Position
from bulk.reading.rows import batches_of

SAMPLE = (
    "device1, secretfordevice1, device2, secretfordevice2, device3, secretfordevice3, \t \n"
    "  \t \n"
    "device4, secretfordevice4, device5, secretfordevice5"
)
QUOTES = 'a,"s,1","b ","s""2"'


def batches(data, *, most=1_000, start=None):
    """Return all batches of a list that has been surveyed."""
    stream = io.BytesIO(data if isinstance(data, bytes) else data.encode())
    dialect, first = survey(stream)
    found = batches_of(
        Form.PAIRS, stream, dialect, None, start or first, most=most, check=lambda *pair: None
    )
    return list(found)


def pairs(data, **how):
    """Return the pairs of a list."""
    found = batches(data, **how)
    return [(one.device_id, one.password) for batch in found for one in batch.entries]


def problems(data):
    """Return what is wrong: the number of the pair, its line, the code, and what is told."""
    return [
        (one.line, int(one.cells["LINE"]), one.code, one.device_id)
        for batch in batches(data)
        for one in batch.problems
    ]


TWO = [("a", "s1"), ("b", "s2")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SAMPLE, [(f"device{n}", f"secretfordevice{n}") for n in range(1, 6)]),
        ("a, s1\nb, s2\n", TWO),
        ("a,\ns1,\nb\n,s2,", TWO),
        ("a\ns1\nb\ns2", TWO),
        ("a,s1\r\nb,s2\r\n", TWO),
        ("a,s1\rb,s2\r", TWO),
        ("a,s1,b,s2,", TWO),
        ("\n \n a,s1,\n\n\nb,s2", TWO),
        ("\ufeffa,s1,b,s2", TWO),
        ("\ta\t,\ts1\t\n\tb,s2", TWO),
        ('a,"s1"\n "b" , s2', TWO),
        ("a b,s 1", [("a b", "s 1")]),
        (QUOTES, [("a", "s,1"), ("b ", 's"2')]),
        ('a"b,s"1"', [('a"b', 's"1"')]),
        ("id, secret\na, s1\nb, s2", TWO),
        ('"Device_ID","DEVICE_SECRET",a,s1,b,s2', TWO),
        ("id, secret-of-id, a, s1", [("id", "secret-of-id"), ("a", "s1")]),
    ],
    ids=[
        "published sample", "no trailing commas", "commas and lines", "lines alone", "CRLF", "CR",
        "trailing comma", "blank lines", "byte order mark", "tabs", "quoted", "inner blanks",
        "quotes keep", "literal quotes", "header", "quoted header", "no header",
    ],
)  # fmt: skip
@pytest.mark.parametrize("block", [1, 7, 262_144])
def test_list_is_read_as_it_is_meant(monkeypatch, text, expected, block):
    monkeypatch.setattr(reading, "BLOCK", block)
    assert pairs(text) == expected


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a,secret-1,b", "odd_field_count", None),
        ("a,secret-1,,", "odd_field_count", None),
        ("", "empty_file", 1),
        (" \r\n\t\n", "empty_file", 1),
        ("id,secret\n", "empty_file", 1),
        ('a,s1\nb,"secret-2', "unclosed_quote", 2),
        ('a,s1\n\nb,"secret" 2', "text_after_quote", 3),
        (b"a,s1\nb,secret-\xff", "not_utf8", 2),
        ("a,secret-1".encode("utf-16"), "not_utf8", 1),
        ("a,secret-1".encode("utf-16-le"), "not_utf8", 1),
        (b"PK\x03\x04secret", "not_utf8", 1),
        ("ID;CREDENTIALS;TYPE\na;secret-1;x", "other_form", 1),
        ("\ufeffID;PATH\na;secret", "other_form", 1),
        ("id,credentials\na,secret", "other_form", 1),
        ("a;secret-1\nb;secret-2", "other_form", 1),
    ],
)
@pytest.mark.parametrize("block", [1, 262_144])
def test_list_is_refused_as_a_whole_without_a_word_of_it(monkeypatch, text, code, line, block):
    monkeypatch.setattr(reading, "BLOCK", block)
    with pytest.raises(FileProblem) as error:
        batches(text)
    assert (error.value.code, error.value.line) == (code, line)
    assert "secret-" not in error.value.message


def test_line_that_lacks_a_field_is_named_if_it_is_the_only_one():
    with pytest.raises(FileProblem, match=r"5 fields.* Line 2 is the only one"):
        batches("a,s1\nb\nc,s3")
    with pytest.raises(FileProblem) as error:
        batches("a\ns1\nb")
    assert "Line" not in error.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,,b,s2", [(1, 1, "empty_secret", "a")]),
        ('a,"",\nb,s2', [(1, 1, "empty_secret", "a")]),
        (",s1,b,s2", [(1, 1, "empty_id", "")]),
        ('b,s2\na,"x\ny"\nc,s3', [(2, 2, "invalid_characters", "")]),
        ('b,s2,"x\r\ny",s,\na,""', [(2, 1, "invalid_characters", ""), (3, 3, "empty_secret", "a")]),
        ("ab\x00,s1", [(1, 1, "invalid_characters", "")]),
        ("gerät,s1", [(1, 1, "invalid_characters", "")]),
        ("a" * 70_000 + ",s1", [(1, 1, "invalid_device_id", "")]),
        ("a," + "x" * 600_000 + "\nc,s3", [(1, 1, "secret_too_long", "a")]),
        ("a,s" + " " * 600_000 + "1", [(1, 1, "secret_too_long", "a")]),
    ],
    ids=range(10),
)  # fmt: skip
def test_pair_that_is_none_leaves_the_others_in_their_places(text, expected):
    assert problems(text) == expected


def test_blanks_without_end_do_not_make_a_field_long():
    assert pairs("a, s1" + " " * 600_000 + "\n" * 600_000 + "b,s2" + "\r\n" * 300_000) == TWO


def test_list_without_a_second_half_is_noticed_where_the_pair_begins():
    (batch,) = batches("id,secret,\na,s1")
    (notice,) = batch.warnings
    assert (notice.line, notice.code, batch.entries[0].line, batch.entries[0].place) == (
        1, "header", 1, 2,
    )  # fmt: skip


# --- Any list -----------------------------------------------------------------------------------

visible = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12)
separators = st.sampled_from([",", ", ", "\n", ",\n", "\r\n", " ,\r\n\t", "\r", "\n \n,"])


@st.composite
def written(draw):
    """Return pairs, and a list that holds them, quoted where that is needed or somebody likes."""
    some = draw(st.lists(st.tuples(visible, visible), min_size=1, max_size=12))
    text = draw(st.sampled_from(["", "\ufeff", "\n", "\ufeff \r\n"]))
    for number, value in enumerate(value for pair in some for value in pair):
        if number:
            text += draw(separators)
        plain = value == value.strip() and value[0] != '"' and not set(value) & set(",")
        if plain and draw(st.booleans()):
            text += value
        else:
            text += '"' + value.replace('"', '""') + '"'
    return some, text + draw(st.sampled_from(["", ",", "\n", ", \n\n"]))


def _begins_like_something_else(some, text):
    line = text.lstrip("\ufeff \r\n").splitlines()[0]
    return ";" in line or "ID" in line.upper()


@settings(max_examples=150)
@given(written(), st.sampled_from([1, 3, 64, 262_144]), st.integers(1, 3))
def test_list_that_was_written_is_read_back(case, block, most):
    some, text = case
    if _begins_like_something_else(some, text):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BLOCK", block)
        found = batches(text, most=most)
        assert [(one.device_id, one.password) for each in found for one in each.entries] == some
        assert [one.line for each in found for one in each.entries] == [
            number + 1 for number in range(len(some))
        ]
        # From wherever a batch ended, the rest is the very same.
        for number, batch in enumerate(found[:-1]):
            later = batches(text, most=most, start=Position.from_dict(batch.next.as_dict()))
            assert [each.entries for each in later] == [
                each.entries for each in found[number + 1 :]
            ]
        assert [each.is_last for each in found] == [False] * (len(found) - 1) + [True]


@settings(max_examples=250)
@given(
    st.lists(
        st.sampled_from([b"a", b"s1", b",", b"\n", b"\r", b" ", b'"', b'""', b"\xc3\xa4", b"\xff",
                         b"\x00", b"\xef\xbb\xbf", b";", b"\t"])
        | st.binary(max_size=4),
        max_size=30,
    ).map(b"".join),
    st.sampled_from([1, 5, 262_144]),
)  # fmt: skip
@example(b'"a\r', 1)
@example(b"a,s1,\xc3", 1)
@example(b'"a"\r\n"b"', 1)
def test_whatever_comes_is_read_or_refused(data, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BLOCK", block)
        try:
            found = batches(data, most=2)
        except FileProblem:
            return
    assert all(
        "\x00" not in one.device_id and one.device_id.isascii()
        for each in found
        for one in [*each.entries, *each.problems]
    )
