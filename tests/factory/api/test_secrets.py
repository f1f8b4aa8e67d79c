"""A canary in every secret that the Operations API takes: it sings nowhere."""

import logging

import pytest
from django.apps import apps

from tests.factory.api.calls import ids_of, pairs
from tests.factory.api.conftest import TYPES

CANARY = "tweety-4711"


def test_no_answer_no_row_and_no_line_has_a_secret(ops, thermostat, make_type, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    path, other = ids_of(thermostat), ids_of(make_type("Strict", device_id_pattern="x.*"))
    without = ids_of(make_type("Gateway", security_option="temporary_credentials"))
    good = {"device_id": "d1", "secret": f"{CANARY}-1"}
    bodies = [
        pairs(good), pairs(good), pairs(("d1", f"{CANARY}-2")), pairs(("d2", CANARY), ("d2", "x")),
        pairs(("d1", f"{CANARY}-3"), ("d1", f"{CANARY}-4")), pairs((CANARY, CANARY)),
        pairs({**good, CANARY: CANARY}), pairs({"device_id": [CANARY], "secret": CANARY}),
        pairs({"device_id": f"{CANARY}\x00", "secret": f"{CANARY}-5\x00"}), {CANARY: CANARY},
        pairs({"device_id": "d3", "secret": [CANARY]}), pairs(("d4", CANARY * 30)),
        b'{"device_ids": [{"device_id": "d1", "secret": "' + CANARY.encode() + b'"}, oh no]}',
        b'{"secret": "' + CANARY.encode() + b'", "secret": 1}', CANARY.encode() + b"\xff",
    ]  # fmt: skip
    answers = [
        ops.put(f"{where}?partial={partial}&on_existing={existing}", body)
        for body in bodies
        for where, partial, existing in (
            (path, "false", "update"), (path, "true", "fail"), (without, "true", "skip")
        )
    ]  # fmt: skip
    # Where IDs and secrets are shifted, a secret comes as an ID.
    shifted = pairs((f"{CANARY}-id", "some-device"))
    answers += [ops.put(f"{other}?partial={partial}", shifted) for partial in ("true", "false")]
    answers += [ops.get(path), ops.get(TYPES), ops.post(TYPES, {CANARY: 1, "name": CANARY * 20})]
    assert {answer.status_code for answer in answers} == {200, 400, 409, 422}
    rows = [row for model in apps.get_models() for row in model._base_manager.values()]
    out, err = capfd.readouterr()
    for place in (*(answer.content.decode() for answer in answers), *map(repr, rows), caplog.text,
                  *(str(record.__dict__) for record in caplog.records), out, err):  # fmt: skip
        assert CANARY not in place


def test_canary_sings_where_a_secret_is_taken_for_something_else(ops, thermostat):
    answer = ops.put(ids_of(thermostat), pairs((CANARY, "secretfordevice1")))
    assert CANARY in answer.content.decode()
    with pytest.raises(AssertionError):
        assert all(
            CANARY not in repr(row)
            for model in apps.get_models()
            for row in model._base_manager.values()
        )
