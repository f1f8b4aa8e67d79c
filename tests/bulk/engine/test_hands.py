"""Two chunks of one file at a time: it comes to the same as one after the other."""

import threading

import pytest
from django.db import transaction

from bulk import engine, imports
from bulk.engine import full, hands, running
from bulk.models import Existing, Import, ImportItem, ImportProblem, State
from inventory.models import DeviceCredentials, ExternalId, ManagedObject
from registration.models import Registration
from tenants.actors import Actor
from tenants.models import Tenant
from tests.bulk.files import FULL, SECRET, carried_on, counts, everything, received, registered
from tests.support import at_once, set_limit

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
BY = Actor("olga")
ROWS = 20  # of a chunk
NUMBER = 400


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr("bulk.engine.pace.ROWS", ROWS)


@pytest.fixture
def beside(monkeypatch):
    """Return the numbers of chunks that hands were given, and of those that they gave back."""
    seen = {"given": 0, "back": 0}
    give, wait = hands.Hands.give, hands.Hands.wait

    def giving(self, *args):
        seen["given"] += 1
        give(self, *args)

    def waiting(self):
        batch = wait(self)
        seen["back"] += batch is not None
        return batch

    monkeypatch.setattr(hands.Hands, "give", giving)
    monkeypatch.setattr(hands.Hands, "wait", waiting)
    return seen


def row(number, name="d"):
    return f"{name}-{number:05};{SECRET}{number};press;Press {number};Plant/Hall {number % 7}\n"


def new_ones(acme):
    return FULL + "".join(row(number) for number in range(NUMBER))


def some_are_there(acme):
    old = "".join(row(n).replace("Press", "Old") for n in range(0, NUMBER, 3))
    registered(acme, FULL + old, BY)
    return new_ones(acme)


def all_are_there(acme):
    registered(acme, new_ones(acme), BY)
    return new_ones(acme)


def some_are_expected(acme):
    for number in range(0, NUMBER, 50):
        Registration.objects.register(acme, f"d-{number:05}", by=BY)
    return new_ones(acme)


def the_next_chunk_repeats_rows(acme):
    numbers = [n - ROWS if n % 37 == 0 and n > ROWS else n for n in range(NUMBER)]
    return FULL + "".join(map(row, numbers))


def rows_are_bad(acme):
    return FULL + "".join(
        "no ID;x\n" if n % 23 == 0 else row(n).replace("Hall", "x" * 1_100 if n % 41 == 0 else "H")
        for n in range(NUMBER)
    )


def rows_meet_in_an_external_id(acme):
    head = "ID;CREDENTIALS;external-c8y_Imei\n"
    return head + "".join(
        f"d-{n};{SECRET};{n // 2 if n % 30 == 20 else n}\n" for n in range(NUMBER)
    )


def groups_are_new_in_every_chunk(acme):
    return FULL + "".join(f"d-{n};{SECRET};;;Plant {n // 10}/Hall\n" for n in range(NUMBER))


def there_is_not_room_for_all(acme):
    set_limit(acme, 333)
    return new_ones(acme)


def rows_adopt_one_object_of_a_client(acme):
    thing = ManagedObject.objects.create(tenant=acme, kind="device", name="thing")
    for kind, value in (("c8y_Serial", "d-00010"), ("c8y_Imei", "d-00030")):
        ExternalId.objects.create(tenant=acme, type=kind, value=value, managed_object=thing)
    lines = [row(n)[:-1] + ";c8y_Serial;\n" for n in range(NUMBER)]
    lines[30] = "d-00030;;press;Other;;c8y_Imei;CERTIFICATES\n"
    return "ID;CREDENTIALS;TYPE;NAME;PATH;IDTYPE;AUTH_TYPE\n" + "".join(lines)


CASES = [
    new_ones, some_are_there, all_are_there, some_are_expected, the_next_chunk_repeats_rows,
    rows_are_bad, rows_meet_in_an_external_id, groups_are_new_in_every_chunk,
    there_is_not_room_for_all, rows_adopt_one_object_of_a_client,
]  # fmt: skip


def result_of(one):
    problems = ImportProblem.objects.filter(owner=one).order_by("line", "pk")
    devices = dict(ManagedObject.objects.devices().values_list("pk", "device_id"))
    items = ImportItem.objects.filter(owner=one).order_by("line", "pk")
    return {
        **everything(),
        "items": [
            (line, key, outcome, devices.get(number))
            for line, key, outcome, number in items.values_list("line", "key", "outcome", "number")
        ],
        "problems": list(problems.values_list("line", "column", "code", "reason", "device_id")),
        "counts": counts(one),
        "end": (one.state, one.rows, one.seen, one.position, bytes(one.file_key)),
        "places": Tenant.objects.get(pk=one.tenant_id).device_count,
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_it_comes_to_the_same_as_one_chunk_after_the_other(case, acme, beside):
    text = case(acme)
    with transaction.atomic():  # where a second connection would see nothing
        expected = result_of(registered(acme, text, BY))
        transaction.set_rollback(True)
    beside["given"] = 0
    assert result_of(registered(acme, text, BY)) == expected
    assert beside["given"] > 2
    assert threading.active_count() == 1 or not any(
        thread.name.startswith("bulk-hand") for thread in threading.enumerate()
    )


def test_new_devices_are_never_given_back(acme, beside):
    registered(acme, new_ones(acme), BY)
    assert beside == {"given": NUMBER // ROWS, "back": 0}


def test_a_file_of_one_chunk_needs_no_hands(acme, beside):
    registered(acme, FULL + "".join(map(row, range(ROWS))), BY)
    assert beside["given"] == 0


@pytest.mark.parametrize("wish", [imports.pause, imports.cancel], ids=["pause", "cancel"])
def test_wishes_count_for_the_chunk_beside_as_well(acme, wish, monkeypatch):
    one = received(acme, new_ones(acme), BY)
    imports.start(one, on_existing=Existing.UPDATE, by=BY, call=False)
    write, written = full.write, []

    def wishing(owner, rows, *args):
        write(owner, rows, *args)
        written.append(rows)
        if len(written) == 5:
            # Over another connection: this one's transaction may be the one that has to yield.
            assert at_once(lambda: wish(Import.objects.get(pk=one.pk), by=BY)) == [None]

    monkeypatch.setattr(full, "write", wishing)
    one = carried_on(one)
    assert one.state == (State.PAUSED if wish is imports.pause else State.CANCELLED)
    assert 4 * ROWS <= one.seen <= 7 * ROWS
    agrees(one)
    if wish is imports.pause:
        imports.go_on(one, by=BY)
        one = carried_on(one)
        assert (one.state, one.created) == (State.FINISHED, NUMBER)
        agrees(one)


def agrees(one):
    """Say that exactly the first rows of the file are written, as many as are counted."""
    number = one.seen
    ids = sorted(DeviceCredentials.objects.values_list("device_id", flat=True))
    assert ids == [f"d-{n:05}" for n in range(number)]
    assert ImportItem.objects.filter(owner=one).count() == one.created == number
    assert Tenant.objects.get(pk=one.tenant_id).device_count == number


@pytest.mark.parametrize("broken", [4, 5])
@pytest.mark.parametrize("place", ["judging", "writing", "noting"])
def test_whatever_stumbles_leaves_whole_chunks_and_it_goes_on(acme, monkeypatch, broken, place):
    one = received(acme, new_ones(acme), BY)
    imports.start(one, on_existing=Existing.UPDATE, by=BY, call=False)
    module, name = {
        "judging": (running, "find_changes"),
        "writing": (full, "write"),
        "noting": (running, "write_items"),
    }[place]
    called, work, lock = [], getattr(module, name), threading.Lock()

    def stumbling(*args):
        with lock:
            called.append(args)
            is_due = len(called) == broken
        if is_due:
            raise ValueError
        return work(*args)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, stumbling)
        one = carried_on(one)
    assert (one.state, bool(one.refusal), one.holder) == (State.PAUSED, True, "")
    assert one.seen % ROWS == 0
    agrees(one)
    imports.go_on(one, by=BY)
    one = carried_on(one)
    assert (one.state, one.created) == (State.FINISHED, NUMBER)
    agrees(one)


def test_two_files_that_meet_in_every_chunk_leave_each_device_once(acme):
    texts = [new_ones(acme), FULL + "".join(map(row, reversed(range(NUMBER))))]
    ones = [received(acme, text, BY) for text in texts]
    for one in ones:
        imports.start(one, on_existing=Existing.UPDATE, by=BY, call=False)
    at_once(*(lambda one=one: engine.carry_on(one.pk) for one in ones))
    ones = [Import.objects.get(pk=one.pk) for one in ones]
    assert [(one.state, one.seen, one.failed) for one in ones] == [(State.FINISHED, NUMBER, 0)] * 2
    assert sum(one.created for one in ones) == NUMBER == DeviceCredentials.objects.count()
    assert Tenant.objects.get(pk="acme").device_count == NUMBER


def test_who_has_lost_the_lease_writes_nothing_more(acme, monkeypatch):
    one = received(acme, new_ones(acme), BY)
    imports.start(one, on_existing=Existing.UPDATE, by=BY, call=False)
    write, written = full.write, []

    def lose():
        Import.objects.filter(pk=one.pk).update(holder="somebody else", lease_until=None)

    def losing(owner, rows, *args):
        write(owner, rows, *args)
        written.append(rows)
        if len(written) == 4:
            at_once(lose)

    with monkeypatch.context() as patch:
        patch.setattr(full, "write", losing)
        one = carried_on(one)
    assert (one.state, one.holder) == (State.RUNNING, "somebody else")
    agrees(one)
    one = carried_on(one)
    assert (one.state, one.created) == (State.FINISHED, NUMBER)
    agrees(one)
