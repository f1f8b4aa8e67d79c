"""What the rows of a file come to, as things stand in the database.

The same rules for the plan that people see and for the work itself; only the work holds what it
has looked at. Rows are judged in the order of the file.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from bulk.engine.leaving import cells_of
from bulk.engine.repeats import Repeats
from bulk.keys import item_key
from bulk.models import Existing, Form, Import, ImportItem
from bulk.reading.header import Header
from bulk.reading.rows import Entry, Problem
from inventory.many import AnyOf, devices_at
from inventory.models import DeviceCredentials, ExternalId, Kind, ManagedObject, Tombstone
from registration.errors import DeviceOfTypeError
from registration.lifecycle import Status
from registration.models import Registration
from tenants.models import Tenant

NO_OTP: Final = (
    "Gatehouse issues no certificates, so a one-time password for one is of no use. Leave the cell "
    "empty, or give the device a password in CREDENTIALS."
)


_WAITING: Final = Status.WAITING_FOR_CONNECTION
# Why no row can let a device in past its registration.
_WHY_NOT: Final = {
    Status.PENDING_ACCEPTANCE: (
        "registration_pending",
        (
            "A device has knocked with this ID and waits for a decision. Accept it, or cancel its "
            "registration first."
        ),
    ),
    Status.ACCEPTED: (
        "registration_in_progress",
        (
            "The registration with this ID has been accepted, and the device has yet to log in. "
            "Wait for it, or cancel its registration first."
        ),
    ),
    Status.BLOCKED: (
        "registration_blocked",
        "The registration with this ID is blocked. Cancel it first, if the device may come in.",
    ),
}


class Verdict(StrEnum):
    """What is to be done with a row."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"  # of a row with the same secret, which is the one that counts
    SKIP = "skip"
    FAIL = "fail"


@dataclass(slots=True)
class Judged:
    """A row and what it comes to; ``device`` and ``login`` are of one that is there already."""

    entry: Entry
    tenant_id: str
    verdict: Verdict = Verdict.CREATE
    key: int = 0
    device: ManagedObject | None = None
    login: DeviceCredentials | None = None
    registration: Registration | None = None
    number: int | None = None  # of what was written: an object, or a registration
    type_id: int | None = None  # of the device type that the device is to be of
    returns: bool = False  # it was deleted here before
    is_again: bool = False  # a row before it stands for the same device
    code: str = ""
    column: str = ""
    reason: str = ""

    def fail(self, code: str, column: str, reason: str) -> None:
        """Let the row fail."""
        self.verdict, self.code, self.column, self.reason = Verdict.FAIL, code, column, reason

    @property
    def is_open(self) -> bool:
        """Say whether a registration of the device is still on its way."""
        return self.registration is not None and self.registration.confirmed_at is None

    @property
    def is_decided(self) -> bool:
        """Say whether the device has knocked, so that people decide about it or have decided."""
        return self.registration is not None and self.registration.status != _WAITING

    @property
    def is_of_another_type(self) -> bool:
        """Say whether the device that is there is of another type than the row says."""
        return self.device is not None and self.device.device_type_id not in {None, self.type_id}

    def problem(self, header: Header) -> Problem:
        """Return the row as one that failed."""
        return Problem(
            line=self.entry.line, column=header.name_of(self.column) if self.column else "",
            code=self.code, reason=self.reason, device_id=self.entry.device_id,
            cells=cells_of(self.entry, header),
        )  # fmt: skip

    def names(self) -> list[tuple[str, str]]:
        """Return the external IDs of the device, with their types, each once."""
        main = (self.entry.id_type, self.entry.device_id)
        return list(dict.fromkeys((main, *self.entry.external))) if self.entry.external else [main]


@dataclass
class Judge:
    """Knows the import, and the tenants of the rows it looks at."""

    owner: Import
    on_existing: Existing
    repeats: Repeats | None = None  # of lists in which a device may stand twice
    _tenants: dict[str, Tenant | None] = field(default_factory=dict)

    def judge(self, entries: Iterable[Entry], *, hold: bool) -> list[Judged]:
        """Return what each of the rows comes to; ``hold`` keeps what is there from changing."""
        self._tenants.clear()  # one may have been suspended meanwhile
        rows = [self._row(entry) for entry in entries]
        self._refuse_repeated(rows)
        if self.owner.form == Form.SIMPLE and self.owner.device_type_id is not None:
            self._judge_expected(_open(rows), hold=hold)
        elif self.owner.form == Form.SIMPLE:
            self._judge_simple(_open(rows), hold=hold)
        else:
            self._judge_full(_open(rows), hold=hold)
        return rows

    def _row(self, entry: Entry) -> Judged:
        row = Judged(
            entry, self.owner.tenant_id, key=entry.key or item_key(entry.device_id),
            type_id=self.owner.device_type_id,
        )  # fmt: skip
        if self.owner.names_tenants:
            if not entry.tenant_id:
                row.fail(
                    "tenant", "TENANT",
                    "The column TENANT is empty. Rows of the management tenant name the tenant "
                    "that the device is for.",
                )  # fmt: skip
            elif self._tenant(entry.tenant_id) is None:
                row.fail(
                    "tenant", "TENANT", f"There is no active tenant with ID {entry.tenant_id}."
                )
            else:
                row.tenant_id = entry.tenant_id
        return row

    def _tenant(self, tenant_id: str) -> Tenant | None:
        if tenant_id not in self._tenants:
            active = Tenant.objects.filter(pk=tenant_id, status=Tenant.Status.ACTIVE)
            self._tenants[tenant_id] = active.first()
        return self._tenants[tenant_id]

    def _refuse_repeated(self, rows: list[Judged]) -> None:
        """Let the second row of a device fail, whatever came of the first one."""
        keys = [row.key for row in rows]
        if self.repeats is not None:
            self._sort_out(rows, self.repeats.of(keys))
            return
        # Whose they are is looked at here: told of it, a database that does not know yet how many
        # there are by now may go through all of them.
        items = ImportItem.objects.filter(AnyOf("key", keys)).values_list("key", "line", "owner_id")
        first = {key: line for key, line, owner in items if owner == self.owner.pk}
        for row in rows:
            line = first.setdefault(row.key, row.entry.line)
            if line != row.entry.line:
                row.is_again = True
                row.fail("repeated", "ID", f"The same ID stands in line {line} already.")

    def _sort_out(self, rows: list[Judged], repeated: dict[int, tuple[int, bool]]) -> None:
        """Let all rows of a device fail that differ in the secret, else all but the first be."""
        for row in rows:
            line, differs = repeated.get(row.key, (row.entry.line, False))
            row.is_again = line != row.entry.line
            if differs:
                row.fail(
                    "duplicate_conflict", "ID",
                    "This device ID is there several times, with different secrets. Keep the "
                    "right one.",
                )  # fmt: skip
            elif row.is_again:
                row.verdict = Verdict.DUPLICATE

    # --- Simple: devices that are expected ----------------------------------------------

    def _judge_simple(self, rows: list[Judged], *, hold: bool) -> None:
        ids = [row.entry.device_id for row in rows]
        known = _held(Registration, _numbers_of(Registration, ids), hold=hold)
        registrations = {one.device_id: one for one in known.prefetch_related("group", "tenant")}
        logins = dict(
            DeviceCredentials.objects.filter(AnyOf("device_id", ids)).values_list(
                "device_id", "tenant_id"
            )
        )
        returning = self._returning(ids)
        typed = self._of_types(rows)
        for row in rows:
            device_id = row.entry.device_id
            found = registrations.get(device_id)
            owner = found.tenant_id if found else logins.get(device_id, row.tenant_id)
            if owner != row.tenant_id or logins.get(device_id, row.tenant_id) != row.tenant_id:
                _taken(row)
            elif (row.tenant_id, device_id) in typed:
                row.fail("device_exists", "ID", str(DeviceOfTypeError(device_id)))
            elif found is None:
                row.returns = (row.tenant_id, device_id) in returning
            elif found.confirmed_at is not None:
                row.registration = found  # it gives way to a new one
            elif self.on_existing is Existing.FAIL:
                row.fail(
                    "exists", "ID",
                    f"Device registration request with ID {device_id} already exists.",
                )  # fmt: skip
            else:
                row.registration = found
                row.verdict = Verdict.SKIP
                if self.on_existing is Existing.UPDATE:
                    path = found.group.path if found.group else ""
                    other = row.entry.path not in {"", path}
                    row.verdict = Verdict.UPDATE if other else Verdict.UNCHANGED

    def _of_types(self, rows: list[Judged]) -> set[tuple[str, str]]:
        """Return which rows stand for devices that came in by a device type."""
        ids = [row.entry.device_id for row in rows]
        typed = DeviceCredentials.objects.filter(
            AnyOf("device_id", ids), managed_object__device_type__isnull=False
        )
        return set(typed.values_list("tenant_id", "device_id"))

    # --- Devices of a type that are expected --------------------------------------------

    def _judge_expected(self, rows: list[Judged], *, hold: bool) -> None:
        """Ask for registrations that are not there yet, and for no device that is in."""
        known = _Known.about(rows, hold=hold)
        returning = self._returning([row.entry.device_id for row in rows])
        for row in rows:
            known.look_up(row)
            if row.code:
                continue
            if row.device is not None and row.device.device_id == "":
                row.device = None  # it will say itself who it is
            if row.device is None and row.login is None and not row.is_open:
                row.returns = (row.tenant_id, row.entry.device_id) in returning
                continue
            self._judge_known(row)

    def _judge_known(self, row: Judged) -> None:
        """Say what is to be done about a device of a type that is expected, or in."""
        open_one = row.registration if row.is_open else None
        there = open_one or row.device
        type_id = there.device_type_id if there is not None else row.type_id
        if open_one is not None and open_one.status == Status.BLOCKED:
            _stand_back(row)
        elif type_id not in {None, row.type_id}:
            _other_type(row)
        elif open_one is not None and type_id is None and open_one.status != _WAITING:
            _stand_back(row)
        elif self.on_existing is Existing.UPDATE:
            path = open_one.group.path if open_one is not None and open_one.group else ""
            joins = open_one is not None and row.entry.path not in {"", path}
            is_changed = joins or type_id is None
            row.verdict = Verdict.UPDATE if is_changed else Verdict.UNCHANGED
        else:
            self._leave(row)

    def _leave(self, row: Judged) -> None:
        """Let the device be that a row stands for, or let the row fail for it."""
        if self.on_existing is Existing.FAIL:
            row.fail("device_exists", "ID", f"The device {row.entry.device_id} is there already.")
        else:
            row.verdict = Verdict.SKIP

    # --- Full: devices that are let in at once ------------------------------------------

    def _judge_full(self, rows: list[Judged], *, hold: bool) -> None:
        known = _Known.about(rows, hold=hold)
        returning = self._returning([row.entry.device_id for row in rows])
        bound: dict[tuple[str, str, str], int] = {}  # by rows of this very list
        taken: dict[int, int] = {}  # devices without a login, by rows of this very list
        for row in rows:
            known.look_up(row)
            if row.entry.otp:
                row.fail("otp", "ENROLLMENT_OTP", NO_OTP)
            elif not row.code and row.is_open and row.is_decided:
                _stand_back(row)
            elif not row.code and row.type_id is not None and row.is_of_another_type:
                _other_type(row)
            if row.code:
                continue
            self._refuse_bound(row, known, bound)
            if row.code:
                continue
            row.returns = (row.tenant_id, row.entry.device_id) in returning
            if row.device is not None and row.device.device_id == "":
                line = taken.setdefault(row.device.pk, row.entry.line)
                if line != row.entry.line:
                    row.fail("external-id", "ID", f"Line {line} stands for the same device.")
                    continue
            if row.device is None and row.login is None:
                continue
            if self.on_existing is Existing.UPDATE:
                row.verdict = Verdict.UPDATE
            else:
                self._leave(row)

    def _refuse_bound(
        self, row: Judged, known: "_Known", bound: dict[tuple[str, str, str], int]
    ) -> None:
        """Let a row fail whose external IDs name another device, also one of another row."""
        for kind, value in row.names():
            place = (row.tenant_id, kind, value)
            found = known.names.get(place)
            if found is not None and (row.device is None or found.pk != row.device.pk):
                row.fail(
                    "external-id", "IDTYPE" if value == row.entry.device_id else f"external-{kind}",
                    f"The external ID {kind} {value} names another device already.",
                )  # fmt: skip
                return
            line = bound.setdefault(place, row.entry.line)
            if line != row.entry.line:
                row.fail(
                    "external-id", f"external-{kind}",
                    f"The external ID {kind} {value} stands in line {line} already.",
                )  # fmt: skip
                return

    def _returning(self, ids: list[str]) -> set[tuple[str, str]]:
        deleted = Tombstone.objects.filter(AnyOf("device_id", ids))
        return set(deleted.values_list("tenant_id", "device_id"))


@dataclass
class _Known:
    """What there is already of the devices of some rows."""

    logins: dict[str, DeviceCredentials]
    registrations: dict[str, Registration]
    devices: dict[tuple[str, str], ManagedObject]
    names: dict[tuple[str, str, str], ManagedObject]

    @classmethod
    def about(cls, rows: list[Judged], *, hold: bool) -> "_Known":
        """Look it all up; ``hold`` in the order in which everybody locks."""
        ids = [row.entry.device_id for row in rows]
        tenants = {row.tenant_id for row in rows}
        names = {name for row in rows for name in row.names()}

        bound: dict[tuple[str, str, str], int] = {}
        for kind in sorted({kind for kind, _ in names}):
            values = [value for each, value in names if each == kind]
            found = ExternalId.objects.filter(AnyOf("value", values), tenant__in=tenants, type=kind)
            for tenant_id, value, pk in found.values_list("tenant_id", "value", "managed_object"):
                bound[tenant_id, kind, value] = pk
        # Names come first: of a device that somebody is just making they must not be all there is.
        registrations = _held(Registration, _numbers_of(Registration, ids), hold=hold)
        expected = {one.device_id: one for one in registrations.prefetch_related("tenant", "group")}
        logins = _held(DeviceCredentials, _numbers_of(DeviceCredentials, ids), hold=hold)
        let_in = {one.device_id: one for one in logins}
        places = {(row.tenant_id, row.entry.device_id) for row in rows}
        # Those that only a name leads to are held like the others: rows are to point to them.
        numbers = sorted({*devices_at(places), *bound.values()})
        objects = {one.pk: one for one in _held(ManagedObject, numbers, hold=hold)}
        devices = {(one.tenant_id, one.device_id): one for one in objects.values()}
        return cls(
            let_in,
            expected,
            {place: devices[place] for place in places & devices.keys()},
            {place: objects[pk] for place, pk in bound.items() if pk in objects},
        )

    def look_up(self, row: Judged) -> None:
        """Say of a row what there is of its device, or let it fail if that is another's."""
        device_id = row.entry.device_id
        row.login, row.registration = self.logins.get(device_id), self.registrations.get(device_id)
        others = (row.login, row.registration)
        if any(one is not None and one.tenant_id != row.tenant_id for one in others):
            _taken(row)
            return
        row.device = self.devices.get((row.tenant_id, device_id))
        if row.device is not None:
            return
        found = self.names.get((row.tenant_id, row.entry.id_type, device_id))
        # A device that clients made, without a login of its own until now.
        if found is not None and found.kind == Kind.DEVICE and found.device_id == "":
            row.device = found


def _numbers_of(model: Any, device_ids: list[str]) -> list[int]:
    found = model.objects.filter(AnyOf("device_id", device_ids)).order_by()
    return [*found.values_list("pk", flat=True)]


def _held(model: Any, numbers: list[int], *, hold: bool) -> Any:
    """Return rows by their numbers, in the order in which everybody locks.

    Asked by anything else and for an order as well, a database that takes the rows for few may go
    through all there are in that order.
    """
    found = model.objects.filter(AnyOf("pk", numbers)).order_by("pk")
    return found.select_for_update(of=("self",)) if hold else found


def _open(rows: list[Judged]) -> list[Judged]:
    return [row for row in rows if row.verdict is Verdict.CREATE]


def _taken(row: Judged) -> None:
    # Whose it is must not be told: it may be another tenant's.
    row.fail(
        "id_taken", "ID",
        f"Device registration request with ID {row.entry.device_id} already exists.",
    )  # fmt: skip


def _stand_back(row: Judged) -> None:
    """Let a row fail, because people decide about a device that has knocked."""
    assert row.registration is not None  # noqa: S101 -- it is what the row stands back for
    code, reason = _WHY_NOT[Status(row.registration.status)]
    row.fail(code, "ID", reason)


def _other_type(row: Judged) -> None:
    row.fail(
        "device_type_conflict", "ID",
        f"The device {row.entry.device_id} is of another device type. Register it with that type, "
        "or delete it first.",
    )  # fmt: skip
