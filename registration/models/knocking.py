"""What the device does on its way in: it knocks, collects its password, and logs in."""

from typing import Final

from django.db import transaction
from django.utils import timezone

from inventory import devices, logins
from inventory.models import DeviceType
from registration import lifecycle, options
from registration.credentials import (
    handover_password,
    new_handover_nonce,
    token_digest,
    tokens_match,
)
from registration.errors import PollRefusedError, TransitionError
from registration.lifecycle import Stage, Status
from registration.models.events import RegistrationEvent
from registration.models.steps import RegistrationSteps
from registration.models.tally import Tally
from tenants.actors import Actor

Kind = RegistrationEvent.Kind

CONTACT_RESOLUTION: Final = 60  # seconds; last contact is not written more often than this
TOKENLESS: Final = "The policy requires a security token; the device sent none."
MAX_DELIVERY_EVENTS: Final = 10  # per hand-over; further deliveries are only counted


class KnockingDevice(RegistrationSteps):
    """The side of a registration that the device sees."""

    class Meta:
        abstract = True

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

    def introduce(
        self, device_type: DeviceType, *, token: str, device: Actor, reason: str
    ) -> Status:
        """Connect a device that shows a provisioning key of ``device_type``.

        One that was registered without a type is of this type from now on. The caller keeps the
        type from being deleted.

        Raises:
            TransitionError: nobody waits for it, or for one of another type.
        """
        with transaction.atomic():
            self._lock()
            is_waited_for = self.status == Status.WAITING_FOR_CONNECTION
            if not is_waited_for or self.device_type_id not in {None, device_type.pk}:
                raise TransitionError(self.device_id, self.status, Status.WAITING_FOR_CONNECTION)
            if self.device_type_id is None:
                self.device_type = device_type
                self.save(update_fields=["device_type"])
            return self._connect(token_digest(self.device_id, token), device, reason)

    def _connect(self, digest: str, device: Actor, reason: str = "") -> Status:
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
            reason=TOKENLESS if blocked else reason,
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
