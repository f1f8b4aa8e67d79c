"""Fill the inventory for the measurements: devices in groups, each with an external ID."""

from typing import Any, Final
from urllib.parse import quote

from django.db import connection

from bench.sql import device_id, insert, moment, number_of, without_indexes, write
from inventory.models import ChildLink, ExternalId, ManagedObject

ROOTS: Final = 60  # groups at the top: a page of the tree is full in a small inventory, too
IN_FIRST: Final = 60  # groups in the first of them, for the same reason
FULL: Final = ROOTS + 1  # the group that fills a page of its members
IN_FULL: Final = 100  # devices put into it beside its own; one in five is another tenant's
DEVICES_PER_GROUP: Final = 100  # in a large inventory


def fill_devices(rows: int, tenant: str, other: str) -> dict[str, Any]:
    """Write ``rows`` devices in a hundredth as many groups; return what can be asked for."""
    # At least one subgroup in each: a line of the tree is drawn the same everywhere.
    groups = max(ROOTS + IN_FIRST + ROOTS, rows // DEVICES_PER_GROUP)
    without_indexes(ManagedObject, lambda: _write_objects(rows, groups, tenant, other))
    without_indexes(ChildLink, lambda: _write_links(rows, groups))
    without_indexes(ExternalId, lambda: write(_external_ids(groups, tenant, other), rows))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence('inventory_managedobject', 'id'), %s)",
                [rows + groups],
            )
    return {
        "first_group": 1,
        "a_path": quote(ManagedObject.objects.get(pk=FULL).path),
        "a_device": groups + rows // 2 + 1,
    }


def _write_objects(rows: int, groups: int, tenant: str, other: str) -> None:
    write(_groups(tenant), groups)
    write(_devices(groups, tenant, other), rows)


def _write_links(rows: int, groups: int) -> None:
    parent = _parent("n")
    columns = {"parent_id": parent, "child_id": "n", "kind": "'asset'"}
    write(insert("inventory_childlink", columns, where=f"n > {ROOTS}"), groups)
    # Devices of the other tenant are in no group: the groups are the first one's.
    columns = {"parent_id": f"n %% {groups} + 1", "child_id": f"n + {groups}", "kind": "'asset'"}
    write(insert("inventory_childlink", columns, where="n %% 5 <> 0"), rows)
    # One group fills a page, in a small inventory too.
    columns = {"parent_id": str(FULL), "child_id": f"n + {groups}", "kind": "'asset'"}
    elsewhere = f"n %% 5 <> 0 AND n %% {groups} + 1 <> {FULL}"
    write(insert("inventory_childlink", columns, where=elsewhere), IN_FULL)


def _parent(n: str) -> str:
    return f"CASE WHEN {n} <= {ROOTS + IN_FIRST} THEN 1 ELSE {n} %% {ROOTS} + 1 END"


def _groups(tenant: str) -> str:
    name = number_of("n", "Hall ", 5)
    above = number_of(_parent("n"), "Hall ", 5)
    columns = {
        "id": "n",
        "tenant_id": f"'{tenant}'",
        "kind": "'group'",
        "name": name,
        "name_key": f"lower({name})",
        "type": f"CASE WHEN n <= {ROOTS} THEN 'c8y_DeviceGroup' ELSE 'c8y_DeviceSubGroup' END",
        "fragments": """'{"c8y_IsDeviceGroup": {}}'""",
        "parent_id": f"CASE WHEN n <= {ROOTS} THEN NULL ELSE {_parent('n')} END",
        "path": f"CASE WHEN n <= {ROOTS} THEN {name} ELSE {above} || '/' || {name} END",
        "device_id": "''",
        "state": "''",
        "last_contact_at": moment("0"),
        **_common("operator"),
    }
    return insert("inventory_managedobject", columns)


def _devices(groups: int, tenant: str, other: str) -> str:
    name = number_of("n", "Press ", 7)
    columns = {
        "id": f"n + {groups}",
        "tenant_id": f"CASE WHEN n %% 5 = 0 THEN '{other}' ELSE '{tenant}' END",
        "kind": "'device'",
        "name": name,
        "name_key": f"lower({name})",
        "type": "CASE n %% 3 WHEN 0 THEN 'c8y_Linux' WHEN 1 THEN 'press' ELSE 'pump' END",
        "fragments": """'{"c8y_IsDevice": {}, "c8y_Hardware": {"model": "P7", "revision": "2"}}'""",
        "parent_id": "NULL",
        "path": "''",
        "device_id": device_id(),
        "state": "CASE n %% 20 WHEN 0 THEN 'disabled' WHEN 1 THEN 'never' ELSE 'connected' END",
        "last_contact_at": moment("n * 613 %% 1000003"),
        **_common("device_' || " + device_id() + " || '"),
    }
    return insert("inventory_managedobject", columns)


def _common(owner: str) -> dict[str, str]:
    return {
        "owner": f"'{owner}'",
        "created_at": moment("n"),
        "created_by_name": "'operator'",
        "reported_at": moment("n"),
        "updated_at": moment("n"),
        "last_contact_from": "''",
    }


def _external_ids(groups: int, tenant: str, other: str) -> str:
    columns = {
        "tenant_id": f"CASE WHEN n %% 5 = 0 THEN '{other}' ELSE '{tenant}' END",
        "type": "'c8y_Serial'",
        "value": number_of("n", "SN-", 9),
        "managed_object_id": f"n + {groups}",
        "created_at": moment("n"),
    }
    return insert("inventory_externalid", columns)
