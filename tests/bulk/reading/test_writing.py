"""Rows that failed can be put right and sent again."""

from hypothesis import given
from hypothesis import strategies as st

from bulk.reading.writing import write_rows
from tests.bulk.reading.hands import found_in


def written(names, delimiter, rows):
    return "".join(write_rows(names, delimiter, rows))


def test_rejects_have_the_columns_of_the_file_and_the_reason():
    names = ["Id", "credentials", "NAME", "REASON"]
    text = written(names, ",", [({"Id": "a", "NAME": "x,y"}, "The password is too short.")])
    assert text == (
        '\ufeff"Id","credentials","NAME","REASON"\r\n"a","","x,y","The password is too short."\r\n'
    )


def test_secrets_are_not_written_even_if_somebody_has_them():
    cells = {"ID": "a", "Credentials": "hunter2hunter2", "enrollment_otp": "hunter2"}
    assert "hunter2" not in written(["ID", "Credentials", "enrollment_otp"], ";", [(cells, "No.")])


def test_no_cell_begins_like_a_formula():
    text = written(["ID", "=x"], ";", [({"ID": "@a", "=x": "=1+1"}, "-")])
    assert '"\'@a";"\'=1+1";"\'-"' in text
    assert '"\'=x"' in text


def test_file_is_written_a_few_rows_at_a_time():
    pieces = list(write_rows(["ID"], ";", (({"ID": str(n)}, "No.") for n in range(10_000))))
    assert len(pieces) > 40
    assert len(found_in("".join(pieces)).entries) == 10_000


def test_problems_of_a_file_make_a_file_that_is_read_again():
    first = found_in("Id;NAME;PATH;CREDENTIALS\na;=1;'x;short\nb;n;/;abcd1234\n")
    rows = [(problem.cells, problem.reason) for problem in first.problems]
    again = found_in(written(first.header.names, ";", rows))
    assert again.header.names == (*first.header.names, "REASON")
    assert [problem.cells for problem in again.problems] == [one.cells for one in first.problems]


words = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=9)
names = st.lists(words, max_size=4, unique_by=str.upper)
values = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]) | st.sampled_from("=+-@'\"\n\t;,")
)


@given(
    names, st.sampled_from(";,\t"), st.lists(st.lists(values, min_size=4, max_size=4), max_size=4)
)
def test_whatever_is_in_a_property_comes_back(names, delimiter, rows):
    names = [f"p{name}".replace(".", "_") for name in names]
    cells = [dict(zip(names, row, strict=False)) for row in rows]
    text = written(
        ["ID", "AUTH_TYPE", *names], delimiter,
        [({"ID": f"d{at}", "AUTH_TYPE": "CERTIFICATES", **row}, "No.")
         for at, row in enumerate(cells)],
    )  # fmt: skip
    found = found_in(text)
    assert found.problems == []
    assert [entry.properties for entry in found.entries] == [
        {name: cell for name, cell in row.items() if cell} for row in cells
    ]
