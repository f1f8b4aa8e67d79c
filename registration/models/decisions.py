"""Deciding about many registrations at once: the list is frozen first, then acted on exactly.

What an operator has seen in a preview is what happens. Devices that knock between preview and
confirmation are not swept in, and every entry gets a result of its own.

Everything is done set by set, in SQL: a hundred thousand devices are a handful of statements.
"""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connection, models, transaction
from django.utils import timezone

from inventory import devices
from inventory.fields import DeviceIdField
from inventory.models import DeviceCredentials
from registration import options
from registration.lifecycle import Stage, Status, TokenPolicy, stage_of
from registration.models.events import RegistrationEvent
from registration.models.registration import Registration
from registration.models.tally import Tally
from tenants import audit, quota
from tenants.actors import Actor
from tenants.models import Tenant, User

SHELLS_AT_ONCE: Final = 500  # devices that never reported, taken away in one statement
LEFT_BEHIND: Final = timedelta(hours=1)  # after which nobody comes back to a preview
KEEP: Final = timedelta(days=7)  # how long results can be looked at again; events stay for good


class Outcome(models.TextChoices):
    """What became, or would become, of one entry."""

    OPEN = "open", "Will be done"
    DONE = "done", "Done"
    GONE = "gone", "The registration no longer exists."
    MOVED = "moved", "It was moved to another tenant."
    STATE = "state", "No device is waiting for acceptance here."
    TOKEN = "token", "The device sent a security token: accept it by itself, with the token."
    POLICY = (
        "policy",
        "The policy requires a security token and the device sent none.",
    )
    LIMIT = "limit", "The tenant's device limit is reached."
    RETURNING = (
        "returned",
        "It was deleted here before: accept it by itself, if it may come back.",
    )


class BulkDecision(models.Model):
    """One decision about a frozen list of registrations."""

    class Action(models.TextChoices):
        """What is to be done with them."""

        ACCEPT = "accept", "Accept"
        REMOVE = "remove", "Cancel registration"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    action = models.CharField(max_length=8, choices=Action)
    hand_picked = models.BooleanField()
    created_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.action} {self.id}"

    @classmethod
    def about(
        cls,
        registrations: "models.QuerySet[Registration]",
        action: Action,
        *,
        tenant: Tenant,
        by: Actor,
        hand_picked: bool,
    ) -> "BulkDecision":
        """Freeze ``registrations`` as they stand, and say of each whether it can be done."""
        with transaction.atomic():
            cls._tidy()
            decision = cls.objects.create(
                tenant=tenant, created_by=by.user, action=action, hand_picked=hand_picked
            )
            decision._freeze(registrations)  # noqa: SLF001
            decision._sort_out()  # noqa: SLF001
            if decision.accepts:
                decision._leave_out_beyond(decision._room())  # noqa: SLF001
        return decision

    def _freeze(self, registrations: "models.QuerySet[Registration]") -> None:
        chosen = registrations.order_by().values_list("pk", "device_id", "tenant_id")
        try:
            sql, parameters = chosen.query.sql_with_params()
        except EmptyResultSet:  # Django saw without asking that nothing can be among them
            return
        _execute(
            "INSERT INTO registration_bulkdecisionitem"
            " (decision_id, registration_id, device_id, owner_id, outcome)"
            f" SELECT %s, c.* , '{Outcome.OPEN}' FROM ({sql}) AS c",
            [_key(self.pk), *parameters],
        )

    @classmethod
    def _tidy(cls) -> None:
        """Remove what nobody will look at again; what somebody else holds is left to them."""
        now = timezone.now()
        old = models.Q(created_at__lt=now - KEEP)
        left_behind = models.Q(decided_at=None, created_at__lt=now - LEFT_BEHIND)
        found = cls.objects.filter(old | left_behind).select_for_update(skip_locked=True)
        cls.objects.filter(pk__in=[decision.pk for decision in found]).delete()

    @property
    def accepts(self) -> bool:
        """Say whether this decision lets devices in."""
        return self.action == self.Action.ACCEPT

    def count_by_outcome(self) -> dict["Outcome", int]:
        """Return how many entries have each outcome."""
        rows = self.items.order_by().values_list("outcome").annotate(models.Count("pk"))
        return {Outcome(outcome): number for outcome, number in rows}

    def _sort_out(self) -> None:
        """Mark what cannot be done, with the reason; leave the rest open."""
        exists = "EXISTS (SELECT 1 FROM registration_registration r WHERE {r} AND "
        self._mark(Outcome.GONE, "NOT EXISTS (SELECT 1 FROM registration_registration r WHERE {r})")
        self._mark(Outcome.MOVED, exists + "r.tenant_id <> i.owner_id)")
        if not self.accepts:
            return
        self._mark(Outcome.STATE, exists + "r.status <> %s)", [Status.PENDING_ACCEPTANCE])
        if not self.hand_picked:  # nothing but a person's own choice lets a deleted device in again
            self._mark(
                Outcome.RETURNING,
                "EXISTS (SELECT 1 FROM inventory_tombstone t"
                " WHERE t.tenant_id = i.owner_id AND t.device_id = i.device_id)",
            )
        policies = self._policies()
        picked_freely = [
            tenant
            for tenant, policy in policies.items()
            if self.hand_picked and policy is TokenPolicy.IGNORED
        ]
        self._mark(
            Outcome.TOKEN,
            exists + f"r.token_digest <> ''{_unless_in('i.owner_id', picked_freely)})",
            picked_freely,
        )
        required = [t for t, policy in policies.items() if policy is TokenPolicy.REQUIRED]
        if required:
            self._mark(
                Outcome.POLICY,
                exists + f"r.token_digest = '' AND i.owner_id IN ({_marks(required)}))",
                required,
            )

    def _needing_places(self) -> "models.QuerySet[BulkDecisionItem]":
        """Return the open entries whose acceptance counts one more device."""
        known = DeviceCredentials.objects.filter(
            device_id=models.OuterRef("device_id"), tenant_id=models.OuterRef("owner_id")
        )
        return self.items.filter(~models.Exists(known), outcome=Outcome.OPEN)

    def _wanted(self) -> dict[str, int]:
        rows = self._needing_places().order_by().values_list("owner_id")
        return dict(rows.annotate(number=models.Count("pk")))

    def _room(self) -> dict[str, int]:
        """Return how many more devices may be let in now, by tenant, where not all may.

        This spends nothing: others may be faster until the decision is carried out.
        """
        wanted = self._wanted()
        limited = Tenant.objects.filter(pk__in=wanted, device_limit__isnull=False)
        left = {tenant.pk: tenant.places_left or 0 for tenant in limited}
        return {tenant_id: room for tenant_id, room in left.items() if room < wanted[tenant_id]}

    def _leave_out_beyond(self, places: Mapping[str, int]) -> None:
        """Mark what there is no place for: whoever was registered first comes first."""
        for tenant_id, number in places.items():
            theirs = self._needing_places().filter(owner_id=tenant_id)
            in_order = theirs.order_by("registration_id").values_list("registration_id", flat=True)
            for first in in_order[number : number + 1]:
                theirs.filter(registration_id__gte=first).update(outcome=Outcome.LIMIT)

    def _policies(self) -> dict[str, TokenPolicy]:
        owners = self.items.order_by().values_list("owner_id", flat=True).distinct()
        return options.token_policies(Tenant.objects.filter(pk__in=owners))

    def _mark(self, outcome: "Outcome", condition: str, parameters: Sequence[Any] = ()) -> None:
        same = "r.id = i.registration_id"
        _execute(
            "UPDATE registration_bulkdecisionitem AS i SET outcome = %s"
            " WHERE i.decision_id = %s AND i.outcome = %s AND " + condition.replace("{r}", same),
            [outcome, _key(self.pk), Outcome.OPEN, *parameters],
        )

    def carry_out(self, *, by: Actor) -> bool:
        """Do what was decided, once; return False if it had been done before.

        Entries that changed since the preview are looked at again: what became impossible gets
        its reason, what was impossible then is left alone.
        """
        with transaction.atomic():
            row = BulkDecision.objects.select_for_update().get(pk=self.pk)
            if row.decided_at is not None:
                self.decided_at = row.decided_at
                return False
            self._lock_registrations()
            self._sort_out()
            if self.accepts:
                # The tenants' rows come after the registrations', as everywhere.
                wanted = self._wanted()
                given = quota.take_places(wanted)
                self._leave_out_beyond({t: n for t, n in given.items() if n < wanted[t]})
            self._mark(Outcome.DONE, "1 = 1")
            if self.accepts:
                self._accept(by)
            else:
                self._remove(by)
            self.decided_at = timezone.now()
            self.save(update_fields=["decided_at"])
        return True

    def _lock_registrations(self) -> None:
        """Hold the open entries still, in one order for everybody."""
        if connection.vendor == "postgresql":  # SQLite holds the whole database already
            _execute(
                "SELECT count(*) FROM (SELECT r.id FROM registration_registration r"
                " JOIN registration_bulkdecisionitem i ON i.registration_id = r.id"
                " WHERE i.decision_id = %s AND i.outcome = %s ORDER BY r.id FOR UPDATE OF r) x",
                [_key(self.pk), Outcome.OPEN],
            )

    def _accept(self, by: Actor) -> None:
        now = timezone.now()
        self._record(RegistrationEvent.Kind.ACCEPTED, by, target=Status.ACCEPTED)
        self._audit("Registrations accepted together", by)
        self._count(Stage.ACCEPTED)
        _execute(
            "UPDATE registration_registration SET status = %s, accepted_at = %s"
            f" WHERE id IN ({_DONE})",
            [Status.ACCEPTED, now, _key(self.pk), Outcome.DONE],
        )

    def _remove(self, by: Actor) -> None:
        self._record(RegistrationEvent.Kind.REMOVED, by)
        self._audit("Registrations cancelled together", by)
        self._count(None)
        chosen = Registration.objects.filter(
            pk__in=self.items.filter(outcome=Outcome.DONE).values("registration_id")
        )
        delivered = models.Q(
            status=Status.ACCEPTED, delivered_at__isnull=False, confirmed_at__isnull=True
        )
        unused = DeviceCredentials.objects.filter(
            device_id__in=chosen.filter(_looked_at_last(delivered)).values("device_id"),
            first_login_at__isnull=True,
        )
        for tenant_id, number in _by_tenant(unused):
            audit.record(
                by,
                tenant_id,
                audit.Type.CREDENTIALS,
                "Device credentials revoked together",
                subject=str(self.pk),
                text=f"{number} of the devices were given credentials and never used them.",
            )
        shells = list(unused.values_list("managed_object", flat=True))
        unused.delete()
        for start in range(0, len(shells), SHELLS_AT_ONCE):
            devices.withdraw(shells[start : start + SHELLS_AT_ONCE])
        kept = DeviceCredentials.objects.filter(
            device_id=models.OuterRef("device_id"), tenant_id=models.OuterRef("tenant_id")
        )
        accepted = models.Q(status=Status.ACCEPTED)
        counted = chosen.filter(~models.Exists(kept), _looked_at_last(accepted))
        places = _by_tenant(counted)
        chosen._raw_delete(using=chosen.db)  # noqa: SLF001 -- nothing points at a registration
        for tenant_id, number in places:  # in the order in which everybody locks tenants
            quota.free_places(tenant_id, number)

    def _record(self, kind: RegistrationEvent.Kind, by: Actor, *, target: str = "") -> None:
        _execute(
            "INSERT INTO registration_registrationevent (tenant_id, device_id, at, kind,"
            " from_status, to_status, actor_id, actor_name, source, request_id, reason)"
            " SELECT r.tenant_id, r.device_id, %s, %s, r.status, %s, %s, %s, %s, %s, ''"
            f" FROM registration_registration r WHERE r.id IN ({_DONE}) ORDER BY r.id",
            [
                timezone.now(),
                kind,
                target,
                by.user.pk if by.user else None,
                by.name,
                by.source,
                by.request_id,
                _key(self.pk),
                Outcome.DONE,
            ],
        )

    def _audit(self, activity: str, by: Actor) -> None:
        """Write one entry for each tenant concerned; the events name every device."""
        done = self.items.filter(outcome=Outcome.DONE).order_by("owner_id")
        for row in done.values("owner_id").annotate(
            number=models.Count("pk"), first=models.Min("device_id"), last=models.Max("device_id")
        ):
            audit.record(
                by,
                row["owner_id"],
                audit.Type.REGISTRATION,
                activity,
                subject=str(self.pk),
                text=f"{row['number']} devices, from {row['first']} to {row['last']}.",
            )

    def _count(self, target: Stage | None) -> None:
        """Tell the tally how many leave each stage, while they still stand there.

        In one query without conditions on registrations, for the reason of `_looked_at_last`.
        """
        chosen = Registration.objects.filter(
            pk__in=self.items.filter(outcome=Outcome.DONE).values("registration_id")
        )
        grouped = chosen.order_by().values(
            "tenant_id",
            "status",
            is_delivered=models.Q(delivered_at__isnull=False),
            is_confirmed=models.Q(confirmed_at__isnull=False),
        )
        numbers: Counter[tuple[str, Stage]] = Counter()
        for row in grouped.annotate(
            number=models.Count("pk"),
            delivered_at=models.Max("delivered_at"),
            confirmed_at=models.Max("confirmed_at"),
        ):
            stage = stage_of(Status(row["status"]), row["delivered_at"], row["confirmed_at"])
            numbers[row["tenant_id"], stage] += row["number"]
        for (tenant_id, stage), number in sorted(numbers.items()):
            Tally.moved(tenant_id, stage, target, number)


class BulkDecisionItem(models.Model):
    """One entry of a frozen list; it names the registration and does not hold it."""

    decision = models.ForeignKey(BulkDecision, on_delete=models.CASCADE, related_name="items")
    registration_id = models.BigIntegerField()
    device_id = DeviceIdField()
    owner_id = models.CharField(max_length=32)
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.OPEN)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.device_id}: {self.outcome}"


_DONE = (
    "SELECT registration_id FROM registration_bulkdecisionitem"
    " WHERE decision_id = %s AND outcome = %s"
)


def _looked_at_last(condition: models.Q) -> models.Case:
    """Return ``condition`` as one that no index and no statistics answer.

    PostgreSQL does not know yet how many entries were just written, nor how many registrations
    came to a stage lately. Where it believes that both are few, it compares each of these with
    each of those. So it is to start from the entries and look up their registrations by key.
    """
    return models.Case(models.When(condition, then=models.Value(True)), default=models.Value(False))


def _by_tenant(rows: "models.QuerySet[Any]") -> list[tuple[str, int]]:
    """Return how many of ``rows`` each tenant has, in the order of their ids."""
    counted = rows.order_by("tenant_id").values_list("tenant_id")
    return [*counted.annotate(number=models.Count("pk"))]


def _execute(sql: str, parameters: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, [_plain(parameter) for parameter in parameters])


def _plain(parameter: Any) -> Any:
    """Return a parameter as both drivers take it."""
    if isinstance(parameter, models.TextChoices):
        return parameter.value
    if isinstance(parameter, datetime):
        return connection.ops.adapt_datetimefield_value(parameter)
    return parameter


def _key(identifier: uuid.UUID) -> Any:
    return identifier if connection.features.has_native_uuid_field else identifier.hex


def _marks(values: Sequence[str]) -> str:
    return ", ".join(["%s"] * len(values))


def _unless_in(column: str, values: Sequence[str]) -> str:
    return f" AND {column} NOT IN ({_marks(values)})" if values else ""
