"""The indexes of devices and groups can only be used alone if a statement names the kind."""

from collections.abc import Callable

import pytest
from django.db.models import QuerySet

from inventory.models import DeviceGroup, Kind, ManagedObject
from inventory.models.managed_object import of_kind
from inventory.query import parse_query
from inventory.query_filters import condition_of

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
