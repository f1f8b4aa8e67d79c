"""A device on its way in, and every step it can take."""

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from inventory import devices
from inventory.locks import keep_group
from inventory.models import DeviceGroup
from registration import lifecycle, options
from registration.credentials import token_digest, tokens_match
from registration.errors import (
    AlreadyAcceptedError,
    AlreadyReportedError,
    BlockedError,
    DeviceLimitReachedError,
    DuplicateError,
    ReasonMissingError,
    TokenMismatchError,
    TokenRequiredError,
    TransitionError,
)
from registration.lifecycle import Stage, Status
from registration.models.destination import check_target
from registration.models.events import RegistrationEvent
from registration.models.indexes import REGISTRATION_INDEXES
from registration.models.knocking import KnockingDevice
from registration.models.queryset import RegistrationQuerySet
from registration.models.revoking import revoke_unused
from registration.models.tally import Tally
from tenants import audit, quota
from tenants.actors import Actor
from tenants.models import MANAGEMENT, Tenant

Kind = RegistrationEvent.Kind

MAX_REASON_LENGTH = 500  # characters


class Registration(KnockingDevice):
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

    # --- What people do -----------------------------------------------------------------

    def accept(self, *, by: Actor, token: str = "", reason: str = "") -> None:
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
                also = ["accepted_at"]
                self._move(target, Kind.ACCEPTED, actor=by, reason=reason, also=also)
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
        says from where to where. In the new one it belongs to whoever moved it, without a group
        and without a device type.

        Raises:
            MoveRefusedError: the device was let in already, or cannot go there; it says why.
        """
        with transaction.atomic():
            self._lock()
            target = check_target(self, tenant)
            origin, stage = self.tenant_id, self.stage
            self._log(Kind.MOVED_OUT, actor=by, from_status=self.status)
            # Groups and device types are each tenant's own.
            self.tenant, self.group, self.device_type = target, None, None
            self.created_by, self.created_by_name = by.user, by.name
            self.save(
                update_fields=["tenant", "group", "device_type", "created_by", "created_by_name"]
            )
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
