"""A device on its way in, and every step it can take."""

from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.functional import cached_property

from inventory.fields import DeviceIdField
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
    BlockedError,
    DuplicateError,
    PollRefusedError,
    ReasonMissingError,
    TokenMismatchError,
    TokenRequiredError,
    TransitionError,
)
from registration.lifecycle import Stage, Status, TokenPolicy
from registration.models.events import RegistrationEvent
from registration.models.indexes import REGISTRATION_INDEXES
from registration.models.queryset import RegistrationQuerySet
from registration.models.tally import Tally
from tenants.actors import Actor
from tenants.models import Tenant, User

Kind = RegistrationEvent.Kind

NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)  # of last_contact_at: sorts before any real time
CONTACT_RESOLUTION = 60  # seconds; last contact is not written more often than this
MAX_DELIVERY_EVENTS = 10  # per hand-over; further deliveries are only counted
MAX_REASON_LENGTH = 500  # characters


class Registration(models.Model):
    """A device on its way in ("new device request" on the wire)."""

    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, related_name="registrations", db_index=False
    )
    device_id = DeviceIdField()
    status = models.CharField(max_length=24, choices=Status)
    group = models.ForeignKey(
        DeviceGroup,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    device_type = models.CharField(max_length=255, blank=True, default="")
    custom_properties = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_by_name = models.CharField(max_length=255, blank=True, default="")

    # What the device said when it knocked.
    token_digest = models.CharField(max_length=64, blank=True, default="")
    last_contact_at = models.DateTimeField(default=NEVER)
    last_contact_from = models.CharField(max_length=45, blank=True, default="")

    # What went wrong.
    failed_attempts = models.PositiveIntegerField(default=0)
    conflicts = models.PositiveIntegerField(default=0)
    last_conflict_at = models.DateTimeField(null=True, blank=True)
    last_conflict_from = models.CharField(max_length=45, blank=True, default="")

    # The hand-over: made at delivery, gone at confirmation.
    accepted_at = models.DateTimeField(null=True, blank=True)
    handover_nonce = models.CharField(max_length=64, blank=True, default="")
    deliveries = models.PositiveIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["device_id"], name="reg_unique_device")]
        indexes = REGISTRATION_INDEXES

    def __str__(self) -> str:
        return str(self.device_id)

    # --- What it is ---------------------------------------------------------------------

    @property
    def stage(self) -> Stage:
        """Return where the device stands on its way in."""
        return lifecycle.stage_of(Status(self.status), self.delivered_at, self.confirmed_at)

    @property
    def sends_token(self) -> bool:
        """Say whether the device sent a security token when it knocked."""
        return bool(self.token_digest)

    @cached_property
    def policy(self) -> TokenPolicy:
        """Return the security token policy of this tenant, as known to whoever looks.

        For showing only, and a list sets it for all its rows: what is decided asks anew.
        """
        return options.token_policy(self.tenant)

    @property
    def is_acceptable_at_once(self) -> bool:
        """Say whether a pending device can be let in without a token."""
        return not lifecycle.needs_own_acceptance(
            self.policy, sends_token=self.sends_token, hand_picked=True
        )

    @property
    def attempts_left(self) -> int:
        """Return how many wrong tokens are left before the registration is blocked."""
        return max(0, settings.MAX_TOKEN_ATTEMPTS - self.failed_attempts)

    @property
    def revision(self) -> str:
        """Return a text that changes whenever the row of this registration looks different."""
        contact = int(self.last_contact_at.timestamp())
        return (
            f"{self.stage}.{self.failed_attempts}.{self.conflicts}.{contact}"
            f".{self.group_id or 0}.{self.tenant_id}"
        )

    def is_handover_open(self) -> bool:
        """Say whether the device may fetch its credentials, for the first time or again."""
        return self.status == Status.ACCEPTED and lifecycle.is_handover_open(
            delivered_at=self.delivered_at,
            confirmed_at=self.confirmed_at,
            now=timezone.now(),
            limit=options.handover_limit(self.tenant),
        )

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
            DeviceCredentials.issue(self.tenant, self.device_id, password)
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
            else:
                self._fail_acceptance(target, by)
        if target is Status.BLOCKED:
            raise (BlockedError if self.sends_token else TokenRequiredError)(self.device_id)
        if target is Status.PENDING_ACCEPTANCE:
            raise TokenMismatchError(self.device_id, self.attempts_left)

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
            self._revoke_unused()
            self.handover_nonce, self.delivered_at, self.deliveries = "", None, 0
            self.conflicts = 0
            self.save(update_fields=["handover_nonce", "delivered_at", "deliveries", "conflicts"])
            Tally.moved(self.tenant_id, Stage.DELIVERED, Stage.ACCEPTED)
            self._log(Kind.HANDOVER_REOPENED, actor=by)

    def remove(self, *, by: Actor, kind: Kind = Kind.REMOVED) -> None:
        """Take the registration away; its events stay.

        Credentials that were delivered and never used go with it: a device that nobody wants
        any more must not come in by an answer that is still on its way.
        """
        with transaction.atomic():
            self._lock()
            if self.stage is Stage.DELIVERED:
                self._revoke_unused()
            Tally.moved(self.tenant_id, self.stage, None)
            self._log(kind, actor=by, from_status=self.status)
            self.delete()

    def join_group(self, group: DeviceGroup | None, *, by: Actor) -> None:
        """Change the group that the device will be put into."""
        with transaction.atomic():
            self._lock()
            if self.group_id == (group.pk if group else None):
                return
            self.group = group
            self.save(update_fields=["group"])
            self._log(Kind.GROUP_CHANGED, actor=by, reason=group.path if group else "No group.")

    def _revoke_unused(self) -> None:
        """Void the password of this hand-over, unless the device has come in with it."""
        DeviceCredentials.objects.filter(
            device_id=self.device_id, tenant=self.tenant_id, first_login_at__isnull=True
        ).delete()

    # --- Bookkeeping --------------------------------------------------------------------

    def events(self) -> "models.QuerySet[RegistrationEvent]":
        """Return what happened to this ID in this tenant, oldest first, also before this time."""
        return RegistrationEvent.objects.filter(
            tenant=self.tenant_id, device_id=self.device_id
        ).order_by("pk")

    def _lock(self) -> None:
        """Make everybody else wait who wants to change this row, and see it as it is now."""
        self.refresh_from_db(from_queryset=Registration.objects.select_for_update(of=("self",)))

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
