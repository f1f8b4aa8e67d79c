"""What the rows of a file come to, as things stand in the database.

The same rules for the plan that people see and for the work itself; only the work holds what it
has looked at. Rows are judged in the order of the file.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from bulk.engine.leaving import cells_of
from bulk.keys import item_key
from bulk.models import Existing, Form, Import, ImportItem
from bulk.reading.header import Header
from bulk.reading.rows import Entry, Problem
from inventory.many import AnyOf
from inventory.models import DeviceCredentials, ExternalId, Kind, ManagedObject, Tombstone
from registration.models import Registration
from tenants.models import Tenant

NO_OTP: Final = (
    "Gatehouse issues no certificates, so a one-time password for one is of no use. Leave the cell "
    "empty, or give the device a password in CREDENTIALS."
)


class Verdict(StrEnum):
    """What is to be done with a row."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
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
    returns: bool = False  # it was deleted here before
    code: str = ""
    column: str = ""
    reason: str = ""

    def fail(self, code: str, column: str, reason: str) -> None:
        """Let the row fail."""
        self.verdict, self.code, self.column, self.reason = Verdict.FAIL, code, column, reason

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
    _tenants: dict[str, Tenant | None] = field(default_factory=dict)

    def judge(self, entries: Iterable[Entry], *, hold: bool) -> list[Judged]:
        """Return what each of the rows comes to; ``hold`` keeps what is there from changing."""
        self._tenants.clear()  # one may have been suspended meanwhile
        rows = [self._row(entry) for entry in entries]
        self._refuse_repeated(rows)
        if self.owner.form == Form.SIMPLE:
            self._judge_simple(_open(rows), hold=hold)
        else:
            self._judge_full(_open(rows), hold=hold)
        return rows

    def _row(self, entry: Entry) -> Judged:
        row = Judged(entry, self.owner.tenant_id, key=item_key(entry.device_id))
        if self.owner.tenant.is_management:
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
        items = ImportItem.objects.filter(AnyOf("key", keys), owner=self.owner)
        first = dict(items.values_list("key", "line"))
        for row in rows:
            line = first.setdefault(row.key, row.entry.line)
            if line != row.entry.line:
                row.fail("repeated", "ID", f"The same ID stands in line {line} already.")

    # --- Simple: devices that are expected ----------------------------------------------

    def _judge_simple(self, rows: list[Judged], *, hold: bool) -> None:
        ids = [row.entry.device_id for row in rows]
        known = Registration.objects.filter(AnyOf("device_id", ids)).order_by("pk")
        if hold:
            known = known.select_for_update(of=("self",))
        registrations = {one.device_id: one for one in known.select_related("group", "tenant")}
        logins = dict(
            DeviceCredentials.objects.filter(AnyOf("device_id", ids)).values_list(
                "device_id", "tenant_id"
            )
        )
        returning = self._returning(ids)
        for row in rows:
            device_id = row.entry.device_id
            found = registrations.get(device_id)
            owner = found.tenant_id if found else logins.get(device_id, row.tenant_id)
            if owner != row.tenant_id or logins.get(device_id, row.tenant_id) != row.tenant_id:
                _taken(row)
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
            if self.on_existing is Existing.FAIL:
                row.fail("exists", "ID", f"The device {row.entry.device_id} is there already.")
            elif self.on_existing is Existing.SKIP:
                row.verdict = Verdict.SKIP
            else:
                row.verdict = Verdict.UPDATE

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

        def held(found: Any) -> Any:
            return found.order_by("pk").select_for_update(of=("self",)) if hold else found

        registrations = held(Registration.objects.filter(AnyOf("device_id", ids)))
        logins = held(DeviceCredentials.objects.filter(AnyOf("device_id", ids)))
        objects = ManagedObject.objects.filter(tenant__in=tenants)
        devices = held(objects.filter(~_no_device(), AnyOf("device_id", ids)))
        named: dict[tuple[str, str, str], ManagedObject] = {}
        for kind in sorted({kind for kind, _ in names}):
            values = [value for each, value in names if each == kind]
            found = ExternalId.objects.filter(AnyOf("value", values), tenant__in=tenants, type=kind)
            for external in found.select_related("managed_object"):
                place = (external.tenant_id, kind, external.value)
                named[place] = external.managed_object
        return cls(
            {one.device_id: one for one in logins},
            {one.device_id: one for one in registrations.select_related("tenant", "group")},
            {(one.tenant_id, one.device_id): one for one in devices},
            named,
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


def _no_device() -> Any:
    from django.db.models import Q  # noqa: PLC0415

    return Q(device_id="")


def _open(rows: list[Judged]) -> list[Judged]:
    return [row for row in rows if row.verdict is not Verdict.FAIL]


def _taken(row: Judged) -> None:
    # Whose it is must not be told: it may be another tenant's.
    row.fail(
        "exists", "ID", f"Device registration request with ID {row.entry.device_id} already exists."
    )
