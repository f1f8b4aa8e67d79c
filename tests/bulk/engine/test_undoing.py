"""What an undo leaves alone: whatever somebody has used or changed since, and other tenants'."""

import pytest
from django.utils import timezone

from bulk import imports
from bulk.models import Existing, State
from inventory import groups, logins
from inventory.models import (
    ChildLink,
    DeviceCredentials,
    DeviceEvent,
    DeviceGroup,
    ExternalId,
    ManagedObject,
)
from registration.models import Registration, Tally
from tenants.actors import Actor
from tenants.models import AuditRecord, Tenant
from tests.bulk.files import (
    FULL,
    SECRET,
    SIMPLE,
    carried_on,
    counts,
    received,
    registered,
    undone,
)
from tests.logins import login_of
from tests.support import knock

pytestmark = pytest.mark.django_db
BY = Actor("olga")
OTHER = Actor("otto")


def device_of(device_id):
    return ManagedObject.objects.get(device_id=device_id)


def another_group(device_id):
    group = groups.create_at(Tenant.objects.get(pk="acme"), "Showroom", by=OTHER)
    groups.add_to_group(group, [device_of(device_id)], by=OTHER)


def another_name(device_id):
    device = device_of(device_id)
    ExternalId.objects.create(
        tenant=device.tenant, type="c8y_Imei", value="1", managed_object=device
    )


def a_link_of_a_client(device_id):
    device = device_of(device_id)
    gateway = ManagedObject.objects.create(tenant=device.tenant, kind="device", name="gateway")
    ChildLink.objects.create(parent=gateway, child=device, kind=ChildLink.Kind.DEVICE)


def its_own_thing(device_id):
    device = device_of(device_id)
    ManagedObject.objects.create(tenant=device.tenant, name="a thing", owner=device.owner)


USES = {
    "its login is disabled": lambda device_id: logins.disable(login_of(device_id), by=OTHER),
    "its password is revoked": lambda device_id: logins.revoke(login_of(device_id), by=OTHER),
    "it is in another group": another_group,
    "it has another external ID": another_name,
    "it is behind a gateway": a_link_of_a_client,
    "it owns something": its_own_thing,
    "it is expected anew": lambda device_id: Registration.objects.register(
        Tenant.objects.get(pk="acme"), device_id, by=OTHER
    ),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("path", ["", "Plant"], ids=["in no group", "in a group"])
def test_an_undo_leaves_a_device_alone_that_is_used(acme, use, path):
    one = registered(acme, FULL + f"used;{SECRET};;;{path}\nnew;{SECRET};;;{path}\n", BY)
    use("used")
    one = undone(one, BY)
    assert (one.undone, one.kept) == (1, 1)
    assert [login.device_id for login in DeviceCredentials.objects.all()] == ["used"]
    assert Tenant.objects.get(pk="acme").device_count == 1


def test_an_undo_leaves_a_device_alone_whose_password_was_replaced_meanwhile(acme, monkeypatch):
    one = registered(acme, FULL + f"used;{SECRET};;;\n", BY)
    # Before the import was finished: long files take their time.
    login = login_of("used")
    DeviceCredentials.issue(acme, "used", "another password", managed_object=login.managed_object)
    imports.Import.objects.update(finished_at=timezone.now())
    one = undone(one, BY)
    assert (one.undone, one.kept) == (0, 1)


def test_an_undo_takes_no_registration_away_that_another_tenant_has_by_now(acme, globex, operator):
    one = registered(acme, SIMPLE + "moved;\nhere;\n", BY)
    Registration.objects.get(device_id="moved").move_to(globex, by=operator)
    one = undone(one, BY)
    assert (one.undone, one.kept) == (1, 1)
    assert Registration.objects.get().tenant_id == "globex"
    assert (Tally.counts(acme).total(), Tally.counts(globex).total()) == (0, 1)


def test_an_undo_of_the_management_tenant_reaches_the_tenants_of_the_file(management, acme, globex):
    text = "ID;CREDENTIALS;TENANT\n" + f"a;{SECRET};acme\ng;{SECRET};globex\n"
    one = undone(registered(management, text, BY), BY)
    assert (one.undone, one.kept) == (2, 0)
    assert not DeviceCredentials.objects.exists()
    assert not Tenant.objects.filter(device_count__gt=0).exists()


def test_an_undo_leaves_groups_alone_that_somebody_uses(acme):
    rows = "".join(f"d{n};{SECRET};;;{path}\n" for n, path in enumerate(("A", "B", "C", "D")))
    one = registered(acme, FULL + rows, BY)
    at = {group.path: group for group in DeviceGroup.objects.all()}
    Registration.objects.register(acme, "soon", by=OTHER, group=at["A"])
    ManagedObject.objects.create(
        tenant=acme, kind="device", device_id="shell", group_to_join_id=at["B"].pk
    )
    ExternalId.objects.create(tenant=acme, type="plant", value="1", managed_object=at["C"])
    undone(one, BY)
    assert sorted(DeviceGroup.objects.values_list("path", flat=True)) == ["A", "B", "C"]
    assert Registration.objects.get().group_id == at["A"].pk


def test_an_undo_that_stumbled_goes_on_where_it_was_and_counts_all(acme, monkeypatch):
    for name in ("ROWS", "FIRST", "MOST"):
        monkeypatch.setattr(f"bulk.engine.pace.{name}", 2)
    rows = "".join(f"d{number};{SECRET};;;\n" for number in range(5))
    one = registered(acme, FULL + rows, BY)
    imports.undo(one, by=BY)

    def broken(*_args):
        raise ValueError

    def stumble(self, seconds):
        monkeypatch.setattr("bulk.engine.undoing._undo_devices", broken)

    with monkeypatch.context() as patch:
        patch.setattr("bulk.engine.pace.Pace.took", stumble)
        one = carried_on(one)
    assert (one.state, one.undone) == (State.FINISHED, 2)
    assert one.refusal
    monkeypatch.undo()
    one = undone(one, BY)
    assert (one.state, one.undone, one.kept, one.seen) == (State.UNDONE, 5, 0, 5)
    assert one.refusal == {}


def test_nothing_is_undone_that_was_only_updated(acme):
    registered(acme, SIMPLE + "a;Plant\n", BY)
    one = registered(acme, SIMPLE + "a;Hall\nb;\n", BY, on_existing=Existing.UPDATE)
    assert counts(one) == {"created": 1, "updated": 1}
    undone(one, BY)
    assert Registration.objects.get().device_id == "a"


def test_a_registration_that_knocked_and_was_reset_may_go(acme):
    one = registered(acme, SIMPLE + "a;\n", BY)
    registration = Registration.objects.get()
    knock(registration)
    registration.refresh_from_db()
    registration.reset(by=OTHER)
    assert undone(one, BY).undone == 1
    assert Tally.counts(acme).total() == 0


def test_an_undo_says_nothing_of_what_it_did_not_do(acme):
    one = undone(registered(acme, FULL + f"a;{SECRET};;;\n", BY), BY)
    assert not DeviceEvent.objects.filter(device_id="a").exists()
    assert received(acme, FULL + f"a;{SECRET};;;\n", BY).state == State.READY
    assert one.position == {}


def test_groups_go_with_those_they_are_in_unless_one_of_them_is_used(acme, monkeypatch):
    monkeypatch.setattr("bulk.engine.undoing.GROUPS", 3)
    paths = ("Plant/Hall 1/Line 1", "Plant/Hall 2", "Yard/North", "Yard/South")
    rows = "".join(f"d{n};{SECRET};;;{path}\n" for n, path in enumerate(paths))
    one = registered(acme, FULL + rows, BY)
    hall = DeviceGroup.objects.get(path="Plant/Hall 1")
    gateway = ManagedObject.objects.create(tenant=acme, kind="device", name="gateway")
    groups.add_to_group(hall, [gateway], by=OTHER)
    undone(one, BY)
    assert sorted(DeviceGroup.objects.values_list("path", flat=True)) == ["Plant", "Plant/Hall 1"]
    assert list(ChildLink.objects.values_list("parent__name", "child__name").order_by("pk")) == [
        ("Plant", "Hall 1"),
        ("Hall 1", "gateway"),
    ]
    told = AuditRecord.objects.filter(activity="Groups deleted together")
    assert sum(int(one.text.split()[0]) for one in told) == 5
    assert {one.actor_name for one in told} == {"olga"}


def test_an_undo_asks_as_often_for_many_as_for_few(acme, django_assert_max_num_queries):
    rows = "".join(f"d{n};{SECRET};;;Plant/Hall {n}\n" for n in range(150))
    one = registered(acme, FULL + rows, BY)
    imports.undo(one, by=BY)
    with django_assert_max_num_queries(70):
        assert carried_on(one).undone == 150
    assert not DeviceGroup.objects.exists()
