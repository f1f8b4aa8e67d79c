"""The tree of groups: made, renamed, moved, deleted, and true to itself all the while."""

import unicodedata
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory import groups
from inventory.errors import GroupConflictError
from inventory.fields import text_key
from inventory.groups import create_at, create_group, delete_group, move_group, rename_group
from inventory.models import ChildLink, DeviceGroup, GroupPathError, ManagedObject
from inventory.models.group import GROUP_TYPE, SUBGROUP_TYPE
from registration.models import Registration
from tenants.actors import SYSTEM
from tenants.models import AuditRecord
from tests.support import at_once

AT_ONCE = pytest.mark.django_db(transaction=True)
TWICE_OR_MORE = range(4)  # a race is run several times, since one run may go well by chance


def at(tenant, path):
    return DeviceGroup.objects.for_tenant(tenant).get(path=path)


def paths(tenant):
    placed = DeviceGroup.objects.for_tenant(tenant).exclude(path="")
    return sorted(placed.values_list("path", flat=True))


def assert_tree_is_sound():
    """Hold every group of every tenant against what must be true of it."""
    links = {
        (link.parent_id, link.child_id)
        for link in ChildLink.objects.filter(child__kind="group", kind=ChildLink.Kind.ASSET)
    }
    every = {group.pk: group for group in DeviceGroup.objects.all()}
    assert links == {(g.parent_id, g.pk) for g in every.values() if g.parent_id}
    seen = set()
    for group in every.values():
        names, one, is_loose = [], group, False
        while one is not None:
            assert one.pk not in names, "within itself"
            names.append(one.pk)
            parent = every.get(one.parent_id)
            assert parent is None or parent.tenant_id == one.tenant_id
            is_loose = parent is None and not one.path
            one = parent
        joined = "/".join(every[pk].name for pk in reversed(names))
        assert group.path == ("" if is_loose else joined)
        assert group.type == (SUBGROUP_TYPE if group.parent_id or is_loose else GROUP_TYPE)
        assert group.name_key == text_key(group.name)
        if group.path or group.parent_id:
            key = (group.tenant_id, group.parent_id, group.name)
            assert key not in seen
            seen.add(key)


# --- Making ---------------------------------------------------------------------------------


def test_group_is_made_where_it_is_to_be(acme, operator):
    plant = create_group(acme, " Plant A ", by=operator)
    hall = create_group(acme, "Hall 2", parent=plant, by=operator)
    assert (plant.path, hall.path, hall.parent_id) == ("Plant A", "Plant A/Hall 2", plant.pk)
    assert (plant.owner, plant.created_by_name) == ("operator", "operator")
    assert_tree_is_sound()


def test_path_is_made_whole_and_only_once(acme, globex, operator):
    create_at(acme, "Plant A/Hall 2", by=operator)
    create_at(acme, "Plant A/Hall 3/Line 1", by=operator)
    create_at(globex, "Plant A", by=operator)
    assert paths(acme) == ["Plant A", "Plant A/Hall 2", "Plant A/Hall 3", "Plant A/Hall 3/Line 1"]
    with pytest.raises(GroupConflictError, match="There is a group “Hall 2” in “Plant A” already"):
        create_at(acme, "Plant A/ Hall 2", by=operator)
    with pytest.raises(GroupConflictError, match="at the top level"):
        create_at(acme, "Plant A", by=operator)
    assert_tree_is_sound()


def test_names_are_the_same_as_they_are_after_normalizing_and_differ_by_case(acme, operator):
    create_group(acme, "Gebäude", by=operator)
    with pytest.raises(GroupConflictError):
        create_group(acme, unicodedata.normalize("NFD", "Gebäude"), by=operator)
    create_group(acme, "gebäude", by=operator)
    assert len(paths(acme)) == 2


@pytest.mark.parametrize("name", ["", " ", "a/b", "a\x00b", "a\ud800b", "a\u200bb", "x" * 501])
def test_name_that_cannot_be_is_refused(acme, operator, name):
    group = create_group(acme, "Plant A", by=operator)
    with pytest.raises(GroupPathError):
        create_group(acme, name, by=operator)
    with pytest.raises(GroupPathError):
        rename_group(group, name, by=operator)
    assert paths(acme) == ["Plant A"]


def test_path_that_grows_when_it_is_normalized_is_measured_afterwards(acme, operator):
    with pytest.raises(GroupPathError, match="at most 500 characters"):
        create_at(acme, "\u0958" * 500, by=operator)  # two characters each, in the end


def test_group_of_another_tenant_is_no_place(acme, globex, operator):
    theirs = create_group(globex, "Plant A", by=operator)
    with pytest.raises(DeviceGroup.DoesNotExist):
        create_group(acme, "Hall 2", parent=theirs, by=operator)
    ours = create_group(acme, "Hall 2", by=operator)
    with pytest.raises(DeviceGroup.DoesNotExist):
        move_group(ours, theirs, by=operator)
    assert_tree_is_sound()


def test_groups_nest_fifty_deep_and_no_deeper(acme, operator):
    deepest = create_at(acme, "/".join("abcde" * 10), by=operator)
    with pytest.raises(GroupPathError, match="50 deep"):
        create_group(acme, "one more", parent=deepest, by=operator)
    loose = create_group(acme, "loose", by=operator, is_loose=True)
    create_group(acme, "below", parent=loose, by=operator)
    almost = deepest.parent
    with pytest.raises(GroupPathError, match="50 deep"):
        move_group(loose, DeviceGroup.objects.get(pk=almost.pk), by=operator)
    loose.refresh_from_db()
    assert loose.path == ""


def test_loose_groups_nest_no_deeper_either(acme, operator):
    group = create_group(acme, "loose", by=operator, is_loose=True)
    for _ in range(49):
        group = create_group(acme, "below", parent=group, by=operator)
    with pytest.raises(GroupPathError, match="50 deep"):
        create_group(acme, "below", parent=group, by=operator)


# --- Renaming and moving --------------------------------------------------------------------


def test_rename_takes_all_paths_below_along(acme, operator):
    create_at(acme, "Plant A/Hall 2/Line 1", by=operator)
    create_at(acme, "Plant A2/Hall 2", by=operator)
    rename_group(at(acme, "Plant A"), "Plant B", by=operator)
    assert paths(acme) == [
        "Plant A2", "Plant A2/Hall 2", "Plant B", "Plant B/Hall 2", "Plant B/Hall 2/Line 1",
    ]  # fmt: skip
    assert_tree_is_sound()
    record = AuditRecord.objects.latest("pk")
    assert (record.activity, record.subject) == ("Group renamed", "Plant B")


def test_rename_to_a_name_that_is_taken_is_refused(acme, operator):
    create_at(acme, "Plant A/Hall 1", by=operator)
    hall = create_at(acme, "Plant A/Hall 2", by=operator)
    with pytest.raises(GroupConflictError, match="There is a group “Hall 1” in “Plant A” already"):
        rename_group(hall, "Hall 1", by=operator)
    rename_group(hall, "Hall 2", by=operator)  # what it is called already is no conflict
    assert not AuditRecord.objects.filter(activity="Group renamed").exists()


def test_move_takes_everything_along_and_back_to_the_top(acme, operator):
    create_at(acme, "Plant A/Hall 2/Line 1", by=operator)
    create_at(acme, "Plant B", by=operator)
    move_group(at(acme, "Plant A/Hall 2"), at(acme, "Plant B"), by=operator)
    assert paths(acme) == ["Plant A", "Plant B", "Plant B/Hall 2", "Plant B/Hall 2/Line 1"]
    assert_tree_is_sound()
    move_group(at(acme, "Plant B/Hall 2"), None, by=operator)
    assert paths(acme) == ["Hall 2", "Hall 2/Line 1", "Plant A", "Plant B"]
    assert_tree_is_sound()
    moved = AuditRecord.objects.filter(activity="Group moved").order_by("pk")
    assert [one.subject for one in moved] == ["Plant B/Hall 2", "Hall 2"]


def test_move_to_where_it_is_changes_nothing(acme, operator):
    hall = create_at(acme, "Plant A/Hall 2", by=operator)
    move_group(hall, at(acme, "Plant A"), by=operator)
    move_group(at(acme, "Plant A"), None, by=operator)
    assert not AuditRecord.objects.filter(activity="Group moved").exists()


@pytest.mark.parametrize("into", ["Plant A", "Plant A/Hall 2", "Plant A/Hall 2/Line 1"])
def test_group_cannot_be_moved_into_itself(acme, operator, into):
    create_at(acme, "Plant A/Hall 2/Line 1", by=operator)
    with pytest.raises(GroupConflictError, match="cannot be moved into itself"):
        move_group(at(acme, "Plant A"), at(acme, into), by=operator)
    assert_tree_is_sound()


def test_move_next_to_a_namesake_is_refused(acme, operator):
    create_at(acme, "Hall 2", by=operator)
    hall = create_at(acme, "Plant A/Hall 2", by=operator)
    with pytest.raises(GroupConflictError, match="at the top level already"):
        move_group(hall, None, by=operator)
    assert_tree_is_sound()


def test_paths_below_must_not_become_too_long(acme, operator):
    create_at(acme, "a/" + "b" * 400, by=operator)
    group = at(acme, "a")
    long = create_at(acme, "c" * 98, by=operator)
    with pytest.raises(GroupPathError, match="at most 500 characters"):
        rename_group(group, "a" * 100, by=operator)
    with pytest.raises(GroupPathError, match="at most 500 characters"):
        move_group(group, long, by=operator)
    assert at(acme, "a/" + "b" * 400)
    assert_tree_is_sound()


def test_loose_group_gets_its_place_later_with_all_below_it(acme, operator):
    create_at(acme, "Hall 2", by=operator)
    loose = create_group(acme, "Hall 2", by=operator, is_loose=True)
    line = create_group(acme, "Line 1", parent=loose, by=operator)
    create_group(acme, "Cell 1", parent=line, by=operator)
    assert paths(acme) == ["Hall 2"]
    rename_group(loose, "Hall 9", by=operator)
    rename_group(loose, "Hall 2", by=operator)  # loose, it is in nobody's way
    with pytest.raises(GroupConflictError):
        move_group(loose, None, by=operator)
    move_group(loose, create_at(acme, "Plant A", by=operator), by=operator)
    assert paths(acme)[-3:] == [
        "Plant A/Hall 2", "Plant A/Hall 2/Line 1", "Plant A/Hall 2/Line 1/Cell 1",
    ]  # fmt: skip
    assert_tree_is_sound()


def test_move_into_a_loose_group_leaves_the_tree(acme, operator):
    create_at(acme, "Hall 2/Line 1", by=operator)
    loose = create_group(acme, "loose", by=operator, is_loose=True)
    move_group(at(acme, "Hall 2"), loose, by=operator)
    assert paths(acme) == []
    assert_tree_is_sound()
    move_group(loose, None, by=operator)
    assert paths(acme) == ["loose", "loose/Hall 2", "loose/Hall 2/Line 1"]
    assert_tree_is_sound()


# --- Deleting -------------------------------------------------------------------------------


def test_delete_takes_the_groups_within_and_leaves_the_devices(acme, globex, operator):
    for tenant in (acme, globex):
        create_at(tenant, "Plant A/Hall 2/Line 1", by=operator)
    device = ManagedObject.objects.create(tenant=acme, kind="device", name="press")
    groups.add_to_group(at(acme, "Plant A/Hall 2"), [device], by=operator)
    assert delete_group(at(acme, "Plant A"), by=operator) == 3
    assert (paths(acme), len(paths(globex))) == ([], 3)
    assert groups.groups_of(device) == []
    record = AuditRecord.objects.latest("pk")
    assert (record.activity, record.subject) == ("Group deleted", "Plant A")
    assert record.text == "With 2 groups within it."
    with pytest.raises(DeviceGroup.DoesNotExist):
        delete_group(DeviceGroup(pk=987654, tenant=acme), by=operator)


def test_large_tree_is_deleted_in_batches(acme, operator, monkeypatch):
    monkeypatch.setattr(groups, "BATCH", 3)
    for number in range(10):
        create_at(acme, f"Plant A/Hall {number}/Line", by=operator)
    rename_group(at(acme, "Plant A"), "Plant B", by=operator)
    assert_tree_is_sound()
    assert delete_group(at(acme, "Plant B"), by=operator) == 21
    assert not DeviceGroup.objects.exists()


def test_registration_and_waiting_device_join_no_group_when_theirs_is_deleted(
    make_registration, acme, operator
):
    hall = create_at(acme, "Plant A/Hall 2", by=operator)
    registration = make_registration("press-7", group=hall)
    waiting = ManagedObject.objects.create(
        tenant=acme, kind="device", device_id="press-8", group_to_join=hall
    )
    delete_group(at(acme, "Plant A"), by=operator)
    registration.refresh_from_db()
    waiting.refresh_from_db()
    assert (registration.group, waiting.group_to_join) == (None, None)


def test_group_that_is_gone_cannot_be_chosen_any_more(make_registration, acme, operator):
    hall = create_at(acme, "Hall 2", by=operator)
    registration = make_registration("press-7")
    delete_group(DeviceGroup.objects.get(pk=hall.pk), by=operator)
    with pytest.raises(GroupPathError, match="deleted meanwhile"):
        registration.join_group(hall, by=operator)
    with pytest.raises(GroupPathError, match="deleted meanwhile"):
        Registration.objects.register(acme, "press-8", by=operator, group=hall)


# --- Whatever is done, the tree stays sound -------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c", "A"])
PLACES = st.integers(0, 12)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), NAMES, PLACES, st.booleans()),
        st.tuples(st.just("at"), st.lists(NAMES, min_size=1, max_size=4)),
        st.tuples(st.just("rename"), PLACES, NAMES),
        st.tuples(st.just("move"), PLACES, PLACES),
        st.tuples(st.just("delete"), PLACES),
    ),
    max_size=25,
)


def take_step(tenant, step, by):
    """Take one step; numbers choose among the groups there are, or none."""
    there = [None, *DeviceGroup.objects.for_tenant(tenant).order_by("pk")]
    chosen = [there[one % len(there)] for one in step if type(one) is int]
    match step[0]:
        case "create":
            loose = step[3] and chosen[0] is None
            create_group(tenant, step[1], parent=chosen[0], by=by, is_loose=loose,
                         kind=SUBGROUP_TYPE if loose else "")  # fmt: skip
        case "at":
            groups.group_at(tenant, "/".join(step[1]), by=by)
        case "rename" if chosen[0]:
            rename_group(chosen[0], step[2], by=by)
        case "move" if chosen[0]:
            move_group(chosen[0], chosen[1], by=by)
        case "delete" if chosen[0]:
            delete_group(chosen[0], by=by)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_tree_stays_sound_whatever_is_done(acme, steps):
    DeviceGroup.objects.for_tenant(acme).update(parent=None, path="")
    DeviceGroup.objects.for_tenant(acme).delete()
    for step in steps:
        with suppress(GroupConflictError, GroupPathError):  # refused: nothing has changed
            take_step(acme, step, SYSTEM)
        assert_tree_is_sound()


# --- Several people at once -----------------------------------------------------------------


def outcomes(results, *allowed):
    """Return what went wrong beside what is allowed to."""
    return [one for one in results if isinstance(one, Exception) and not isinstance(one, allowed)]


@AT_ONCE
@pytest.mark.postgres
@pytest.mark.parametrize("_run", TWICE_OR_MORE)
def test_two_moves_never_make_a_cycle_together(acme, operator, _run):
    one, other = (create_at(acme, name, by=SYSTEM) for name in ("A", "B"))
    results = at_once(
        lambda: move_group(one, other, by=operator), lambda: move_group(other, one, by=operator)
    )
    assert [type(each) for each in results if each is not None] == [GroupConflictError]
    assert_tree_is_sound()


@AT_ONCE
@pytest.mark.postgres
@pytest.mark.parametrize("_run", TWICE_OR_MORE)
def test_rename_and_create_below_at_once(acme, operator, _run):
    plant = create_at(acme, "Plant A", by=SYSTEM)
    results = at_once(
        lambda: rename_group(plant, "Plant B", by=operator),
        *[
            lambda number=number: create_group(acme, f"Hall {number}", parent=plant, by=operator)
            for number in range(4)
        ],
        lambda: create_at(acme, "Plant A/Hall 9", by=operator),
    )
    assert outcomes(results) == []
    assert_tree_is_sound()
    assert {f"Plant B/Hall {number}" for number in range(4)} < set(paths(acme))


@AT_ONCE
@pytest.mark.postgres
@pytest.mark.parametrize("_run", TWICE_OR_MORE)
def test_delete_and_create_below_at_once(acme, operator, _run):
    plant = create_at(acme, "Plant A", by=SYSTEM)
    results = at_once(
        lambda: delete_group(plant, by=operator),
        *[
            lambda number=number: create_group(acme, f"Hall {number}", parent=plant, by=operator)
            for number in range(4)
        ],
    )
    assert outcomes(results, DeviceGroup.DoesNotExist) == []
    assert paths(acme) == []
    assert_tree_is_sound()


@AT_ONCE
@pytest.mark.postgres
@pytest.mark.parametrize("_run", TWICE_OR_MORE)
def test_many_make_the_same_path_at_once(acme, operator, _run):
    results = at_once(
        *[lambda: groups.group_at(acme, "Plant A/Hall 2/Line 1", by=operator) for _ in range(8)],
        *[lambda: create_at(acme, "Plant A/Hall 2/Line 1", by=operator) for _ in range(4)],
    )
    assert outcomes(results, GroupConflictError) == []
    assert len(paths(acme)) == 3
    assert_tree_is_sound()


@AT_ONCE
@pytest.mark.postgres
@pytest.mark.parametrize("_run", TWICE_OR_MORE)
def test_group_is_deleted_while_registrations_choose_it(make_registration, acme, operator, _run):
    group = create_at(acme, "Plant A", by=SYSTEM)
    rows = [make_registration(f"press-{number}") for number in range(4)]
    results = at_once(
        lambda: delete_group(group, by=operator),
        *[lambda row=row: row.join_group(group, by=operator) for row in rows],
        *[
            lambda number=number: Registration.objects.register(
                acme, f"saw-{number}", by=operator, group=group
            )
            for number in range(4)
        ],
    )
    assert outcomes(results, GroupPathError) == []
    assert not DeviceGroup.objects.exists()
    assert not Registration.objects.exclude(group=None).exists()
