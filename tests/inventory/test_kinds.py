"""The indexes of devices and groups can only be used alone if a statement names the kind."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from inventory.models import DeviceGroup, Kind, ManagedObject
from inventory.models.managed_object import of_kind
from inventory.query import parse_query
from inventory.query_filters import condition_of, filter_objects
from tenants.models import Tenant

pytestmark = pytest.mark.django_db


def _asked() -> QuerySet[ManagedObject]:
    condition = parse_query("$filter=has(c8y_IsDevice)").condition
    assert condition is not None
    return ManagedObject.objects.filter(condition_of(condition))


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (Kind.DEVICE, ManagedObject.objects.devices),
        (Kind.DEVICE, _asked),
        (Kind.GROUP, DeviceGroup.objects.all),
        (Kind.OTHER, lambda: ManagedObject.objects.filter(of_kind(Kind.OTHER))),
    ],
)
def test_the_kind_stands_in_the_statement(
    kind: Kind, asked: Callable[[], QuerySet[ManagedObject]]
) -> None:
    statement, parameters = asked().query.sql_with_params()
    assert f"'{kind.value}'" in statement
    assert kind.value not in parameters


@pytest.mark.parametrize(
    ("filters", "is_by_index"),
    [
        ({"q": ""}, True),
        ({"fragment_type": "c8y_IsDevice"}, True),
        ({"q": "", "type": "press"}, False),
        ({"q": "$orderby=name"}, False),
        ({"q": "", "of_tenant": False}, False),
        ({}, False),
    ],
    ids=str,
)
def test_all_devices_of_a_tenant_are_paged_by_an_index_of_their_own(
    acme: Tenant, filters: dict[str, Any], *, is_by_index: bool
) -> None:
    rows = ManagedObject.objects.for_tenant(acme).reported()
    page = filter_objects(rows, **{"of_tenant": True, **filters})[:51]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Of tables without rows the plan says nothing, unless sorting is out of the question.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
    assert ("+ 0" in str(page.query)) is is_by_index
    assert not is_by_index or "device_tenant_number" in page.explain()
