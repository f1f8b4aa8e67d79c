"""Global roles: what they may hold, who may change them, and that it holds at once."""

import pytest

from tenants import global_roles
from tenants.actors import SYSTEM, Actor
from tenants.administration import AdministrationError, InputError
from tenants.models import AuditRecord, GlobalRole, User, VerifiedLogin
from tenants.roles import BUNDLES, DESCRIPTIONS, Role
from tests.support import REQUESTS, Api, at_once, give_rights

READ = ["ROLE_DEVICE_CONTROL_READ"]
SUBTENANTS = "ROLE_TENANT_MANAGEMENT_ADMIN"


@pytest.fixture
def boss(person):
    return Actor("administrator", person("acme/administrator"))


@pytest.fixture
def clerk(acme):
    """Somebody who may look after people and nothing else."""
    user = User.objects.create_user(acme, "clerk", "x")
    give_rights(user, Role.USER_MANAGEMENT_ADMIN)
    return Actor("clerk", user)


def role(tenant, name):
    return GlobalRole.objects.get(tenant=tenant, name=name)


def change(one, roles, *, by, name=None, description=""):
    global_roles.change_role(
        one, name=name or one.name, description=description, roles=roles, by=by
    )


def test_role_is_made_and_audited(acme, boss):
    made = global_roles.create_role(acme, " night  shift ", "At night.", READ, by=boss)
    assert (made.name, made.roles, made.is_built_in) == ("night shift", READ, False)
    entry = AuditRecord.objects.get(type="GlobalRole")
    assert (entry.activity, entry.subject) == ("Global role created", "night shift")
    assert entry.changes[1]["newValue"] == "ROLE_DEVICE_CONTROL_READ"


@pytest.mark.parametrize(
    ("name", "roles", "says"),
    [
        ("", READ, "blank"), ("-x", READ, "starts with a letter"), ("a/b", READ, "letters"),
        ("x" * 65, READ, "64"), ("a\x00", READ, "letters"), ("a\ud800", READ, "letters"),
        ("x", ["ROLE_DEVICE_BOOTSTRAP"], "services only"), ("x", ["ROLE_X"], "no right ROLE_X"),
        ("x", [], "at least one"),
    ],
    ids=lambda value: ascii(value)[:24],
)  # fmt: skip
def test_what_cannot_be_a_role_is_refused(name, roles, says, acme, boss):
    with pytest.raises(InputError, match=says):
        global_roles.create_role(acme, name, "", roles, by=boss)
    assert GlobalRole.objects.filter(tenant=acme).count() == len(BUNDLES)


@pytest.mark.parametrize("name", ["operator", "Operator"])
def test_name_that_is_taken_is_refused(name, acme, boss):
    with pytest.raises(AdministrationError, match="already a global role"):
        global_roles.create_role(acme, name, "", READ, by=boss)
    own = global_roles.create_role(acme, "own", "", READ, by=boss)
    with pytest.raises(AdministrationError, match="already a global role"):
        change(own, READ, by=boss, name=name)


def test_changed_role_holds_for_its_people_at_once(acme, globex, boss, person):
    assert Api("acme/operator").post(REQUESTS, {"id": "a"}).status_code == 201
    before = {user.pk: user.stamp for user in User.objects.all()}
    change(role(acme, "operator"), READ, by=boss)
    assert Api("acme/operator").post(REQUESTS, {"id": "b"}).status_code == 403
    assert Api("globex/operator").post(REQUESTS, {"id": "c"}).status_code == 201
    bumped = {user.pk for user in User.objects.all() if user.stamp > before[user.pk]}
    assert bumped == {person("acme/operator").pk}
    old = VerifiedLogin.objects.filter(user=person("acme/operator"))
    assert old.exists()
    change_of_roles = AuditRecord.objects.get(type="GlobalRole").changes[-1]
    assert "ROLE_DEVICE_CONTROL_ADMIN" in change_of_roles["previousValue"]
    assert change_of_roles["newValue"] == "ROLE_DEVICE_CONTROL_READ"


def test_change_that_changes_nothing_is_not_audited(acme, boss):
    one = role(acme, "operator")
    change(one, one.roles, by=boss)
    assert not AuditRecord.objects.exists()


def test_built_in_role_keeps_its_name_and_stays(acme, boss):
    one = role(acme, "reader")
    with pytest.raises(AdministrationError, match="keeps its name"):
        change(one, READ, by=boss, name="looker")
    with pytest.raises(AdministrationError, match="cannot be deleted"):
        global_roles.delete_role(one, by=boss)


def test_built_in_role_goes_back_to_its_default(acme, boss):
    one = role(acme, "operator")
    change(one, READ, by=boss)
    global_roles.reset_role(one, by=boss)
    one.refresh_from_db()
    bundle = next(bundle for bundle in BUNDLES if bundle.name == "operator")
    assert set(one.roles) == {str(each) for each in bundle.roles}
    assert one.description == bundle.description
    own = global_roles.create_role(acme, "own", "", READ, by=boss)
    with pytest.raises(AdministrationError, match="Only a built-in role"):
        global_roles.reset_role(own, by=boss)


def test_own_role_is_deleted_once_nobody_has_it(acme, boss, person):
    own = global_roles.create_role(acme, "own", "", READ, by=boss)
    holders = [User.objects.create_user(acme, f"holder{n}", None, global_roles=["own"])
               for n in range(7)]  # fmt: skip
    with pytest.raises(AdministrationError, match=r"holder0, .*holder4 and 2 more still have"):
        global_roles.delete_role(own, by=boss)
    for holder in holders:
        holder.global_roles.clear()
    global_roles.delete_role(own, by=boss)
    assert not GlobalRole.objects.filter(name="own").exists()
    assert AuditRecord.objects.latest("pk").activity == "Global role deleted"


def test_nobody_puts_rights_into_a_role_that_he_does_not_have(acme, clerk, boss):
    with pytest.raises(AdministrationError, match="do not have yourself"):
        global_roles.create_role(acme, "x", "", READ, by=clerk)
    own = global_roles.create_role(acme, "own", "", READ, by=boss)
    with pytest.raises(AdministrationError, match="do not have yourself"):
        change(own, ["ROLE_AUDIT_READ"], by=clerk)
    with pytest.raises(AdministrationError, match="do not have yourself"):
        change(own, ["ROLE_USER_MANAGEMENT_READ"], by=clerk)
    with pytest.raises(AdministrationError, match="do not have yourself"):
        change(own, READ, by=clerk, name="harmless")


def test_nobody_changes_a_role_of_somebody_with_more_rights(acme, clerk):
    with pytest.raises(AdministrationError, match="operator has rights that you do not have"):
        change(role(acme, "operator"), ["ROLE_USER_MANAGEMENT_OWN_READ"], by=clerk)


@pytest.mark.parametrize("by", ["boss", "system"])
def test_last_administrators_do_not_lose_their_right_by_a_role(by, acme, boss):
    with pytest.raises(AdministrationError, match="must keep the right"):
        change(role(acme, "administrator"), READ, by=boss if by == "boss" else SYSTEM)
    assert "ROLE_USER_MANAGEMENT_ADMIN" in role(acme, "administrator").roles


def test_rights_about_subtenants_are_offered_where_they_mean_something(acme, management, boss):
    assert "Subtenants" not in global_roles.offered(acme)
    assert "Subtenants" in global_roles.offered(management)
    everything = {one for roles in global_roles.offered(management).values() for one in roles}
    assert everything == set(DESCRIPTIONS) - {Role.DEVICE_BOOTSTRAP}
    one = role(acme, "administrator")
    change(one, [right for right in one.roles if right != SUBTENANTS], by=boss, description="x")
    assert SUBTENANTS in role(acme, "administrator").roles


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", range(3))
def test_role_and_person_changed_at_once_leave_an_administrator(_, acme, boss):
    from tenants import people

    other = User.objects.create_user(acme, "other", "x")
    give_rights(other, *[Role(one) for one in role(acme, "administrator").roles])
    results = at_once(
        lambda: change(role(acme, "administrator"), READ, by=Actor("other", other)),
        lambda: people.deactivate(User.objects.get(pk=other.pk), by=boss),
    )
    assert sum(isinstance(one, AdministrationError) for one in results) == 1, results
