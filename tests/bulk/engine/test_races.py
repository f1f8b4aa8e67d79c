"""Several at once: two files with the same devices, two workers at one file, people in between."""

import threading
from contextlib import suppress

import pytest
from django.db import connection, connections, transaction

from bulk import engine, imports
from bulk.engine import sql
from bulk.engine.changes import find_changes
from bulk.engine.pace import Pace
from bulk.models import Existing, Import, ImportItem, State
from inventory.groups import delete_group
from inventory.models import ChildLink, DeviceCredentials, DeviceGroup, ExternalId, ManagedObject
from inventory.objects import Deletion, delete_object
from registration.errors import RegistrationError
from registration.models import Registration
from tenants.actors import Actor
from tenants.models import Tenant
from tests.bulk.files import FULL, SECRET, SIMPLE, received
from tests.support import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
BY = Actor("olga")
NUMBER = 600


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr("bulk.engine.pace.ROWS", 50)


def full(numbers):
    return FULL + "".join(
        f"d-{number:04};{SECRET};press;Press {number};Plant/Hall {number % 5}\n"
        for number in numbers
    )


def started(tenant, text, on_existing=Existing.UPDATE):
    one = received(tenant, text, BY)
    imports.start(one, on_existing=on_existing, by=BY, call=False)
    return one


def test_two_files_with_the_same_devices_leave_each_device_once(acme):
    ones = [
        started(acme, full(range(NUMBER))),
        started(acme, full(reversed(range(NUMBER)))),
        started(acme, full(range(NUMBER))),
    ]
    at_once(*(lambda one=one: engine.carry_on(one.pk) for one in ones))
    ones = [Import.objects.get(pk=one.pk) for one in ones]
    assert [(one.state, one.failed) for one in ones] == [(State.FINISHED, 0)] * 3
    assert sum(one.created for one in ones) == NUMBER
    assert DeviceCredentials.objects.count() == NUMBER
    assert ManagedObject.objects.devices().count() == NUMBER
    assert ExternalId.objects.count() == NUMBER
    assert ChildLink.objects.filter(child__kind="device").count() == NUMBER
    assert DeviceGroup.objects.count() == 6
    assert Tenant.objects.get(pk="acme").device_count == NUMBER


def test_two_workers_do_each_row_of_one_file_once(acme):
    one = started(acme, full(range(NUMBER)))
    at_once(*(lambda: engine.carry_on(one.pk) for _ in range(4)))
    one.refresh_from_db()
    assert (one.state, one.created, one.failed) == (State.FINISHED, NUMBER, 0)
    assert ImportItem.objects.filter(owner=one).count() == NUMBER


def test_two_tenants_that_bring_the_same_ids_share_them_out(acme, globex):
    ones = [started(acme, full(range(NUMBER))), started(globex, full(reversed(range(NUMBER))))]
    at_once(*(lambda one=one: engine.carry_on(one.pk) for one in ones))
    ones = [Import.objects.get(pk=one.pk) for one in ones]
    assert sum(one.created for one in ones) == NUMBER
    assert sum(one.failed for one in ones) == NUMBER
    for one in ones:
        assert one.state == State.FINISHED
        theirs = ManagedObject.objects.devices().filter(tenant=one.tenant_id)
        assert theirs.count() == one.created
        assert Tenant.objects.get(pk=one.tenant_id).device_count == one.created


def test_the_device_limit_holds_for_files_that_run_side_by_side(acme):
    Tenant.objects.filter(pk="acme").update(device_limit=333)
    ones = [started(acme, full(range(start, start + 300))) for start in (0, 300)]
    at_once(*(lambda one=one: engine.carry_on(one.pk) for one in ones))
    ones = [Import.objects.get(pk=one.pk) for one in ones]
    assert sum(one.created for one in ones) == 333
    assert DeviceCredentials.objects.count() == 333
    assert Tenant.objects.get(pk="acme").device_count == 333


def test_a_group_that_is_deleted_meanwhile_is_made_anew(acme, monkeypatch):
    one = started(acme, full(range(NUMBER)))
    chunks = []
    took = Pace.took

    def deleting(pace, seconds):
        took(pace, seconds)
        chunks.append(seconds)
        if len(chunks) in {2, 5}:
            at_once(lambda: delete_group(DeviceGroup.objects.get(path="Plant"), by=BY))

    monkeypatch.setattr(Pace, "took", deleting)
    engine.carry_on(one.pk)
    one.refresh_from_db()
    assert (one.state, one.created) == (State.FINISHED, NUMBER)
    assert DeviceGroup.objects.count() == 6


def test_people_who_register_the_same_devices_meanwhile(acme):
    one = started(acme, SIMPLE + "".join(f"d-{n:04};\n" for n in range(NUMBER)), Existing.FAIL)
    done = threading.Event()

    def run():
        engine.carry_on(one.pk)
        done.set()

    def register():
        mine = 0
        for number in reversed(range(NUMBER)):
            if done.is_set():
                break
            try:
                Registration.objects.register(acme, f"d-{number:04}", by=BY)
                mine += 1
            except RegistrationError:
                pass
        return mine

    _, mine = at_once(run, register)
    one.refresh_from_db()
    assert one.state == State.FINISHED
    assert (one.created, one.failed) == (NUMBER - mine, mine)
    assert Registration.objects.count() == NUMBER


def test_an_undo_and_a_second_file_of_the_same_devices(acme):
    first = started(acme, full(range(NUMBER)))
    engine.carry_on(first.pk)
    first.refresh_from_db()
    imports.undo(first, by=BY)
    second = started(acme, full(range(NUMBER)))
    at_once(lambda: engine.carry_on(first.pk), lambda: engine.carry_on(second.pk))
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == (State.UNDONE, State.FINISHED)
    left = DeviceCredentials.objects.count()
    assert ManagedObject.objects.devices().count() == ExternalId.objects.count() == left
    assert Tenant.objects.get(pk="acme").device_count == left


def everything():
    tables = (ManagedObject, DeviceCredentials, ExternalId, ChildLink, ImportItem)
    return [model.objects.count() for model in tables]


@pytest.mark.parametrize("is_allowed", [True, False])
def test_a_role_that_must_have_each_key_checked_writes_the_same(acme, is_allowed):
    one = received(acme, FULL + "".join(f"d{n};{SECRET};;;Hall {n % 3}\n" for n in range(50)), BY)
    imports.start(one, on_existing=Existing.UPDATE, by=BY, call=False)
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE restricted")
        cursor.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO restricted")
        cursor.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO restricted")
        if is_allowed:
            cursor.execute("GRANT SET ON PARAMETER session_replication_role TO restricted")
        cursor.execute("SET ROLE restricted")
        try:
            with transaction.atomic(), sql.keys_held():
                cursor.execute("SHOW session_replication_role")
                assert cursor.fetchone() == ("replica" if is_allowed else "origin",)
            cursor.execute("SHOW session_replication_role")
            assert cursor.fetchone() == ("origin",)
            engine.carry_on(one.pk)
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute("DROP OWNED BY restricted")
            cursor.execute("DROP ROLE restricted")
    one.refresh_from_db()
    assert (one.state, one.created, one.refusal) == (State.FINISHED, 50, {})
    assert everything() == [53, 50, 50, 50, 50]


def orphans():
    """Return which foreign keys point to rows that are not there."""
    found = {}
    for model in (ManagedObject, DeviceCredentials, ExternalId, ChildLink, ImportItem):
        for field in model._meta.concrete_fields:
            if field.remote_field is None:
                continue
            there = field.related_model._base_manager.values("pk")
            lost = model.objects.exclude(**{field.attname: None})
            if number := lost.exclude(**{f"{field.attname}__in": there}).count():
                found[model.__name__, field.name] = number
    return found


def test_groups_that_go_all_the_time_leave_nothing_that_points_to_them(acme):
    one = started(acme, full(range(NUMBER)))
    done = threading.Event()

    def run():
        try:
            engine.carry_on(one.pk)
        finally:
            done.set()

    def delete():
        number = 0
        while not done.is_set() and number < 60:
            with suppress(DeviceGroup.DoesNotExist):
                delete_group(DeviceGroup.objects.get(path=f"Plant/Hall {number % 5}"), by=BY)
                number += 1
        return number

    _, deleted = at_once(run, delete)
    one.refresh_from_db()
    assert deleted > 5
    assert (one.state, one.created + one.failed) == (State.FINISHED, NUMBER)
    assert DeviceCredentials.objects.count() == one.created > NUMBER // 2
    assert orphans() == {}


def test_an_object_of_a_client_that_goes_meanwhile_leaves_nothing_behind(acme, monkeypatch):
    thing = ManagedObject.objects.create(tenant=acme, kind="device", name="thing")
    ExternalId.objects.create(tenant=acme, type="c8y_Serial", value="d-0007", managed_object=thing)
    one = started(acme, FULL + "".join(f"d-{n:04};{SECRET};;;\n" for n in range(40)))

    def delete():
        try:
            with suppress(ManagedObject.DoesNotExist):
                delete_object(ManagedObject.objects.get(pk=thing.pk), Deletion(), by=BY)
        finally:
            connections.close_all()

    deleting = threading.Thread(target=delete)

    def look(rows):
        if deleting.ident is None:
            deleting.start()
            deleting.join(0.5)  # it waits for us, or is done before we write
        return find_changes(rows)

    monkeypatch.setattr("bulk.engine.running.find_changes", look)
    engine.carry_on(one.pk)
    deleting.join()
    one.refresh_from_db()
    assert (one.state, one.failed) == (State.FINISHED, 0)
    assert orphans() == {}
