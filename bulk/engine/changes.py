"""What a row changes about a device that is there already."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bulk.engine.judging import Judged, Verdict
from bulk.reading.results import OPERATIONS
from inventory.errors import InvalidObjectError
from inventory.fragments import merged
from inventory.many import AnyOf
from inventory.models import ChildLink, ExternalId
from inventory.models.credentials import password_digest


@dataclass(slots=True)
class Change:
    """What is to be different; None and empty mean that it stays."""

    name: str | None = None
    type: str | None = None
    fragments: dict[str, Any] | None = None
    digest: str | None = None
    names: list[tuple[str, str]] = field(default_factory=list)
    joins: bool = False
    type_id: int | None = None  # of the device type that it is of from now on
    supersedes: bool = False  # a registration for which nobody has knocked
    has_object: bool = True

    def __bool__(self) -> bool:
        values = (self.name, self.type, self.fragments, self.digest, self.type_id)
        is_changed = any(value is not None for value in values)
        is_changed = is_changed or self.joins or self.supersedes or not self.has_object
        return is_changed or bool(self.names)


def find_changes(rows: list[Judged]) -> dict[int, Change]:
    """Return what rows to be updated change, by line; those that change nothing are told so."""
    updates = [row for row in rows if row.verdict is Verdict.UPDATE]
    pks = [row.device.pk for row in updates if row.device is not None]
    names: set[tuple[int, str, str]] = set()
    groups: set[tuple[int, str]] = set()
    if pks:
        bound = ExternalId.objects.filter(AnyOf("managed_object", pks))
        names = set(bound.values_list("managed_object_id", "type", "value"))
        links = ChildLink.objects.filter(AnyOf("child", pks), kind=ChildLink.Kind.ASSET)
        groups = set(links.values_list("child_id", "parent__path"))
    changes = {}
    for row in updates:
        try:
            change = _change(row, names, groups)
        except InvalidObjectError as error:
            row.fail("too-long", "", f"With what the device has already: {error}")
            continue
        if change:
            changes[row.entry.line] = change
        else:
            row.verdict = Verdict.UNCHANGED
    return changes


def _change(row: Judged, names: set[tuple[int, str, str]], groups: set[tuple[int, str]]) -> Change:
    entry, device = row.entry, row.device
    change = Change(has_object=device is not None, supersedes=row.is_open)
    if entry.password:
        digest = entry.digest or password_digest(entry.device_id, entry.password)
        if row.login is None or row.login.digest != digest:
            change.digest = digest
    if device is None:
        change.names, change.joins = list(row.names()), bool(entry.path)
        return change
    if entry.name and entry.name != device.name:
        change.name = entry.name
    if entry.type and entry.type != device.type:
        change.type = entry.type
    if device.device_type_id is None:
        change.type_id = row.type_id
    after = merged(device.fragments, _onto(device.fragments, entry.fragments()))
    if after != device.fragments:
        change.fragments = after
    change.names = [each for each in row.names() if (device.pk, *each) not in names]
    change.joins = bool(entry.path) and (device.pk, entry.path) not in groups
    return change


def _onto(before: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is added together with what is there: a column stands for one value alone."""
    after: dict[str, Any] = {}
    for name, value in added.items():
        there = before.get(name)
        if isinstance(value, dict) and isinstance(there, dict):
            after[name] = {**there, **_onto(there, value)}
        elif name == OPERATIONS and isinstance(value, list) and isinstance(there, list):
            after[name] = [*there, *(each for each in value if each not in there)]
        else:
            after[name] = value
    return after
