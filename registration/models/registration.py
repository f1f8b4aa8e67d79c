"""A device on its way in, and every step it can take."""

from typing import Any

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from inventory import devices, logins
from inventory.locks import keep_group
from inventory.models import DeviceCredentials, DeviceGroup
from registration import lifecycle, options
from registration.credentials import (
    handover_password,
    new_handover_nonce,
    token_digest,
    tokens_match,
)
from registration.errors import (
    AlreadyAcceptedError,
    AlreadyReportedError,
    BlockedError,
    DeviceLimitReachedError,
    DuplicateError,
    PollRefusedError,
    ReasonMissingError,
    TokenMismatchError,
    TokenRequiredError,
    TransitionError,
)
from registration.lifecycle import Stage, Status
from registration.models.destination import check_target
from registration.models.events import RegistrationEvent
from registration.models.facts import RegistrationFacts
from registration.models.indexes import REGISTRATION_INDEXES
from registration.models.queryset import RegistrationQuerySet
from registration.models.revoking import revoke_unused
from registration.models.tally import Tally
from tenants import audit, quota
from tenants.actors import Actor
from tenants.models import MANAGEMENT, Tenant

Kind = RegistrationEvent.Kind

CONTACT_RESOLUTION = 60  # seconds; last contact is not written more often than this
MAX_DELIVERY_EVENTS = 10  # per hand-over; further deliveries are only counted
MAX_REASON_LENGTH = 500  # characters


class Registration(RegistrationFacts):
    """A device on its way in ("new device request" on the wire)."""

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["device_id"], name="reg_unique_device")]
        indexes = REGISTRATION_INDEXES

    # --- How it comes to be --------------------------------------------------------------

    def enter(self, *, by: Actor) -> None:
        """Save a new registration and note who made it.

        Raises:
            DuplicateError: there is one of this ID, in this tenant or in another.
        """
        with transaction.atomic():
            try:
                with transaction.atomic():
                    self.save(force_insert=True)
            except IntegrityError as error:
                raise DuplicateError(self.device_id) from error
            Tally.moved(self.tenant_id, None, self.stage)
            self._log(Kind.REGISTERED, actor=by, to_status=self.status)

    # --- What the device does -----------------------------------------------------------

    def poll(self, *, token: str, device: Actor) -> str:
        """Answer the device that knocks: return its password, or say why not yet.

        The first poll fixes the token. What must be remembered of a poll that gets nothing is
        committed before the error leaves.

        Raises:
            PollRefusedError: with the status that the device may be told.
        """
        digest = token_digest(self.device_id, token)
        with transaction.atomic():
            self._lock()
            answer = self._answer(digest, device)
        if isinstance(answer, Status):
            raise PollRefusedError(self.device_id, answer)
        return answer

    def _answer(self, digest: str, device: Actor) -> Status | str:
        """Return the password, or the status a refused device is told."""
        status = Status(self.status)
        if status is Status.WAITING_FOR_CONNECTION:
            return self._connect(digest, device)
        if status is Status.BLOCKED:
            self._touch(device)
            return status
        if not tokens_match(digest, self.token_digest):
            what = "with another security token" if digest else "without its security token"
            self._conflict(f"Somebody knocked {what}.", device)
            # A stranger must not learn that the device has been accepted.
            return Status.PENDING_ACCEPTANCE
        if status is Status.PENDING_ACCEPTANCE:
            self._touch(device)
            return status
        if not self.is_handover_open():
            self._conflict("Somebody knocked after the hand-over was closed.", device)
            return status
        return self._deliver(device)

    def _connect(self, digest: str, device: Actor) -> Status:
        self.token_digest = digest
        logins.note_knock(self.tenant, self.device_id, by=device)
        target = lifecycle.status_on_connect(
            options.token_policy(self.tenant), sends_token=bool(digest)
        )
        blocked = target is Status.BLOCKED
        self._move(
            target,
            Kind.BLOCKED if blocked else Kind.CONNECTED,
            actor=device,
            reason="The policy requires a security token; the device sent none." if blocked else "",
            also=self._contact(device, "token_digest"),
        )
        return target

    def _deliver(self, device: Actor) -> str:
        first = self.delivered_at is None
        if first:
            self.handover_nonce = new_handover_nonce()
            self.delivered_at = timezone.now()
        password = handover_password(self.device_id, self.handover_nonce)
        if first:
            devices.let_in(
                self.tenant,
                self.device_id,
                password,
                by=device,
                group=self.group,
                object_type=self.type,
                device_type=self.device_type,
                registered_at=self.created_at,
                registered_by=self.created_by_name,
            )
            Tally.moved(self.tenant_id, Stage.ACCEPTED, Stage.DELIVERED)
        self.deliveries += 1
        self.save(
            update_fields=self._contact(device, "handover_nonce", "delivered_at", "deliveries")
        )
        if self.deliveries <= MAX_DELIVERY_EVENTS:
            self._log(Kind.DELIVERED if first else Kind.DELIVERED_AGAIN, actor=device)
        return password

    def confirm(self, *, device: Actor) -> None:
        """Close the hand-over: the device has logged in with what it was given."""
        with transaction.atomic():
            self._lock()
            if self.stage is not Stage.DELIVERED:
                return
            self.confirmed_at = timezone.now()
            self.handover_nonce = ""
            self.save(update_fields=["confirmed_at", "handover_nonce"])
            Tally.moved(self.tenant_id, Stage.DELIVERED, Stage.CONFIRMED)
            self._log(Kind.CONFIRMED, actor=device)

    def _conflict(self, what: str, device: Actor) -> None:
        """Note a poll that does not fit. Each one is counted, the first one leaves an event."""
        if self.conflicts == 0:
            self._log(Kind.CONFLICT, actor=device, reason=what)
        self.conflicts += 1
        self.last_conflict_at = timezone.now()
        self.last_conflict_from = device.source
        self.save(update_fields=["conflicts", "last_conflict_at", "last_conflict_from"])

    def _contact(self, device: Actor, *fields: str) -> list[str]:
        """Set the last contact; return ``fields`` and its own, for saving together."""
        self.last_contact_at, self.last_contact_from = timezone.now(), device.source
        return [*fields, "last_contact_at", "last_contact_from"]

    def _touch(self, device: Actor) -> None:
        """Write the last contact, unless it was written within its resolution."""
        age = timezone.now() - self.last_contact_at
        if age.total_seconds() >= CONTACT_RESOLUTION:
            self.save(update_fields=self._contact(device))

    # --- What people do -----------------------------------------------------------------

    def accept(self, *, by: Actor, token: str = "") -> None:
        """Let the device receive its credentials on its next poll.

        A failed attempt is counted before it is reported: the errors below leave only after the
        transaction has committed, so nobody can guess tokens for free.

        Raises:
            TransitionError: no device is waiting for acceptance here.
            TokenMismatchError: ``token`` is wrong or missing, and attempts remain.
            BlockedError: ``token`` is wrong or missing, and this was the last attempt.
            TokenRequiredError: the policy requires a token and the device sent none.
            DeviceLimitReachedError: the tenant has as many devices as it may.
        """
        with transaction.atomic():
            self._lock()
            self._check_acceptable()
            target = lifecycle.status_on_accept(
                options.token_policy(self.tenant),
                token_matches=(
                    tokens_match(token_digest(self.device_id, token), self.token_digest)
                    if self.sends_token
                    else None
                ),
                attempts_left=self.attempts_left,
            )
            if target is Status.ACCEPTED:
                self.accepted_at = timezone.now()
                self._move(target, Kind.ACCEPTED, actor=by, also=["accepted_at"])
                self._take_place()
            else:
                self._fail_acceptance(target, by)
        if target is Status.BLOCKED:
            raise (BlockedError if self.sends_token else TokenRequiredError)(self.device_id)
        if target is Status.PENDING_ACCEPTANCE:
            raise TokenMismatchError(self.device_id, self.attempts_left)

    def _take_place(self) -> None:
        """Count the device, unless its ID is counted already: it is only registered anew.

        This comes last, because until the commit everybody else of the tenant waits for it.
        """
        if self.credentials().exists():
            return
        try:
            quota.take_place(self.tenant_id)
        except quota.DeviceLimitError as error:
            raise DeviceLimitReachedError(self.device_id) from error

    def _check_acceptable(self) -> None:
        try:
            lifecycle.check_transition(self.device_id, Status(self.status), Status.ACCEPTED)
        except TransitionError as error:
            decision = self.events().filter(to_status=Status.ACCEPTED).last()
            if self.status == Status.ACCEPTED and decision:
                raise AlreadyAcceptedError(
                    self.device_id, decision.actor_name, decision.at
                ) from error
            raise

    def _fail_acceptance(self, target: Status, by: Actor) -> None:
        if self.sends_token:
            self.failed_attempts += 1
            self._log(
                Kind.TOKEN_REJECTED,
                actor=by,
                reason=f"Attempt {self.failed_attempts} of {settings.MAX_TOKEN_ATTEMPTS}.",
            )
        if target is Status.BLOCKED:
            reason = (
                "Too many wrong security tokens."
                if self.sends_token
                else "The policy requires a security token; the device sent none."
            )
            self._move(target, Kind.BLOCKED, actor=by, reason=reason, also=["failed_attempts"])
        else:
            self.save(update_fields=["failed_attempts"])

    def unblock(self, *, by: Actor, reason: str) -> None:
        """Let the device start over: it may knock again, with a new token and all attempts.

        Raises:
            ReasonMissingError: ``reason`` is empty.
            TransitionError: the registration is not blocked.
        """
        reason = reason.strip()[:MAX_REASON_LENGTH]
        if not reason:
            raise ReasonMissingError
        self._start_over(Status.BLOCKED, Kind.UNBLOCKED, by=by, reason=reason)

    def reset(self, *, by: Actor) -> None:
        """Forget the knock of a pending device, and its token: whoever knocks next counts.

        Raises:
            TransitionError: the registration is not pending.
        """
        self._start_over(Status.PENDING_ACCEPTANCE, Kind.RESET, by=by)

    def _start_over(self, origin: Status, kind: Kind, *, by: Actor, reason: str = "") -> None:
        with transaction.atomic():
            self._lock()
            if self.status != origin:
                raise TransitionError(self.device_id, self.status, origin)
            self.token_digest = ""
            self.failed_attempts = self.conflicts = 0
            self._move(
                Status.WAITING_FOR_CONNECTION,
                kind,
                actor=by,
                reason=reason,
                also=["token_digest", "failed_attempts", "conflicts"],
            )

    def hand_over_again(self, *, by: Actor) -> None:
        """Open the hand-over once more, for a device that never logged in with its password.

        The password of the closed one is void from now on, whoever got it.

        Raises:
            TransitionError: nothing was delivered, or the device has logged in.
        """
        with transaction.atomic():
            self._lock()
            if self.stage is not Stage.DELIVERED:
                raise TransitionError(self.device_id, self.stage.label, Stage.DELIVERED.label)
            revoke_unused(self, by)
            self.handover_nonce, self.delivered_at, self.deliveries = "", None, 0
            self.conflicts = 0
            self.save(update_fields=["handover_nonce", "delivered_at", "deliveries", "conflicts"])
            Tally.moved(self.tenant_id, Stage.DELIVERED, Stage.ACCEPTED)
            self._log(Kind.HANDOVER_REOPENED, actor=by)

    def remove(self, *, by: Actor, kind: Kind = Kind.REMOVED) -> None:
        """Take the registration away; its events stay.

        Credentials that were delivered and never used go with it: a device that nobody wants
        any more must not come in by an answer that is still on its way. The place that the device
        took is free again, unless it keeps its credentials.
        """
        with transaction.atomic():
            self._lock()
            if self.stage is Stage.DELIVERED:
                revoke_unused(self, by)
            Tally.moved(self.tenant_id, self.stage, None)
            self._log(kind, actor=by, from_status=self.status)
            was_counted = self.status == Status.ACCEPTED
            self.delete()
            if was_counted and not self.credentials().exists():
                quota.free_places(self.tenant_id)

    def let_go(self, *, by: Actor) -> None:
        """Go with the device's login, which is about to be deleted; its place is freed with it.

        A registration whose device is not let in stays: somebody expects the device anew.
        """
        with transaction.atomic():
            self._lock()
            if self.status != Status.ACCEPTED:
                return
            Tally.moved(self.tenant_id, self.stage, None)
            self._log(Kind.DEVICE_DELETED, actor=by, from_status=self.status)
            self.delete()

    def join_group(self, group: DeviceGroup | None, *, by: Actor) -> None:
        """Change the group that the device will be put into when it creates its device object.

        One that comes back to the object it had joins when it is let in.

        Raises:
            AlreadyReportedError: it is in and has done so; it is put into groups as a device now.
            GroupPathError: somebody has deleted the group.
        """
        with transaction.atomic():
            self._lock()
            if self.group_id == (group.pk if group else None):
                return
            is_waiting = devices.set_group_to_join(self.tenant_id, self.device_id, group)
            # The object of a device that was deleted may still be there; its login is not.
            is_in = not is_waiting and self.credentials().exists()
            if is_in and devices.has_reported(self.tenant_id, self.device_id):
                raise AlreadyReportedError(self.device_id)
            keep_group(group)
            self.group = group
            self.save(update_fields=["group"])
            self._log(Kind.GROUP_CHANGED, actor=by, reason=group.path if group else "No group.")

    def move_to(self, tenant: Tenant, *, by: Actor) -> None:
        """Give a registration whose device is not let in yet to another tenant.

        Neither tenant learns which one the other is: only the management tenant's audit log
        says from where to where. In the new one it belongs to whoever moved it, without a group.

        Raises:
            MoveRefusedError: the device was let in already, or cannot go there; it says why.
        """
        with transaction.atomic():
            self._lock()
            target = check_target(self, tenant)
            origin, stage = self.tenant_id, self.stage
            self._log(Kind.MOVED_OUT, actor=by, from_status=self.status)
            self.tenant, self.group = target, None
            self.created_by, self.created_by_name = by.user, by.name
            self.save(update_fields=["tenant", "group", "created_by", "created_by_name"])
            for cached in ("policy", "is_returning"):  # they were the other tenant's
                self.__dict__.pop(cached, None)
            Tally.moved(origin, stage, None)
            Tally.moved(target.pk, None, stage)
            self._log(Kind.MOVED_IN, actor=by, to_status=self.status)
            audit.record(
                by,
                MANAGEMENT,
                audit.Type.REGISTRATION,
                "Registration: Moved between tenants",
                subject=self.device_id,
                changes={"tenant": (origin, target.pk)},
            )

    def credentials(self) -> "models.QuerySet[DeviceCredentials]":
        """Return the device's login, if it has one in this tenant."""
        return DeviceCredentials.objects.filter(device_id=self.device_id, tenant=self.tenant_id)

    # --- Bookkeeping --------------------------------------------------------------------

    def events(self) -> "models.QuerySet[RegistrationEvent]":
        """Return what happened to this ID in this tenant, oldest first, also before this time."""
        return RegistrationEvent.objects.filter(
            tenant=self.tenant_id, device_id=self.device_id
        ).order_by("pk")

    def _lock(self) -> None:
        """Make everybody else wait who wants to change this row, and see it as it is now.

        Whoever looked it up may act in the tenant it was in: once moved, it is gone for them.
        """
        here = Registration.objects.filter(tenant=self.tenant_id)
        self.refresh_from_db(from_queryset=here.select_for_update(of=("self",)))

    def _move(
        self,
        target: Status,
        kind: Kind,
        *,
        actor: Actor,
        reason: str = "",
        also: list[str] | None = None,
    ) -> None:
        """Take one step: the only place that assigns ``status``."""
        origin, before = self.status, self.stage
        self.status = target
        self.save(update_fields=["status", *(also or [])])
        Tally.moved(self.tenant_id, before, self.stage)
        self._log(kind, actor=actor, reason=reason, from_status=origin, to_status=target)

    def _log(self, kind: Kind, **details: Any) -> None:
        """Write what happened; ``details`` are those of :meth:`RegistrationEvent.record`."""
        RegistrationEvent.record(self.tenant_id, self.device_id, kind, **details)
