"""Lists as CSV: nothing in them runs, nothing in them is lost."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.csv_export import LINES_AT_ONCE, csv_pieces, csv_response, guarded, needs_guard, unguarded

cells = st.text(st.characters(exclude_categories=["Cs"]))
hostile = (
    st.text(st.sampled_from("=+-@\t\r\n\"' \u00a0\u200b\ufeff\uff1d\uff0b\uff0d\uff20“”\u2018a1,;"))
    | cells
)


def parsed(header, rows):
    text = b"".join(csv_pieces(header, rows)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\nx", "\tx", " =1", "\u00a0=1",
        '"=1"', "'=1", "''=1", "“=1”", "\u2018=1", "«=1", "\ufeff=1", "\u200b=1", "\x00=1",
        "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x", "\ufe661", "\u22121", ' "\' \uff1d1', "-", "=", '=HYPERLINK("http://x")',
    ],
)  # fmt: skip
def test_cell_that_could_run_gets_an_apostrophe(text):
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize(
    "text",
    ["", "press-7", "1=1", "a@b.example", "'tis", '"quoted"', "0", "(=1)", "a\n=1", "Ü", "!-"],
)
def test_other_cells_stay_as_they_are(text):
    assert guarded(text) == text


@pytest.mark.parametrize(("value", "cell"), [(None, ""), (0, "0"), (-5, "'-5"), (True, "True")])
def test_cell_need_not_be_text(value, cell):
    assert guarded(value) == cell


@given(hostile)
def test_no_guarded_cell_begins_like_a_formula(text):
    cell = guarded(text)
    assert cell[:1] not in set("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
    assert not needs_guard(text) or cell[:1] == "'"


@given(hostile)
def test_guard_is_taken_off_again_by_our_own_reader(text):
    assert unguarded(guarded(text)) == text


@given(st.lists(st.lists(hostile, min_size=2, max_size=2), max_size=5))
def test_file_that_is_read_again_has_the_same_data(rows):
    found = parsed(["one", "two"], rows)
    assert found[0] == ["one", "two"]
    assert [[unguarded(cell) for cell in row] for row in found[1:]] == rows


def test_file_is_utf_8_that_spreadsheets_recognise():
    assert b"".join(csv_pieces(["ü"], [])) == b'\xef\xbb\xbf"\xc3\xbc"\r\n'


def test_text_that_is_not_unicode_does_not_stop_the_file():
    assert b'"a?b"' in b"".join(csv_pieces(["x"], [["a\ud800b"]]))


def test_rows_are_read_while_the_file_is_sent():
    read = []

    def rows():
        for number in range(10 * LINES_AT_ONCE):
            read.append(number)
            yield [number]

    pieces = csv_pieces(["number"], rows())
    next(pieces)
    assert len(read) < LINES_AT_ONCE + 1
    assert sum(piece.count(b"\r\n") for piece in pieces) + LINES_AT_ONCE == len(read) + 1


def test_answer_is_a_file_with_its_date():
    response = csv_response("audit-log", ["x"], [])
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="audit-log-20')
    assert response["Content-Disposition"].endswith('.csv"')
    assert response.streaming
