"""Files that others work on, stop, or post at the same time: the answer is true all the same."""

import time
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from bulk import imports
from bulk.api import views
from bulk.engine.working import STUMBLED
from bulk.models import Door, Existing, Import, ImportBlock, State
from inventory.models import DeviceCredentials, ManagedObject
from registration.models import Registration
from tenants.api.http import ApiError
from tests.bulk.api.forms import BULK, upload
from tests.bulk.api.test_bulk_new_device_requests import OLD, counts, send
from tests.support import ERROR_TYPE, Api, at_once

ROWS = 6_000  # more than one chunk on either database
MANY = "ID\n" + "".join(f"press-{number}\n" for number in range(ROWS))


@pytest.fixture
def running(acme, operator):
    """Return an import that has been started, and nobody works on."""

    def start(file=MANY):
        one = imports.receive(acme, [file.encode()], by=operator, door=Door.API)
        imports.start(one, on_existing=Existing.FAIL, by=operator, call=False)
        return one

    return start


def refusal(one):
    with pytest.raises(ApiError) as caught:
        views.carry_out(one)
    return caught.value


@pytest.mark.parametrize(
    ("stop", "state", "word"),
    [(imports.pause, State.PAUSED, "paused"), (imports.cancel, State.CANCELLED, "cancelled")],
)
def test_file_that_somebody_stops_is_not_answered_as_done(stop, state, word, running, operator):
    one = running()
    Import.objects.filter(pk=one.pk).update(rows=ROWS)
    stop(one, by=operator)
    error = refusal(one)
    done = Registration.objects.count()
    assert 0 < done < ROWS
    assert (error.status, one.state) == (409, state)
    assert f"was {word} after {done} of {ROWS} rows" in error.message


def test_file_that_stumbled_is_reported_as_our_fault(running):
    one = running()
    Import.objects.filter(pk=one.pk).update(
        state=State.PAUSED, refusal={"line": None, "column": "", "message": STUMBLED}
    )
    error = refusal(one)
    assert error.status == 500
    assert "not the file's fault" in error.message


def test_file_that_others_hold_is_waited_for(running):
    """Whoever holds it is gone: the request goes on when the lease has run out."""
    one = running("ID\npress-1\n")
    until = timezone.now() + timedelta(seconds=1)
    Import.objects.filter(pk=one.pk).update(holder="elsewhere:1:x", lease_until=until)
    started = time.monotonic()
    views.carry_out(one)
    assert time.monotonic() - started > 0.5
    assert (one.state, one.created) == (State.FINISHED, 1)


def test_file_that_others_hold_for_too_long_is_not_called_done(running, monkeypatch):
    monkeypatch.setattr(views, "PATIENCE", 0.3)
    one = running("ID\npress-1\n")
    until = timezone.now() + timedelta(hours=1)
    Import.objects.filter(pk=one.pk).update(holder="elsewhere:1:x", lease_until=until)
    error = refusal(one)
    assert error.status == 503
    assert "still at work" in error.message


@pytest.mark.django_db(transaction=True)
def test_nothing_of_a_file_is_left_when_it_is_answered(house, settings):
    office = Api("acme/administrator")
    assert counts(send(office, f"ID;CREDENTIALS\npress-1;{OLD}\n")) == (1, 1, 0, 1)
    assert send(office, "NAME\nx\n").status_code == 422
    whole = upload(MANY.encode())
    cut = whole.content[:-10]
    assert office.call("POST", BULK, cut, content_type=whole.content_type).status_code == 400
    settings.BULK_API_MAX_ROWS = 1
    assert send(office, MANY).status_code == 413
    assert not ImportBlock.objects.exists()
    assert sorted(Import.objects.values_list("state", flat=True)) == [
        "finished", "refused", "refused",
    ]  # fmt: skip
    assert not any(bytes(key) for key in Import.objects.values_list("file_key", flat=True))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rows", [1, 300])
def test_same_full_file_from_four_sides_makes_each_device_once(rows, house):
    file = "ID;CREDENTIALS;PATH\n" + "".join(
        f"press-{number};{OLD};Plant A/Hall {number % 3}\n" for number in range(rows)
    )
    answers = at_once(*[lambda: send(Api("acme/administrator"), file)] * 4)
    results = [counts(answer) for answer in answers]
    assert {(everything, failed, fine) for everything, _, failed, fine in results} == {
        (rows, 0, rows)
    }
    assert sum(created for _, created, _, _ in results) == rows
    assert sum(len(answer.json()["credentialUpdatedList"]) for answer in answers) == 3 * rows
    ids = Counter(DeviceCredentials.objects.values_list("device_id", flat=True))
    assert ids == {f"press-{number}": 1 for number in range(rows)}
    assert ManagedObject.objects.filter(device_id__startswith="press-").count() == rows
    assert Api("acme/device_press-0", OLD).get("/user/currentUser").status_code == 200


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_same_simple_file_from_four_sides_makes_each_registration_once(house):
    file = "ID\n" + "".join(f"press-{number}\n" for number in range(300))
    answers = at_once(*[lambda: send(Api("acme/administrator"), file)] * 4)
    results = [counts(answer) for answer in answers]
    assert all(created + failed == 300 for _, created, failed, _ in results)
    assert sum(created for _, created, _, _ in results) == 300
    assert Registration.objects.count() == 300


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_file_that_is_cancelled_in_the_middle_says_how_far_it_came(house, operator):
    def cancel():
        for _ in range(2_000):
            one = Import.objects.filter(state=State.RUNNING, seen__gt=0).first()
            if one is not None:
                return imports.cancel(one, by=operator)
            time.sleep(0.005)
        raise AssertionError

    many = "ID\n" + "".join(f"press-{number}\n" for number in range(40_000))
    answer, cancelled = at_once(lambda: send(Api("acme/administrator"), many), cancel)
    assert cancelled is None
    assert (answer.status_code, answer["Content-Type"]) == (409, ERROR_TYPE)
    done = Registration.objects.count()
    assert f"cancelled after {done} of 40000 rows" in answer.json()["message"]
    assert 0 < done < 40_000
