"""Groups: a tree of paths in each tenant."""

import unicodedata

import pytest

from inventory.groups import group_at
from inventory.models import DeviceGroup, GroupPathError, split_path
from tenants.actors import SYSTEM
from tenants.models import AuditRecord

A_UMLAUT = "Gebäude"


def test_group_is_made_with_those_above_it(acme):
    group = group_at(acme, "Plant A/Hall 2/Line 3", by=SYSTEM)
    assert [str(one) for one in DeviceGroup.objects.all()] == [
        "Plant A",
        "Plant A/Hall 2",
        "Plant A/Hall 2/Line 3",
    ]
    assert (group.name, group.parent.path) == ("Line 3", "Plant A/Hall 2")
    assert group.parent.parent.parent is None


def test_group_that_is_there_is_found_however_it_is_written(acme):
    group = group_at(acme, A_UMLAUT + "/Hall 2", by=SYSTEM)
    decomposed = unicodedata.normalize("NFD", A_UMLAUT)
    assert group_at(acme, f" {decomposed} / Hall 2 ", by=SYSTEM) == group
    assert DeviceGroup.objects.count() == 2


def test_namesakes_of_two_tenants_are_two(acme, globex):
    ours = group_at(acme, "Plant A", by=SYSTEM)
    theirs = group_at(globex, "Plant A", by=SYSTEM)
    assert ours != theirs
    assert list(DeviceGroup.objects.for_tenant(acme)) == [ours]


@pytest.mark.parametrize(
    "path",
    [
        "",
        " ",
        "/",
        "/a",
        "a/",
        "a//b",
        "a/ /b",
        "a\tb",
        "a\x00b",
        "a\u200bb",
        "a\u202eb",
        "x" * 501,
    ],
)
def test_path_that_cannot_be_is_refused(path, acme):
    with pytest.raises(GroupPathError):
        group_at(acme, path, by=SYSTEM)
    assert not DeviceGroup.objects.exists()


def test_path_of_five_hundred_characters_is_the_longest():
    assert split_path("x" * 500) == ["x" * 500]


def test_search_finds_any_part_of_a_path_in_any_case(acme):
    group_at(acme, "Plant A/Hall 2", by=SYSTEM)
    found = DeviceGroup.objects.for_tenant(acme).matching("hall")
    assert [one.path for one in found] == ["Plant A/Hall 2"]
    assert DeviceGroup.objects.for_tenant(acme).matching("").count() == 2
    assert not DeviceGroup.objects.for_tenant(acme).matching("%").exists()


def test_making_groups_is_in_the_audit_log_once(acme, globex, operator):
    for _ in range(2):
        group_at(acme, "Plant A/Hall 2", by=operator)
    group_at(globex, "Plant A", by=operator)
    found = AuditRecord.objects.filter(type="Inventory").order_by("pk")
    assert [(one.tenant_id, one.activity, one.subject, one.actor_name) for one in found] == [
        ("acme", "Group created", "Plant A", "operator"),
        ("acme", "Group created", "Plant A/Hall 2", "operator"),
        ("globex", "Group created", "Plant A", "operator"),
    ]


def test_group_that_exists_is_found_and_none_is_made(acme, globex):
    made = group_at(acme, "Hall 2", by=SYSTEM)
    assert DeviceGroup.objects.existing(acme, " Hall 2") == made
    for tenant, path in ((globex, "Hall 2"), (acme, "Hall 3")):
        with pytest.raises(GroupPathError, match="There is no group"):
            DeviceGroup.objects.existing(tenant, path)
    assert DeviceGroup.objects.count() == 1
