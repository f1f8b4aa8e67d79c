"""``/healthz``: whether the database answers."""

import pytest
from django.db import connection

from tests.support import ERROR_TYPE


@pytest.mark.django_db
def test_pulse_is_there(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (200, "up")
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db(transaction=True)
def test_pulse_is_gone_when_the_database_does_not_answer(client, monkeypatch):
    connection.close()
    broken = {"NAME": "/nowhere/at/all.sqlite3", "HOST": "/nowhere", "OPTIONS": {}}
    if connection.vendor == "postgresql":
        broken["NAME"] = "nothing"
    with monkeypatch.context() as patch:
        for name, value in broken.items():
            patch.setitem(connection.settings_dict, name, value)
        answer = client.get("/healthz")
        assert answer.status_code == 503
        assert answer.json() == {"status": "down", "database": "does not answer"}
    assert client.get("/healthz").status_code == 200


def test_unknown_address_of_the_api_needs_no_database(client):
    answer = client.get("/devicecontrol/nothing")
    assert (answer.status_code, answer["Content-Type"]) == (404, ERROR_TYPE)
