"""People are told of the columns by the table that the reader reads with."""

import pytest

from bulk.reading.columns import AGENT, COLUMNS, SECRETS, STANDARD, Form, template
from tests.bulk.reading.hands import found_in


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("with_tenant", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_template_is_read_back_without_a_word(form, with_tenant, encoding):
    found = found_in(template(form, with_tenant=with_tenant).encode(encoding))
    assert found.header.form is form
    assert (len(found.entries), found.problems, found.warnings) == (3, [], [])
    assert {entry.tenant_id for entry in found.entries} == {"acme" if with_tenant else ""}


@pytest.mark.parametrize("form", list(Form))
def test_template_begins_with_the_quoted_names_of_its_columns(form):
    first, *rows = template(form, with_tenant=True).split("\r\n")
    names = first.split(";")
    assert all(name[0] == name[-1] == '"' for name in names)
    assert [row.count(";") for row in rows if row] == [len(names) - 1] * 3
    bare = {name.strip('"') for name in names}
    offered = STANDARD - {"ENROLLMENT_OTP"}  # a row with one would fail
    assert bare & STANDARD == (offered if form is Form.FULL else {"ID", "TENANT", "PATH"})


def test_simple_template_is_that_of_the_manual():
    assert template(Form.SIMPLE, with_tenant=False).startswith('"ID";"PATH"\r\n')


def test_full_template_shows_a_certificate_and_an_agent():
    first, second, third = found_in(template(Form.FULL, with_tenant=False)).entries
    assert (first.certificate, second.certificate, third.certificate) == (False, False, True)
    assert (third.password, third.otp) == ("", "")
    member, name = AGENT.split(".")
    assert first.fragments()[member] == {name: "true"}
    assert first.external == (("c8y_Imei", "358240051111110"),)


def test_secrets_of_a_template_are_nobodys():
    once, again = (found_in(template(Form.FULL, with_tenant=False)).entries for _ in range(2))
    secrets = {one.password for one in (*once, *again)}
    assert len(secrets - {""}) == 4


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_column_is_explained_in_a_sentence(column):
    assert column.meaning.endswith(".")
    assert (len(column.examples), bool(column.forms)) == (3, True)
    assert column.is_secret == (column.name in SECRETS)
